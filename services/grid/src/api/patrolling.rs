//! What is done with a patrol: planned, started, tracked, ended, cancelled; each with its counts.

use jingwei_kit::caller::Caller;
use jingwei_kit::etag;
use jingwei_kit::status::{Violations, invalid};
use jingwei_proto::grid::v1 as pb;
use prost::Message;
use sqlx::PgConnection;
use uuid::Uuid;

use super::core::Asked;
use super::patrol::{Patrols, check, must_cover};
use super::repeat::violates;
use super::wire::{name, patrol as wire, time as wire_time};
use crate::error::Error;
use crate::model::area::AreaCode;
use crate::model::patrol::{CheckpointPlace, DEFAULT_RADIUS, Patrol, Refusal, State};
use crate::model::position::{Boundary, CoordinateSystem};
use crate::store;
use crate::store::patrol::Added;

impl Patrols {
    pub(super) async fn plan(
        &self,
        caller: &Caller,
        request: &pb::CreatePatrolRequest,
    ) -> Result<pb::Patrol, Error> {
        let patrol = self.read(request)?;
        must_cover(caller, &patrol, "grid.patrols.create")?;
        let (district, now) = (patrol.district, self.0.clock.now());
        let asked =
            Asked { caller, district, method: "CreatePatrol", request, request_id: &request.request_id };
        let plan = async |conn: &mut PgConnection| {
            for (i, checkpoint) in patrol.checkpoints.iter().enumerate() {
                if let CheckpointPlace::Area(area) = checkpoint.place {
                    let found = store::area::get(&mut *conn, area, now).await?;
                    if found.is_none_or(|a| a.boundary.is_empty()) {
                        let (zh, en) = ("须为已划边界的区域", "must be an area that has a boundary");
                        let field = format!("patrol.checkpoints[{i}].area");
                        return Err(invalid(&field, "boundary", zh, en).into());
                    }
                }
            }
            let written = wire::write(&patrol, now);
            match store::patrol::insert(&mut *conn, &patrol, now).await {
                Err(e) if violates(&e, "patrol_pkey") => {
                    return Err(Error::AlreadyExists { name: written.name });
                }
                Err(e) if violates(&e, "patrol_area") => {
                    return Err(Error::ReferenceMissing { field: "patrol.area" });
                }
                Err(e) if violates(&e, "patrol_assignee") => {
                    return Err(Error::ReferenceMissing { field: "patrol.assignee" });
                }
                done => done?,
            }
            let due = patrol.checkpoints.len() as i64;
            store::patrol::count(conn, &patrol, Added { patrols: 1, due, ..Added::default() }).await?;
            Ok((written.name.clone(), written))
        };
        self.0.change(asked, plan).await
    }

    fn read(&self, request: &pb::CreatePatrolRequest) -> Result<Patrol, Error> {
        let district = name::read_district(&request.parent)?;
        let (given, now) = (request.patrol.clone().unwrap_or_default(), self.0.clock.now());
        let mut violations = Violations::new();
        let area = name::read_area_in("patrol.area", &given.area, district, &mut violations);
        let assignee = name::read_in("patrol.assignee", &given.assignee, district, &mut violations);
        let opens = wire_time::read_option("patrol.open_time", given.open_time.as_ref(), &mut violations);
        let due = wire_time::read("patrol.due_time", given.due_time.as_ref(), &mut violations);
        if due.is_some_and(|due| due <= now.max(opens.unwrap_or(now))) {
            let (zh, en) = ("须晚于现在和 open_time", "must be after now and after open_time");
            violations.add("patrol.due_time", "order", zh, en);
        }
        if (1..5).contains(&given.radius_metres) {
            violations.add("patrol.radius_metres", "range", "应不小于 5", "must be at least 5");
        }
        let checkpoints = wire::read_checkpoints(&given.checkpoints, area, district, &mut violations);
        violations.finish()?;
        let id = Some(&request.patrol_id).filter(|id| !id.is_empty());
        Ok(Patrol {
            district,
            id: id
                .map(|id| name::read_uuid("patrol_id", id))
                .transpose()?
                .unwrap_or_else(|| self.0.clock.id()),
            area: area.ok_or(Error::ReferenceMissing { field: "patrol.area" })?,
            assignee: name::read_uuid("patrol.assignee", &assignee)?,
            opens,
            due: due.unwrap_or(now),
            checkpoints,
            radius: u32::try_from(given.radius_metres).ok().filter(|r| *r > 0).unwrap_or(DEFAULT_RADIUS),
            state: State::Planned,
            started: None,
            ended: None,
            version: 1,
        })
    }

    pub(super) async fn start(
        &self,
        caller: &Caller,
        request: &pb::StartPatrolRequest,
    ) -> Result<pb::Patrol, Error> {
        let now = self.0.clock.now();
        let mut violations = Violations::new();
        let at = wire::read_moment("start_time", request.start_time.as_ref(), None, now, &mut violations);
        violations.finish()?;
        let asked = (request, "StartPatrol", request.name.as_str(), request.request_id.as_str());
        self.walk(caller, asked, async |_, patrol| {
            check(&request.etag, &patrol)?;
            Ok((patrol.started(at)?, Added::default()))
        })
        .await
    }

