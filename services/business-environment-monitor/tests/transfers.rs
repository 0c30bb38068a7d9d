//! Transfers over the API: two signatures, a content that only its receiver reads, and what happens once only.

mod common;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use common::cast::{Issues, accept};
use common::seal::{key_pair, open, private_key};
use common::transfers::{SECRET, draft, key_request, sign};
use common::{DISTRICT, Site, refusal, request_id, wrong_fields};
use futures::future::join_all;
use jingwei_business_environment_monitor::model::sealed::sha256;
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use tonic::{Code, Status};

fn get(name: &str) -> pb::GetTransferRequest {
    pb::GetTransferRequest { name: name.to_owned() }
}

fn content(name: &str) -> pb::GetTransferContentRequest {
    pb::GetTransferContentRequest { name: name.to_owned() }
}

fn acknowledge(name: &str) -> pb::AcknowledgeTransferRequest {
    pb::AcknowledgeTransferRequest { name: name.to_owned(), ..Default::default() }
}

fn give_back(name: &str, reason: pb::ReturnReason) -> pb::ReturnTransferRequest {
    pb::ReturnTransferRequest { name: name.to_owned(), reason: reason.into(), ..Default::default() }
}

/// Both signatures, by Li and Wang.
async fn sent(site: &Site, transfer: &pb::Transfer) -> pb::Transfer {
    site.signed(transfer, "li").await;
    site.signed(transfer, "wang").await
}

const NOT_FOUND: (Code, &str) = (Code::NotFound, "NOT_FOUND");

/// Whether the call was refused with this code and reason.
fn is<T: std::fmt::Debug>(got: Result<T, Status>, (code, reason): (Code, &str)) -> bool {
    refusal(got) == (code, reason.to_owned())
}

#[tokio::test]
async fn two_sign_and_only_the_receiver_reads_it() {
    let site = Site::with_calendar().await;
    let (private, public) = key_pair();
    let key = site.registered_key("discipline", public).await;
    let issue = site.registered().await;
    let drafted = site.sender("li").create_transfer(draft(&issue, &key)).await.expect("drafted").into_inner();
    assert_eq!(drafted.state(), pb::TransferState::Drafted);
    assert_eq!(drafted.register_number, "410183-T-2026-000001");
    assert_eq!((drafted.letter_date.as_str(), drafted.receiver()), ("2026-03-02", pb::Receiver::Discipline));

    let mut receiver = site.receiver("discipline");
    assert!(is(receiver.get_transfer(get(&drafted.name)).await, NOT_FOUND), "not sent yet");
    assert!(is(receiver.get_transfer_content(content(&drafted.name)).await, NOT_FOUND));
    let wrong = pb::SignTransferRequest { digest: "0".repeat(64), ..sign(&drafted) };
    let wrong = site.sender("li").sign_transfer(wrong).await;
    assert!(is(wrong, (Code::FailedPrecondition, "DIGEST_MISMATCH")));
    let once = site.signed(&drafted, "li").await;
    assert_eq!((once.state(), once.digest.as_str()), (pb::TransferState::Signed, drafted.digest.as_str()));
    let again = site.sender("li").sign_transfer(sign(&drafted)).await;
    assert!(is(again, (Code::FailedPrecondition, "SAME_PERSON")));
    assert_eq!(site.seen(&issue).await.state(), pb::IssueState::Registered, "one signature does nothing");

    let sent = site.signed(&drafted, "wang").await;
    assert_eq!(sent.state(), pb::TransferState::Sent);
    let signers: Vec<_> = sent.signatures.iter().map(|s| s.signer.as_str()).collect();
    assert_eq!(signers, ["li", "wang"]);
    let transferred = site.seen(&issue).await;
    assert_eq!((transferred.state(), transferred.due_time), (pb::IssueState::Transferred, None));
    assert_eq!(site.timeline(&issue).await, ["SUBMIT", "REGISTER", "TRANSFER"]);
    let rows = pb::ListIssueTransitionsRequest { parent: issue.clone(), ..Default::default() };
    let rows = site.monitor().list_issue_transitions(rows).await.expect("read").into_inner().transitions;
    assert_eq!(rows[2].text, "纪检监察机关", "to what kind of receiver, not why");

    let got = receiver.get_transfer_content(content(&drafted.name)).await.expect("theirs").into_inner();
    assert_eq!(open(&private, &got).as_deref(), Some(SECRET));
    let elsewhere = pb::SealedContent { associated_data: format!("{DISTRICT}/transfers/x"), ..got.clone() };
    assert_eq!(open(&private, &elsewhere), None, "sealed for this transfer and no other");
    assert_eq!(open(&key_pair().0, &got), None, "to this key and no other");
    let seen = receiver.get_transfer(get(&drafted.name)).await.expect("theirs").into_inner();
    assert_eq!((seen.drafter.as_str(), seen.signatures[0].signer.as_str()), ("", ""));
    let court = site.receiver("court").get_transfer(get(&drafted.name)).await;
    assert!(is(court, NOT_FOUND));
    let court = site.receiver("court").get_transfer_content(content(&drafted.name)).await;
    assert!(is(court, NOT_FOUND));
    let office = site.sender("li").get_transfer_content(content(&drafted.name)).await;
    assert_eq!(refusal(office).0, Code::PermissionDenied, "nor who wrote it");
}

