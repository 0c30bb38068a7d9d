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

/// The caller that the claims speak of, without language and admission. Errors: not in its time, or wrong claims.
pub(crate) fn caller(claims: Claims, now: OffsetDateTime) -> Result<Caller, BadToken> {
    let before = |t: i64| now.unix_timestamp() < t;
    let leeway = LEEWAY.whole_seconds();
    if !before(claims.exp.saturating_add(leeway))
        || claims.nbf.is_some_and(|nbf| before(nbf.saturating_sub(leeway)))
    {
        return Err(BadToken::Time);
    }
    let grant = |claim: &GrantClaim| {
        let scope = claim.scope.parse::<Scope>().map_err(|_| BadToken::Claims);
        role_of(&claim.role).map(|role| scope.map(|scope| Grant { role, scope }))
    };
    let grants = claims.grants.iter().filter_map(grant).collect::<Result<_, _>>()?;
    if claims.sub.is_empty() {
        return Err(BadToken::Claims);
    }
    Ok(Caller { subject: claims.sub, name: claims.name, grants, ..Caller::anonymous(Language::default()) })
}
