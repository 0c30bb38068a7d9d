//! What happens outside of the service: a receiver's keys, sealing before the API and opening after it, by HPKE itself.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, setup_receiver, setup_sender};
use jingwei_proto::business_environment_monitor::v1 as pb;

type Suite = X25519HkdfSha256;
type PrivateKey = <Suite as Kem>::PrivateKey;

/// A new key pair: the private key, which the service never has, and the bytes of the public one.
pub(crate) fn key_pair() -> (PrivateKey, Vec<u8>) {
    let (private, public) = Suite::gen_keypair();
    (private, public.to_bytes().to_vec())
}

/// Seals for a name, `aad`, to a registered key.
pub(crate) fn seal(key: &pb::ReceiverKey, name: &str, text: &str) -> Vec<u8> {
    let public = <Suite as Kem>::PublicKey::from_bytes(&key.public_key).expect("a key");
    let info = key.name.as_bytes();
    let (encapsulated, mut sealing) =
        setup_sender::<ChaCha20Poly1305, HkdfSha256, Suite>(&OpModeS::Base, &public, info).expect("sealed");
    let ciphertext = sealing.seal(text.as_bytes(), name.as_bytes()).expect("sealed");
    [encapsulated.to_bytes().to_vec(), ciphertext].concat()
}

/// Opens what the service keeps; `None` where the key or anything else is not the one it was sealed with.
pub(crate) fn open(private: &PrivateKey, content: &pb::SealedContent) -> Option<String> {
    let (encapsulated, ciphertext) = content.sealed_content.split_at_checked(32)?;
    let encapsulated = <Suite as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
    let info = content.key.as_bytes();
    let mut opening =
        setup_receiver::<ChaCha20Poly1305, HkdfSha256, Suite>(&OpModeR::Base, private, &encapsulated, info)
            .ok()?;
    let text = opening.open(ciphertext, content.associated_data.as_bytes()).ok()?;
    String::from_utf8(text).ok()
}

/// A private key of 32 bytes.
pub(crate) fn private_key(bytes: &[u8]) -> PrivateKey {
    PrivateKey::from_bytes(bytes).expect("a key")
}
