//! Seals and opens what transfers and confidential reports carry, outside of the service: docs/sealed-content.md.
//!
//! - `sealed keygen FILE`: a new private key into FILE; prints the public key for CreateReceiverKey and its fingerprint.
//! - `sealed seal PUBLIC_KEY KEY_NAME NAME < clear > sealed`
//! - `sealed open FILE KEY_NAME NAME < sealed > clear`
//!
//! Keys and sealed content are base64, as bytes are in JSON.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::{Read, Write, stdin, stdout};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, setup_receiver, setup_sender};
use jingwei_business_environment_monitor::model::sealed::{KEY_BYTES, sha256};

type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
type EncappedKey = <X25519HkdfSha256 as Kem>::EncappedKey;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["keygen", file] => keygen(file),
        ["seal", key, info, aad] => {
            let mut clear = Vec::new();
            stdin().read_to_end(&mut clear)?;
            println!("{}", BASE64_STANDARD.encode(seal(key, info, aad, &clear)?));
            Ok(())
        }
        ["open", file, info, aad] => {
            let mut sealed = String::new();
            stdin().read_to_string(&mut sealed)?;
            stdout().write_all(&open(&std::fs::read_to_string(file)?, info, aad, sealed.trim())?)?;
            Ok(())
        }
        _ => Err("sealed keygen FILE | seal PUBLIC_KEY KEY_NAME NAME | open FILE KEY_NAME NAME".into()),
    }
}

/// Never writes over a key that is there: what was sealed to it could not be opened any more.
fn keygen(file: &str) -> Result<(), Box<dyn Error>> {
    let (private, public) = X25519HkdfSha256::gen_keypair();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(file)?, "{}", BASE64_STANDARD.encode(private.to_bytes()))?;
    println!("public key   {}", BASE64_STANDARD.encode(public.to_bytes()));
    println!("fingerprint  {}", sha256(&public.to_bytes()));
    Ok(())
}

fn seal(key: &str, info: &str, aad: &str, clear: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let key = PublicKey::from_bytes(&BASE64_STANDARD.decode(key)?)?;
    let (encapsulated, mut context) = setup_sender::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &key,
        info.as_bytes(),
    )?;
    Ok([encapsulated.to_bytes().to_vec(), context.seal(clear, aad.as_bytes())?].concat())
}

fn open(private: &str, info: &str, aad: &str, sealed: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let private = PrivateKey::from_bytes(&BASE64_STANDARD.decode(private.trim())?)?;
    let sealed = BASE64_STANDARD.decode(sealed)?;
    let (encapsulated, ciphertext) = sealed.split_at_checked(KEY_BYTES).ok_or("too short")?;
    let mut context = setup_receiver::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &private,
        &EncappedKey::from_bytes(encapsulated)?,
        info.as_bytes(),
    )?;
    Ok(context.open(ciphertext, aad.as_bytes())?)
}
