//! Notes: model ↔ wire.

use jingwei_kit::etag;
use jingwei_proto::grid::v1 as pb;
use prost::Message;

use super::{event, name, point, time};
use crate::model::note::Note;

/// A note on the wire.
pub fn write(note: &Note) -> pb::Note {
    let patrol = note.patrol.map(|id| name::of(note.district, "patrols", id));
    pb::Note {
        text: note.text.clone(),
        evidence: note.evidence.iter().map(event::write_evidence).collect(),
        point: note.point.map(point::write),
        take_time: Some(time::write(note.taken)),
        patrol: patrol.unwrap_or_default(),
        author: note.author.clone(),
        ..change(note)
    }
}

/// What readers of the change feed get: that there is a change, nothing that anybody wrote and no person.
pub fn payload(note: &Note) -> Vec<u8> {
    change(note).encode_to_vec()
}

fn change(note: &Note) -> pb::Note {
    let event = note.reported.then(|| name::event(note.district, note.report_id));
    pb::Note {
        name: name::of(note.district, "notes", note.id),
        area: name::area(note.area),
        create_time: Some(time::write(note.created)),
        event: event.unwrap_or_default(),
        etag: etag::of(note.version),
        ..Default::default()
    }
}
