//! Links from people's records to what they were about.

use sqlx::PgPool;
use uuid::Uuid;

use super::wire::name;
use crate::error::Error;
use crate::model::actor::Actor;
use crate::model::deliberation::view;
use crate::model::relation::may_read;
use crate::store;

/// The events and deliberations among the links must exist for the caller; notes are taken at their word.
pub(super) async fn check(
    pool: &PgPool,
    grants: &[Actor],
    district: i32,
    links: &[String],
) -> Result<(), Error> {
    let id = |link: &str, collection: &str| Uuid::parse_str(name::read(link, collection)?.1).ok();
    for link in links {
        let found = if let Some(id) = id(link, "events") {
            store::event::get(pool, district, id).await?.is_some_and(|s| may_read(&s.event, grants))
        } else if let Some(id) = id(link, "deliberations") {
            store::deliberation::get(pool, district, id).await?.is_some_and(|d| view(&d, grants).is_some())
        } else {
            true
        };
        if !found {
            return Err(Error::ReferenceMissing { field: "work_record.links" });
        }
    }
    Ok(())
}
