//! The keys that tokens are verified with: from a JWKS address, a JWKS file or a PEM file.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jsonwebtoken::{Algorithm, Validation, decode, decode_header, jwk::JwkSet};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    caller::Caller,
    claims::{Claims, Verified},
    clock::Clock,
    config::Settings,
    published::{Key, Published, from_pem, from_set},
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
    published: RwLock<Arc<Published>>,
    /// When the address was last asked; also makes askers wait for the one that asks.
    asked: Mutex<Instant>,
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
        let published = RwLock::new(Published::new(keys));
        Ok(Self(Arc::new(Inner { source, clock, published, asked: Mutex::new(Instant::now()) })))
    }

    /// The caller that a token speaks of, without language and admission. Grants with unknown roles are left out:
    /// the issuer may know more roles than this version.
    pub async fn verify(&self, token: &str) -> Result<Caller, BadToken> {
        let now = self.0.clock.now();
        if let Some(known) = self.published().find(token) {
            return known.caller(now);
        }
        let header = decode_header(token)?;
        let id = header.kid.unwrap_or_default();
        let Some((published, key)) = self.key(&id, header.alg).await else {
            return Err(BadToken::UnknownKey(id));
        };
        let mut rules = Validation::new(key.algorithm);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["exp", "sub", "aud"]);
        rules.validate_exp = false; // by our own clock, below
        if let Some(issuer) = &self.0.source.issuer {
            rules.set_issuer(&[issuer]);
            rules.required_spec_claims.insert("iss".to_owned());
        }
        let verified = Verified::read(decode::<Claims>(token, &key.key, &rules)?.claims)?;
        let caller = verified.caller(now)?;
        published.keep(token, verified);
        Ok(caller)
    }

    fn published(&self) -> Arc<Published> {
        self.0.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key of that id and algorithm, and what it was published with.
    async fn key(&self, id: &str, algorithm: Algorithm) -> Option<(Arc<Published>, Key)> {
        let known = |published: Arc<Published>| {
            let key = published.key(id, algorithm)?;
            Some((published, key))
        };
        if let Some(found) = known(self.published()) {
            return Some(found);
        }
        self.refresh(self.0.source.interval).await;
        known(self.published())
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
            Ok(keys) => {
                *self.0.published.write().unwrap_or_else(PoisonError::into_inner) = Published::new(keys);
            }
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

fn some(keys: HashMap<String, Key>, path: &Path) -> Result<HashMap<String, Key>, KeysError> {
    if keys.is_empty() { Err(KeysError::Content(path.to_owned())) } else { Ok(keys) }
}

fn read(path: &Path) -> Result<String, KeysError> {
    std::fs::read_to_string(path).map_err(|e| KeysError::File(path.to_owned(), e))
}