#[tokio::test]
async fn what_is_sent_is_the_receivers_alone_to_change() {
    let site = Site::with_calendar().await;
    let (first, second) = (site.registered().await, site.registered().await);
    let key = site.registered_key("discipline", key_pair().1).await;
    let mut office = site.sender("li");
    let mut drafts = Vec::new();
    for issue in [&first, &second] {
        drafts.push(office.create_transfer(draft(issue, &key)).await.expect("drafted").into_inner());
    }
    let withdraw = |name: &str| pb::WithdrawTransferRequest { name: name.to_owned(), ..Default::default() };
    let name = sent(&site, &drafts[0]).await.name;
    for refused in [
        office.withdraw_transfer(withdraw(&name)).await,
        site.sender("chen").sign_transfer(sign(&drafts[0])).await,
    ] {
        assert!(is(refused, (Code::FailedPrecondition, "WRONG_STATE")));
    }
    site.clock.advance(time::Duration::hours(2));
    let mut receiver = site.receiver("discipline");
    let stale = pb::AcknowledgeTransferRequest { etag: drafts[0].etag.clone(), ..acknowledge(&name) };
    assert!(is(receiver.acknowledge_transfer(stale).await, (Code::Aborted, "ETAG_MISMATCH")));
    let done = receiver.acknowledge_transfer(acknowledge(&name)).await.expect("acknowledged").into_inner();
    assert_eq!(done.state(), pb::TransferState::Acknowledged);
    // A new token: the old one is over.
    let mut office = site.sender("li");
    let seen = office.get_transfer(get(&name)).await.expect("read").into_inner();
    assert_eq!(seen.acknowledge_time, Some(common::moment(site.clock.now())));
    let again = receiver.acknowledge_transfer(acknowledge(&name)).await;
    assert!(is(again, (Code::FailedPrecondition, "WRONG_STATE")));

    let withdrawn =
        office.withdraw_transfer(withdraw(&drafts[1].name)).await.expect("withdrawn").into_inner();
    assert_eq!(withdrawn.state(), pb::TransferState::Withdrawn);
    let pool = site.database.connect().await.expect("the database answers");
    let left: Vec<bool> = sqlx::query_scalar("select sealed is null from transfer order by register_number")
        .fetch_all(&pool)
        .await
        .expect("read");
    assert_eq!(left, [false, true], "its content is gone");
    let unsent = receiver.acknowledge_transfer(acknowledge(&drafts[1].name)).await;
    assert!(is(unsent, NOT_FOUND));
    let another = office.create_transfer(draft(&second, &key)).await.expect("anew").into_inner();
    assert_eq!(another.register_number, "410183-T-2026-000003", "a number is used once");
}

