//! Transition: the one record of a change, chained to the one before by its hash.
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::serde::rfc3339;
use uuid::Uuid;

use super::action::ActionKind;
use super::actor::Role;
use super::area::AreaCode;
use super::event::State;
use super::unit::Unit;

/// A SHA-256.
pub type Hash = [u8; 32];

/// A hash as 64 hexadecimal digits, where serde writes one.
pub(super) mod hex {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::Hash;

    pub(in crate::model) fn serialize<S: Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    pub(in crate::model) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Hash, D::Error> {
        let text = String::deserialize(deserializer)?;
        let byte =
            |place: usize| text.get(2 * place..2 * place + 2).and_then(|d| u8::from_str_radix(d, 16).ok());
        let bytes: Vec<u8> = (0..32).map_while(byte).collect();
        bytes.try_into().map_err(|_| D::Error::custom("a hash is 64 hexadecimal digits"))
    }
}

/// What was changed, by whom, when and why. Times count to the microsecond, as the database keeps them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// The event.
    pub event: Uuid,
    /// The event's version after it, from 1.
    pub version: i64,
    /// What was done.
    pub action: ActionKind,
    /// The state before; `None` for the report.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// The subject who did it; `system` for the system.
    pub subject: String,
    /// In which role.
    pub role: Role,
    /// For which unit.
    pub unit: Unit,
    /// The event's area.
    pub area: AreaCode,
    /// The area's version as of the report.
    pub area_version: i64,
    /// When.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// Why; may be empty.
    pub reason: String,
    /// More words; may be empty.
    pub note: String,
    /// The action's data, evidence, and what changed besides the state: an object without floating-point numbers.
    pub details: Value,
    /// The hash of the transition before; `None` for the first.
    pub previous_hash: Option<Hash>,
    /// SHA-256 over the hash before and every field of this one; see `sealed`.
    pub hash: Hash,
}

/// The first transition of a history that does not follow from those before, or was altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the history breaks at version {version}")]
pub struct BrokenLink {
    /// The version that the transition should have.
    pub version: i64,
}

impl Transition {
    /// The transition with its hash: SHA-256 over its fields in their order, each as 8 bytes of length (big-endian)
    /// and its bytes. Numbers are big-endian, times microseconds since 1970, missing ones empty, objects sorted by key.
    pub(super) fn sealed(mut self) -> Transition {
        self.hash = self.compute_hash();
        self
    }

    fn compute_hash(&self) -> Hash {
        let mut sum = Sum(Sha256::new());
        sum.field(b"jingwei.grid.v1.EventTransition");
        sum.field(self.previous_hash.as_ref().map_or(&[][..], |hash| hash));
        sum.field(self.event.as_bytes());
        sum.field(&self.version.to_be_bytes());
        sum.text(self.action.code());
        sum.text(self.from.map_or("", State::code));
        sum.text(self.to.code());
        sum.text(&self.subject);
        sum.text(self.role.code());
        sum.text(&self.unit.to_string());
        sum.text(&self.area.to_string());
        sum.field(&self.area_version.to_be_bytes());
        sum.field(&(self.at.unix_timestamp_nanos() / 1000).to_be_bytes());
        sum.text(&self.reason);
        sum.text(&self.note);
        sum.json(&self.details);
        sum.0.finalize().into()
    }
}

/// Checks a whole history, oldest first.
///
/// # Errors
/// Names the first broken link: altered, missing, out of order, or of another event.
pub fn verify_chain(history: &[Transition]) -> Result<(), BrokenLink> {
    let mut previous: Option<&Transition> = None;
    for (transition, version) in history.iter().zip(1..) {
        let follows = transition.version == version
            && transition.previous_hash == previous.map(|link| link.hash)
            && previous.is_none_or(|link| link.event == transition.event);
        if !follows || transition.compute_hash() != transition.hash {
            return Err(BrokenLink { version });
        }
        previous = Some(transition);
    }
    Ok(())
}

/// A hash in the making: every field with its length before it, so that no two records read the same.
struct Sum(Sha256);

impl Sum {
    fn field(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.field(text.as_bytes());
    }

    fn json(&mut self, value: &Value) {
        match value {
            Value::Array(items) => {
                self.text("array");
                self.field(&(items.len() as u64).to_be_bytes());
                items.iter().for_each(|item| self.json(item));
            }
            Value::Object(fields) => {
                self.text("object");
                self.field(&(fields.len() as u64).to_be_bytes());
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_by_key(|(key, _)| *key);
                for (key, value) in fields {
                    self.text(key);
                    self.json(value);
                }
            }
            Value::String(text) => {
                self.text("string");
                self.text(text);
            }
            plain => {
                self.text("plain");
                self.text(&plain.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests;
