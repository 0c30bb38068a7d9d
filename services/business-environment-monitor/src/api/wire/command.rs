//! Requests that act on an issue: what each has, and one line for how each becomes a command.

use jingwei_kit::status::{Problem, Violations, invalid};
use jingwei_proto::business_environment_monitor::v1 as pb;
use prost::Message;

use super::{issue, name, time};
use crate::model::issue::command::Command;
use crate::model::issue::{Stars, Wish};

/// What every request that acts on an issue has.
pub trait ActionRequest: Message + Send + 'static {
    /// The RPC's name: part of what a request id is bound to.
    const METHOD: &'static str;
    /// The issue's name.
    fn name(&self) -> &str;
    /// The etag that the caller read; may be empty.
    fn etag(&self) -> &str;
    /// The id of the request; may be empty.
    fn request_id(&self) -> &str;
    /// What it asks for. Errors: all fields that do not read, at once.
    fn command(&self) -> Result<Command, Problem>;
}

/// `Request = "Method" => |request, violations| command`. No command where a violation was noted.
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
                command.ok_or_else(unread)
            }
        }
    )* };
}

commands! {
    RegisterIssueRequest = "RegisterIssue" => |_r, _v| Some(Command::Register);
    AcceptIssueRequest = "AcceptIssue" => |_r, _v| Some(Command::Accept);
    ProposeRefusalRequest = "ProposeRefusal" => |r, _v| Some(Command::ProposeRefusal { reason: r.reason.clone() });
    RefuseIssueRequest = "RefuseIssue" => |_r, _v| Some(Command::Refuse);
    ClassifyIssueRequest = "ClassifyIssue" => |r, _v|
        issue::read_class(r.class()).map(|class| Command::Classify { class });
    AssignIssueRequest = "AssignIssue" => |r, v| department(&r.name, &r.department, v)
        .map(|department| Command::Assign { department });
    StartIssueRequest = "StartIssue" => |_r, _v| Some(Command::Start);
    RequestExtensionRequest = "RequestExtension" => |r, _v| u32::try_from(r.working_days).ok()
        .map(|working_days| Command::Ask { wish: Wish::Extension { working_days }, reason: r.reason.clone() });
    RequestPauseRequest = "RequestPause" => |r, v| time::read("resume_time", r.resume_time.as_ref(), v)
        .map(|until| Command::Ask { wish: Wish::Pause { until }, reason: r.reason.clone() });
    GrantRequestRequest = "GrantRequest" => |_r, _v| Some(Command::Grant);
    DenyRequestRequest = "DenyRequest" => |r, _v| Some(Command::Deny { reason: r.reason.clone() });
    ResumeIssueRequest = "ResumeIssue" => |_r, _v| Some(Command::Resume);
    ReplyToIssueRequest = "ReplyToIssue" => |r, _v| Some(Command::Reply { text: r.text.clone() });
    VerifyIssueRequest = "VerifyIssue" => |r, _v| Some(Command::Verify { solved: r.solved });
    CloseIssueRequest = "CloseIssue" => |_r, _v| Some(Command::Close);
    ReturnIssueRequest = "ReturnIssue" => |r, _v| Some(Command::Return { reason: r.reason.clone() });
    ReopenIssueRequest = "ReopenIssue" => |r, _v| Some(Command::Reopen { reason: r.reason.clone() });
    TerminateIssueRequest = "TerminateIssue" => |r, _v| Some(Command::Terminate { reason: r.reason.clone() });
    RateIssueRequest = "RateIssue" => |r, _v| u8::try_from(r.stars).ok().and_then(Stars::new)
        .map(|stars| Command::Rate { stars });
    CallBackIssueRequest = "CallBackIssue" => |r, _v| Some(Command::CallBack { finding: r.finding.clone() });
}

/// The department that a field `department` names, of the district of the issue.
fn department(issue: &str, department: &str, violations: &mut Violations) -> Option<String> {
    let (district, _) = name::read_issue(issue).ok()?;
    name::read_department("department", department, district, violations)
}

/// Every field that does not read has noted a violation; this is for one that forgot.
fn unread() -> Problem {
    invalid("", "required", "请求不完整", "the request is not complete")
}
