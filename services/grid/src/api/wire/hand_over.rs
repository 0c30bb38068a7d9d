//! Hand-overs: model → wire.

use jingwei_kit::etag;
use jingwei_proto::grid::v1 as pb;

use super::{name, time as wire_time};
use crate::model::hand_over::{HandOver, OpenWork};

/// A hand-over on the wire.
pub fn write(hand_over: &HandOver) -> pb::HandOver {
    let district = hand_over.district;
    let open = |collection: &str, work: &OpenWork| {
        let names = work.ids.iter().map(|id| name::of(district, collection, id)).collect();
        Some(pb::OpenWork { count: i32::try_from(work.count).unwrap_or(i32::MAX), names })
    };
    pb::HandOver {
        name: name::of(district, "handOvers", hand_over.id),
        posting: name::of(district, "postings", hand_over.posting),
        area: name::area(hand_over.area),
        predecessor: name::of(district, "staff", hand_over.predecessor),
        successor: name::of(district, "staff", hand_over.successor),
        events: open("events", &hand_over.open.events),
        deliberations: open("deliberations", &hand_over.open.deliberations),
        work_records: open("workRecords", &hand_over.open.work_records),
        patrols: open("patrols", &hand_over.open.patrols),
        create_time: Some(wire_time::write(hand_over.created)),
        confirm_time: wire_time::write_option(hand_over.confirmed),
        note: hand_over.note.clone(),
        etag: etag::of(hand_over.version),
    }
}
