//! Evidence that names attachments: who brings it must be allowed to show them.

use jingwei_kit::status::Violations;
use sqlx::PgPool;
use uuid::Uuid;

use super::wire::name;
use crate::error::Error;
use crate::model::event::Evidence;
use crate::store;

/// The attachments that pieces of evidence name; `with` are resources of the district whose evidence the subject brings along.
///
/// # Errors
/// A violation for each that does not exist, or is not the subject's to show.
pub(super) async fn attachments(
    pool: &PgPool,
    (district, with): (i32, &[&str]),
    subject: &str,
    evidence: &[Evidence],
) -> Result<Vec<Uuid>, Error> {
    let named: Vec<_> = evidence.iter().map(|piece| name::read_attachment(&piece.uri)).collect();
    let ids: Vec<Uuid> =
        named.iter().flatten().filter(|(own, _)| *own == district).map(|(_, id)| *id).collect();
    if named.iter().all(Option::is_none) {
        return Ok(ids);
    }
    let unusable = store::attachment::unusable(pool, district, &ids, subject, with).await?;
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

/// Notes that a resource's evidence names attachments: before the resource is written, so that none is forgotten meanwhile.
///
/// # Errors
/// As `attachments`.
pub(super) async fn link(
    pool: &PgPool,
    (district, resource): (i32, &str),
    subject: &str,
    evidence: &[Evidence],
) -> Result<(), Error> {
    let ids = attachments(pool, (district, &[resource]), subject, evidence).await?;
    if !ids.is_empty() {
        let mut connection = pool.acquire().await?;
        store::attachment::link(&mut connection, district, resource, &ids).await?;
    }
    Ok(())
}
