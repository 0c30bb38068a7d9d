//! JSON text: strings, numbers and bytes, appended to a buffer.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};

/// Appends a string in quotes, with the escapes that JSON requires and no others.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut done = 0;
    while let Some(at) = next_special(bytes, done) {
        out.extend_from_slice(&bytes[done..at]);
        escape(out, bytes[at]);
        done = at + 1;
    }
    out.extend_from_slice(&bytes[done..]);
    out.push(b'"');
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The position of the next byte from `from` on that cannot stand for itself in a string. Eight bytes at a time, as
/// nearly all can.
#[inline]
pub(super) fn next_special(bytes: &[u8], from: usize) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = from;
    while let Some(word) = bytes[at..].first_chunk() {
        let word = u64::from_ne_bytes(*word);
        // The high bit of each byte tells: below 0x20, or zero after the xor. A borrow can set too many, never too few.
        let (quote, slash) = (word ^ (ONES * 0x22), word ^ (ONES * 0x5c));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let found = control | (quote.wrapping_sub(ONES) & !quote) | (slash.wrapping_sub(ONES) & !slash);
        if found & HIGH != 0
            && let Some(i) = bytes[at..at + 8].iter().position(|b| is_special(*b))
        {
            return Some(at + i);
        }
        at += 8;
    }
    bytes[at..].iter().position(|b| is_special(*b)).map(|i| at + i)
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
            out.extend_from_slice(b"\\u00");
            return out.extend_from_slice(&digits);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Appends an integer in decimal.
pub(super) fn integer(out: &mut Vec<u8>, value: i128) {
    let mut buffer = itoa::Buffer::new();
    // Nearly every number does without the slow division of 128 bits.
    let digits = match i64::try_from(value) {
        Ok(value) => buffer.format(value),
        Err(_) => buffer.format(value),
    };
    out.extend_from_slice(digits.as_bytes());
}

/// Appends an integer in quotes: 64 bits are more than a JavaScript number holds.
pub(super) fn quoted_integer(out: &mut Vec<u8>, value: i128) {
    out.push(b'"');
    integer(out, value);
    out.push(b'"');
}

/// Appends a floating-point number with the fewest digits that give it back; what JSON has no number for is a string.
/// `shortest` is its `Debug` form, made by the caller for f32 or f64.
pub(super) fn float(out: &mut Vec<u8>, value: f64, shortest: std::fmt::Arguments<'_>) {
    if value.is_nan() {
        return out.extend_from_slice(b"\"NaN\"");
    }
    if value.is_infinite() {
        return out.extend_from_slice(if value > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
    }
    out.write_fmt(shortest).expect("a Vec takes every byte");
    if out.ends_with(b".0") {
        out.truncate(out.len() - 2);
    }
}

/// Appends bytes in base64, in quotes.
pub(super) fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).expect("four characters for three bytes");
    out.truncate(start + written);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_are_short() {
        let double = |v: f64| written(|out| float(out, v, format_args!("{v:?}")));
        assert_eq!(double(1.0), "1");
        assert_eq!(double(-0.0), "-0");
        assert_eq!(double(0.1), "0.1");
        assert_eq!(double(1e300), "1e300");
        assert_eq!(double(5e-324), "5e-324");
        assert_eq!(double(f64::NAN), "\"NaN\"");
        assert_eq!(double(f64::NEG_INFINITY), "\"-Infinity\"");
        let single = 0.1f32;
        assert_eq!(written(|out| float(out, f64::from(single), format_args!("{single:?}"))), "0.1");
    }

    proptest! {
        #[test]
        fn any_string_is_read_back_by_serde_json(text in "(\\PC|[\\x00-\\x7f])*") {
            let json = written(|out| string(out, &text));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }

        #[test]
        fn any_double_is_read_back(value in any::<f64>().prop_filter("has no JSON number", |v| v.is_finite())) {
            let json = written(|out| float(out, value, format_args!("{value:?}")));
            prop_assert_eq!(json.parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
    }
}