#[tokio::test]
async fn what_is_returned_can_go_to_another() {
    let site = Site::with_calendar().await;
    let issue = site.registered().await;
    let drafted = site.drafted(&issue).await;
    let key = site.registered_key("court", key_pair().1).await;
    let early = site.sender("li").create_transfer(draft(&issue, &key)).await;
    assert!(is(early, (Code::FailedPrecondition, "ISSUE_IN_TRANSFER")));
    let name = sent(&site, &drafted).await.name;
    let early = site.sender("li").create_transfer(draft(&issue, &key)).await;
    assert!(is(early, (Code::FailedPrecondition, "ISSUE_IN_TRANSFER")));
    let request = give_back(&name, pb::ReturnReason::NotCompetent);
    let returned = site.receiver("discipline").return_transfer(request).await.expect("returned").into_inner();
    assert_eq!(returned.return_reason(), pb::ReturnReason::NotCompetent);
    let next = site.sender("li").create_transfer(draft(&issue, &key)).await.expect("anew").into_inner();
    sent(&site, &next).await;
    assert_eq!(site.timeline(&issue).await, ["SUBMIT", "REGISTER", "TRANSFER", "TRANSFER"]);

    let list = |issue: &str| pb::ListTransfersRequest {
        parent: DISTRICT.into(),
        issue: issue.to_owned(),
        ..Default::default()
    };
    let names = async |mut who: common::transfers::Transfers, request| {
        let page = who.list_transfers(request).await.expect("a list").into_inner();
        page.transfers.into_iter().map(|one| one.name).collect::<Vec<_>>()
    };
    let both = [next.name.clone(), name.clone()];
    assert_eq!(names(site.sender("li"), list("")).await, both);
    assert_eq!(names(site.sender("li"), list(&issue)).await, both);
    assert_eq!(names(site.receiver("discipline"), list("")).await, [name]);
    assert_eq!(names(site.receiver("court"), list(&issue)).await, [next.name]);
    assert!(names(site.receiver("audit"), list("")).await.is_empty());
}

#[tokio::test]
async fn a_receivers_keys_are_its_own_and_old_ones_stay_known() {
    let site = Site::with_calendar().await;
    let (private, public) = key_pair();
    let old = site.registered_key("discipline", public.clone()).await;
    let foreign = site.receiver("court").create_receiver_key(key_request("discipline", key_pair().1)).await;
    assert_eq!(refusal(foreign).0, Code::PermissionDenied, "else the court could read it");
    let mut receiver = site.receiver("discipline");
    let twice = receiver.create_receiver_key(key_request("discipline", public)).await;
    assert!(is(twice, (Code::AlreadyExists, "ALREADY_EXISTS")));
    for weak in [vec![0; 32], vec![9; 33]] {
        let refused = receiver.create_receiver_key(key_request("discipline", weak)).await;
        assert_eq!(wrong_fields(refused), ["public_key"]);
    }
    let issue = site.registered().await;
    let drafted = site.sender("li").create_transfer(draft(&issue, &old)).await.expect("drafted").into_inner();
    site.clock.advance(time::Duration::hours(1));
    let new = site.registered_key("discipline", key_pair().1).await;
    let retire = pb::RetireReceiverKeyRequest { name: old.name.clone(), ..Default::default() };
    let retired = receiver.retire_receiver_key(retire).await.expect("retired").into_inner();
    assert_eq!(retired.retire_time, Some(common::moment(site.clock.now())));
    let other = site.registered().await;
    let refused = site.sender("li").create_transfer(draft(&other, &old)).await;
    assert!(is(refused, (Code::FailedPrecondition, "KEY_NOT_USABLE")));
    let list = pb::ListReceiverKeysRequest {
        parent: key_request("discipline", Vec::new()).parent,
        ..Default::default()
    };
    let keys = site.sender("li").list_receiver_keys(list).await.expect("a list").into_inner().keys;
    assert_eq!(keys.iter().map(|key| &key.name).collect::<Vec<_>>(), [&new.name, &old.name]);
    sent(&site, &drafted).await;
    let got = receiver.get_transfer_content(content(&drafted.name)).await.expect("theirs").into_inner();
    assert_eq!((got.key.as_str(), open(&private, &got).as_deref()), (old.name.as_str(), Some(SECRET)));
}

