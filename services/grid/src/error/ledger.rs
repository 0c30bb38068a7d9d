//! Why a ledger is refused as a whole: their part of the table.

use jingwei_kit::status::Problem;
use tonic::Code;

use crate::ledger::Refusal;

/// The row of each refusal.
pub(super) fn refused(refusal: &Refusal) -> Problem {
    let invalid = |reason, zh: String, en: String| Problem::new(Code::InvalidArgument, reason, zh, en);
    match refusal {
        Refusal::Unreadable => invalid(
            "LEDGER_UNREADABLE",
            "文件无法读取；须为 CSV、Excel（.xlsx）或（边界）GeoJSON，且没有损坏".into(),
            "the file cannot be read: it must be CSV, Excel (.xlsx) or, of boundaries, GeoJSON, and not damaged".into(),
        ),
        Refusal::Empty => invalid(
            "LEDGER_COLUMNS",
            "文件是空的；第一行须为列名".into(),
            "the file is empty: its first row must name the columns".into(),
        ),
        Refusal::TooLarge => invalid(
            "LEDGER_TOO_LARGE",
            "文件或其解压后的部分过大；请分成几个文件".into(),
            "the file, or a part of it when unpacked, is too large: split it".into(),
        ),
        Refusal::Columns { unknown, missing, twice } => {
            let zh = |names: &[(&str, &str)]| names.iter().map(|name| name.0).collect::<Vec<_>>().join("、");
            let en = |names: &[(&str, &str)]| names.iter().map(|name| name.1).collect::<Vec<_>>().join(", ");
            let zh = told(&[("不认识的列：", unknown.join("、")), ("缺少的列：", zh(missing)), ("重复的列：", zh(twice))], "；");
            let english = [
                ("unknown columns: ", unknown.join(", ")),
                ("missing columns: ", en(missing)),
                ("columns given twice: ", en(twice)),
            ];
            let problem = invalid("LEDGER_COLUMNS", zh, told(&english, "; "));
            let problem = problem.with("unknown", unknown.join(", ")).with("missing", en(missing));
            problem.with("twice", en(twice))
        }
    }
}

fn told(parts: &[(&str, String)], separator: &str) -> String {
    let there = parts.iter().filter(|(_, names)| !names.is_empty());
    there.map(|(what, names)| format!("{what}{names}")).collect::<Vec<_>>().join(separator)
}
