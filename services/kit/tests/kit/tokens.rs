//! The keys that tokens are verified with: where they come from, and what they refuse.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::{encoding::AsDer, rsa};
use axum::{Json, Router, routing::get};
use base64::{Engine, prelude::BASE64_STANDARD};
use jingwei_kit::{
    caller::{Grant, Scope},
    clock::Clock,
    keys::{BadToken, KeySource, Keys, KeysError, Place},
    testing::Issuer,
};
use jingwei_proto::access::v1::Role;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{AlgorithmParameters, Jwk, JwkSet},
};
use serde_json::json;
use time::macros::datetime;

const WORKER: [(Role, &str); 1] = [(Role::GridWorker, "districts/410182/areas/410182002011001")];

fn clock() -> Clock {
    Clock::manual(datetime!(2026-03-01 08:00 UTC))
}

async fn load(place: Place, issuer: Option<&str>, interval: Duration) -> Result<Keys, KeysError> {
    Keys::load(KeySource { place, issuer: issuer.map(Into::into), interval }, clock()).await
}

async fn from_file(name: &str, content: String, place: fn(PathBuf) -> Place) -> Result<Keys, KeysError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("written");
    load(place(path), None, Duration::ZERO).await
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64_STANDARD.encode(der))
}

/// A JWKS address whose document can be changed, and how often it was asked.
async fn address(set: JwkSet) -> (String, Arc<Mutex<JwkSet>>, Arc<AtomicUsize>) {
    let (set, asked) = (Arc::new(Mutex::new(set)), Arc::new(AtomicUsize::new(0)));
    let (document, count) = (set.clone(), asked.clone());
    let answer = get(async move || {
        count.fetch_add(1, Ordering::SeqCst);
        Json(json!(*document.lock().expect("not poisoned")))
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let url = format!("http://{}/keys", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/keys", answer)).await });
    (url, set, asked)
}

#[tokio::test]
async fn an_ed25519_key_comes_from_a_jwks_or_a_pem_file() {
    let issuer = Issuer::new(&clock());
    let token = issuer.token("u-1", &WORKER);
    let jwks = issuer.jwks();
    let AlgorithmParameters::OctetKeyPair(key) = &jwks.keys[0].algorithm else { panic!("not Ed25519") };
    let raw = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(&key.x).expect("base64");
    // SubjectPublicKeyInfo of an Ed25519 key: RFC 8410, section 4.
    let spki = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00][..], &raw].concat();
    let from_pem = from_file("key.pem", pem("PUBLIC KEY", &spki), Place::Pem).await.expect("loads");
    let from_jwks = from_file("keys.json", json!(jwks).to_string(), Place::Jwks).await.expect("loads");
    for keys in [from_pem, from_jwks] {
        let caller = keys.verify(&token).await.expect("holds");
        let scope = Scope::Area { district: 410_182, code: "410182002011001".into() };
        assert_eq!(
            (caller.subject.as_str(), caller.grants),
            ("u-1", vec![Grant { role: Role::GridWorker, scope }])
        );
        let other = Issuer::new(&clock()).token("u-1", &WORKER);
        assert!(matches!(keys.verify(&other).await, Err(BadToken::Form(_))));
    }
}

#[tokio::test]
async fn an_rsa_key_verifies_rs256_and_only_that() {
    let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).expect("a key");
    let private = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).expect("a DER form");
    let key = EncodingKey::from_rsa_pem(pem("PRIVATE KEY", private.as_ref()).as_bytes()).expect("a key");
    let mut jwk = Jwk::from_encoding_key(&key, Algorithm::RS256).expect("a JWK form");
    jwk.common.key_id = Some("r1".into());
    let keys = from_file("keys.json", json!(JwkSet { keys: vec![jwk] }).to_string(), Place::Jwks)
        .await
        .expect("loads");
    let claims =
        json!({"sub": "u-1", "aud": "jingwei", "exp": clock().now().unix_timestamp() + 60, "grants": []});
    let sign = |algorithm, key: &EncodingKey| {
        encode(&Header { kid: Some("r1".into()), ..Header::new(algorithm) }, &claims, key).expect("signs")
    };
    assert_eq!(keys.verify(&sign(Algorithm::RS256, &key)).await.expect("holds").subject, "u-1");
    // The key decides the algorithm, not the token: no other RSA form, no secret made of the public key.
    assert!(matches!(keys.verify(&sign(Algorithm::RS512, &key)).await, Err(BadToken::UnknownKey(_))));
    let public = EncodingKey::from_secret(b"public");
    assert!(matches!(keys.verify(&sign(Algorithm::HS256, &public)).await, Err(BadToken::UnknownKey(_))));
}

