//! Lists of notes: each a range of one index, so that a page costs the same however many notes there are.

use sqlx::types::Json;
use sqlx::{PgPool, QueryBuilder};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::model::area::AreaCode;
use crate::model::note::Note;

/// Where a page begins: after the note with this time and id.
pub type Cursor = (OffsetDateTime, Uuid);

/// Which notes of a district.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The district.
    pub district: i32,
    /// Only in this area and below it: what the caller may see and asked for.
    pub area: AreaCode,
    /// Only by this author.
    pub author: Option<String>,
    /// Only of this patrol.
    pub patrol: Option<Uuid>,
    /// Only the one that became this event.
    pub event: Option<Uuid>,
    /// Only those that became an event, or that did not.
    pub reported: Option<bool>,
}

/// A page of notes after `after`, at most `limit`, newest first.
pub async fn list(
    pool: &PgPool,
    filter: &Filter,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<Note>> {
    let mut query = QueryBuilder::new("select n.body, n.reported, n.version from ");
    let by_place = filter.author.is_none() && filter.patrol.is_none() && filter.event.is_none();
    let (time, id, reported) = if by_place {
        query.push(
            "note_place p join note n on n.district = p.district and n.id = p.note_id where p.district = ",
        );
        query.push_bind(filter.district).push(" and p.area = ").push_bind(filter.area.to_string());
        ("p.create_time", "p.note_id", "p.reported")
    } else {
        query.push("note n where n.district = ").push_bind(filter.district);
        // All codes that begin with the area's: digits sort before the colon.
        query.push(" and n.area >= ").push_bind(filter.area.to_string());
        query.push(" and n.area < ").push_bind(format!("{}:", filter.area));
        ("n.create_time", "n.id", "n.reported")
    };
    if let Some(author) = &filter.author {
        query.push(" and n.author = ").push_bind(author.clone());
    }
    if let Some(patrol) = filter.patrol {
        query.push(" and n.patrol_id = ").push_bind(patrol);
    }
    if let Some(event) = filter.event {
        query.push(" and n.reported and n.report_id = ").push_bind(event);
    }
    if let Some(wanted) = filter.reported {
        query.push(format!(" and {reported} = ")).push_bind(wanted);
    }
    if let Some((after, last)) = after {
        query.push(format!(" and ({time}, {id}) < (")).push_bind(after).push(", ");
        query.push_bind(last).push(")");
    }
    query.push(format!(" order by {time} desc, {id} desc limit ")).push_bind(limit);
    let rows = query.build_query_as::<(Json<Note>, bool, i64)>().fetch_all(pool).await?;
    Ok(rows.into_iter().map(|(body, reported, version)| Note { reported, version, ..body.0 }).collect())
}
