//! The text of one scalar → wire bytes: the same in JSON numbers, JSON strings, map keys and queries.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{
    json::number_len,
    tables::{Enum, Form, Kind, Tables},
    violation::Text,
    wire::{put_delimited, put_varint, zigzag},
};

/// Appends the wire form of a number given as text; none if it is not one of `kind`.
pub(super) fn put_number(out: &mut Vec<u8>, kind: Kind, text: &str) -> Option<()> {
    match kind {
        Kind::Double => out.extend_from_slice(&double(text)?.to_le_bytes()),
        Kind::Float => out.extend_from_slice(&single(text)?.to_le_bytes()),
        Kind::Int32 => put_varint(out, i64::from(whole::<i32>(text)?) as u64),
        Kind::Int64 => put_varint(out, whole::<i64>(text)? as u64),
        Kind::Uint32 => put_varint(out, whole::<u32>(text)?.into()),
        Kind::Uint64 => put_varint(out, whole::<u64>(text)?),
        Kind::Sint32 => put_varint(out, u64::from(zigzag(whole::<i32>(text)?.into()) as u32)),
        Kind::Sint64 => put_varint(out, zigzag(whole::<i64>(text)?)),
        Kind::Fixed32 => out.extend_from_slice(&whole::<u32>(text)?.to_le_bytes()),
        Kind::Fixed64 => out.extend_from_slice(&whole::<u64>(text)?.to_le_bytes()),
        Kind::Sfixed32 => out.extend_from_slice(&whole::<i32>(text)?.to_le_bytes()),
        Kind::Sfixed64 => out.extend_from_slice(&whole::<i64>(text)?.to_le_bytes()),
        Kind::Enum(_) => put_varint(out, i64::from(whole::<i32>(text)?) as u64),
        Kind::Bool | Kind::String | Kind::Bytes | Kind::Message(_) => return None,
    }
    Some(())
}

/// Appends the wire form of a scalar given as text, as in a query or a map's key; none if it is not one of `kind`.
pub(super) fn put_text(out: &mut Vec<u8>, tables: &Tables, kind: Kind, text: &str) -> Option<()> {
    match kind {
        Kind::String => put_delimited(out, text.as_bytes()),
        Kind::Bytes => put_delimited(out, &base64(text)?),
        Kind::Bool => put_varint(out, u64::from(boolean(text)?)),
        Kind::Enum(id) => match tables.get_enum(id).number(text) {
            Some(number) => put_varint(out, i64::from(number) as u64),
            None => return put_number(out, kind, text),
        },
        Kind::Message(_) => return None,
        _ => return put_number(out, kind, text),
    }
    Some(())
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A whole number in any spelling of JSON's: `1`, `1.0`, `1e2`, but exactly, without a float in between.
fn whole<T: TryFrom<i128>>(text: &str) -> Option<T> {
    if number_len(text.as_bytes()) != Some(text.len()) {
        return None;
    }
    if let Ok(value) = text.parse::<i128>() {
        return T::try_from(value).ok();
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (negative, before) = before.strip_prefix('-').map_or((false, before), |digits| (true, digits));
    let digits = format!("{before}{after}");
    let significant = digits.trim_matches('0');
    if significant.is_empty() {
        return T::try_from(0).ok();
    }
    let exponent: i64 = exponent.parse().ok()?;
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let scale =
        exponent.checked_add(i64::try_from(zeros).ok()?)?.checked_sub(i64::try_from(after.len()).ok()?)?;
    let value: i128 = significant.parse().ok()?;
    let value = value.checked_mul(10i128.checked_pow(u32::try_from(scale).ok()?)?)?;
    T::try_from(if negative { -value } else { value }).ok()
}

fn double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ if number_len(text.as_bytes()) != Some(text.len()) => None,
        _ => text.parse().ok().filter(|value: &f64| value.is_finite()),
    }
}

fn single(text: &str) -> Option<f32> {
    let wide = double(text)?;
    // Rounded once, from the text: by way of f64 it would be rounded twice.
    if wide.is_finite() {
        text.parse().ok().filter(|value: &f32| value.is_finite())
    } else {
        Some(wide as f32)
    }
}

/// Both alphabets, padded or not.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
    let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    engine.decode(text).ok()
}

