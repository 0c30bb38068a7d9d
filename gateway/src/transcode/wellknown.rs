//! The texts of Timestamp, Duration and FieldMask: the same in JSON strings and in queries.

use time::{Date, Month, OffsetDateTime};

use super::{
    output,
    tables::Form,
    wire::{WireType, put_delimited, put_tag, put_varint},
};

/// Seconds of 0001-01-01T00:00:00Z and of 9999-12-31T23:59:59Z.
const TIMESTAMP: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// About 10,000 years, the limit of google.protobuf.Duration.
const DURATION: std::ops::RangeInclusive<i64> = -315_576_000_000..=315_576_000_000;
const SECOND: i32 = 1_000_000_000;

/// Appends a point in time as RFC 3339 in UTC, in quotes; none if it lies outside the years 1 to 9999.
pub(super) fn put_timestamp(out: &mut Vec<u8>, seconds: i64, nanos: i32) -> Option<()> {
    if !TIMESTAMP.contains(&seconds) || !(0..SECOND).contains(&nanos) {
        return None;
    }
    let moment = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    let (year, month, day) = moment.to_calendar_date();
    let (hour, minute, second) = moment.to_hms();
    let year = year.unsigned_abs();
    let mut text = *b"\"0000-00-00T00:00:00";
    let mut two = |at: usize, value: u8| {
        text[at] = b'0' + value / 10;
        text[at + 1] = b'0' + value % 10;
    };
    two(1, (year / 100) as u8);
    two(3, (year % 100) as u8);
    two(6, u8::from(month));
    two(9, day);
    two(12, hour);
    two(15, minute);
    two(18, second);
    out.extend_from_slice(&text);
    put_fraction(out, nanos.unsigned_abs());
    out.extend_from_slice(b"Z\"");
    Some(())
}

/// Appends a length of time in seconds, in quotes; none if it is out of range or its parts differ in sign.
pub(super) fn put_duration(out: &mut Vec<u8>, seconds: i64, nanos: i32) -> Option<()> {
    let opposed = (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0);
    if opposed || !DURATION.contains(&seconds) || nanos <= -SECOND || nanos >= SECOND {
        return None;
    }
    out.push(b'"');
    if seconds < 0 || nanos < 0 {
        out.push(b'-');
    }
    output::integer(out, i128::from(seconds).abs());
    put_fraction(out, nanos.unsigned_abs());
    out.extend_from_slice(b"s\"");
    Some(())
}

/// Appends nothing, or a point and 3, 6 or 9 digits.
fn put_fraction(out: &mut Vec<u8>, nanos: u32) {
    let (value, digits) = match nanos {
        0 => return,
        n if n % 1_000_000 == 0 => (n / 1_000_000, 3),
        n if n % 1_000 == 0 => (n / 1_000, 6),
        n => (n, 9),
    };
    out.push(b'.');
    let mut divisor = 10u32.pow(digits - 1);
    while divisor > 0 {
        out.push(b'0' + (value / divisor % 10) as u8);
        divisor /= 10;
    }
}

/// Appends a path of a field mask in lowerCamelCase; none if the way back would not give the same path.
pub(super) fn put_mask_path(out: &mut Vec<u8>, path: &str) -> Option<()> {
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'_' => out.push(bytes.next().filter(u8::is_ascii_lowercase)?.to_ascii_uppercase()),
            b'A'..=b'Z' => return None,
            b'"' | b'\\' | 0..0x20 => return None,
            _ => out.push(byte),
        }
    }
    Some(())
}

/// Appends the wire form of a Timestamp, Duration or FieldMask given as text; none if it is not one.
pub(super) fn put_wire(out: &mut Vec<u8>, form: Form, text: &str) -> Option<()> {
    if form == Form::FieldMask {
        for path in mask_paths(text)? {
            put_tag(out, 1, WireType::Delimited);
            put_delimited(out, path.as_bytes());
        }
        return Some(());
    }
    let (seconds, nanos) = if form == Form::Timestamp { timestamp(text)? } else { duration(text)? };
    put_tag(out, 1, WireType::Varint);
    put_varint(out, seconds as u64);
    put_tag(out, 2, WireType::Varint);
    put_varint(out, i64::from(nanos) as u64);
    Some(())
}

/// Seconds since 1970 and nanoseconds of an RFC 3339 text with `T`, up to 9 digits of a second, and `Z` or an offset.
pub(super) fn timestamp(text: &str) -> Option<(i64, i32)> {
    let (date, rest) = text.split_at_checked(10)?;
    let (clock, rest) = rest.strip_prefix('T')?.split_at_checked(8)?;
    let [year, month, day] = parts(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = parts(clock, ':', [2, 2, 2])?;
    let (nanos, zone) = fraction(rest)?;
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let local = date.midnight().assume_utc().unix_timestamp() + i64::from(hour * 3600 + minute * 60 + second);
    let seconds = local - offset(zone)?;
    TIMESTAMP.contains(&seconds).then_some((seconds, nanos))
}

/// Three numbers of the given widths with `mark` between them.
fn parts(text: &str, mark: char, widths: [usize; 3]) -> Option<[u32; 3]> {
    let mut parts = text.split(mark);
    let mut number = |width: usize| parts.next().filter(|p| p.len() == width).and_then(digits);
    let found = [number(widths[0])?, number(widths[1])?, number(widths[2])?];
    parts.next().is_none().then_some(found)
}

/// Digits only: no sign, no space.
fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Nanoseconds of a `.` with 1 to 9 digits, if there is one, and what follows.
fn fraction(text: &str) -> Option<(i32, &str)> {
    let Some(text) = text.strip_prefix('.') else { return Some((0, text)) };
    let len = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=9).contains(&len) {
        return None;
    }
    let value: i32 = text[..len].parse().ok()?;
    Some((value * 10i32.pow(9 - len as u32), &text[len..]))
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    let (sign, clock) = match zone.split_at_checked(1)? {
        ("Z", "") => return Some(0),
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, minutes) = clock.split_once(':').filter(|(h, m)| h.len() == 2 && m.len() == 2)?;
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 3600 + minutes * 60))
}

