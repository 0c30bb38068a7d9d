//! A month bulletin as an Excel workbook: Chinese headings with the English ones below, numbers as numbers.

use jingwei_proto::grid::v1 as pb;
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

/// The first row of numbers: a title and two lines of headings are above it.
const FIRST: u32 = 3;

/// What stands in a cell.
enum Cell {
    Count(i64),
    /// A numerator and a denominator; empty where the denominator is not positive.
    Percent(Option<pb::Rate>),
    /// Empty where it never happened.
    Minutes(Option<pb::Duration>),
}

/// A column: its heading, and what a line has in it.
type Column = (&'static str, &'static str, fn(&pb::Statistics) -> Cell);

fn count(statistics: &pb::Statistics, of: fn(&pb::StatisticCounts) -> i64) -> Cell {
    Cell::Count(statistics.counts.as_ref().map_or(0, of))
}

fn rate(statistics: &pb::Statistics, of: fn(&pb::Rates) -> Option<pb::Rate>) -> Cell {
    Cell::Percent(statistics.rates.as_ref().and_then(of))
}

#[rustfmt::skip] // a column is a line
const COLUMNS: [Column; 22] = [
    ("上报", "Reported", |s| count(s, |c| c.reported)),
    ("受理", "Accepted", |s| count(s, |c| c.accepted)),
    ("受理率", "Acceptance", |s| rate(s, |r| r.acceptance.clone())),
    ("立案", "Registered", |s| count(s, |c| c.registered)),
    ("立案率", "Registration", |s| rate(s, |r| r.registration.clone())),
    ("派遣", "Dispatched", |s| count(s, |c| c.dispatched)),
    ("结案", "Closed", |s| count(s, |c| c.closed)),
    ("应结案", "Due", |s| count(s, |c| c.due)),
    ("应结已结", "Due and closed", |s| count(s, |c| c.due_closed)),
    ("结案率", "Closing", |s| rate(s, |r| r.closing.clone())),
    ("按时结案", "On time", |s| count(s, |c| c.due_on_time)),
    ("按时结案率", "On-time closing", |s| rate(s, |r| r.on_time_closing.clone())),
    ("响应率", "Response", |s| rate(s, |r| r.response.clone())),
    ("返工率", "Rework", |s| rate(s, |r| r.rework.clone())),
    ("退回率", "Returns", |s| rate(s, |r| r.returns.clone())),
    ("延期率", "Extension", |s| rate(s, |r| r.extension.clone())),
    ("参评率", "Participation", |s| rate(s, |r| r.participation.clone())),
    ("解决率", "Solution", |s| rate(s, |r| r.solution.clone())),
    ("满意率", "Satisfaction", |s| rate(s, |r| r.satisfaction.clone())),
    ("处置用时中位数（分钟）", "Handling, median (min)", |s| Cell::Minutes(s.durations.as_ref().and_then(|d| d.handling))),
    ("全程用时中位数（分钟）", "Total, median (min)", |s| Cell::Minutes(s.durations.as_ref().and_then(|d| d.total))),
    ("在办增减", "Change of open", |s| count(s, |c| c.open)),
];

/// The formats of the cells.
struct Formats {
    title: Format,
    heading: Format,
    text: Format,
    count: Format,
    percent: Format,
}

impl Formats {
    fn new() -> Self {
        let cell = || Format::new().set_border(FormatBorder::Thin).set_border_color(Color::RGB(0x00BF_BFBF));
        let heading = cell().set_bold().set_text_wrap().set_background_color(Color::RGB(0x00DD_EBF7));
        Self {
            title: Format::new().set_bold().set_font_size(14),
            heading: heading.set_align(FormatAlign::Center).set_align(FormatAlign::VerticalCenter),
            text: cell(),
            count: cell().set_num_format("#,##0"),
            percent: cell().set_num_format("0.00%"),
        }
    }
}

/// The bytes of the workbook.
///
/// # Errors
/// Those of the writer, which say that we used it wrongly.
pub(super) fn workbook(bulletin: &pb::MonthBulletin) -> Result<Vec<u8>, XlsxError> {
    let (mut book, formats) = (Workbook::new(), Formats::new());
    let title = format!("{} {} 月通报 Month bulletin", bulletin.display_name, bulletin.month);
    if let Some(total) = &bulletin.total {
        overview(book.add_worksheet(), &title, total, &formats)?;
    }
    let sheets = [
        ("区域 Areas", &bulletin.areas, ("区域", "Area")),
        ("部门 Departments", &bulletin.departments, ("牵头部门", "Lead department")),
        ("类别 Categories", &bulletin.top_categories, ("小类", "Sub-category")),
    ];
    for (name, rows, subject) in sheets {
        let sheet = book.add_worksheet();
        sheet.set_name(name)?;
        table(sheet, &title, subject, rows, &formats)?;
    }
    book.save_to_buffer()
}

