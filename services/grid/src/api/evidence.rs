//! Evidence that names attachments: who brings it must be allowed to show them.

use jingwei_kit::status::Violations;
use sqlx::PgPool;
use uuid::Uuid;

use super::wire::name;
use crate::error::Error;
use crate::model::event::Evidence;
use crate::store;

/// The attachments that pieces of evidence for a resource name.
///
/// # Errors
/// A violation for each that does not exist, or is not the subject's to show.
pub(super) async fn attachments(
    pool: &PgPool,
    (district, resource): (i32, &str),
    subject: &str,
    evidence: &[Evidence],
) -> Result<Vec<Uuid>, Error> {
    let named: Vec<_> = evidence.iter().map(|piece| name::read_attachment(&piece.uri)).collect();
    let ids: Vec<Uuid> =
        named.iter().flatten().filter(|(own, _)| *own == district).map(|(_, id)| *id).collect();
    if named.iter().all(Option::is_none) {
        return Ok(ids);
    }
    let unusable = store::attachment::unusable(pool, district, &ids, subject, resource).await?;
    let mut violations = Violations::new();
    for (i, (of, id)) in named.iter().enumerate().filter_map(|(i, named)| Some((i, (*named)?))) {
        if of != district || unusable.contains(&id) {
            let (zh, en) = ("没有这个附件，或不是您上传的", "does not exist, or was not uploaded by you");
            violations.add(format!("evidence[{i}].uri"), "attachment", zh, en);
        }
    }
    violations.finish()?;
    Ok(ids)
}
