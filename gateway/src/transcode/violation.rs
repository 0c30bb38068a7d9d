//! What is wrong with a request, field by field, in Chinese and English.

use std::fmt;

/// One thing wrong with a request, as `google.rpc.BadRequest.FieldViolation` holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field in the names of the .proto file, e.g. `evidence[2].kind`; empty for the body as a whole.
    pub field: String,
    /// The rule that was broken: `json.syntax`, `json.value`, `json.unknown_field`, `json.duplicate`, `json.oneof`,
    /// `json.depth`, `query.syntax`, `query.value`, `query.unknown_field`, `query.duplicate`,
    /// `path.value` or `body.unexpected`.
    pub rule: &'static str,
    /// What is wrong and what would be right, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// Everything found wrong with a request; at least one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    /// In the order of the request; at most 100.
    pub violations: Vec<Violation>,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Violation { field, en, .. }) in self.violations.iter().enumerate() {
            let (separator, colon) =
                (if i > 0 { "; " } else { "" }, if field.is_empty() { "" } else { ": " });
            write!(f, "{separator}{field}{colon}{en}")?;
        }
        Ok(())
    }
}

impl std::error::Error for RequestError {}

/// More are not told: a request that is wrong all over is not worth a longer answer.
pub(super) const MAX_VIOLATIONS: usize = 100;

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) zh: String,
    pub(super) en: String,
}

impl Text {
    pub(super) fn new(zh: impl Into<String>, en: impl Into<String>) -> Text {
        Text { zh: zh.into(), en: en.into() }
    }

    pub(super) fn at(self, field: String, rule: &'static str) -> Violation {
        Violation { field, rule, zh: self.zh, en: self.en }
    }
}

/// A name of the caller's, short enough to be repeated in an answer.
pub(super) fn shown(name: &str) -> &str {
    name.char_indices().nth(64).map_or(name, |(at, _)| &name[..at])
}
