//! Contact: a reporter's telephone number, which is shown to nobody but who asks for it on the record.

use time::Duration;

/// So many wrong secrets for a case, and none is looked at until so long after the first of them.
pub const MOST_ATTEMPTS: i16 = 5;
/// See `MOST_ATTEMPTS`.
pub const PAUSE: Duration = Duration::minutes(15);
/// How many digits of a number are its tail.
const TAIL: usize = 4;

/// A telephone number. Its `Debug` does not tell it.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone(String);

impl Phone {
    /// The number as given; blanks and dashes do not count.
    pub fn new(number: impl AsRef<str>) -> Self {
        Self(number.as_ref().chars().filter(|c| !matches!(c, ' ' | '-')).collect())
    }

    /// The whole number.
    pub fn number(&self) -> &str {
        &self.0
    }

    /// Whether it looks like a number that can be called: 7 to 15 digits, a plus before them or not.
    pub fn can_be_called(&self) -> bool {
        let digits = self.0.strip_prefix('+').unwrap_or(&self.0);
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Its last four digits, by which the reporter shows that the case is theirs.
    pub fn tail(&self) -> String {
        let digits: Vec<char> = self.0.chars().collect();
        digits[digits.len().saturating_sub(TAIL)..].iter().collect()
    }
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Phone(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_what_people_know_of_a_number() {
        assert_eq!(Phone::new("138 0000-5678").tail(), "5678");
        assert_eq!(Phone::new("110").tail(), "110");
        assert!(!format!("{:?}", Phone::new("13800005678")).contains("5678"));
    }
}
