//! The transfer service: drafts, signatures, what the receiver does; keys are in `receiver_key`.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::page::Page;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::transfer_service_server::TransferService;
use jingwei_work_calendar::Calendar;
use prost::Message;
use sqlx::PgConnection;
use time::OffsetDateTime;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::act::{Act, act};
use super::core::{Asked, Core};
use super::repeat::violates;
use super::wire::{name, transfer as wire};
use super::{actors, receiver_key, write};
use crate::error::Error;
use crate::model::actor::{Actor, Role};
use crate::model::issue::Issue;
use crate::model::issue::apply::{Context, apply as apply_issue};
use crate::model::issue::arcs::ActionKind;
use crate::model::issue::command::{Command as IssueCommand, Refusal as IssueRefusal};
use crate::model::issue::rules::Rules;
use crate::model::issue::transition::Transition;
use crate::model::local_day;
use crate::model::receiver::Receiver;
use crate::model::sealed::{ReceiverKey, sha256};
use crate::model::transfer::{Command, Refusal, State, Transfer, apply};
use crate::store;
use crate::store::issue::{Found, Stored};

/// The transfer service.
#[derive(Clone)]
pub struct Transfers(pub Core);

type Answer<T> = Result<Response<T>, Status>;

impl Transfers {
    async fn create(
        &self,
        caller: &Caller,
        request: &pb::CreateTransferRequest,
    ) -> Result<pb::Transfer, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let id = name::read_uuid("transfer_id", &request.transfer_id)?;
        let issue = match name::read_issue(&request.issue)? {
            (of, issue) if of == district => issue,
            (_, issue) => return Err(name::wrong("issue", &name::issue(district, issue)).into()),
        };
        let (grants, now) = (actors::of(caller, district), self.0.clock.now());
        let calendar = self.0.calendars.latest(district).await?;
        let (method, request_id) = ("CreateTransfer", request.request_id.as_str());
        let asked = Asked { caller, district, method, request, request_id };
        let create = async |conn: &mut PgConnection| {
            let sealed = &request.sealed_content;
            let key = receiver_key::usable(&mut *conn, district, &request.key, sealed).await?;
            // Not written: what the second signature will do must be possible, or nobody needs to sign.
            transferred(&mut *conn, (district, issue), key.receiver, &grants, (&calendar, now)).await?;
            let made = Draft { id, issue, key: &key, content_hash: sha256(sealed), drafter: &caller.subject };
            let transfer = made.numbered(&mut *conn, now).await?;
            let done = store::transfer::insert(conn, &transfer, &transfer.drafted(now), sealed).await;
            done.map_err(|error| match error {
                e if violates(&e, "transfer_live") => Error::IssueInTransfer { issue: request.issue.clone() },
                e if violates(&e, "transfer_pkey") => {
                    Error::AlreadyExists { name: name::transfer(district, id) }
                }
                e => e.into(),
            })?;
            let answer = wire::write(&transfer, &grants);
            Ok((answer.name.clone(), answer))
        };
        self.0.change(asked, create).await
    }

    /// Any action on one transfer.
    async fn act<Q: Message>(
        &self,
        caller: &Caller,
        act: Act<'_, Q>,
        command: Command,
    ) -> Result<pb::Transfer, Error> {
        let (district, id) = name::read_transfer(act.name)?;
        let (grants, now) = (actors::of(caller, district), self.0.clock.now());
        let calendar = self.0.calendars.latest(district).await?;
        let Act { method, request, request_id, .. } = act;
        let asked = Asked { caller, district, method, request, request_id };
        let change = async |conn: &mut PgConnection| {
            let found = store::transfer::lock(&mut *conn, district, id).await?;
            let before = readable(found, &grants, act.name)?;
            etag::check(act.etag, before.version)?;
            let actor =
                grants.iter().find(|actor| before.is_readable_by(actor)).ok_or(Refusal::NotAllowed)?;
            let (after, record) = apply(&before, &command, actor, now)?;
            store::transfer::update(&mut *conn, &after, &record).await?;
            if let Command::Sign { .. } = command {
                let place = (district, after.issue);
                let (issue, stored, transition) =
                    transferred(&mut *conn, place, after.receiver, &grants, (&calendar, now)).await?;
                // The first signature changes nothing of the issue, but who must not transfer it signs neither first nor second.
                if after.state == State::Sent
                    && !write::update(&mut *conn, &issue, &stored, &transition, None).await?
                {
                    return Err(etag::mismatch(stored.issue.version).into());
                }
            }
            Ok((act.name.to_owned(), wire::write(&after, &grants)))
        };
        self.0.change(asked, change).await
    }

    async fn get(&self, caller: &Caller, request: &pb::GetTransferRequest) -> Result<pb::Transfer, Error> {
        let (district, id) = name::read_transfer(&request.name)?;
        let grants = actors::of(caller, district);
        let found = store::transfer::get(&self.0.pool, district, id).await?;
        Ok(wire::write(&readable(found, &grants, &request.name)?, &grants))
    }

    async fn content(
        &self,
        caller: &Caller,
        request: &pb::GetTransferContentRequest,
    ) -> Result<pb::SealedContent, Error> {
        let (district, id) = name::read_transfer(&request.name)?;
        let grants = actors::of(caller, district);
        let found = store::transfer::with_content(&self.0.pool, district, id).await?;
        let theirs = found
            .filter(|(transfer, _)| grants.iter().any(|actor| transfer.gives_content_to(actor)))
            .ok_or_else(|| Error::NotFound { name: request.name.clone() })?;
        let (transfer, sealed) = theirs;
        let key = name::receiver_key(district, transfer.receiver, transfer.key);
        Ok(wire::write_content(key, request.name.clone(), sealed))
    }

    /// The office gets the register, a receiver what was sent to it.
    async fn list(
        &self,
        caller: &Caller,
        request: &pb::ListTransfersRequest,
    ) -> Result<pb::ListTransfersResponse, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let page = Page::<Uuid>::of(request, 50, 200)?;
        let (before, limit, pool) = (page.after.unwrap_or(Uuid::max()), page.limit(), &self.0.pool);
        let issue = match request.issue.as_str() {
            "" => None,
            issue => match name::read_issue(issue)? {
                (of, issue) if of == district => Some(issue),
                (_, issue) => return Err(name::wrong("issue", &name::issue(district, issue)).into()),
            },
        };
        let grants = actors::of(caller, district);
        let office = grants.iter().any(|actor| actor.role == Role::Office);
        let receiver = grants.iter().find_map(|actor| Receiver::of(actor.unit.as_deref()?));
        let mut rows = match (office, issue, receiver) {
            (true, None, _) => store::transfer::list(pool, district, before, limit).await?,
            (true, Some(issue), _) => {
                store::transfer::list_of_issue(pool, district, issue, before, limit).await?
            }
            (false, issue, Some(receiver)) => {
                store::transfer::list_sent_to(pool, district, receiver, issue, before, limit).await?
            }
            (false, _, None) => return Err(Refusal::NotAllowed.into()),
        };
        let next_page_token = page.cut(&mut rows, |transfer| transfer.id);
        let transfers = rows.iter().map(|transfer| wire::write(transfer, &grants)).collect();
        Ok(pb::ListTransfersResponse { transfers, next_page_token })
    }
}

