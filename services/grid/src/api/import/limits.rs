//! Limits and conditions as text in one cell: `5 工作日`, `1.5 工作时`, `fenced|有围挡|处置=8 紧急工作时;…`.

use jingwei_proto::grid::v1 as pb;

/// The units, as they may be written; the first one of each is how they are written.
const UNITS: [(pb::TimeUnit, &[&str]); 3] = [
    (pb::TimeUnit::EmergencyHours, &["紧急工作时", "急时", "emergency hours", "eh"]),
    (pb::TimeUnit::WorkingHours, &["工作时", "working hours", "wh"]),
    (pb::TimeUnit::WorkingDays, &["工作日", "working days", "wd"]),
];

/// The steps, as conditions name them.
const STEPS: [(&str, &str); 5] =
    [("受理", "accept"), ("立案", "register"), ("派遣", "dispatch"), ("处置", "handle"), ("核查", "verify")];

/// The limit that a text says; `None` where it says none. What it amounts to is checked as that of a message is.
pub fn read(text: &str) -> Option<pb::Limit> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, name) = (text[..end].parse::<f64>().ok()?, text[end..].trim().to_lowercase());
    let (unit, _) = UNITS.iter().find(|(_, names)| names.contains(&name.as_str()))?;
    let amount = if *unit == pb::TimeUnit::WorkingDays { number } else { number * 60.0 };
    // Minutes that are no round part of an hour come as a fraction without end.
    let is_whole = (amount - amount.round()).abs() < 1e-4 && amount < 1e9;
    is_whole.then(|| pb::Limit { unit: (*unit).into(), amount: amount.round() as i32 })
}

/// A limit as text.
pub fn write(limit: &pb::Limit) -> String {
    let Some((unit, names)) = UNITS.iter().find(|(unit, _)| *unit == limit.unit()) else {
        return String::new();
    };
    let amount = f64::from(limit.amount);
    let number = if *unit == pb::TimeUnit::WorkingDays { amount } else { amount / 60.0 };
    format!("{number} {}", names[0])
}

/// The limit of a step, by its English name.
pub fn step<'a>(limits: &'a mut pb::StepLimits, name: &str) -> Option<&'a mut Option<pb::Limit>> {
    match name {
        "accept" => Some(&mut limits.accept),
        "register" => Some(&mut limits.register),
        "dispatch" => Some(&mut limits.dispatch),
        "handle" => Some(&mut limits.handle),
        "verify" => Some(&mut limits.verify),
        _ => None,
    }
}

/// The condition that an item says: code, name, and limits of steps, `|` between them.
pub fn read_condition(text: &str) -> Option<pb::Condition> {
    let mut parts = text.split('|').map(str::trim);
    let (code, display_name) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut limits = pb::StepLimits::default();
    for part in parts {
        let (name, limit) = part.split_once('=')?;
        let (_, name) = STEPS.iter().find(|(zh, en)| name == *zh || name == *en)?;
        *step(&mut limits, name)? = Some(read(limit)?);
    }
    Some(pb::Condition { code, display_name, limits: Some(limits) })
}

/// A condition as an item.
pub fn write_condition(condition: &pb::Condition) -> String {
    let mut limits = condition.limits.unwrap_or_default();
    let given = STEPS.iter().filter_map(|(zh, en)| {
        let limit = step(&mut limits, en)?.take()?;
        Some(format!("|{zh}={}", write(&limit)))
    });
    format!("{}|{}{}", condition.code, condition.display_name, given.collect::<String>())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn limits_are_read_as_people_write_them() {
        let working = |amount| Some(pb::Limit { unit: pb::TimeUnit::WorkingHours.into(), amount });
        assert_eq!(
            (read("1.5 工作时"), read("2wh"), read("8 Working Hours")),
            (working(90), working(120), working(480))
        );
        let emergency = pb::Limit { unit: pb::TimeUnit::EmergencyHours.into(), amount: 480 };
        assert_eq!(read("8急时"), Some(emergency));
        for wrong in
            ["", "5", "工作日", "-1 工作日", "0.5 工作日", "1e9 工作日", "5 天", "99999999999 wd", "0.001 wh"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        for wrong in ["fenced", "fenced|有围挡|处置", "fenced|有围挡|处置=x", "fenced|有围挡|x=5 工作日"]
        {
            assert_eq!(read_condition(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(unit in 1..=3, amount in 1..=1_000_000, register in any::<bool>()) {
            let limit = pb::Limit { unit, amount };
            prop_assert_eq!(read(&write(&limit)), Some(limit), "{}", write(&limit));
            let limits = pb::StepLimits { handle: Some(limit), register: register.then_some(limit), ..Default::default() };
            let condition = pb::Condition { code: "fenced".into(), display_name: "有围挡".into(), limits: Some(limits) };
            prop_assert_eq!(read_condition(&write_condition(&condition)), Some(condition));
        }
    }
}
