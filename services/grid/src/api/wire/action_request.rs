//! Requests that act on a resource with a state: what each has, and one line for how each becomes a command.

use jingwei_kit::status::Problem;
use prost::Message;

/// What every request that acts on a resource has; `C` is the command of that resource's model.
pub trait ActionRequest<C>: Message + Send + 'static {
    /// The RPC's name: part of what a request id is bound to.
    const METHOD: &'static str;
    /// The resource's name.
    fn name(&self) -> &str;
    /// The etag that the caller read; may be empty.
    fn etag(&self) -> &str;
    /// The id of the request; may be empty.
    fn request_id(&self) -> &str;
    /// What it asks for. Errors: all fields that do not read, at once.
    fn command(&self) -> Result<C, Problem>;
}

/// Requests as commands of a type: `Type; Request = "Method" => |request, violations| command`. No command where a violation
/// was noted.
macro_rules! commands {
    ($command_type:ty; $($request:ident = $method:literal => |$r:ident, $v:ident| $command:expr;)*) => { $(
        impl $crate::api::wire::action_request::ActionRequest<$command_type> for jingwei_proto::grid::v1::$request {
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
            fn command(&self) -> Result<$command_type, jingwei_kit::status::Problem> {
                let ($r, mut violations) = (self, jingwei_kit::status::Violations::new());
                let $v = &mut violations;
                let command: Option<$command_type> = $command;
                violations.finish()?;
                command.ok_or_else($crate::api::wire::action_request::unread)
            }
        }
    )* };
}
pub(super) use commands;

/// Every field that does not read has noted a violation; this is for one that forgot.
pub(super) fn unread() -> Problem {
    jingwei_kit::status::invalid("", "required", "请求不完整", "the request is not complete")
}