#[tokio::test]
async fn what_cannot_be_sealed_or_cannot_be_transferred_is_refused() {
    let site = Site::with_calendar().await;
    let key = site.registered_key("audit", key_pair().1).await;
    let issue = site.registered().await;
    let good = draft(&issue, &key);
    let mut office = site.sender("li");
    let short = pb::CreateTransferRequest { sealed_content: vec![9; 48], ..good.clone() };
    assert_eq!(wrong_fields(office.create_transfer(short).await), ["sealed_content"]);
    let clear = pb::CreateTransferRequest { sealed_content: vec![0; 100], ..good.clone() };
    assert_eq!(wrong_fields(office.create_transfer(clear).await), ["sealed_content"]);
    let elsewhere = good.issue.replace("410183", "410182");
    let elsewhere = pb::CreateTransferRequest { issue: elsewhere, ..good.clone() };
    assert_eq!(wrong_fields(office.create_transfer(elsewhere).await), ["issue"]);
    let unknown = pb::CreateTransferRequest { key: key.name.replace("audit", "police"), ..good.clone() };
    assert!(is(office.create_transfer(unknown).await, (Code::FailedPrecondition, "KEY_NOT_USABLE")));
    let fresh = site.submitted().await.name;
    let early = office.create_transfer(draft(&fresh, &key)).await;
    assert!(is(early, (Code::FailedPrecondition, "WRONG_STATE")), "not registered");
    // Who raised the issue as a monitor has no part in its transfer.
    let refused = site.sender("zhang").create_transfer(good.clone()).await;
    assert!(is(refused, (Code::FailedPrecondition, "OWN_ISSUE")));

    let request = pb::CreateTransferRequest { request_id: request_id(), ..good };
    let first = office.create_transfer(request.clone()).await.expect("drafted").into_inner();
    let twin = office.create_transfer(request.clone()).await.expect("the same").into_inner();
    assert_eq!(first, twin);
    let again =
        office.create_transfer(pb::CreateTransferRequest { request_id: request_id(), ..request }).await;
    assert!(is(again, (Code::AlreadyExists, "ALREADY_EXISTS")));
    let own = site.sender("zhang").sign_transfer(sign(&first)).await;
    assert!(is(own, (Code::FailedPrecondition, "OWN_ISSUE")), "nor signs it");
}

/// Neither the database nor an answer to anybody has a word of it: it is looked for in every column of every table.
#[tokio::test]
async fn nobody_who_reads_the_database_reads_the_content() {
    let site = Site::with_calendar().await;
    let (private, public) = key_pair();
    let key = site.registered_key("discipline", public).await;
    let issue = site.registered().await;
    let request = pb::CreateTransferRequest { request_id: request_id(), ..draft(&issue, &key) };
    let drafted = site.sender("li").create_transfer(request).await.expect("drafted").into_inner();
    sent(&site, &drafted).await;
    let pool = site.database.connect().await.expect("the database answers");
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables where table_schema = 'public'",
    )
    .fetch_all(&pool)
    .await
    .expect("read");
    assert!(
        tables.iter().any(|table| table == "idempotency") && tables.iter().any(|table| table == "outbox")
    );
    let mut dump = Vec::new();
    for table in tables {
        // Bytes as they are and as hexadecimal digits: a text in a bytea would show as the latter.
        let rows: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select t::text from {table} t")))
                .fetch_all(&pool)
                .await
                .expect("read");
        dump.extend(rows);
    }
    let dump = dump.join("\n");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert!(dump.contains(&drafted.register_number), "what is kept is found");
    let got = site.receiver("discipline").get_transfer_content(content(&drafted.name)).await;
    let got = got.expect("theirs").into_inner();
    assert_eq!(dump.matches(&hex(&got.sealed_content)).count(), 1, "sealed, and in one place");
    for words in SECRET.split('，') {
        assert!(!dump.contains(words) && !dump.contains(&hex(words.as_bytes())), "{words}");
    }
    assert_eq!(open(&private, &got).as_deref(), Some(SECRET));
}

