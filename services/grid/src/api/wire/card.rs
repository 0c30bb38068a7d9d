//! Contact cards: model → wire, with the QR code of the public page.

use jingwei_proto::grid::v1 as pb;
use qrcode::QrCode;
use qrcode::render::svg;
use time::OffsetDateTime;

use super::{name, staff, time as wire_time};
use crate::model::area::AreaCode;
use crate::model::card::{Card, CardContent, CardPerson, Delivery};

/// A card on the wire.
pub fn write(area: AreaCode, card: &Card, public_url: &str) -> pb::ContactCard {
    let public_name = public_name(area.district(), &card.public_id);
    let public_path = format!("/v1/{public_name}");
    pb::ContactCard {
        name: format!("{}/contactCard", name::area(area)),
        qr_svg: qr(&format!("{public_url}{public_path}")),
        public_name,
        public_path,
        title: card.title.clone(),
        people: card.content.people.iter().map(write_person).collect(),
        service_phone: card.content.service_phone.clone(),
        version: card.version,
        update_time: Some(wire_time::write(card.update_time)),
    }
}

/// One content that a card had.
pub fn write_version(version: i64, content: &CardContent, since: OffsetDateTime) -> pb::ContactCardVersion {
    pb::ContactCardVersion {
        version,
        people: content.people.iter().map(write_person).collect(),
        service_phone: content.service_phone.clone(),
        create_time: Some(wire_time::write(since)),
    }
}

/// A delivery on the wire.
pub fn write_delivery(district: i32, public_id: &str, delivery: &Delivery) -> pb::ContactCardDelivery {
    pb::ContactCardDelivery {
        name: format!("{}/deliveries/{}", public_name(district, public_id), delivery.id),
        household: delivery.household.clone(),
        version: delivery.version,
        deliverer: delivery.deliverer.clone(),
        deliver_time: Some(wire_time::write(delivery.deliver_time)),
    }
}

fn public_name(district: i32, public_id: &str) -> String {
    name::of(district, "contactCards", public_id)
}

fn write_person(person: &CardPerson) -> pb::ContactCardPerson {
    pb::ContactCardPerson {
        role: staff::write_role(person.role).into(),
        display_name: person.display_name.clone(),
        duty_phone: person.duty_phone.clone(),
    }
}

/// The address as a QR code; empty where it is too long for one (some 2,300 characters).
fn qr(address: &str) -> String {
    QrCode::new(address)
        .map(|code| code.render::<svg::Color<'_>>().min_dimensions(160, 160).build())
        .unwrap_or_default()
}
