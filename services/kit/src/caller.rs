//! Who calls: the subject of a token and its grants, each a role within a scope.

use std::sync::{Arc, LazyLock};

use jingwei_proto::access::v1::Role;

pub use crate::scope::{NoScope, Scope, district_of};

/// Who calls. Handlers get it with [`of`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's subject; empty for an anonymous caller of a public RPC.
    pub subject: String,
    /// What the person or system is called, where the token says so.
    pub name: Option<String>,
    /// Every grant of the token.
    pub grants: Vec<Grant>,
    /// The grants that let this call in: their role has the RPC's permission and their scope has something in the
    /// district that the request names. What an RPC with REACH_LOADED compares with what it loads.
    pub admitted_by: Vec<Grant>,
    /// The language of `accept-language`: for texts made by the server; errors carry both.
    pub language: Language,
}

/// What someone may be (a role) and where (a scope).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// Where it holds.
    pub scope: Scope,
}

/// A language that texts exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// zh-CN: the default.
    #[default]
    Chinese,
    /// en.
    English,
}

static ANONYMOUS: LazyLock<Arc<Caller>> = LazyLock::new(|| Arc::new(Caller::anonymous(Language::default())));

/// The caller of a request, as the admission left it there; anonymous in a request that did not pass it.
pub fn of<T>(request: &tonic::Request<T>) -> Arc<Caller> {
    request.extensions().get::<Arc<Caller>>().unwrap_or(&ANONYMOUS).clone()
}

impl Caller {
    /// A caller without a token.
    pub fn anonymous(language: Language) -> Self {
        Self { subject: String::new(), name: None, grants: Vec::new(), admitted_by: Vec::new(), language }
    }

    /// Whether the call came without a token.
    pub fn is_anonymous(&self) -> bool {
        self.subject.is_empty()
    }

    /// Whether a grant that let the call in covers `resource`.
    pub fn covers(&self, resource: &str) -> bool {
        self.admitted_by.iter().any(|grant| grant.scope.covers(resource))
    }

    /// Whether the call was let in by `role`, at any scope.
    pub fn is(&self, role: Role) -> bool {
        self.admitted_by.iter().any(|grant| grant.role == role)
    }
}

impl Language {
    /// English where `accept-language` starts with it; else Chinese.
    pub fn of(headers: &http::HeaderMap) -> Self {
        let value =
            headers.get(http::header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if value.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("en")) {
            Self::English
        } else {
            Self::Chinese
        }
    }
}

/// The text of a role in tokens: its enum name without `ROLE_`, lower case, e.g. `grid_worker`.
pub fn role_text(role: Role) -> String {
    role.as_str_name().trim_start_matches("ROLE_").to_ascii_lowercase()
}

/// The role of such a text; `None` for an unknown one.
pub fn role_of(text: &str) -> Option<Role> {
    let role = Role::from_str_name(&format!("ROLE_{}", text.to_ascii_uppercase()))?;
    (role != Role::Unspecified && role_text(role) == text).then_some(role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_have_the_texts_of_tokens() {
        assert_eq!(role_text(Role::GridWorker), "grid_worker");
        assert_eq!(role_of("grid_worker"), Some(Role::GridWorker));
        for text in ["GRID_WORKER", "unspecified", "king", ""] {
            assert_eq!(role_of(text), None, "{text}");
        }
    }
}
