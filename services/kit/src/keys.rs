//! The keys that tokens are verified with: from a JWKS address, a JWKS file or a PEM file.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{AlgorithmParameters, EllipticCurve, JwkSet},
};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    caller::Caller,
    claims::{Claims, caller},
    clock::Clock,
    config::Settings,
};

/// The audience that every token must name.
pub const AUDIENCE: &str = "jingwei";

/// Where the keys come from, and who issues tokens.
#[derive(Debug, Clone)]
pub struct KeySource {
    /// The place.
    pub place: Place,
    /// What `iss` must be; any where unset.
    pub issuer: Option<String>,
    /// The least time between two requests for the same JWKS address, also after an unknown key id.
    pub interval: Duration,
}

/// Where keys are published.
#[derive(Debug, Clone)]
pub enum Place {
    /// A JWKS document behind an address: read again when a token names an unknown key, and when it is ten intervals old.
    Url(String),
    /// A JWKS document in a file.
    Jwks(PathBuf),
    /// One public key, Ed25519 or RSA, as PEM (SPKI) in a file; tokens need no key id.
    Pem(PathBuf),
}

/// Verifies tokens. Clones share the keys.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    source: KeySource,
    clock: Clock,
    keys: RwLock<Arc<HashMap<String, Key>>>,
    /// When the address was last asked; also makes askers wait for the one that asks.
    asked: Mutex<Instant>,
}

#[derive(Clone)]
struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
}

/// The keys could not be read.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The address did not answer with a JWKS document.
    #[error("the JWKS address {0} does not answer with keys")]
    Url(String, #[source] reqwest::Error),
    /// The file cannot be read.
    #[error("cannot read the key file {0}")]
    File(PathBuf, #[source] std::io::Error),
    /// The file is not what it should be.
    #[error("{0} holds no Ed25519 or RSA public key in the expected form")]
    Content(PathBuf),
}

/// Why a token does not hold: for the log; a caller only learns that it does not.
#[derive(Debug, thiserror::Error)]
pub enum BadToken {
    /// Not a token of ours: form, signature, audience, issuer or a claim that is missing.
    #[error(transparent)]
    Form(#[from] jsonwebtoken::errors::Error),
    /// No key of that id and algorithm.
    #[error("no key {0:?} for its algorithm")]
    UnknownKey(String),
    /// It is over, or not valid yet.
    #[error("expired, or not valid yet")]
    Time,
    /// A grant with an unknown scope, or no subject.
    #[error("a grant with a wrong scope, or no subject")]
    Claims,
}

impl KeySource {
    /// From `JWKS_URL`, `JWKS_FILE` or `JWT_KEY_FILE` (exactly one), `JWT_ISSUER`, `JWKS_INTERVAL`.
    pub fn read(settings: &mut Settings) -> Self {
        let url = settings.text("JWKS_URL").map(Place::Url);
        let jwks = settings.text("JWKS_FILE").map(|path| Place::Jwks(path.into()));
        let pem = settings.text("JWT_KEY_FILE").map(|path| Place::Pem(path.into()));
        let mut places = [url, jwks, pem].into_iter().flatten().collect::<Vec<_>>();
        if places.len() != 1 {
            let en = "or JWKS_FILE or JWT_KEY_FILE: exactly one of the three must be set";
            settings.fault("JWKS_URL", "与 JWKS_FILE、JWT_KEY_FILE 三者必须且只能设置一个".into(), en.into());
            places = vec![Place::Url(String::new())];
        }
        let interval = settings.duration("JWKS_INTERVAL", Duration::from_secs(60));
        Self { place: places.remove(0), issuer: settings.text("JWT_ISSUER"), interval }
    }
}

impl Keys {
    /// Reads the keys for the first time. Errors: the source cannot be read, or has no usable key.
    pub async fn load(source: KeySource, clock: Clock) -> Result<Self, KeysError> {
        let keys = match &source.place {
            Place::Url(url) => fetch(url).await?,
            Place::Jwks(path) => {
                let set = serde_json::from_str(&read(path)?).map_err(|_| KeysError::Content(path.clone()))?;
                some(from_set(&set), path)?
            }
            Place::Pem(path) => some(from_pem(&read(path)?), path)?,
        };
        let keys = RwLock::new(Arc::new(keys));
        Ok(Self(Arc::new(Inner { source, clock, keys, asked: Mutex::new(Instant::now()) })))
    }

    /// The caller that a token speaks of, without language and admission. Grants with unknown roles are left out:
    /// the issuer may know more roles than this version.
    pub async fn verify(&self, token: &str) -> Result<Caller, BadToken> {
        let header = decode_header(token)?;
        let id = header.kid.unwrap_or_default();
        let key = self.key(&id, header.alg).await.ok_or(BadToken::UnknownKey(id))?;
        let mut rules = Validation::new(key.algorithm);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["exp", "sub", "aud"]);
        rules.validate_exp = false; // by our own clock, below
        if let Some(issuer) = &self.0.source.issuer {
            rules.set_issuer(&[issuer]);
            rules.required_spec_claims.insert("iss".to_owned());
        }
        caller(decode::<Claims>(token, &key.key, &rules)?.claims, self.0.clock.now())
    }

    async fn key(&self, id: &str, algorithm: Algorithm) -> Option<Key> {
        if let Some(key) = self.known(id, algorithm) {
            return Some(key);
        }
        self.refresh(self.0.source.interval).await;
        self.known(id, algorithm)
    }

    fn known(&self, id: &str, algorithm: Algorithm) -> Option<Key> {
        let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
        // A single key needs no id: that of a PEM file has none.
        let key = keys.get(id).or_else(|| keys.values().next().filter(|_| keys.len() == 1 && id.is_empty()));
        key.or_else(|| keys.get("")).filter(|key| key.algorithm == algorithm).cloned()
    }

    /// Asks the address again where the last time was `age` ago; keeps the keys it has where it does not answer.
    async fn refresh(&self, age: Duration) {
        let Place::Url(url) = &self.0.source.place else { return };
        let mut asked = self.0.asked.lock().await;
        if asked.elapsed() < age {
            return;
        }
        *asked = Instant::now();
        match fetch(url).await {
            Ok(keys) => *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "keeping the old keys"),
        }
    }

    /// Reads the address again every ten intervals, for ever: so that a withdrawn key stops counting.
    pub async fn keep_fresh(self) {
        let period = self.0.source.interval * 10;
        loop {
            tokio::time::sleep(period).await;
            self.refresh(Duration::ZERO).await;
        }
    }
}

