//! The public keys of one publication, and the tokens that were found good by them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, JwkSet},
};

use crate::claims::Verified;

/// How many tokens are remembered; then all are forgotten and checked anew.
const TOKENS: usize = 10_000;

/// The keys that were published together, and the tokens that one of them was found to have signed: a signature is checked
/// once, not with each call. Both go when other keys are published.
pub(crate) struct Published {
    keys: HashMap<String, Key>,
    tokens: Mutex<HashMap<String, Arc<Verified>>>,
}

#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

impl Published {
    pub(crate) fn new(keys: HashMap<String, Key>) -> Arc<Self> {
        Arc::new(Self { keys, tokens: Mutex::default() })
    }

    pub(crate) fn key(&self, id: &str, algorithm: Algorithm) -> Option<Key> {
        let keys = &self.keys;
        // A single key needs no id: that of a PEM file has none.
        let key = keys.get(id).or_else(|| keys.values().next().filter(|_| keys.len() == 1 && id.is_empty()));
        key.or_else(|| keys.get("")).filter(|key| key.algorithm == algorithm).cloned()
    }

    pub(crate) fn find(&self, token: &str) -> Option<Arc<Verified>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    pub(crate) fn keep(&self, token: &str, verified: Verified) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= TOKENS {
            tokens.clear();
        }
        tokens.insert(token.to_owned(), Arc::new(verified));
    }
}

/// The Ed25519 and RSA keys of a set, by id. The algorithm follows from the key, never from the token.
pub(crate) fn from_set(set: &JwkSet) -> HashMap<String, Key> {
    let usable = set.keys.iter().filter_map(|jwk| {
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => Algorithm::RS256,
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
            _ => return None,
        };
        let key = DecodingKey::from_jwk(jwk).ok()?;
        Some((jwk.common.key_id.clone().unwrap_or_default(), Key { algorithm, key }))
    });
    usable.collect()
}

pub(crate) fn from_pem(text: &str) -> HashMap<String, Key> {
    let ed = DecodingKey::from_ed_pem(text.as_bytes()).map(|key| Key { algorithm: Algorithm::EdDSA, key });
    let key = ed.or_else(|_| {
        DecodingKey::from_rsa_pem(text.as_bytes()).map(|key| Key { algorithm: Algorithm::RS256, key })
    });
    key.into_iter().map(|key| (String::new(), key)).collect()
}
