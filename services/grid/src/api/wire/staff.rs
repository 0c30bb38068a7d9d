//! Staff members and postings: model ↔ wire.

use jingwei_kit::etag;
use jingwei_proto::grid::v1 as pb;

use super::{name, time};
use crate::model::staff::{Posting, PostingRole, StaffMember};

/// A person on the wire.
pub fn write(member: &StaffMember) -> pb::StaffMember {
    pb::StaffMember {
        name: name::of(member.district, "staff", member.id),
        display_name: member.display_name.clone(),
        duty_phone: member.duty_phone.clone(),
        subject: member.subject.clone().unwrap_or_default(),
        home_unit: member.home_unit.clone(),
        etag: etag::of(member.version),
    }
}

/// A posting on the wire.
pub fn write_posting(posting: &Posting) -> pb::Posting {
    pb::Posting {
        name: name::of(posting.district, "postings", posting.id),
        staff_member: name::of(posting.district, "staff", posting.staff_id),
        staff_display_name: posting.staff_name.clone(),
        area: name::area(posting.area),
        role: write_role(posting.role).into(),
        start_time: Some(time::write(posting.start_time)),
        planned_end_time: time::write_option(posting.planned_end_time),
        end_time: time::write_option(posting.end_time),
        end_reason: posting.end_reason.clone(),
        etag: etag::of(posting.version),
        hand_over: posting
            .hand_over
            .map(|id| name::of(posting.district, "handOvers", id))
            .unwrap_or_default(),
    }
}

/// A role on the wire.
pub fn write_role(role: PostingRole) -> pb::PostingRole {
    match role {
        PostingRole::GridChief => pb::PostingRole::GridChief,
        PostingRole::GridMember => pb::PostingRole::GridMember,
        PostingRole::PoliceOfficer => pb::PostingRole::PoliceOfficer,
        PostingRole::Doctor => pb::PostingRole::Doctor,
        PostingRole::PostedCadre => pb::PostingRole::PostedCadre,
    }
}

/// A role in a request; `None` where unspecified.
pub fn read_role(role: pb::PostingRole) -> Option<PostingRole> {
    i16::try_from(role as i32).ok().and_then(PostingRole::of_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_numbered_as_on_the_wire() {
        for role in PostingRole::ALL {
            assert_eq!(i32::from(role.number()), write_role(role) as i32);
            assert_eq!(read_role(write_role(role)), Some(role));
        }
        assert_eq!(read_role(pb::PostingRole::Unspecified), None);
    }
}
