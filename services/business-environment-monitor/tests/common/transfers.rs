//! The way of a transfer: the receiver's key, the draft, the signatures.

use jingwei_kit::clock::Clock;
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::transfer_service_client::TransferServiceClient;

use super::cast::register;
use super::seal::{key_pair, seal};
use super::{DISTRICT, Session, Site};

pub(crate) type Transfers = TransferServiceClient<Session>;

/// What nobody but the receiver may read.
pub(crate) const SECRET: &str = "科长索要好处费三万元，有转账记录";

impl Site {
    /// Somebody of the office.
    pub(crate) fn sender(&self, subject: &str) -> Transfers {
        TransferServiceClient::new(self.session(subject, &[(Role::BusinessEnvironmentOffice, DISTRICT)]))
    }

    /// Somebody of an authority, e.g. `discipline`.
    pub(crate) fn receiver(&self, authority: &str) -> Transfers {
        let scope = format!("{DISTRICT}/departments/{authority}");
        TransferServiceClient::new(self.session("sun", &[(Role::TransferReceiver, &scope)]))
    }

    /// Registers a public key of an authority.
    pub(crate) async fn registered_key(&self, authority: &str, public_key: Vec<u8>) -> pb::ReceiverKey {
        let request = key_request(authority, public_key);
        self.receiver(authority).create_receiver_key(request).await.expect("registered").into_inner()
    }

    /// The name of an issue that the office has registered now.
    pub(crate) async fn registered(&self) -> String {
        let name = self.submitted().await.name;
        self.office().register_issue(register(&name)).await.expect("registered").into_inner().name
    }

    /// Drafted by Li for the discipline inspection, with a key that nobody keeps.
    pub(crate) async fn drafted(&self, issue: &str) -> pb::Transfer {
        let key = self.registered_key("discipline", key_pair().1).await;
        self.sender("li").create_transfer(draft(issue, &key)).await.expect("drafted").into_inner()
    }

    /// Signs as somebody of the office.
    pub(crate) async fn signed(&self, transfer: &pb::Transfer, subject: &str) -> pb::Transfer {
        self.sender(subject).sign_transfer(sign(transfer)).await.expect("signed").into_inner()
    }
}

pub(crate) fn key_request(authority: &str, public_key: Vec<u8>) -> pb::CreateReceiverKeyRequest {
    pb::CreateReceiverKeyRequest {
        parent: format!("{DISTRICT}/receivers/{authority}"),
        algorithm: pb::SealAlgorithm::HpkeX25519Sha256Chacha20poly1305.into(),
        public_key,
        ..Default::default()
    }
}

/// The transfer of an issue, with the secret sealed to the key.
pub(crate) fn draft(issue: &str, key: &pb::ReceiverKey) -> pb::CreateTransferRequest {
    let transfer_id = Clock::system().id().to_string();
    let name = format!("{DISTRICT}/transfers/{transfer_id}");
    pb::CreateTransferRequest {
        parent: DISTRICT.into(),
        transfer_id,
        issue: issue.to_owned(),
        key: key.name.clone(),
        sealed_content: seal(key, &name, SECRET),
        ..Default::default()
    }
}

pub(crate) fn sign(transfer: &pb::Transfer) -> pb::SignTransferRequest {
    pb::SignTransferRequest {
        name: transfer.name.clone(),
        digest: transfer.digest.clone(),
        ..Default::default()
    }
}