    pub(super) async fn append(
        &self,
        caller: &Caller,
        request: &pb::AppendTrackPointsRequest,
    ) -> Result<pb::Patrol, Error> {
        let now = self.0.clock.now();
        let asked = (request, "AppendTrackPoints", request.name.as_str(), request.request_id.as_str());
        self.walk(caller, asked, async |conn, patrol| {
            let mut violations = Violations::new();
            let since = patrol.started.unwrap_or(now);
            let track = wire::read_track(&request.track_points, since, now, &mut violations);
            // What it is at comes first: a patrol that was not started has no time to compare with.
            let boundaries = boundaries(&mut *conn, &patrol, now).await?;
            let (version, before) = (patrol.version, patrol.done());
            let after = patrol.tracked(&track, &boundaries, now)?;
            violations.finish()?;
            let fresh = store::patrol::append(conn, &after, &track).await?;
            let done = (after.done() - before) as i64;
            let after = if fresh == 0 { Patrol { version, ..after } } else { after };
            Ok((after, Added { done, ..Added::default() }))
        })
        .await
    }

    pub(super) async fn end(
        &self,
        caller: &Caller,
        request: &pb::EndPatrolRequest,
    ) -> Result<pb::Patrol, Error> {
        let now = self.0.clock.now();
        let asked = (request, "EndPatrol", request.name.as_str(), request.request_id.as_str());
        self.walk(caller, asked, async |_, patrol| {
            check(&request.etag, &patrol)?;
            let mut violations = Violations::new();
            let since = patrol.started;
            let at = wire::read_moment("end_time", request.end_time.as_ref(), since, now, &mut violations);
            violations.finish()?;
            Ok((patrol.ended(at)?, Added { done_patrols: 1, ..Added::default() }))
        })
        .await
    }

    pub(super) async fn cancel(
        &self,
        caller: &Caller,
        request: &pb::CancelPatrolRequest,
    ) -> Result<pb::Patrol, Error> {
        let (known, _) = self.readable(caller, &request.name).await?;
        let (district, id, now) = (known.district, known.id, self.0.clock.now());
        let asked =
            Asked { caller, district, method: "CancelPatrol", request, request_id: &request.request_id };
        let cancel = async |conn: &mut PgConnection| {
            let patrol = lock(&mut *conn, district, id).await?;
            check(&request.etag, &patrol)?;
            let after = patrol.cancelled(now)?;
            let due = -(after.checkpoints.len() as i64);
            self.write(conn, after, Added { patrols: -1, due, ..Added::default() }).await
        };
        self.0.change(asked, cancel).await
    }

    /// A change by the patrol's assignee.
    async fn walk<Q: Message>(
        &self,
        caller: &Caller,
        (request, method, patrol, request_id): (&Q, &'static str, &str, &str),
        change: impl AsyncFnOnce(&mut PgConnection, Patrol) -> Result<(Patrol, Added), Error>,
    ) -> Result<pb::Patrol, Error> {
        let (known, subject) = self.readable(caller, patrol).await?;
        if subject.as_deref() != Some(caller.subject.as_str()) {
            return Err(Refusal::NotAssignee.into());
        }
        let (district, id) = (known.district, known.id);
        let asked = Asked { caller, district, method, request, request_id };
        let walk = async |conn: &mut PgConnection| {
            let patrol = lock(&mut *conn, district, id).await?;
            let version = patrol.version;
            let (after, added) = change(&mut *conn, patrol).await?;
            if after.version == version {
                // Nothing that it did not have.
                let unchanged = wire::write(&after, self.0.clock.now());
                return Ok((unchanged.name.clone(), unchanged));
            }
            self.write(conn, after, added).await
        };
        self.0.change(asked, walk).await
    }

    async fn write(
        &self,
        conn: &mut PgConnection,
        after: Patrol,
        added: Added,
    ) -> Result<(String, pb::Patrol), Error> {
        match store::patrol::update(&mut *conn, &after).await {
            Err(e) if violates(&e, "patrol_ongoing") => return Err(Refusal::Ongoing.into()),
            Ok(false) => return Err(etag::mismatch(after.version).into()),
            done => done?,
        };
        if added != Added::default() {
            store::patrol::count(conn, &after, added).await?;
        }
        let written = wire::write(&after, self.0.clock.now());
        Ok((written.name.clone(), written))
    }
}

async fn lock(conn: &mut PgConnection, district: i32, id: Uuid) -> Result<Patrol, Error> {
    let missing = || Error::NotFound { name: name::of(district, "patrols", id) };
    store::patrol::lock(conn, district, id).await?.ok_or_else(missing)
}

/// The boundaries of the areas that a patrol has yet to enter, as they are now.
async fn boundaries(
    conn: &mut PgConnection,
    patrol: &Patrol,
    now: time::OffsetDateTime,
) -> Result<Vec<(AreaCode, Boundary)>, Error> {
    let mut boundaries = Vec::new();
    for checkpoint in patrol.checkpoints.iter().filter(|c| !c.covered) {
        if let CheckpointPlace::Area(area) = checkpoint.place
            && let Some(found) = store::area::get(&mut *conn, area, now).await?
            && let Ok(boundary) = Boundary::from_geojson(&found.boundary, CoordinateSystem::Wgs84)
        {
            boundaries.push((area, boundary));
        }
    }
    Ok(boundaries)
}
