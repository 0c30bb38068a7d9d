//! Receiver (移送对象): the authorities that issues are transferred to, and why they give something back.

use serde::{Deserialize, Serialize};

/// An authority. Its code is that of the department which its people's grants are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "RECEIVERS says what each is called")]
pub enum Receiver {
    Discipline,
    Court,
    Procuratorate,
    Police,
    Audit,
}

/// Every receiver in the order of the variants: code, Chinese.
const RECEIVERS: [(Receiver, &str, &str); 5] = [
    (Receiver::Discipline, "discipline", "纪检监察机关"),
    (Receiver::Court, "court", "人民法院"),
    (Receiver::Procuratorate, "procuratorate", "人民检察院"),
    (Receiver::Police, "police", "公安机关"),
    (Receiver::Audit, "audit", "审计机关"),
];

impl Receiver {
    /// Every receiver, once.
    pub fn all() -> impl Iterator<Item = Receiver> {
        RECEIVERS.iter().map(|row| row.0)
    }

    /// Its code, e.g. `discipline`.
    #[must_use]
    pub fn code(self) -> &'static str {
        RECEIVERS[self as usize].1
    }

    /// In Chinese, e.g. 纪检监察机关.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        RECEIVERS[self as usize].2
    }

    /// The receiver of a code.
    #[must_use]
    pub fn of(code: &str) -> Option<Receiver> {
        Receiver::all().find(|receiver| receiver.code() == code)
    }
}

/// Why a receiver gives something back: a code, so that it tells nothing of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnReason {
    /// Another authority's 不属管辖.
    NotCompetent,
    /// It does not open 无法解封.
    CannotOpen,
    /// Something is missing 材料不全.
    Incomplete,
    /// Known already 重复.
    Duplicate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_receiver_has_its_row() {
        for (index, receiver) in Receiver::all().enumerate() {
            assert_eq!(receiver as usize, index);
            assert_eq!(serde_json::to_value(receiver).unwrap(), receiver.code());
            assert_eq!(Receiver::of(receiver.code()), Some(receiver));
        }
        assert_eq!(Receiver::of("housing"), None);
    }
}
