//! What a token says: its claims, and the caller that they make.

use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use crate::{
    caller::{Caller, Grant, Language, Scope, role_of},
    keys::BadToken,
};

/// How far the issuer's clock may differ from ours.
const LEEWAY: Duration = Duration::seconds(30);

#[derive(Deserialize)]
pub(crate) struct Claims {
    sub: String,
    exp: i64,
    nbf: Option<i64>,
    name: Option<String>,
    #[serde(default)]
    grants: Vec<GrantClaim>,
}

#[derive(Deserialize)]
pub(crate) struct GrantClaim {
    role: String,
    scope: String,
}

/// What a token says, once its signature was found good.
#[derive(Debug)]
pub(crate) struct Verified {
    caller: Caller,
    /// When it ends, and begins, in seconds since 1970.
    exp: i64,
    nbf: Option<i64>,
}

impl Verified {
    /// The caller that the claims speak of, without language and admission. Errors: wrong claims.
    pub(crate) fn read(claims: Claims) -> Result<Self, BadToken> {
        let grant = |claim: &GrantClaim| {
            let scope = claim.scope.parse::<Scope>().map_err(|_| BadToken::Claims);
            role_of(&claim.role).map(|role| scope.map(|scope| Grant { role, scope }))
        };
        let grants = claims.grants.iter().filter_map(grant).collect::<Result<_, _>>()?;
        if claims.sub.is_empty() {
            return Err(BadToken::Claims);
        }
        let anonymous = Caller::anonymous(Language::default());
        let caller = Caller { subject: claims.sub, name: claims.name, grants, ..anonymous };
        Ok(Self { caller, exp: claims.exp, nbf: claims.nbf })
    }

    /// The caller, where the token holds at that time.
    pub(crate) fn caller(&self, now: OffsetDateTime) -> Result<Caller, BadToken> {
        let (now, leeway) = (now.unix_timestamp(), LEEWAY.whole_seconds());
        let begun = self.nbf.is_none_or(|nbf| now >= nbf.saturating_sub(leeway));
        let over = now >= self.exp.saturating_add(leeway);
        if begun && !over { Ok(self.caller.clone()) } else { Err(BadToken::Time) }
    }
}
