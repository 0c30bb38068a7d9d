//! Sealing: telephone numbers encrypted at rest with AES-256-GCM under keys that can be rotated, and tracking codes.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jingwei_kit::config::{Secret, Settings};
use jingwei_kit::status::{Problem, internal};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use uuid::Uuid;

use crate::error::Error;
use crate::model::contact::Phone;
use crate::store::contact::{self, Sealed};

/// Letters and digits that are not taken for each other.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
/// How many of them make a tracking code: 50 bits.
const CODE: usize = 10;
/// How many numbers are sealed again at a time.
const BATCH: i64 = 1000;

/// The keys by id; the first seals, all open.
#[derive(Clone)]
pub struct Keyring(Vec<(String, [u8; 32])>);

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(id, _)| id)).finish()
    }
}

/// A sealed number that does not open.
#[derive(Debug, thiserror::Error)]
#[error("a sealed number does not open: key {0} is missing or wrong")]
struct Unopened(String);

impl Keyring {
    /// From `DATA_KEYS` or the file that `DATA_KEYS_FILE` names: `id:key` pairs, one a line or separated by commas; a key is
    /// 32 bytes in base64 (`openssl rand -base64 32`).
    pub fn read(settings: &mut Settings) -> Self {
        let secret = settings.secret("DATA_KEYS");
        Self::parse(&secret).unwrap_or_else(|| {
            settings.fault(
                "DATA_KEYS",
                "应为“编号:密钥”，每行一个，密钥为 32 字节的 base64".into(),
                "must be id:key, one a line, the key 32 bytes in base64".into(),
            );
            Self(Vec::new())
        })
    }

    /// From `id:key` pairs; `None` where that is not what the text is.
    pub fn parse(secret: &Secret) -> Option<Self> {
        let pairs = secret.reveal().split(['\n', ',']).map(str::trim).filter(|pair| !pair.is_empty());
        let keys: Option<Vec<_>> = pairs.map(key).collect();
        keys.filter(|keys| !keys.is_empty()).map(Self)
    }

    /// Seals the number of an event's reporter; only together with that event it opens.
    pub fn seal(&self, event: Uuid, phone: &Phone) -> Result<Sealed, Problem> {
        let (id, key) = &self.0[0];
        let mut text = phone.number().as_bytes().to_vec();
        let sealed = RandomizedNonceKey::new(&AES_256_GCM, key)
            .and_then(|key| key.seal_in_place_append_tag(Aad::from(event.as_bytes()), &mut text));
        let nonce = sealed.map_err(|_| internal(&Unopened(id.clone())))?;
        Ok(Sealed { key_id: id.clone(), bytes: [nonce.as_ref().as_slice(), text.as_slice()].concat() })
    }

    /// Opens what was sealed.
    ///
    /// # Errors
    /// INTERNAL where the key is not among these, or what is stored was altered.
    pub fn open(&self, event: Uuid, sealed: &Sealed) -> Result<Phone, Problem> {
        self.try_open(event, sealed).ok_or_else(|| internal(&Unopened(sealed.key_id.clone())))
    }

    fn try_open(&self, event: Uuid, sealed: &Sealed) -> Option<Phone> {
        let (_, key) = self.0.iter().find(|(id, _)| *id == sealed.key_id)?;
        let (nonce, text) = sealed.bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let key = RandomizedNonceKey::new(&AES_256_GCM, key).ok()?;
        let number = key.open_in_place(nonce, Aad::from(event.as_bytes()), &mut text).ok()?;
        Some(Phone::new(std::str::from_utf8(number).ok()?))
    }

    /// The tracking code of an event under each of the keys, the present one first: the same at each call, so that a repeat tells it again.
    pub fn codes(&self, event: Uuid) -> impl Iterator<Item = String> {
        self.0.iter().map(move |(_, key)| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key);
            let tag = hmac::sign(&key, &[b"tracking code".as_slice(), event.as_bytes()].concat());
            tag.as_ref()[..CODE].iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
        })
    }

    /// Seals what is sealed with other keys again with the first, in every district; answers with how many numbers. What is
    /// written meanwhile is sealed with the first key by services that have it: start those before.
    ///
    /// # Errors
    /// A number does not open, or the database fails.
    pub async fn rotate(&self, pool: &PgPool) -> Result<u64, Error> {
        let present = &self.0[0].0;
        let mut done = 0;
        for district in contact::districts_with_old_keys(pool, present).await? {
            loop {
                let old = contact::with_old_keys(pool, district, present, BATCH).await?;
                if old.is_empty() {
                    break;
                }
                let again = |(event, sealed): &(Uuid, Sealed)| {
                    Ok::<_, Problem>((*event, self.seal(*event, &self.open(*event, sealed)?)?))
                };
                let new = old.iter().map(again).collect::<Result<Vec<_>, _>>()?;
                contact::replace(pool, district, &new).await?;
                done += new.len() as u64;
            }
        }
        Ok(done)
    }
}

fn key(pair: &str) -> Option<(String, [u8; 32])> {
    let (id, key) = pair.split_once(':')?;
    let key = BASE64_STANDARD.decode(key.trim()).ok()?.try_into().ok()?;
    (!id.is_empty()).then(|| (id.trim().to_owned(), key))
}

/// The hash of a tracking code, which is all that is kept of it.
pub fn hash(event: Uuid, code: &str) -> Vec<u8> {
    Sha256::new().chain_update(event.as_bytes()).chain_update(code).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(text: &str) -> Option<Keyring> {
        Keyring::parse(&Secret::new(text))
    }

    #[test]
    fn what_is_sealed_opens_with_its_event_and_key_only() {
        let (one, two) = (BASE64_STANDARD.encode([1; 32]), BASE64_STANDARD.encode([2; 32]));
        let old = ring(&format!("2025:{one}")).unwrap();
        let new = ring(&format!("2026:{two}\n2025:{one}\n")).unwrap();
        let (event, other, phone) = (Uuid::from_u128(1), Uuid::from_u128(2), Phone::new("13800005678"));
        let sealed = old.seal(event, &phone).unwrap();
        assert!(!sealed.bytes.windows(4).any(|part| part == b"5678"));
        assert_ne!(sealed, old.seal(event, &phone).unwrap(), "never the same twice");
        assert_eq!(new.open(event, &sealed).unwrap(), phone);
        assert!(new.open(other, &sealed).is_err());
        assert!(old.open(event, &new.seal(event, &phone).unwrap()).is_err());
        let altered = Sealed { bytes: sealed.bytes.iter().map(|b| b ^ 1).collect(), ..sealed };
        assert!(new.open(event, &altered).is_err());
    }

    #[test]
    fn a_tracking_code_is_told_again_and_differs_between_events_and_keys() {
        let ring =
            ring(&format!("a:{},b:{}", BASE64_STANDARD.encode([1; 32]), BASE64_STANDARD.encode([2; 32])));
        let ring = ring.unwrap();
        let codes: Vec<_> = ring.codes(Uuid::from_u128(1)).chain(ring.codes(Uuid::from_u128(2))).collect();
        assert_eq!(
            codes,
            ring.codes(Uuid::from_u128(1)).chain(ring.codes(Uuid::from_u128(2))).collect::<Vec<_>>()
        );
        let different: std::collections::BTreeSet<_> = codes.iter().collect();
        assert!(different.len() == 4 && codes.iter().all(|code| code.len() == CODE));
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        for text in ["", "a", "a:b", "a:AAAA", ":", &format!(":{}", BASE64_STANDARD.encode([1; 32]))] {
            assert!(ring(text).is_none(), "{text}");
        }
    }
}