/// What was found, where the owner of the grants may know of it.
fn readable(found: Option<Transfer>, grants: &[Actor], name: &str) -> Result<Transfer, Error> {
    found
        .filter(|transfer| grants.iter().any(|actor| transfer.is_readable_by(actor)))
        .ok_or_else(|| Error::NotFound { name: name.to_owned() })
}

/// The issue as it is, and as it is once it is transferred, not written yet.
async fn transferred(
    conn: &mut PgConnection,
    (district, issue): (i32, Uuid),
    to: Receiver,
    grants: &[Actor],
    (calendar, now): (&Calendar, OffsetDateTime),
) -> Result<(Issue, Stored, Transition), Error> {
    let found = store::issue::get(&mut *conn, district, issue).await?;
    let found = found.ok_or_else(|| Error::NotFound { name: name::issue(district, issue) })?;
    let Found { stored: Stored { issue: before, case_number }, raisers, .. } = found;
    let action = ActionKind::Transfer;
    let actor = grants.iter().find(|actor| action.arc().allows(&before, actor));
    let actor = actor.ok_or(IssueRefusal::NotAllowed { action })?;
    let context = Context { now, calendar, rules: &Rules::default(), raisers: &raisers };
    let (issue, transition) = apply_issue(&before, &IssueCommand::Transfer { to }, actor, &context)?;
    Ok((before, Stored { issue, case_number }, transition))
}

