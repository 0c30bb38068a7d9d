//! Sealed content (密封内容): what can be checked of it without opening it, and the public keys that it is sealed to.

use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::actor::{Actor, Role};
use super::receiver::Receiver;

/// The bytes of an X25519 public key, and of the encapsulated key that sealed content begins with.
pub const KEY_BYTES: usize = 32;
/// The least that sealed content can have: the encapsulated key, one byte, the tag of 16.
pub const LEAST_BYTES: usize = KEY_BYTES + 1 + 16;
/// The most.
pub const MOST_BYTES: usize = 256 * 1024;

/// Points of X25519 of small order: whoever seals to one of them gets a key that everybody knows (RFC 7748, 6.1). Little-endian, the
/// top bit cleared, as X25519 reads it; the last two are 0 and 1 once more, not reduced.
const WEAK: [[u8; KEY_BYTES]; 7] = [
    [0; KEY_BYTES],
    ends(1, 0, 0),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda,
        0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04,
        0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
    ends(0xec, 0xff, 0x7f),
    ends(0xed, 0xff, 0x7f),
    ends(0xee, 0xff, 0x7f),
];

/// `first`, thirty times `between`, `last`.
const fn ends(first: u8, between: u8, last: u8) -> [u8; KEY_BYTES] {
    let mut bytes = [between; KEY_BYTES];
    (bytes[0], bytes[KEY_BYTES - 1]) = (first, last);
    bytes
}

/// Whether something can be sealed to it: 32 bytes, and no point that makes the seal worthless.
#[must_use]
pub fn is_sound_key(key: &[u8]) -> bool {
    let Ok(mut key) = <[u8; KEY_BYTES]>::try_from(key) else { return false };
    key[KEY_BYTES - 1] &= 0x7f;
    !WEAK.contains(&key)
}

/// Whether it can be sealed content: of its length, and begun with an encapsulated key that is one.
#[must_use]
pub fn is_sealed(content: &[u8]) -> bool {
    let sized = (LEAST_BYTES..=MOST_BYTES).contains(&content.len());
    sized && content.get(..KEY_BYTES).is_some_and(is_sound_key)
}

/// SHA-256 in 64 hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Who may bring and take away the keys of a receiver: its own people, so that nobody else can have it sealed to a key of theirs.
#[must_use]
pub fn keeps_keys(receiver: Receiver, district: i32, actor: &Actor) -> bool {
    actor.role == Role::Receiver
        && actor.district == district
        && actor.unit.as_deref() == Some(receiver.code())
}

/// A public key of a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverKey {
    /// Its district.
    pub district: i32,
    /// Whose it is.
    pub receiver: Receiver,
    /// Its id.
    pub id: Uuid,
    /// The key itself.
    pub public_key: Vec<u8>,
    /// When it was registered.
    pub created: OffsetDateTime,
    /// When it was taken out of use; `None` while in use.
    pub retired: Option<OffsetDateTime>,
}

#[cfg(test)]
mod tests {
    use hpke::aead::ChaCha20Poly1305;
    use hpke::kdf::HkdfSha256;
    use hpke::kem::X25519HkdfSha256;
    use hpke::{Deserializable, Kem, OpModeS, setup_sender};

    use super::*;

    /// Whether HPKE itself can seal to it.
    fn hpke_seals(key: &[u8; KEY_BYTES]) -> bool {
        let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(key).expect("32 bytes");
        setup_sender::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(&OpModeS::Base, &key, b"").is_ok()
    }

    #[test]
    fn a_weak_key_is_one_that_nothing_can_be_sealed_to() {
        for weak in WEAK {
            for top in [0, 0x80] {
                let mut key = weak;
                key[KEY_BYTES - 1] |= top;
                assert!(!hpke_seals(&key) && !is_sound_key(&key), "{key:02x?}");
            }
        }
        for first in 2..=0xff {
            let key = ends(first, 7, 9);
            assert!(hpke_seals(&key) && is_sound_key(&key), "{key:02x?}");
        }
        assert!(!is_sound_key(&[9; 31]) && !is_sound_key(&[9; 33]));
    }

    #[test]
    fn content_has_a_length_and_begins_with_a_key() {
        let content = |bytes: usize| vec![9; bytes];
        for (bytes, sealed) in
            [(0, false), (31, false), (48, false), (49, true), (MOST_BYTES, true), (MOST_BYTES + 1, false)]
        {
            assert_eq!(is_sealed(&content(bytes)), sealed, "{bytes}");
        }
        assert!(!is_sealed(&[0; 100]), "an encapsulated key that is none");
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_receivers_own_people_keep_its_keys() {
        for role in Role::ALL {
            let actor = |unit: Option<&str>, district| Actor {
                subject: "x".into(),
                role,
                district,
                unit: unit.map(str::to_owned),
            };
            let keeps = |actor| keeps_keys(Receiver::Discipline, 410_183, &actor);
            assert_eq!(keeps(actor(Some("discipline"), 410_183)), role == Role::Receiver);
            assert!(!keeps(actor(Some("court"), 410_183)) && !keeps(actor(None, 410_183)));
            assert!(!keeps(actor(Some("discipline"), 410_182)));
        }
    }
}
