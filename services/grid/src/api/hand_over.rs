//! The hand-over service, and the hand-over that the end of a posting writes.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::page::Page;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::hand_over_service_server::HandOverService;
use prost::Message;
use sqlx::PgConnection;
use time::OffsetDateTime;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::actors;
use super::core::{Asked, Core};
use super::reach::{self, Reach};
use super::staff::read_name;
use super::wire::{hand_over as wire, name};
use crate::error::Error;
use crate::model::hand_over::{HandOver, OVERSEERS, Refusal};
use crate::model::staff::Posting;
use crate::model::work_record::covers;
use crate::store::hand_over as store;

/// The hand-over service.
#[derive(Clone)]
pub struct HandOvers(pub Core);

/// Writes the hand-over of a posting that has just ended, to the person named or the area's chief; none where nothing is open and
/// nobody was named.
pub(super) async fn hand_over(
    conn: &mut PgConnection,
    ended: &Posting,
    named: Option<Uuid>,
    id: Uuid,
    now: OffsetDateTime,
) -> Result<Option<Uuid>, Error> {
    let open = store::open_work(conn, ended).await?;
    if open.is_empty() && named.is_none() {
        return Ok(None);
    }
    let needed = || Error::HandOver(Refusal::SuccessorNeeded { area: ended.area, named: named.is_some() });
    let successor = store::successor(conn, ended, named).await?.ok_or_else(needed)?;
    let new = HandOver {
        district: ended.district,
        id,
        posting: ended.id,
        area: ended.area,
        predecessor: ended.staff_id,
        successor,
        open,
        created: now,
        confirmed: None,
        note: String::new(),
        version: 1,
    };
    store::insert(conn, &new).await?;
    store::hand_patrols_over(conn, &new).await?;
    Ok(Some(id))
}

impl HandOvers {
    async fn get(&self, caller: &Caller, name: &str) -> Result<(HandOver, Option<Uuid>), Error> {
        let (district, id) = read_name(name, "handOvers")?;
        let own = reach::own(&self.0.pool, caller, district).await?;
        let found = store::get(&self.0.pool, district, id).await?;
        let grants = actors::of(caller, district);
        let may = |h: &HandOver| {
            own.is_some_and(|own| own == h.successor || own == h.predecessor)
                || covers(&grants, OVERSEERS, h.area)
        };
        Ok((found.filter(may).ok_or_else(|| Error::NotFound { name: name.to_owned() })?, own))
    }

    async fn list(
        &self,
        caller: &Caller,
        request: &pb::ListHandOversRequest,
    ) -> Result<pb::ListHandOversResponse, Error> {
        let district = name::read_district(&request.parent)?;
        let page = Page::<Uuid>::of(request, 50, 200)?;
        let mut violations = Violations::new();
        let area = name::read_area_in("area", &request.area, district, &mut violations);
        let person = name::read_in("successor", &request.successor, district, &mut violations);
        let posting = name::read_in("posting", &request.posting, district, &mut violations);
        violations.finish()?;
        let person = Uuid::parse_str(&person).ok();
        let pool = &self.0.pool;
        let (area, successor) = match reach::of(pool, caller, district, OVERSEERS, area, person).await? {
            None => return Ok(pb::ListHandOversResponse::default()),
            Some(Reach::Own(own)) => (area, Some(own)),
            Some(Reach::Area(area)) => (Some(area), person),
        };
        let posting = Uuid::parse_str(&posting).ok();
        let filter = store::Filter { area, successor, posting, unconfirmed: request.unconfirmed };
        let mut rows = store::list(pool, district, &filter, page.after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |hand_over| hand_over.id);
        Ok(pb::ListHandOversResponse { hand_overs: rows.iter().map(wire::write).collect(), next_page_token })
    }

    async fn confirm(
        &self,
        caller: &Caller,
        request: &pb::ConfirmHandOverRequest,
    ) -> Result<pb::HandOver, Error> {
        let (district, _) = read_name(&request.name, "handOvers")?;
        let now = self.0.clock.now();
        let (found, own) = self.get(caller, &request.name).await?;
        if own != Some(found.successor) {
            return Err(reach::denied());
        }
        let asked =
            Asked { caller, district, method: "ConfirmHandOver", request, request_id: &request.request_id };
        let confirm = async |conn: &mut PgConnection| {
            etag::check(&request.etag, found.version)?;
            let version = found.version + 1;
            let after = HandOver { confirmed: Some(now), note: request.note.clone(), version, ..found };
            // Nothing but a confirmation changes a hand-over.
            if after.version > 2 || !store::confirm(conn, &after).await? {
                return Err(Error::HandOver(Refusal::Confirmed));
            }
            let answer = wire::write(&after);
            let told = pb::HandOver { note: String::new(), ..answer.clone() };
            Ok((request.name.clone(), told.encode_to_vec(), answer))
        };
        self.0.change_telling(asked, confirm).await
    }
}

#[tonic::async_trait]
impl HandOverService for HandOvers {
    async fn get_hand_over(
        &self,
        request: Request<pb::GetHandOverRequest>,
    ) -> Result<Response<pb::HandOver>, Status> {
        let (found, _) = self.get(&caller::of(&request), &request.get_ref().name).await?;
        Ok(Response::new(wire::write(&found)))
    }

    async fn list_hand_overs(
        &self,
        request: Request<pb::ListHandOversRequest>,
    ) -> Result<Response<pb::ListHandOversResponse>, Status> {
        Ok(Response::new(self.list(&caller::of(&request), request.get_ref()).await?))
    }

    async fn confirm_hand_over(
        &self,
        request: Request<pb::ConfirmHandOverRequest>,
    ) -> Result<Response<pb::HandOver>, Status> {
        Ok(Response::new(self.confirm(&caller::of(&request), request.get_ref()).await?))
    }
}
