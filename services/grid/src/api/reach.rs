//! What a list of people's own records holds for a caller: those of areas, or the caller's own.

use jingwei_kit::caller::Caller;
use jingwei_kit::status::Problem;
use sqlx::PgPool;
use tonic::Code;
use uuid::Uuid;

use super::actors;
use crate::error::Error;
use crate::model::actor::{Role, Scope};
use crate::model::area::AreaCode;
use crate::store::staff;

/// How far a list reaches.
pub(super) enum Reach {
    /// This area and those below it.
    Area(AreaCode),
    /// The caller's own, who is this member of the staff.
    Own(Uuid),
}

/// Who of the staff signs in as the caller.
pub(super) async fn own(pool: &PgPool, caller: &Caller, district: i32) -> Result<Option<Uuid>, Error> {
    let found = staff::list(pool, district, Some(&caller.subject), Uuid::nil(), 1).await?;
    Ok(found.first().map(|member| member.id))
}

/// The area asked for, where a grant with one of the roles covers it; where none was, what the first such grant covers. Of whoever has
/// no such grant, and where the person asked for is the caller, the own. `None` where the caller is not of the staff.
pub(super) async fn of(
    pool: &PgPool,
    caller: &Caller,
    district: i32,
    roles: &[Role],
    area: Option<AreaCode>,
    person: Option<Uuid>,
) -> Result<Option<Reach>, Error> {
    let mut scopes = Vec::new();
    for grant in actors::of(caller, district) {
        if roles.contains(&grant.role) {
            scopes.push(grant.scope);
        }
    }
    let own = own(pool, caller, district).await?;
    if scopes.is_empty() || person.is_some() && person == own {
        return match own {
            Some(own) if person.is_none_or(|person| person == own) => Ok(Some(Reach::Own(own))),
            None if person.is_none() => Ok(None),
            _ => Err(denied()),
        };
    }
    let area = match (area, scopes.first()) {
        (Some(area), _) => scopes.iter().any(|scope| scope.covers_area(area)).then_some(area),
        (None, Some(Scope::Area(area))) => Some(*area),
        (None, Some(Scope::District(_))) => AreaCode::of_district(district).ok(),
        (None, _) => None,
    };
    area.map(|area| Some(Reach::Area(area))).ok_or_else(denied)
}

/// The caller's grants do not reach what was asked for.
pub(super) fn denied() -> Error {
    let (zh, en) = (
        "您的管辖范围不包含所查的区域或人员，或此操作只能由本人进行",
        "none of your grants covers the area or person, or only that person may do it",
    );
    Problem::new(Code::PermissionDenied, "PERMISSION_DENIED", zh, en).into()
}