#[tokio::test]
async fn a_new_key_at_an_address_is_found_when_a_token_names_it() {
    let issuer = Issuer::new(&clock());
    let (url, document, _) = address(JwkSet { keys: Vec::new() }).await;
    let keys = load(Place::Url(url), None, Duration::ZERO).await.expect("loads");
    let token = issuer.token("u-1", &WORKER);
    assert!(matches!(keys.verify(&token).await, Err(BadToken::UnknownKey(id)) if id == "test"));
    *document.lock().expect("not poisoned") = issuer.jwks();
    assert_eq!(keys.verify(&token).await.expect("holds").subject, "u-1");
}

#[tokio::test]
async fn a_token_that_held_no_longer_does_once_its_key_is_withdrawn_or_its_time_over() {
    let clock = clock();
    let issuer = Issuer::new(&clock);
    let (url, document, _) = address(issuer.jwks()).await;
    let source = KeySource { place: Place::Url(url), issuer: None, interval: Duration::ZERO };
    let keys = Keys::load(source, clock.clone()).await.expect("loads");
    let token = issuer.token("u-1", &WORKER);
    for _ in 0..2 {
        assert_eq!(keys.verify(&token).await.expect("holds").subject, "u-1");
    }
    let now = clock.now();
    clock.set(now + time::Duration::days(400));
    assert!(matches!(keys.verify(&token).await, Err(BadToken::Time)));
    clock.set(now);
    assert!(keys.verify(&token).await.is_ok());
    *document.lock().expect("not poisoned") = JwkSet { keys: Vec::new() };
    // A token of an unknown key makes it ask again.
    let unknown = Header { kid: Some("other".into()), ..Header::new(Algorithm::HS256) };
    let unknown = encode(&unknown, &json!({}), &EncodingKey::from_secret(b"x")).expect("encodes");
    assert!(keys.verify(&unknown).await.is_err());
    assert!(matches!(keys.verify(&token).await, Err(BadToken::UnknownKey(_))));
}

#[tokio::test]
async fn unknown_keys_do_not_make_us_ask_again_and_again() {
    let (url, _, asked) = address(JwkSet { keys: Vec::new() }).await;
    let keys = load(Place::Url(url), None, Duration::from_secs(3600)).await.expect("loads");
    let token = Issuer::new(&clock()).token("u-1", &WORKER);
    let calls = (0..20).map(|_| keys.verify(&token));
    assert!(futures::future::join_all(calls).await.iter().all(Result::is_err));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_issuer_that_is_set_must_be_named() {
    let issuer = Issuer::new(&clock());
    let (url, ..) = address(issuer.jwks()).await;
    let keys = load(Place::Url(url), Some("https://id.example"), Duration::ZERO).await.expect("loads");
    let claims =
        |iss| json!({"sub": "u-1", "aud": "jingwei", "iss": iss, "exp": clock().now().unix_timestamp() + 60});
    assert!(keys.verify(&issuer.sign(&claims("https://id.example"))).await.is_ok());
    assert!(keys.verify(&issuer.sign(&claims("https://evil.example"))).await.is_err());
    assert!(keys.verify(&issuer.token("u-1", &WORKER)).await.is_err());
}

#[tokio::test]
async fn a_source_without_keys_is_refused_at_start() {
    assert!(matches!(
        load(Place::Pem("/nowhere.pem".into()), None, Duration::ZERO).await,
        Err(KeysError::File(..))
    ));
    assert!(matches!(from_file("k", "nonsense".into(), Place::Pem).await, Err(KeysError::Content(_))));
    assert!(matches!(from_file("k", "{\"keys\": []}".into(), Place::Jwks).await, Err(KeysError::Content(_))));
    let nobody = load(Place::Url("http://127.0.0.1:1/".into()), None, Duration::ZERO).await;
    assert!(matches!(nobody, Err(KeysError::Url(..))));
}
