//! Tokens signed by a key of the test's own.

use std::{path::PathBuf, sync::Arc};

use aws_lc_rs::{encoding::AsDer, signature::Ed25519KeyPair};
use jingwei_proto::access::v1::Role;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{Jwk, JwkSet},
};
use serde_json::json;
use time::Duration;

use crate::{
    caller::role_text,
    clock::Clock,
    keys::{AUDIENCE, KeySource, Keys, Place},
};

/// Issues tokens as an identity provider would. Clones share the key.
#[derive(Clone)]
pub struct Issuer {
    key: EncodingKey,
    clock: Clock,
    published: Arc<Published>,
}

/// The file that holds the public key as a JWKS document, for as long as the issuer lives.
struct Published(PathBuf);

impl Drop for Published {
    fn drop(&mut self) {
        // Gone already, where somebody cleaned the folder of temporary files.
        std::fs::remove_file(&self.0).ok();
    }
}

impl Issuer {
    /// An issuer with a new Ed25519 key, whose tokens are valid for an hour of `clock`.
    pub fn new(clock: &Clock) -> Self {
        let pair = Ed25519KeyPair::generate().expect("the system gives random bytes");
        let der =
            AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).expect("a fresh key has a DER form");
        let key = EncodingKey::from_ed_der(der.as_ref());
        let file = std::env::temp_dir().join(format!("jingwei-{}.jwks", clock.id()));
        std::fs::write(&file, json!(jwks(&key)).to_string()).expect("a temporary file can be written");
        Self { key, clock: clock.clone(), published: Arc::new(Published(file)) }
    }

    /// The public key as a JWKS document.
    pub fn jwks(&self) -> JwkSet {
        jwks(&self.key)
    }

    /// Where a server finds the key of this issuer.
    pub fn key_source(&self) -> KeySource {
        let place = Place::Jwks(self.published.0.clone());
        KeySource { place, issuer: None, interval: std::time::Duration::ZERO }
    }

    /// The keys for a server that believes this issuer.
    pub async fn keys(&self) -> Keys {
        Keys::load(self.key_source(), self.clock.clone()).await.expect("just written")
    }

    /// A token of `subject` with these grants, e.g. `(Role::GridWorker, "districts/410182/areas/410182002011001")`.
    pub fn token(&self, subject: &str, grants: &[(Role, &str)]) -> String {
        let grant = |(role, scope): &(Role, &str)| json!({"role": role_text(*role), "scope": scope});
        let exp = (self.clock.now() + Duration::hours(1)).unix_timestamp();
        let grants = grants.iter().map(grant).collect::<Vec<_>>();
        self.sign(&json!({"sub": subject, "aud": AUDIENCE, "exp": exp, "grants": grants}))
    }

    /// A token with any claims.
    pub fn sign(&self, claims: &serde_json::Value) -> String {
        let header = Header { kid: Some("test".to_owned()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, claims, &self.key).expect("claims are JSON")
    }
}

fn jwks(key: &EncodingKey) -> JwkSet {
    let mut jwk = Jwk::from_encoding_key(key, Algorithm::EdDSA).expect("an Ed25519 key has a JWK form");
    jwk.common.key_id = Some("test".to_owned());
    JwkSet { keys: vec![jwk] }
}
