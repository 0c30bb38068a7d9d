//! Area codes (区域代码): the tree of the grid, written into the codes themselves.

use std::{fmt, iter, str::FromStr};

use serde::{Deserialize, Serialize};

/// Digits of the deepest code, a micro-grid's.
const MAX_DIGITS: u8 = 18;

/// The code of an area: 6 digits for a district (县市区, GB/T 2260), then 3 more for each level below: street or
/// town (街道/乡镇), community or village (社区/村), base grid (网格), micro-grid (微网格).
///
/// A code's prefix is its ancestor. Codes order as their texts do: an area comes before all that it contains,
/// and what it contains is one unbroken range. In JSON it is a string.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AreaCode {
    /// The digits, filled up with zeros to `MAX_DIGITS`; first, so that the derived order is that of the
    /// texts.
    padded: u64,
    digits: u8,
}

/// Why a text is not an area code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AreaCodeError {
    /// It has another length.
    #[error("an area code has 6, 9, 12, 15 or 18 digits, not {found} characters")]
    Length {
        /// How many characters it has.
        found: usize,
    },
    /// It has something else than the digits 0 to 9.
    #[error("an area code is made of digits: `{found}` is none")]
    NotADigit {
        /// The first such character.
        found: char,
    },
    /// It starts with 0, as no province's code does.
    #[error("an area code does not start with 0")]
    LeadingZero,
}

impl AreaCode {
    /// The area of a whole district, e.g. 410182.
    ///
    /// # Errors
    /// The number does not have six digits.
    pub fn of_district(district: i32) -> Result<Self, AreaCodeError> {
        district.to_string().parse()
    }

    /// The district that it lies in, e.g. 410182.
    #[must_use]
    pub fn district(&self) -> i32 {
        i32::try_from(self.prefix(6)).expect("six digits fit")
    }

    /// 0 district, 1 street or town, 2 community or village, 3 base grid, 4 micro-grid.
    #[must_use]
    pub fn depth(&self) -> u8 {
        self.digits / 3 - 2
    }

    /// The area one level up; none above a district.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let digits = self.digits - 3;
        (digits >= 6).then(|| Self { padded: self.prefix(digits) * fill(digits), digits })
    }

    /// The areas that contain it, itself left out, from its parent up to its district.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + use<> {
        iter::successors(self.parent(), Self::parent)
    }

    /// Whether `other` is this area or lies in it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.digits <= other.digits && self.prefix(self.digits) == other.prefix(self.digits)
    }

    /// The first `digits` digits as a number.
    fn prefix(&self, digits: u8) -> u64 {
        self.padded / fill(digits)
    }
}

/// The factor that moves a number of `digits` digits to the front of `MAX_DIGITS`.
fn fill(digits: u8) -> u64 {
    10_u64.pow(u32::from(MAX_DIGITS - digits))
}

impl FromStr for AreaCode {
    type Err = AreaCodeError;

    fn from_str(text: &str) -> Result<Self, AreaCodeError> {
        if let Some(found) = text.chars().find(|c| !c.is_ascii_digit()) {
            return Err(AreaCodeError::NotADigit { found });
        }
        if !matches!(text.len(), 6 | 9 | 12 | 15 | 18) {
            return Err(AreaCodeError::Length { found: text.len() });
        }
        if text.starts_with('0') {
            return Err(AreaCodeError::LeadingZero);
        }
        let digits = u8::try_from(text.len()).expect("18 at most");
        let number: u64 = text.parse().expect("18 digits fit");
        Ok(Self { padded: number * fill(digits), digits })
    }
}

impl TryFrom<String> for AreaCode {
    type Error = AreaCodeError;

    fn try_from(text: String) -> Result<Self, AreaCodeError> {
        text.parse()
    }
}

impl From<AreaCode> for String {
    fn from(code: AreaCode) -> Self {
        code.to_string()
    }
}

impl fmt::Display for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No code starts with 0, so a number is as long as its code.
        fmt::Display::fmt(&self.prefix(self.digits), f)
    }
}

impl fmt::Debug for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AreaCode({self})")
    }
}

#[cfg(test)]
mod tests;
