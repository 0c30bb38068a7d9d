//! Unified social credit code (统一社会信用代码, GB 32100-2015): the number of every legal person, with the organisation
//! code (组织机构代码, GB 11714-1997) inside it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The 31 characters of a code, each worth its place from 0: no I, O, S, V, Z, which look like 1, 0, 5, U, 2.
pub const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// How many characters a code has.
pub const LENGTH: usize = 18;

/// The weights of the organisation code's first eight characters.
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
/// Where the organisation code stands, counted from 0.
const ORGANISATION: std::ops::Range<usize> = 8..17;
/// Where the code of the area stands whose office registered it, counted from 0.
const AREA: std::ops::Range<usize> = 2..8;

/// A code whose both check digits are right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SocialCreditCode([u8; LENGTH]);

/// Which rule a text breaks, where, and what would be right. A `position` counts characters from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeFault {
    /// It does not have 18 characters.
    #[error("a code has {LENGTH} characters, not {found}")]
    Length {
        /// How many it has.
        found: usize,
    },
    /// A character is not one of the alphabet.
    #[error("character {position}, {found:?}: only {ALPHABET} occur")]
    Letter {
        /// Where.
        position: usize,
        /// The character.
        found: char,
        /// What was probably meant: the capital, or what the letter looks like.
        meant: Option<char>,
    },
    /// A character of the area's code, 3 to 8, is not a digit.
    #[error("character {position}, {found:?}: characters 3 to 8 are the digits of an area's code")]
    Area {
        /// Where.
        position: usize,
        /// The character.
        found: char,
    },
    /// The organisation code's check digit, character 17, is wrong.
    #[error("character 17, the organisation code's check digit, is {found:?}; {right:?} would be right")]
    OrganisationCheck {
        /// The character.
        found: char,
        /// What follows from characters 9 to 16.
        right: char,
    },
    /// The check digit, character 18, is wrong.
    #[error("character 18, the check digit, is {found:?}; {right:?} would be right")]
    Check {
        /// The character.
        found: char,
        /// What follows from characters 1 to 17.
        right: char,
    },
}

impl CodeFault {
    /// The character that breaks the rule, from 1; `None` where the length does.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        match self {
            Self::Length { .. } => None,
            Self::Letter { position, .. } | Self::Area { position, .. } => Some(*position),
            Self::OrganisationCheck { .. } => Some(17),
            Self::Check { .. } => Some(18),
        }
    }
}

impl SocialCreditCode {
    /// The code of its first sixteen characters, e.g. `91350100M000100Y`, with both check digits.
    ///
    /// # Errors
    /// It does not have sixteen characters, or one of them cannot stand where it does.
    pub fn complete(start: &str) -> Result<Self, CodeFault> {
        let found = start.chars().count();
        if found != LENGTH - 2 {
            return Err(CodeFault::Length { found });
        }
        let mut code = [b'0'; LENGTH];
        code[..LENGTH - 2].copy_from_slice(&characters(start)?);
        code[16] = organisation_check(&code);
        // The check digit of a nine-character organisation code can be X, which the alphabet has.
        code[17] = check(&code);
        Ok(Self(code))
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("the alphabet is ASCII")
    }

    /// The organisation code in it: characters 9 to 17.
    #[must_use]
    pub fn organisation(&self) -> &str {
        &self.as_str()[ORGANISATION]
    }

    /// The six digits of the area whose office registered it: characters 3 to 8.
    #[must_use]
    pub fn area(&self) -> &str {
        &self.as_str()[AREA]
    }
}

impl FromStr for SocialCreditCode {
    type Err = CodeFault;

    fn from_str(text: &str) -> Result<Self, CodeFault> {
        let found = text.chars().count();
        if found != LENGTH {
            return Err(CodeFault::Length { found });
        }
        let characters = characters(text)?;
        let code: [u8; LENGTH] = characters.try_into().map_err(|_| CodeFault::Length { found })?;
        let (found, right) = (char::from(code[16]), char::from(organisation_check(&code)));
        if found != right {
            return Err(CodeFault::OrganisationCheck { found, right });
        }
        let (found, right) = (char::from(code[17]), char::from(check(&code)));
        if found != right {
            return Err(CodeFault::Check { found, right });
        }
        Ok(Self(code))
    }
}

impl TryFrom<String> for SocialCreditCode {
    type Error = CodeFault;

    fn try_from(text: String) -> Result<Self, CodeFault> {
        text.parse()
    }
}

impl From<SocialCreditCode> for String {
    fn from(code: SocialCreditCode) -> String {
        code.as_str().to_owned()
    }
}

impl fmt::Display for SocialCreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SocialCreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The characters, each of the alphabet, those of the area's code digits.
fn characters(text: &str) -> Result<Vec<u8>, CodeFault> {
    let read = |(place, found): (usize, char)| {
        let position = place + 1;
        if value(found).is_none() {
            return Err(CodeFault::Letter { position, found, meant: meant(found) });
        }
        if AREA.contains(&place) && !found.is_ascii_digit() {
            return Err(CodeFault::Area { position, found });
        }
        Ok(u8::try_from(found).expect("the alphabet is ASCII"))
    };
    text.chars().enumerate().map(read).collect()
}

/// What a character of the alphabet is worth in the unified code.
fn value(character: char) -> Option<u32> {
    ALPHABET.chars().zip(0..).find(|(one, _)| *one == character).map(|(_, value)| value)
}

/// What somebody who wrote a character outside of the alphabet probably meant.
fn meant(found: char) -> Option<char> {
    Some(match found.to_ascii_uppercase() {
        'I' => '1',
        'O' => '0',
        'S' => '5',
        'V' => 'U',
        'Z' => '2',
        capital if value(capital).is_some() => capital,
        _ => return None,
    })
}

/// What a character is worth in the organisation code: letters run from A = 10 to Z = 35 without a gap.
fn organisation_value(character: u8) -> u32 {
    char::from(character).to_digit(36).expect("the alphabet is digits and letters")
}

/// The check digit of the organisation code, of its first eight characters.
fn organisation_check(code: &[u8; LENGTH]) -> u8 {
    let weighted = code[ORGANISATION].iter().zip(ORGANISATION_WEIGHTS);
    let sum: u32 = weighted.map(|(character, weight)| organisation_value(*character) * weight).sum();
    b"0X987654321"[sum as usize % 11]
}

/// The check digit of the unified code, of its first seventeen characters, which weigh 3⁰, 3¹ … modulo 31.
fn check(code: &[u8; LENGTH]) -> u8 {
    let weights = std::iter::successors(Some(1), |weight| Some(weight * 3 % 31));
    let worth = |character: &u8| value(char::from(*character)).expect("read before");
    let sum: u32 = code[..LENGTH - 1].iter().zip(weights).map(|(one, weight)| worth(one) * weight).sum();
    ALPHABET.as_bytes()[(31 - sum as usize % 31) % 31]
}

#[cfg(test)]
mod tests;