/// What a new transfer is made of.
struct Draft<'a> {
    id: Uuid,
    issue: Uuid,
    key: &'a ReceiverKey,
    content_hash: String,
    drafter: &'a str,
}

impl Draft<'_> {
    /// The transfer with the next number of the year's register.
    async fn numbered(self, conn: &mut PgConnection, now: OffsetDateTime) -> Result<Transfer, Error> {
        let letter_date = local_day(now);
        let (district, year) = (self.key.district, letter_date.year());
        let number = store::transfer::take_number(conn, district, year).await?;
        Ok(Transfer {
            id: self.id,
            district,
            issue: self.issue,
            receiver: self.key.receiver,
            register_number: format!("{district}-T-{year}-{number:06}"),
            letter_date,
            key: self.key.id,
            content_hash: self.content_hash,
            drafter: self.drafter.to_owned(),
            state: State::Drafted,
            signatures: Vec::new(),
            acknowledged: None,
            returned: None,
            return_reason: None,
            version: 1,
        })
    }
}

/// `rpc(Request) -> Response = |handlers, caller, request| answer;` for each RPC.
macro_rules! rpcs {
    ($($rpc:ident($request:ident) -> $response:ident = |$s:ident, $c:ident, $r:ident| $answer:expr;)*) => {
        #[tonic::async_trait]
        impl TransferService for Transfers {
            $(async fn $rpc(&self, request: Request<pb::$request>) -> Answer<pb::$response> {
                let ($s, $c, $r) = (self, &*caller::of(&request), request.get_ref());
                let _ = $c;
                Ok(Response::new($answer.await?))
            })*
        }
    };
}

rpcs! {
    create_receiver_key(CreateReceiverKeyRequest) -> ReceiverKey = |s, c, r| receiver_key::create(&s.0, c, r);
    list_receiver_keys(ListReceiverKeysRequest) -> ListReceiverKeysResponse = |s, _c, r| receiver_key::list(&s.0, r);
    retire_receiver_key(RetireReceiverKeyRequest) -> ReceiverKey = |s, c, r| receiver_key::retire(&s.0, c, r);
    create_transfer(CreateTransferRequest) -> Transfer = |s, c, r| s.create(c, r);
    get_transfer(GetTransferRequest) -> Transfer = |s, c, r| s.get(c, r);
    list_transfers(ListTransfersRequest) -> ListTransfersResponse = |s, c, r| s.list(c, r);
    sign_transfer(SignTransferRequest) -> Transfer = |s, c, r|
        s.act(c, act!("SignTransfer", r), Command::Sign { digest: r.digest.clone() });
    withdraw_transfer(WithdrawTransferRequest) -> Transfer = |s, c, r|
        s.act(c, act!("WithdrawTransfer", r), Command::Withdraw);
    get_transfer_content(GetTransferContentRequest) -> SealedContent = |s, c, r| s.content(c, r);
    acknowledge_transfer(AcknowledgeTransferRequest) -> Transfer = |s, c, r|
        s.act(c, act!("AcknowledgeTransfer", r), Command::Acknowledge);
    return_transfer(ReturnTransferRequest) -> Transfer = |s, c, r| async {
        let reason = wire::read_reason(r.reason()).ok_or_else(|| name::wrong("reason", "NOT_COMPETENT"))?;
        s.act(c, act!("ReturnTransfer", r), Command::Return { reason }).await
    };
}