#[tokio::test]
async fn of_eight_second_signatures_one_counts() {
    let site = Site::with_calendar().await;
    let issue = site.registered().await;
    let drafted = site.drafted(&issue).await;
    site.signed(&drafted, "li").await;
    let other = site.replica().await;
    let calls = (0..8).map(|i| {
        let mut office = (if i % 2 == 0 { &site } else { &other }).sender(&format!("wang-{i}"));
        let request = sign(&drafted);
        async move { office.sign_transfer(request).await }
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(calls).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for answer in lost {
        assert!(is(answer, (Code::FailedPrecondition, "WRONG_STATE")));
    }
    let seen = site.sender("li").get_transfer(get(&drafted.name)).await.expect("read").into_inner();
    assert_eq!(seen.signatures.len(), 2);
    assert_eq!(site.timeline(&issue).await, ["SUBMIT", "REGISTER", "TRANSFER"]);
}

#[tokio::test]
async fn one_person_signs_once_however_often_they_try_at_one_moment() {
    let site = Site::with_calendar().await;
    let drafted = site.drafted(&site.registered().await).await;
    let other = site.replica().await;
    let calls = (0..8).map(|i| {
        let mut office = (if i % 2 == 0 { &site } else { &other }).sender("li");
        let request = sign(&drafted);
        async move { office.sign_transfer(request).await }
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(calls).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for answer in lost {
        assert!(is(answer, (Code::FailedPrecondition, "SAME_PERSON")));
    }
    let seen = site.sender("li").get_transfer(get(&drafted.name)).await.expect("read").into_inner();
    assert_eq!((seen.state(), seen.signatures.len()), (pb::TransferState::Signed, 1));
}

#[tokio::test]
async fn of_eight_drafts_for_one_issue_and_of_eight_same_keys_one_is_made() {
    let site = Site::with_calendar().await;
    let issue = site.registered().await;
    let public = key_pair().1;
    let keys = (0..8).map(|_| {
        let (mut receiver, request) = (site.receiver("police"), key_request("police", public.clone()));
        async move { receiver.create_receiver_key(request).await }
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(keys).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    let key = won.into_iter().next().expect("one").expect("registered").into_inner();
    let drafts = (0..8).map(|i| {
        let (mut office, request) = (site.sender(&format!("li-{i}")), draft(&issue, &key));
        async move { office.create_transfer(request).await }
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(drafts).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for answer in lost {
        assert!(is(answer, (Code::FailedPrecondition, "ISSUE_IN_TRANSFER")));
    }
}

/// The issue is accepted or transferred, not both; a transfer that comes too late stays unsent.
#[tokio::test]
async fn an_acceptance_and_a_second_signature_do_not_both_happen() {
    let site = Site::with_calendar().await;
    let issue = site.registered().await;
    let drafted = site.drafted(&issue).await;
    site.signed(&drafted, "li").await;
    let mut li: Issues = site.issues("li", Role::BusinessEnvironmentOffice, DISTRICT);
    let mut wang = site.sender("wang");
    let (accepted, signed) =
        tokio::join!(li.accept_issue(accept(&issue)), wang.sign_transfer(sign(&drafted)));
    assert!(accepted.is_ok() != signed.is_ok(), "{accepted:?} {signed:?}");
    assert_eq!(site.timeline(&issue).await.len(), 3);
    let seen = site.sender("li").get_transfer(get(&drafted.name)).await.expect("read").into_inner();
    let expected = if signed.is_ok() { pb::TransferState::Sent } else { pb::TransferState::Signed };
    assert_eq!(seen.state(), expected);
}

/// What the docs say opens, opens.
#[test]
fn the_example_of_the_docs_opens() {
    let docs = include_str!("../../../docs/sealed-content.md");
    let line = |label: &str| {
        let found =
            docs.lines().find_map(|line| line.strip_prefix(label)).unwrap_or_else(|| panic!("{label}"));
        found.trim().to_owned()
    };
    let bytes = |label: &str| BASE64_STANDARD.decode(line(label)).expect("base64");
    let content = pb::SealedContent {
        key: line("info "),
        associated_data: line("aad "),
        sealed_content: bytes("sealed content "),
        ..Default::default()
    };
    assert_eq!(open(&private_key(&bytes("private key ")), &content), Some(line("clear ")));
    assert_eq!(sha256(&bytes("public key ")), line("fingerprint "));
}
