//! Transfers, receivers and their keys: model ↔ wire. States and receivers are numbered from 1 in the order of the model's.

use jingwei_kit::etag;
use jingwei_proto::business_environment_monitor::v1 as pb;

use super::{name, time as moment};
use crate::model::actor::{Actor, Role};
use crate::model::receiver::{Receiver, ReturnReason};
use crate::model::sealed::{ReceiverKey, sha256};
use crate::model::transfer::{Signature, Transfer};

/// The one algorithm there is.
const ALGORITHM: pb::SealAlgorithm = pb::SealAlgorithm::HpkeX25519Sha256Chacha20poly1305;

/// A key on the wire.
pub fn write_key(key: &ReceiverKey) -> pb::ReceiverKey {
    pb::ReceiverKey {
        name: name::receiver_key(key.district, key.receiver, key.id),
        algorithm: ALGORITHM.into(),
        public_key: key.public_key.clone(),
        fingerprint: sha256(&key.public_key),
        create_time: Some(moment::write(key.created)),
        retire_time: moment::write_option(key.retired),
    }
}

/// A transfer on the wire: the office sees who drafted and signed, a receiver does not.
pub fn write(transfer: &Transfer, grants: &[Actor]) -> pb::Transfer {
    let inside = grants.iter().any(|actor| actor.role == Role::Office);
    let signature = |signature: &Signature| pb::TransferSignature {
        signer: if inside { signature.by.clone() } else { String::new() },
        create_time: Some(moment::write(signature.at)),
    };
    let (district, receiver) = (transfer.district, transfer.receiver);
    pb::Transfer {
        name: name::transfer(district, transfer.id),
        register_number: transfer.register_number.clone(),
        letter_date: transfer.letter_date.to_string(),
        issue: name::issue(district, transfer.issue),
        receiver: write_receiver(receiver).into(),
        key: name::receiver_key(district, receiver, transfer.key),
        sealed_content_sha256: transfer.content_hash.clone(),
        digest: transfer.digest(),
        state: transfer.state as i32 + 1,
        drafter: if inside { transfer.drafter.clone() } else { String::new() },
        signatures: transfer.signatures.iter().map(signature).collect(),
        acknowledge_time: moment::write_option(transfer.acknowledged),
        return_time: moment::write_option(transfer.returned),
        return_reason: transfer.return_reason.map(write_reason).unwrap_or_default().into(),
        etag: etag::of(transfer.version),
    }
}

/// Sealed content on the wire, with the key's and its own resource names.
pub fn write_content(key: String, associated_data: String, sealed_content: Vec<u8>) -> pb::SealedContent {
    pb::SealedContent { algorithm: ALGORITHM.into(), key, associated_data, sealed_content }
}

/// A receiver on the wire.
pub fn write_receiver(receiver: Receiver) -> pb::Receiver {
    pb::Receiver::try_from(receiver as i32 + 1).unwrap_or_default()
}

/// A reason on the wire.
pub fn write_reason(reason: ReturnReason) -> pb::ReturnReason {
    match reason {
        ReturnReason::NotCompetent => pb::ReturnReason::NotCompetent,
        ReturnReason::CannotOpen => pb::ReturnReason::CannotOpen,
        ReturnReason::Incomplete => pb::ReturnReason::Incomplete,
        ReturnReason::Duplicate => pb::ReturnReason::Duplicate,
    }
}

/// A reason in a request; `None` where unspecified.
pub fn read_reason(reason: pb::ReturnReason) -> Option<ReturnReason> {
    match reason {
        pb::ReturnReason::Unspecified => None,
        pb::ReturnReason::NotCompetent => Some(ReturnReason::NotCompetent),
        pb::ReturnReason::CannotOpen => Some(ReturnReason::CannotOpen),
        pb::ReturnReason::Incomplete => Some(ReturnReason::Incomplete),
        pb::ReturnReason::Duplicate => Some(ReturnReason::Duplicate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::transfer::State;

    #[test]
    fn receivers_and_states_are_numbered_as_on_the_wire() {
        for receiver in Receiver::all() {
            let wire = write_receiver(receiver).as_str_name().trim_start_matches("RECEIVER_").to_lowercase();
            assert_eq!(wire, receiver.code());
        }
        for state in State::ALL {
            let wire = pb::TransferState::try_from(state as i32 + 1).expect("in the enum");
            assert_eq!(wire.as_str_name().trim_start_matches("TRANSFER_STATE_"), state.code());
        }
        for reason in (1..=4).filter_map(|number| pb::ReturnReason::try_from(number).ok()) {
            assert_eq!(read_reason(reason).map(write_reason), Some(reason));
        }
    }
}
