//! Enterprise (企业): whom a district watches over and helps, by its unified social credit code.

use super::social_credit::SocialCreditCode;

/// An enterprise of the register. What is not known of it is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enterprise {
    /// The district, e.g. 410183.
    pub district: i32,
    /// Its code.
    pub code: SocialCreditCode,
    /// What it is called.
    pub display_name: String,
    /// Its industry 行业门类: a section of GB/T 4754, `A` to `T`.
    pub industry: String,
    /// The street or town it lies in: nine digits.
    pub street: String,
    /// Where.
    pub address: String,
    /// The subject of the officer who looks after it one to one 一对一联络员.
    pub liaison: String,
    /// How large it is 规模, from 1 micro to 4 large; 0 where not known.
    pub scale: i16,
    /// Whether it is no longer at work here.
    pub retired: bool,
    /// The number of changes, the entry being the first.
    pub version: i64,
}
