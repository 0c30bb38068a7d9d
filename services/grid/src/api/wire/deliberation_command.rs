//! Requests that act on a deliberation, and the commands they become.

use super::action_request::commands;
use super::{deliberation as wire, event, time as wire_time, unit};
use crate::model::deliberation::Meeting;
use crate::model::deliberation::command::Command;

commands! {
    Command;
    ConveneDeliberationRequest = "ConveneDeliberation" => |r, v| {
        let at = wire_time::read("meeting_time", r.meeting_time.as_ref(), v);
        let meeting = |at| Meeting { at, place: r.meeting_place.clone(), notice: r.notice.clone() };
        at.map(|at| Command::Convene(meeting(at)))
    };
    HoldDeliberationRequest = "HoldDeliberation" => |r, v| {
        let walk_ins = wire::read_participants("walk_ins", &r.walk_ins, v);
        let present = wire::read_numbers("present", &r.present, v);
        Some(Command::Hold { present, walk_ins })
    };
    RecordVotesRequest = "RecordVotes" => |r, v| Some(Command::Vote(wire::read_votes(&r.votes, v)));
    ResolveDeliberationRequest = "ResolveDeliberation" => |r, _v| {
        Some(Command::Resolve { resolution: r.resolution.clone() })
    };
    AddActionItemRequest = "AddActionItem" => |r, v| {
        let owner = unit::read("owner", r.owner.as_ref(), v);
        wire::read_date("due_date", &r.due_date, v).zip(owner)
            .map(|(due, owner)| Command::AddItem { text: r.text.clone(), owner, due })
    };
    PubliciseDeliberationRequest = "PubliciseDeliberation" => |r, _v| {
        Some(Command::Publicise { working_days: r.working_days.unsigned_abs() })
    };
    RecordObjectionRequest = "RecordObjection" => |r, _v| {
        Some(Command::Object { text: r.text.clone(), raised_by: r.raised_by.clone() })
    };
    EndPublicityRequest = "EndPublicity" => |r, _v| Some(Command::EndPublicity { note: r.note.clone() });
    CompleteActionItemRequest = "CompleteActionItem" => |r, v| {
        let evidence = event::read_evidence(&r.evidence, v);
        Some(Command::CompleteItem { number: r.number.unsigned_abs(), evidence })
    };
    GiveUpActionItemRequest = "GiveUpActionItem" => |r, _v| {
        Some(Command::GiveUpItem { number: r.number.unsigned_abs(), reason: r.reason.clone() })
    };
    CompleteDeliberationRequest = "CompleteDeliberation" => |r, _v| {
        Some(Command::Complete { note: r.note.clone() })
    };
    CancelDeliberationRequest = "CancelDeliberation" => |r, _v| {
        Some(Command::Cancel { reason: r.reason.clone() })
    };
}
