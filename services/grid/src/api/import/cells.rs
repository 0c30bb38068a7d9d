//! Cells as values: codes, choices, times, numbers. What does not read is a violation at the cell's column.

use jingwei_kit::status::Violations;
use jingwei_work_calendar::CHINA_STANDARD_TIME;
use prost_types::Timestamp;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time};

use crate::api::wire::{name, time as wire_time};
use crate::ledger::Row;
use crate::ledger::heading::Heading;
use crate::model::area::AreaCode;

/// The cells of a row, by the English names of their columns.
pub(super) struct Cells<'a> {
    pub(super) heading: &'a Heading,
    pub(super) row: &'a Row,
    pub(super) violations: &'a mut Violations,
}

impl<'a> Cells<'a> {
    /// The text.
    pub(super) fn text(&self, en: &str) -> &'a str {
        self.heading.cell(self.row, en)
    }

    /// The text as a field of a message.
    pub(super) fn string(&self, en: &str) -> String {
        self.text(en).to_owned()
    }

    /// The items of a list, `;` between them.
    pub(super) fn list(&self, en: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.text(en).split([';', '；', '\n']).map(str::trim).filter(|item| !item.is_empty())
    }

    /// A code of a category, department or condition; empty where it is, or is none with a violation.
    pub(super) fn code(&mut self, en: &str) -> String {
        Some(self.string(en)).filter(|text| self.is_code(en, text)).unwrap_or_default()
    }

    /// The codes of a list that are codes; violations for the others.
    pub(super) fn codes(&mut self, en: &str) -> Vec<String> {
        self.list(en).filter(|item| self.is_code(en, item)).map(str::to_owned).collect()
    }

    fn is_code(&mut self, en: &str, text: &str) -> bool {
        let letters = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let is_code = letters && text.len() <= 40;
        if !is_code {
            let zh = "代码为 1 至 40 个小写字母、数字或 -";
            self.violations.add(en, "code", zh, "a code is 1 to 40 of a-z, 0-9 and -");
        }
        is_code
    }

    /// The code of an area of the district; `None` where it is empty, or wrong with a violation.
    pub(super) fn area(&mut self, en: &str, district: i32) -> Option<AreaCode> {
        self.area_of(en, self.text(en), district)
    }

    /// As `area`, of an item of a list.
    pub(super) fn area_of(&mut self, en: &str, text: &str, district: i32) -> Option<AreaCode> {
        if text.is_empty() {
            return None;
        }
        match text.parse::<AreaCode>() {
            // The rule about districts has its text there.
            Ok(code) => name::read_area_in(en, &name::area(code), district, self.violations),
            Err(error) => {
                let zh = "区域代码为 6、9、12、15 或 18 位数字，不以 0 开头";
                self.violations.add(en, "area", zh, error.to_string());
                None
            }
        }
    }

    /// Notes where a cell is empty that must not be.
    pub(super) fn require(&mut self, en: &str) {
        if self.text(en).is_empty() {
            self.violations.add(en, "required", "不能为空", "must not be empty");
        }
    }

    /// One of several words, in either language; `None` where it is empty, or none of them with a violation.
    pub(super) fn choice<T: Copy>(&mut self, en: &str, choices: &[(&str, &str, T)]) -> Option<T> {
        let text = self.text(en).to_lowercase();
        if text.is_empty() {
            return None;
        }
        let found = choices.iter().find(|(zh, name, _)| text == *zh || text == *name);
        if found.is_none() {
            let list =
                |of: fn(&(&str, &str, T)) -> String| choices.iter().map(of).collect::<Vec<_>>().join("、");
            let zh = format!("只能是：{}", list(|choice| choice.0.to_owned()));
            let english =
                format!("must be one of: {}", list(|choice| choice.1.to_owned()).replace('、', ", "));
            self.violations.add(en, "choice", zh, english);
        }
        found.map(|(_, _, value)| *value)
    }

    /// Yes or no; no where it is empty.
    pub(super) fn flag(&mut self, en: &str) -> bool {
        let choices = [("是", "yes", true), ("否", "no", false), ("1", "true", true), ("0", "false", false)];
        self.choice(en, &choices).unwrap_or(false)
    }

    /// Degrees.
    pub(super) fn degrees(&mut self, en: &str) -> Option<f64> {
        let text = self.text(en);
        let read = text.parse().ok().filter(|degrees: &f64| degrees.is_finite());
        if read.is_none() && !text.is_empty() {
            self.violations.add(en, "number", "须为数字（度）", "must be a number of degrees");
        }
        read
    }

    /// A moment, local where it has no offset, midnight where it is a date; `None` where it is empty, or wrong with a violation.
    pub(super) fn moment(&mut self, en: &str) -> Option<OffsetDateTime> {
        let text = self.text(en);
        if text.is_empty() {
            return None;
        }
        let Some(read) = moment(text) else {
            let zh = "格式为 2026-03-02 09:30（北京时间），可以只写日期";
            self.violations.add(en, "time", zh, "must look like 2026-03-02 09:30 (UTC+8), or a date alone");
            return None;
        };
        let seconds = Timestamp { seconds: read.unix_timestamp(), nanos: 0 };
        wire_time::read(en, Some(&seconds), self.violations)
    }
}

fn moment(text: &str) -> Option<OffsetDateTime> {
    if let Ok(moment) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(moment);
    }
    let text = text.replace('/', "-").replace('T', " ");
    let (date, time) = text.split_once(' ').map_or((text.as_str(), ""), |(date, time)| (date, time.trim()));
    let day = format_description!("[year]-[month padding:none]-[day padding:none]");
    let date = Date::parse(date, day).ok()?;
    let time = match time.matches(':').count() {
        0 if time.is_empty() => Time::MIDNIGHT,
        1 => Time::parse(time, format_description!("[hour padding:none]:[minute]")).ok()?,
        _ => Time::parse(time, format_description!("[hour padding:none]:[minute]:[second]")).ok()?,
    };
    Some(PrimitiveDateTime::new(date, time).assume_offset(CHINA_STANDARD_TIME))
}

/// As exports write moments, and `moment` reads them.
pub fn written(at: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    at.to_offset(CHINA_STANDARD_TIME).format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn moments_are_read_as_offices_write_them() {
        let expected = datetime!(2026-03-02 09:05 +08:00);
        for text in [
            "2026-03-02 09:05",
            "2026/3/2 9:05",
            "2026-03-02T09:05:00",
            "2026-03-02T01:05:00Z",
            "2026-3-2 9:05:00",
        ] {
            assert_eq!(moment(text), Some(expected), "{text}");
        }
        assert_eq!(moment("2026-03-02"), Some(datetime!(2026-03-02 00:00 +08:00)));
        assert_eq!(moment(&written(expected)), Some(expected));
        for text in ["2026-13-02", "2026-02-30", "yesterday", "2026-03-02 25:00", "46000"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
