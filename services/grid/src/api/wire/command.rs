//! Requests that act on an event, and the commands they become.

use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;

use super::action_request::commands;
use super::{event, limit, time as wire_time, unit};
use crate::model::action::{Action, Command, ReturnReason};
use crate::model::event::SupervisionLevel;

fn plain(action: Action, note: &str) -> Command {
    Command { note: note.to_owned(), ..Command::from(action) }
}

fn reasoned(action: Action, reason: &str, note: &str) -> Command {
    Command { reason: reason.to_owned(), ..plain(action, note) }
}

fn evidenced(command: Command, evidence: &[pb::Evidence], violations: &mut Violations) -> Command {
    Command { evidence: event::read_evidence(evidence, violations), ..command }
}

commands! {
    Command;
    ConfirmEventRequest = "ConfirmEvent" => |r, _v| Some(plain(Action::Confirm, &r.note));
    AcceptEventRequest = "AcceptEvent" => |r, _v| Some(plain(Action::Accept, &r.note));
    RejectEventRequest = "RejectEvent" => |r, _v| {
        let outcome = event::read_outcome(r.outcome()).unwrap_or(crate::model::event::Outcome::NotOurDuty);
        Some(reasoned(Action::Reject { outcome }, &r.reason, &r.note))
    };
    RegisterEventRequest = "RegisterEvent" => |r, _v| Some(plain(Action::Register, &r.note));
    VoidEventRequest = "VoidEvent" => |r, _v| Some(reasoned(Action::Void, &r.reason, &r.note));
    DispatchEventRequest = "DispatchEvent" => |r, v| {
        let lead = unit::read("lead", r.lead.as_ref(), v);
        let co_handlers = (0..).zip(&r.co_handlers);
        let co_handlers: Vec<_> =
            co_handlers.filter_map(|(i, unit)| unit::read(&format!("co_handlers[{i}]"), Some(unit), v)).collect();
        lead.map(|lead| plain(Action::Dispatch { lead, co_handlers }, &r.note))
    };
    SignForEventRequest = "SignForEvent" => |r, _v| Some(plain(Action::SignFor, &r.note));
    CompleteCoHandlingRequest = "CompleteCoHandling" => |r, _v| Some(plain(Action::CoHandle, &r.note));
    ResolveEventRequest = "ResolveEvent" => |r, v| event::read_outcome(r.outcome())
        .map(|outcome| evidenced(plain(Action::Resolve { outcome }, &r.note), &r.evidence, v));
    PassEventRequest = "PassEvent" => |r, _v| Some(plain(Action::Pass, &r.note));
    FailEventRequest = "FailEvent" => |r, _v| Some(reasoned(Action::Fail, &r.reason, &r.note));
    RequestReturnRequest = "RequestReturn" => |r, v| read_return_reason(r.reason())
        .map(|reason| evidenced(plain(Action::RequestReturn { reason }, &r.note), &r.evidence, v));
    ApproveReturnRequest = "ApproveReturn" => |r, _v| Some(plain(Action::ApproveReturn, &r.note));
    RuleOnReturnRequest = "RuleOnReturn" => |r, v| unit::read("lead", r.lead.as_ref(), v)
        .map(|lead| reasoned(Action::RuleOnReturn { lead }, &r.reason, &r.note));
    RequestExtensionRequest = "RequestExtension" => |r, v| limit::read("extension", r.extension.as_ref(), v)
        .map(|by| reasoned(Action::RequestExtension { by }, &r.reason, &r.note));
    ApproveExtensionRequest = "ApproveExtension" => |r, _v| Some(plain(Action::ApproveExtension, &r.note));
    RequestSuspensionRequest = "RequestSuspension" => |r, v| wire_time::read("resume_time", r.resume_time.as_ref(), v)
        .map(|resume_at| reasoned(Action::RequestSuspension { resume_at }, &r.reason, &r.note));
    ApproveSuspensionRequest = "ApproveSuspension" => |r, _v| Some(plain(Action::ApproveSuspension, &r.note));
    DenyRequestRequest = "DenyRequest" => |r, _v| Some(reasoned(Action::DenyRequest, &r.reason, &r.note));
    WithdrawRequestRequest = "WithdrawRequest" => |r, _v| Some(plain(Action::WithdrawRequest, &r.note));
    ResumeEventRequest = "ResumeEvent" => |r, _v| Some(plain(Action::Resume, &r.note));
    EscalateEventRequest = "EscalateEvent" => |r, _v| Some(reasoned(Action::Escalate, &r.reason, &r.note));
    DelegateEventRequest = "DelegateEvent" => |r, v| unit::read_area("target", r.target.as_ref(), v)
        .map(|target| plain(Action::Delegate { target }, &r.note));
    TransferEventRequest = "TransferEvent" => |r, v| unit::read("target", r.target.as_ref(), v)
        .map(|target| reasoned(Action::Transfer { target }, &r.reason, &r.note));
    SettleEventRequest = "SettleEvent" => |r, v| event::read_outcome(r.outcome())
        .map(|outcome| evidenced(plain(Action::Settle { outcome }, &r.note), &r.evidence, v));
    ReopenEventRequest = "ReopenEvent" => |r, _v| Some(reasoned(Action::Reopen, &r.reason, &r.note));
    MergeEventRequest = "MergeEvent" => |r, v| event::read_sibling("root", &r.root, &r.name, v)
        .map(|root| plain(Action::Merge { root }, &r.note));
    UnmergeEventRequest = "UnmergeEvent" => |r, _v| Some(reasoned(Action::Unmerge, &r.reason, &r.note));
    UrgeEventRequest = "UrgeEvent" => |r, _v| Some(plain(Action::Urge, &r.note));
    SuperviseEventRequest = "SuperviseEvent" => |r, _v| {
        let level = match r.level {
            1 => SupervisionLevel::District,
            2 => SupervisionLevel::City,
            _ => SupervisionLevel::Province,
        };
        Some(plain(Action::Supervise { level }, &r.note))
    };
    UpholdEventRequest = "UpholdEvent" => |r, _v| Some(reasoned(Action::Uphold, &r.reason, &r.note));
    RevealReporterRequest = "RevealReporter" => |r, _v| Some(reasoned(Action::Reveal, &r.reason, ""));
    CommentEventRequest = "CommentEvent" => |r, v| Some(evidenced(plain(Action::Comment, &r.note), &r.evidence, v));
}

fn read_return_reason(reason: pb::ReturnReason) -> Option<ReturnReason> {
    match reason {
        pb::ReturnReason::Unspecified => None,
        pb::ReturnReason::NotOurDuty => Some(ReturnReason::NotOurDuty),
        pb::ReturnReason::WrongPlace => Some(ReturnReason::WrongPlace),
        pb::ReturnReason::Duplicate => Some(ReturnReason::Duplicate),
        pb::ReturnReason::NeedsHigherLevel => Some(ReturnReason::NeedsHigherLevel),
        pb::ReturnReason::Other => Some(ReturnReason::Other),
    }
}