/// Everything of the whole area, a line each: the month, the month before.
fn overview(
    sheet: &mut Worksheet,
    title: &str,
    total: &pb::MonthBulletinRow,
    formats: &Formats,
) -> Result<(), XlsxError> {
    sheet.set_name("总览 Overview")?;
    sheet.write_string_with_format(0, 0, title, &formats.title)?;
    let headings = [("指标", "Item"), ("", ""), ("本月", "This month"), ("上月", "Month before")];
    for (column, heading) in (0..).zip(headings) {
        head(sheet, column, heading, formats)?;
    }
    for (row, (zh, en, value)) in (FIRST..).zip(COLUMNS) {
        sheet.write_string_with_format(row, 0, zh, &formats.text)?;
        sheet.write_string_with_format(row, 1, en, &formats.text)?;
        for (column, statistics) in (2..).zip([&total.current, &total.previous]) {
            write(sheet, row, column, statistics.as_ref().map(value), formats)?;
        }
    }
    sheet.set_column_width(0, 24)?.set_column_width(1, 24)?;
    sheet.set_column_width(2, 14)?.set_column_width(3, 14)?;
    sheet.set_freeze_panes(FIRST, 0)?;
    Ok(())
}

/// A line for each row: rank, name, every column, and the on-time rate of the month before.
fn table(
    sheet: &mut Worksheet,
    title: &str,
    subject: (&str, &str),
    rows: &[pb::MonthBulletinRow],
    formats: &Formats,
) -> Result<(), XlsxError> {
    sheet.write_string_with_format(0, 0, title, &formats.title)?;
    let headings = COLUMNS.iter().map(|(zh, en, _)| (*zh, *en));
    let before = ("上月按时结案率", "On-time closing, month before");
    let headings = [("排名", "Rank"), subject].into_iter().chain(headings).chain([before]);
    for (column, heading) in (0..).zip(headings) {
        head(sheet, column, heading, formats)?;
        sheet.set_column_width(column, if column == 1 { 24 } else { 13 })?;
    }
    for (line, row) in (FIRST..).zip(rows) {
        let Some(current) = &row.current else { continue };
        match row.rank {
            0 => sheet.write_blank(line, 0, &formats.text)?,
            rank => sheet.write_number_with_format(line, 0, rank, &formats.count)?,
        };
        sheet.write_string_with_format(line, 1, &current.display_name, &formats.text)?;
        for (column, (_, _, value)) in (2..).zip(COLUMNS) {
            write(sheet, line, column, Some(value(current)), formats)?;
        }
        let before = row.previous.as_ref().map(|s| rate(s, |r| r.on_time_closing.clone()));
        write(sheet, line, 2 + COLUMNS.len() as u16, before, formats)?;
    }
    sheet.set_freeze_panes(FIRST, 2)?;
    Ok(())
}

/// A heading in both languages, one below the other.
fn head(
    sheet: &mut Worksheet,
    column: u16,
    heading: (&str, &str),
    formats: &Formats,
) -> Result<(), XlsxError> {
    sheet.write_string_with_format(1, column, heading.0, &formats.heading)?;
    sheet.write_string_with_format(2, column, heading.1, &formats.heading)?;
    Ok(())
}

fn write(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: Option<Cell>,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match cell {
        Some(Cell::Count(count)) => {
            sheet.write_number_with_format(row, column, count as f64, &formats.count)?
        }
        Some(Cell::Percent(Some(rate))) if rate.denominator > 0 => {
            let part = rate.numerator as f64 / rate.denominator as f64;
            sheet.write_number_with_format(row, column, part, &formats.percent)?
        }
        Some(Cell::Minutes(Some(took))) if took.count > 0 => {
            sheet.write_number_with_format(row, column, took.median_minutes as f64, &formats.count)?
        }
        _ => sheet.write_blank(row, column, &formats.text)?,
    };
    Ok(())
}