/// What would be right for a field of this kind.
pub(super) fn expected(tables: &Tables, kind: Kind) -> Text {
    let whole = |low: &dyn std::fmt::Display, high: &dyn std::fmt::Display| {
        Text::new(
            format!("应为 {low} 到 {high} 之间的整数"),
            format!("must be a whole number from {low} to {high}"),
        )
    };
    match kind {
        Kind::Double | Kind::Float => Text::new(
            "应为范围内的数，或 \"NaN\"、\"Infinity\"、\"-Infinity\"",
            "must be a number within range, or \"NaN\", \"Infinity\", \"-Infinity\"",
        ),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => whole(&i32::MIN, &i32::MAX),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => whole(&i64::MIN, &i64::MAX),
        Kind::Uint32 | Kind::Fixed32 => whole(&u32::MIN, &u32::MAX),
        Kind::Uint64 | Kind::Fixed64 => whole(&u64::MIN, &u64::MAX),
        Kind::Bool => Text::new("应为 true 或 false", "must be true or false"),
        Kind::String => Text::new("应为字符串", "must be a string"),
        Kind::Bytes => Text::new("应为 Base64 字符串", "must be a string in base64"),
        Kind::Enum(id) => expected_enum(tables.get_enum(id)),
        Kind::Message(id) => expected_message(tables.get(id).form),
    }
}

fn expected_enum(described: &Enum) -> Text {
    let names: Vec<_> = described.names().collect();
    Text::new(format!("应为下列之一：{}", names.join("、")), format!("must be one of {}", names.join(", ")))
}

fn expected_message(form: Form) -> Text {
    match form {
        Form::Timestamp => Text::new(
            "应为 RFC 3339 时间，如 2026-11-23T08:00:00Z",
            "must be a time as in RFC 3339, e.g. 2026-11-23T08:00:00Z",
        ),
        Form::Duration => {
            Text::new("应为以 s 结尾的秒数，如 1.5s", "must be a number of seconds with an s, e.g. 1.5s")
        }
        Form::FieldMask => Text::new(
            "应为以逗号分隔的 lowerCamelCase 字段路径，如 displayName,place.address",
            "must be field paths in lowerCamelCase with commas between them, e.g. displayName,place.address",
        ),
        Form::ListValue => Text::new("应为数组", "must be an array"),
        Form::Object | Form::Any | Form::Struct | Form::Value | Form::Wrapper => {
            Text::new("应为对象", "must be an object")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_exact_in_every_spelling() {
        for (text, value) in [
            ("0", 0),
            ("-0", 0),
            ("0.000", 0),
            ("1.0", 1),
            ("1e2", 100),
            ("1.5e1", 15),
            ("100e-2", 1),
            ("-12.50E+1", -125),
            ("0e999999999999999999", 0),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("9223372036854775.807e3", i64::MAX),
            ("1000000000000000000000e-21", 1),
        ] {
            assert_eq!(whole::<i64>(text), Some(value), "{text}");
        }
        for text in [
            "0.5",
            "1e-1",
            "9223372036854775808",
            "1e19",
            "1e400",
            "1e99999999999999999999",
            "",
            " 1",
            "1 ",
            "+1",
            "01",
            "0x1",
            "1_0",
            "½",
        ] {
            assert_eq!(whole::<i64>(text), None, "{text}");
        }
        assert_eq!(whole::<u64>("18446744073709551615"), Some(u64::MAX));
        assert_eq!(whole::<u32>("-1"), None);
    }

    #[test]
    fn floats_are_in_range_or_refused() {
        assert_eq!(double("1e309"), None);
        assert_eq!(single("3.5e38"), None);
        assert_eq!(single("3.4028235e38"), Some(f32::MAX));
        assert_eq!(double("inf"), None);
        assert_eq!(double("nan"), None);
        assert_eq!(single("-Infinity"), Some(f32::NEG_INFINITY));
        // Half way between two floats as f64, above it as text.
        assert_eq!(single("1.00000017881393432617187499"), Some(1.000_000_1));
    }

    #[test]
    fn base64_in_both_alphabets_padded_or_not() {
        for text in ["-_8=", "-_8", "+/8=", "+/8"] {
            assert_eq!(base64(text), Some(vec![0xfb, 0xff]), "{text}");
        }
        assert_eq!(base64("a"), None);
        assert_eq!(base64("!!!!"), None);
    }
}
