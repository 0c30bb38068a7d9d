//! Lists of issues: what the caller may see of what was asked for.

use jingwei_kit::caller::Caller;
use jingwei_kit::page::Page;
use jingwei_kit::status::{Problem, Violations};
use jingwei_proto::business_environment_monitor::v1 as pb;
use sqlx::PgPool;
use tonic::Code;

use super::actors;
use super::wire::{issue as wire, name};
use crate::error::Error;
use crate::model::actor::{Actor, Role};
use crate::store::issue_list::{Cursor, Filter, Whose, list as store_list};

/// A page of issues.
///
/// # Errors
/// Wrong fields; PERMISSION_DENIED for another department's; those of the database.
pub async fn list(
    pool: &PgPool,
    caller: &Caller,
    request: &pb::ListIssuesRequest,
) -> Result<pb::ListIssuesResponse, Error> {
    let district = name::read_district("parent", &request.parent)?;
    let page = Page::<Cursor>::of(request, 50, 200)?;
    let mut violations = Violations::new();
    let department = name::read_department("department", &request.department, district, &mut violations);
    violations.finish()?;
    let grants = actors::of(caller, district);
    let filter = Filter {
        district,
        whose: whose(&grants, department)?,
        states: request.states().filter_map(wire::read_state).collect(),
        class: wire::read_class(request.class()),
        min_level: wire::read_level(request.min_supervision()),
    };
    let mut rows = store_list(pool, &filter, page.after, page.limit()).await?;
    let next_page_token = page.cut(&mut rows, |stored| (stored.issue.submitted, stored.issue.submission.id));
    let issues = rows.iter().map(|stored| wire::write(stored, &grants)).collect();
    Ok(pb::ListIssuesResponse { issues, next_page_token })
}

/// What was asked for, where a grant covers it; where nothing was, the most that a grant covers.
///
/// # Errors
/// PERMISSION_DENIED where no grant covers what was asked for.
pub fn whose(grants: &[Actor], department: Option<String>) -> Result<Whose, Error> {
    let office = grants.iter().any(|actor| actor.role == Role::Office);
    let own = grants.iter().find(|actor| actor.role == Role::Department).and_then(|a| a.unit.clone());
    match (department, grants.first()) {
        (Some(code), _) if office || grants.iter().any(|actor| actor.unit.as_ref() == Some(&code)) => {
            Ok(Whose::Department(code))
        }
        (None, Some(_)) if office => Ok(Whose::Everyone),
        (None, Some(first)) => {
            Ok(own.map_or_else(|| Whose::Submitter(first.subject.clone()), Whose::Department))
        }
        _ => Err(denied().into()),
    }
}

fn denied() -> Problem {
    let (zh, en) = ("您的授权不包含所查的部门", "none of your grants covers the department asked for");
    Problem::new(Code::PermissionDenied, "PERMISSION_DENIED", zh, en)
}
