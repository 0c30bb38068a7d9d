//! Contact card (便民服务连心卡): who serves an area, for the households in it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::staff::PostingRole;

/// What a card says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardContent {
    /// The people, by role, then in the order of their postings.
    pub people: Vec<CardPerson>,
    /// The service telephone of the area or of the nearest above that has one; may be empty.
    pub service_phone: String,
}

/// A person on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardPerson {
    /// As what.
    pub role: PostingRole,
    /// The name.
    pub display_name: String,
    /// The duty telephone.
    pub duty_phone: String,
}

/// A card with its present content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The last part of the public link; never changes.
    pub public_id: String,
    /// The area's name with those above it: 荥阳市京城路街道永安街社区第一网格.
    pub title: String,
    /// The content.
    pub content: CardContent,
    /// The content's version, from 1.
    pub version: i64,
    /// Since when.
    pub update_time: OffsetDateTime,
}

/// A card handed to a household.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The id.
    pub id: Uuid,
    /// The household.
    pub household: String,
    /// The version of the card.
    pub version: i64,
    /// Who handed it over.
    pub deliverer: String,
    /// When.
    pub deliver_time: OffsetDateTime,
}

/// How many characters a public id has: 36¹², not to be guessed.
const PUBLIC_ID_LENGTH: usize = 12;

/// The public id made of a new id's 62 random bits: 12 of a-z and 0-9.
pub fn public_id(new: Uuid) -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut rest = new.as_u128() & ((1 << 62) - 1);
    let letters = std::iter::repeat_with(|| {
        let letter = LETTERS[usize::try_from(rest % 36).expect("less than 36")];
        rest /= 36;
        char::from(letter)
    });
    letters.take(PUBLIC_ID_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_id_is_twelve_letters_of_the_random_bits() {
        let id = public_id(Uuid::from_u128(36 * 7 + 1));
        assert_eq!(id, "bhaaaaaaaaaa");
        assert_ne!(public_id(Uuid::from_u128(1)), public_id(Uuid::from_u128(2)));
    }
}