async fn fetch(url: &str) -> Result<HashMap<String, Key>, KeysError> {
    let wrong = |e: reqwest::Error| KeysError::Url(url.to_owned(), e);
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().map_err(wrong)?;
    let answer = http.get(url).send().await.and_then(reqwest::Response::error_for_status).map_err(wrong)?;
    Ok(from_set(&answer.json::<JwkSet>().await.map_err(wrong)?))
}

/// The Ed25519 and RSA keys of a set, by id. The algorithm follows from the key, never from the token.
fn from_set(set: &JwkSet) -> HashMap<String, Key> {
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

fn from_pem(text: &str) -> HashMap<String, Key> {
    let ed = DecodingKey::from_ed_pem(text.as_bytes()).map(|key| Key { algorithm: Algorithm::EdDSA, key });
    let key = ed.or_else(|_| {
        DecodingKey::from_rsa_pem(text.as_bytes()).map(|key| Key { algorithm: Algorithm::RS256, key })
    });
    key.into_iter().map(|key| (String::new(), key)).collect()
}

fn some(keys: HashMap<String, Key>, path: &Path) -> Result<HashMap<String, Key>, KeysError> {
    if keys.is_empty() { Err(KeysError::Content(path.to_owned())) } else { Ok(keys) }
}

fn read(path: &Path) -> Result<String, KeysError> {
    std::fs::read_to_string(path).map_err(|e| KeysError::File(path.to_owned(), e))
}
