//! Requests that act on a deliberation, and the commands they become.

use jingwei_kit::status::{Problem, Violations};
use jingwei_proto::grid::v1 as pb;
use prost::Message;

use super::{deliberation as wire, event, time as wire_time, unit};
use crate::model::deliberation::Meeting;
use crate::model::deliberation::command::Command;

/// What every request that acts on a deliberation has.
pub trait ActionRequest: Message + Send + 'static {
    /// The RPC's name: part of what a request id is bound to.
    const METHOD: &'static str;
    /// The deliberation's name.
    fn name(&self) -> &str;
    /// The etag that the caller read; may be empty.
    fn etag(&self) -> &str;
    /// The id of the request; may be empty.
    fn request_id(&self) -> &str;
    /// What it asks for; units are of the district. Errors: all fields that do not read, at once.
    fn command(&self) -> Result<Command, Problem>;
}

/// A request as its command: `Request = "Method" => |request, violations| command`; no command where a violation was noted.
macro_rules! commands {
    ($($request:ident = $method:literal => |$r:ident, $v:ident| $command:expr;)*) => { $(
        impl ActionRequest for pb::$request {
            const METHOD: &'static str = $method;
            fn name(&self) -> &str {
                &self.name
            }
            fn etag(&self) -> &str {
                &self.etag
            }
            fn request_id(&self) -> &str {
                &self.request_id
            }
            fn command(&self) -> Result<Command, Problem> {
                let ($r, mut violations) = (self, Violations::new());
                let $v = &mut violations;
                let command: Option<Command> = $command;
                violations.finish()?;
                Ok(command.expect("what does not read has noted a violation"))
            }
        }
    )* };
}

commands! {
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
