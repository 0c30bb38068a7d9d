//! The local signing key: made once, kept in the data folder, published to the services as a JWKS file.

use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::Ed25519KeyPair;
use jingwei_kit::caller::{Scope, role_of, role_text};
use jingwei_kit::keys::{AUDIENCE, KeySource, Place};
use jingwei_proto::access::v1::Role;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::{Error, folder};

/// Who issues the tokens.
const ISSUER: &str = "jingwei-standalone";
/// The key's id.
const KEY_ID: &str = "local";

/// The key of one data folder.
pub struct LocalKey {
    key: EncodingKey,
    dir: PathBuf,
}

/// What a token says.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The role, e.g. `grid_worker`.
    pub role: Role,
    /// Where it holds.
    pub scope: Scope,
}

impl LocalKey {
    /// The key in the folder; made, with its JWKS file, where there is none.
    ///
    /// # Errors
    /// The files cannot be written or read.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        folder::make(dir)?;
        let der = folder::secret(&dir.join("signing-key.der"), || {
            let pair = Ed25519KeyPair::generate()?;
            let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)?;
            Ok(der.as_ref().to_vec())
        })?;
        let key = Self { key: EncodingKey::from_ed_der(&der), dir: dir.to_owned() };
        key.publish()?;
        Ok(key)
    }

    fn jwks_file(&self) -> PathBuf {
        self.dir.join("jwks.json")
    }

    fn publish(&self) -> Result<(), Error> {
        let mut jwk = Jwk::from_encoding_key(&self.key, Algorithm::EdDSA)?;
        jwk.common.key_id = Some(KEY_ID.to_owned());
        folder::publish(&self.jwks_file(), &serde_json::to_vec_pretty(&JwkSet { keys: vec![jwk] })?)
    }

    /// Where the services find the public part.
    pub fn source(&self) -> KeySource {
        let interval = std::time::Duration::from_secs(60);
        KeySource { place: Place::Jwks(self.jwks_file()), issuer: Some(ISSUER.to_owned()), interval }
    }

    /// A token of a subject with one grant, valid from `now` for `valid`.
    ///
    /// # Errors
    /// It cannot be signed.
    pub fn token(
        &self,
        subject: &str,
        name: Option<&str>,
        grant: &Grant,
        now: OffsetDateTime,
        valid: Duration,
    ) -> Result<String, Error> {
        let grants = [json!({"role": role_text(grant.role), "scope": grant.scope.to_string()})];
        let exp = (now + valid).unix_timestamp();
        let mut claims =
            json!({"sub": subject, "iss": ISSUER, "aud": AUDIENCE, "exp": exp, "grants": grants});
        if let Some(name) = name {
            claims["name"] = json!(name);
        }
        let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::EdDSA) };
        Ok(encode(&header, &claims, &self.key)?)
    }
}

/// A role as a person writes it: `grid-worker` or `grid_worker`.
///
/// # Errors
/// No such role: the text lists them.
pub fn read_role(text: &str) -> Result<Role, String> {
    role_of(&text.replace('-', "_")).ok_or_else(|| {
        let known: Vec<_> =
            (1..).map_while(|n| Role::try_from(n).ok()).map(role_text).map(|r| r.replace('_', "-")).collect();
        format!("没有这个角色；可用：{0} / no such role; there are: {0}", known.join(", "))
    })
}

/// A scope as a person writes it: a resource name, or the digits of a district or area.
///
/// # Errors
/// It is neither.
pub fn read_scope(text: &str) -> Result<Scope, String> {
    let name = match text.len() {
        6 if is_digits(text) => format!("districts/{text}"),
        9 | 12 | 15 | 18 if is_digits(text) => format!("districts/{}/areas/{text}", &text[..6]),
        _ => text.to_owned(),
    };
    name.parse().map_err(|_| {
        "应为 districts/410182、districts/410182/areas/410182002、districts/410182/departments/water-company 或区划代码 / \
         must be districts/410182, districts/410182/areas/410182002, districts/410182/departments/water-company or the digits of an area"
            .to_owned()
    })
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jingwei_kit::clock::Clock;
    use jingwei_kit::keys::Keys;

    #[tokio::test]
    async fn a_token_holds_for_the_services_and_the_key_stays() {
        let dir = tempfile::tempdir().unwrap();
        let grant =
            Grant { role: read_role("grid-worker").unwrap(), scope: read_scope("410182002011001").unwrap() };
        let clock = Clock::system();
        let token = LocalKey::open(dir.path())
            .unwrap()
            .token("zhang", None, &grant, clock.now(), Duration::hours(1))
            .unwrap();
        let again = LocalKey::open(dir.path()).unwrap();
        let keys = Keys::load(again.source(), clock).await.unwrap();
        let caller = keys.verify(&token).await.unwrap();
        assert_eq!(caller.subject, "zhang");
        assert_eq!(caller.grants[0].scope.to_string(), "districts/410182/areas/410182002011001");
    }

    #[test]
    fn roles_and_scopes_are_read_as_people_write_them() {
        assert_eq!(read_role("grid_chief"), Ok(Role::GridChief));
        assert!(read_role("king").unwrap_err().contains("grid-worker"));
        assert_eq!(read_scope("410182").unwrap().to_string(), "districts/410182");
        assert_eq!(
            read_scope("districts/410182/departments/water").unwrap().to_string(),
            "districts/410182/departments/water"
        );
        assert!(read_scope("4101").is_err());
    }
}