/// Seconds and nanoseconds, of one sign, of a text such as `-1.5s`.
pub(super) fn duration(text: &str) -> Option<(i64, i32)> {
    let text = text.strip_suffix('s')?;
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let len = text.bytes().take_while(u8::is_ascii_digit).count();
    let seconds: i64 = text[..len].parse().ok()?;
    let (nanos, rest) = fraction(&text[len..])?;
    let in_range = rest.is_empty() && DURATION.contains(&seconds);
    in_range.then_some((i64::from(sign) * seconds, sign * nanos))
}

/// The paths of a field mask's text, in the snake_case of the .proto file; none if one is not lowerCamelCase.
pub(super) fn mask_paths(text: &str) -> Option<Vec<String>> {
    text.split(',').filter(|_| !text.is_empty()).map(mask_path).collect()
}

fn mask_path(text: &str) -> Option<String> {
    let mut path = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        match c {
            'A'..='Z' => path.extend(['_', c.to_ascii_lowercase()]),
            'a'..='z' | '0'..='9' | '.' => path.push(c),
            _ => return None,
        }
    }
    Some(path).filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(put: impl FnOnce(&mut Vec<u8>) -> Option<()>) -> Option<String> {
        let mut out = Vec::new();
        put(&mut out)?;
        Some(String::from_utf8(out).unwrap().trim_matches('"').to_owned())
    }

    #[test]
    fn times_at_the_edges() {
        assert_eq!(timestamp("0001-01-01T00:00:00Z"), Some((*TIMESTAMP.start(), 0)));
        assert_eq!(timestamp("9999-12-31T23:59:59.999999999Z"), Some((*TIMESTAMP.end(), 999_999_999)));
        assert_eq!(timestamp("2026-11-23T08:00:00.5+08:00"), timestamp("2026-11-23T00:00:00.500Z"));
        let wrong = [
            "0001-01-01T00:00:00+01:00",
            "2026-02-29T00:00:00Z",
            "2026-11-23T00:00:00",
            "2026-11-23t00:00:00Z",
            "2026-11-23T00:00:00z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T00:00:00.Z",
            "2026-11-23T00:00:00.1234567890Z",
            "2026-11-23 00:00:00Z",
            "+026-11-23T00:00:00Z",
            "2026-11-23T00:00:00+0800",
            "2026-11-23T00:00:60Z",
            "",
            "二〇二六年",
        ];
        for wrong in wrong {
            assert_eq!(timestamp(wrong), None, "{wrong}");
        }
        assert_eq!(text(|out| put_timestamp(out, TIMESTAMP.end() + 1, 0)), None);
        assert_eq!(text(|out| put_timestamp(out, 0, -1)), None);
    }

    #[test]
    fn lengths_of_time() {
        assert_eq!(duration("-0.5s"), Some((0, -500_000_000)));
        assert_eq!(duration("315576000000s"), Some((315_576_000_000, 0)));
        for wrong in ["315576000001s", "1", "s", "1.s", ".5s", "1.5 s", "--1s", "+1s", "-s", "1e3s"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
        assert_eq!(text(|out| put_duration(out, 1, -1)), None);
        assert_eq!(text(|out| put_duration(out, 0, -10_000)).as_deref(), Some("-0.000010s"));
    }

    #[test]
    fn mask_paths_go_both_ways_or_not_at_all() {
        assert_eq!(
            mask_paths("displayName,place.pointA"),
            Some(vec!["display_name".into(), "place.point_a".into()])
        );
        assert_eq!(mask_paths(""), Some(vec![]));
        assert_eq!(mask_paths("display_name"), None);
        assert_eq!(mask_paths("a,,b"), None);
        assert_eq!(text(|out| put_mask_path(out, "display_name")).as_deref(), Some("displayName"));
        for wrong in ["displayName", "a__b", "a_", "a_1"] {
            assert_eq!(text(|out| put_mask_path(out, wrong)), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_time_comes_back(seconds in TIMESTAMP, nanos in 0..SECOND) {
            let written = text(|out| put_timestamp(out, seconds, nanos)).unwrap();
            prop_assert_eq!(timestamp(&written), Some((seconds, nanos)));
        }

        #[test]
        fn every_length_comes_back(seconds in DURATION, nanos in 0..SECOND) {
            let nanos = if seconds < 0 { -nanos } else { nanos };
            let written = text(|out| put_duration(out, seconds, nanos)).unwrap();
            prop_assert_eq!(duration(&written), Some((seconds, nanos)));
        }
    }
}
