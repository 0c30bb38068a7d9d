//! Etags: the version of a row as an opaque text.

use tonic::Code;

use crate::status::{Problem, invalid, reason};

/// The etag of a version, e.g. `v17`.
pub fn of(version: i64) -> String {
    format!("v{version}")
}

/// Ok where `etag` is that of `version`, or empty: the caller then takes whatever is there (AIP-154).
///
/// Errors: ABORTED with reason ETAG_MISMATCH and the current etag.
pub fn check(etag: &str, version: i64) -> Result<(), Problem> {
    if etag.is_empty() || etag == of(version) { Ok(()) } else { Err(mismatch(version)) }
}

/// The version that `etag` names; `None` where it is empty.
///
/// Errors: INVALID_ARGUMENT for a text that no server gave out, naming `field`.
pub fn version(field: &str, etag: &str) -> Result<Option<i64>, Problem> {
    if etag.is_empty() {
        return Ok(None);
    }
    let version = etag.strip_prefix('v').and_then(|v| v.parse().ok());
    let wrong = || invalid(field, "etag", "不是服务器给出的 etag", "is not an etag that the server gave out");
    version.map(Some).ok_or_else(wrong)
}

/// ABORTED: the row has `version` now.
pub fn mismatch(version: i64) -> Problem {
    let zh = "数据已被他人修改，请重新读取后再提交";
    let en = "changed since it was read: read it again and repeat the change";
    Problem::new(Code::Aborted, reason::ETAG_MISMATCH, zh, en).with("etag", of(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_current_etag_or_none_passes() {
        assert!(check(&of(3), 3).is_ok() && check("", 3).is_ok());
        let problem = check(&of(2), 3).expect_err("stale");
        assert_eq!((problem.code, problem.reason), (Code::Aborted, "ETAG_MISMATCH"));
        assert_eq!(problem.metadata["etag"], "v3");
    }

    #[test]
    fn a_version_is_read_back() {
        assert_eq!(version("etag", &of(12)), Ok(Some(12)));
        assert_eq!(version("etag", ""), Ok(None));
        assert_eq!(version("event.etag", "12").expect_err("foreign").violations[0].field, "event.etag");
    }
}
