//! The contact card service.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::page::Page;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::contact_card_service_server::ContactCardService;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::core::{Asked, Core};
use super::repeat::violates;
use super::wire::{card as wire, name, time as wire_time};
use crate::error::Error;
use crate::model::area::AreaCode;
use crate::model::card::Delivery;
use crate::store::card as store;

/// The contact card service.
#[derive(Clone)]
pub struct ContactCards {
    /// What every handler works with.
    pub core: Core,
    /// What the addresses in QR codes begin with.
    pub public_url: String,
}

impl ContactCards {
    async fn get(&self, request: &pb::GetContactCardRequest) -> Result<pb::ContactCard, Error> {
        let area = name::read_area(&request.name)?;
        let found = self.current(area.district(), Some(area), None).await?;
        let found = found.ok_or_else(|| Error::NotFound { name: request.name.clone() })?;
        Ok(wire::write(found.area, &found.card, &self.public_url))
    }

    async fn get_public(&self, request: &pb::GetPublicContactCardRequest) -> Result<pb::ContactCard, Error> {
        let missing = || Error::NotFound { name: request.name.clone() };
        let (district, id) = name::read(&request.name, "contactCards").ok_or_else(missing)?;
        let found = self.current(district, None, Some(id)).await?.ok_or_else(missing)?;
        Ok(wire::write(found.area, &found.card, &self.public_url))
    }

    /// A card, brought up to date where a version of an area came into force meanwhile: nobody wrote anything then, so the
    /// first reader does.
    async fn current(
        &self,
        district: i32,
        area: Option<AreaCode>,
        public_id: Option<&str>,
    ) -> Result<Option<store::Found>, Error> {
        let now = self.core.clock.now();
        let found = store::get(&self.core.pool, district, area, public_id, now).await?;
        let Some(outdated) = found.as_ref().filter(|f| f.outdated) else { return Ok(found) };
        let mut transaction = self.core.pool.begin().await?;
        store::refresh(&mut transaction, district, &[outdated.area.to_string()], now).await?;
        transaction.commit().await?;
        Ok(store::get(&self.core.pool, district, area, public_id, now).await?)
    }

    async fn versions(
        &self,
        request: &pb::ListContactCardVersionsRequest,
    ) -> Result<pb::ListContactCardVersionsResponse, Error> {
        let area = name::read_area(&request.parent)?;
        let page = Page::<i64>::of(request, 50, 200)?;
        let before = page.after.unwrap_or(i64::MAX);
        let mut rows = store::versions(&self.core.pool, area, before, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |(version, ..)| *version);
        let versions =
            rows.iter().map(|(version, content, time)| wire::write_version(*version, content, *time));
        Ok(pb::ListContactCardVersionsResponse { versions: versions.collect(), next_page_token })
    }

    async fn deliver(
        &self,
        caller: &Caller,
        request: &pb::RecordDeliveryRequest,
    ) -> Result<pb::ContactCardDelivery, Error> {
        let area = name::read_area(&request.parent)?;
        let given = request.delivery.clone().unwrap_or_default();
        let mut violations = Violations::new();
        let at =
            wire_time::read_option("delivery.deliver_time", given.deliver_time.as_ref(), &mut violations);
        violations.finish()?;
        let now = self.core.clock.now();
        let mut delivery = Delivery {
            id: self.core.clock.id(),
            household: given.household,
            version: given.version,
            deliverer: caller.subject.clone(),
            deliver_time: at.unwrap_or(now),
        };
        let district = area.district();
        let asked =
            Asked { caller, district, method: "RecordDelivery", request, request_id: &request.request_id };
        let deliver = async |conn: &mut PgConnection| {
            store::refresh(conn, district, &[area.to_string()], now).await?;
            let found = store::get(&mut *conn, district, Some(area), None, now).await?;
            let card = found.ok_or_else(|| Error::NotFound { name: request.parent.clone() })?.card;
            if delivery.version == 0 {
                delivery.version = card.version;
            }
            match store::insert_delivery(conn, area, &delivery).await {
                Err(e) if violates(&e, "delivery_version") => {
                    Err(Error::ReferenceMissing { field: "delivery.version" })
                }
                done => {
                    done?;
                    let written = wire::write_delivery(district, &card.public_id, &delivery);
                    Ok((written.name.clone(), written))
                }
            }
        };
        self.core.change(asked, deliver).await
    }

    async fn deliveries(
        &self,
        request: &pb::ListDeliveriesRequest,
    ) -> Result<pb::ListDeliveriesResponse, Error> {
        let area = name::read_area(&request.parent)?;
        let page = Page::<Uuid>::of(request, 50, 200)?;
        let found =
            store::get(&self.core.pool, area.district(), Some(area), None, self.core.clock.now()).await?;
        let card = found.ok_or_else(|| Error::NotFound { name: request.parent.clone() })?.card;
        let mut rows = store::deliveries(&self.core.pool, area, page.after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |d| d.id);
        let deliveries =
            rows.iter().map(|d| wire::write_delivery(area.district(), &card.public_id, d)).collect();
        Ok(pb::ListDeliveriesResponse { deliveries, next_page_token })
    }
}

#[tonic::async_trait]
impl ContactCardService for ContactCards {
    async fn get_contact_card(
        &self,
        request: Request<pb::GetContactCardRequest>,
    ) -> Result<Response<pb::ContactCard>, Status> {
        Ok(Response::new(self.get(request.get_ref()).await?))
    }

    async fn get_public_contact_card(
        &self,
        request: Request<pb::GetPublicContactCardRequest>,
    ) -> Result<Response<pb::ContactCard>, Status> {
        Ok(Response::new(self.get_public(request.get_ref()).await?))
    }

    async fn list_contact_card_versions(
        &self,
        request: Request<pb::ListContactCardVersionsRequest>,
    ) -> Result<Response<pb::ListContactCardVersionsResponse>, Status> {
        Ok(Response::new(self.versions(request.get_ref()).await?))
    }

    async fn record_delivery(
        &self,
        request: Request<pb::RecordDeliveryRequest>,
    ) -> Result<Response<pb::ContactCardDelivery>, Status> {
        Ok(Response::new(self.deliver(&caller::of(&request), request.get_ref()).await?))
    }

    async fn list_deliveries(
        &self,
        request: Request<pb::ListDeliveriesRequest>,
    ) -> Result<Response<pb::ListDeliveriesResponse>, Status> {
        Ok(Response::new(self.deliveries(request.get_ref()).await?))
    }
}
