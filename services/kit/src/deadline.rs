//! `grpc-timeout`: how long a caller waits, read and written.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

/// The header.
pub const GRPC_TIMEOUT: &str = "grpc-timeout";

/// The time that a caller gives the call; `None` where it says nothing that the gRPC specification knows: at most eight
/// digits and a unit.
pub fn read(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(GRPC_TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let is_number = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let number = digits.parse::<u64>().ok().filter(|_| is_number)?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// The header's value for `left`, in the finest unit that eight digits hold.
pub fn value(left: Duration) -> HeaderValue {
    let units = [(left.as_micros(), 'u'), (left.as_millis(), 'm'), (u128::from(left.as_secs()), 'S')];
    let (number, unit) =
        units.into_iter().find(|(number, _)| *number < 100_000_000).unwrap_or((99_999_999, 'S'));
    HeaderValue::try_from(format!("{number}{unit}")).expect("digits and a letter")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(GRPC_TIMEOUT, text.parse().expect("a header value"));
        read(&headers)
    }

    #[test]
    fn every_unit_is_read_and_nothing_else() {
        assert_eq!(of("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(of("3M"), Some(Duration::from_secs(180)));
        assert_eq!(of("99999999S"), Some(Duration::from_secs(99_999_999)));
        assert_eq!((of("7m"), of("7u")), (Some(Duration::from_millis(7)), Some(Duration::from_micros(7))));
        assert_eq!(of("7n"), Some(Duration::from_nanos(7)));
        for wrong in ["", "5", "S", "999999999S", "5x", "-5S", "+5S"] {
            assert_eq!(of(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_is_written_reads_the_same_or_a_little_less() {
        for seconds in [0.0, 0.000_001, 0.25, 99.0, 101.5, 1e5, 9e7] {
            let left = Duration::from_secs_f64(seconds);
            let mut headers = HeaderMap::new();
            headers.insert(GRPC_TIMEOUT, value(left));
            let found = read(&headers).expect("own format");
            assert!(
                found <= left && left - found < Duration::from_secs(1).max(left / 1000),
                "{left:?} {found:?}"
            );
        }
    }
}
