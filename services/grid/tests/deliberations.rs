//! Deliberations (议事协商) through the API: the page's story, who may do what, one vote each, lists.

mod common;

use common::district::{COMMUNITY, GARDEN, GRID, STREET, WATER};
use common::raw::methods;
use common::{DISTRICT, Session, Site, mask, metadata, moment, refusal, request_id, wrong_fields};
use futures::future::join_all;
use jingwei_grid::model::actor;
use jingwei_grid::model::deliberation::arcs::{ActionKind, READERS};
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::deliberation_quorum::Rule;
use jingwei_proto::grid::v1::deliberation_service_client::DeliberationServiceClient;
use jingwei_proto::grid::v1::deliberation_vote::Choice;
use jingwei_proto::grid::v1::{DeliberationState as State, VoteStance as Stance};
use jingwei_proto::pool;
use time::Duration;
use tonic::{Code, Response, Status};

type Client = DeliberationServiceClient<Session>;
type Answer<T> = Result<Response<T>, Status>;

fn client(site: &Site, role: Role, scope: &str) -> Client {
    let subject = format!("{}-{}", role.as_str_name(), scope.rsplit('/').next().unwrap_or_default());
    DeliberationServiceClient::new(site.session(&subject, &[(role, scope)]))
}

fn community(site: &Site) -> Client {
    client(site, Role::Community, COMMUNITY)
}

fn person(name: &str, kind: pb::ParticipantKind) -> pb::DeliberationParticipant {
    pb::DeliberationParticipant { display_name: name.into(), kind: kind.into(), ..Default::default() }
}

/// Four residents and a property company without a vote; two of three have to come.
fn topic(events: &[String], mode: pb::DecisionMode) -> pb::Deliberation {
    let residents = ["甲户", "乙户", "丙户", "丁户"].map(|name| person(name, pb::ParticipantKind::Resident));
    let company = person("水务代表", pb::ParticipantKind::Unit);
    let company = pb::DeliberationParticipant { non_voting: true, ..company };
    pb::Deliberation {
        area: COMMUNITY.into(),
        title: "老旧小区欠费停水".into(),
        background: "无物业小区总表欠费，全楼停水".into(),
        events: events.to_vec(),
        participants: residents.into_iter().chain([company]).collect(),
        quorum: Some(pb::DeliberationQuorum { rule: Some(Rule::Percent(60)) }),
        decision_mode: mode.into(),
        ..Default::default()
    }
}

async fn draft(site: &Site, topic: pb::Deliberation) -> pb::Deliberation {
    let deliberation = Some(topic);
    let request =
        pb::CreateDeliberationRequest { parent: DISTRICT.into(), deliberation, ..Default::default() };
    community(site).create_deliberation(request).await.expect("drafted").into_inner()
}

fn convene(site: &Site, name: &str) -> pb::ConveneDeliberationRequest {
    pb::ConveneDeliberationRequest {
        name: name.into(),
        meeting_time: Some(moment(site.clock.now() + Duration::hours(1))),
        meeting_place: "社区议事厅".into(),
        notice: "请各户派一人参加".into(),
        ..Default::default()
    }
}

fn hold(name: &str, present: &[i32]) -> pb::HoldDeliberationRequest {
    pb::HoldDeliberationRequest { name: name.into(), present: present.to_vec(), ..Default::default() }
}

fn votes(name: &str, votes: &[(i32, Choice)]) -> pb::RecordVotesRequest {
    let one = |(participant, choice): &(i32, Choice)| pb::RecordedVote {
        participant: *participant,
        vote: Some(pb::DeliberationVote { choice: Some(*choice) }),
    };
    let votes = votes.iter().map(one).collect();
    pb::RecordVotesRequest { name: name.into(), votes, ..Default::default() }
}

fn stance(stance: Stance) -> Choice {
    Choice::Stance(stance.into())
}

fn resolve(name: &str) -> pb::ResolveDeliberationRequest {
    let resolution = "改为一户一表，分户缴费".to_owned();
    pb::ResolveDeliberationRequest { name: name.into(), resolution, ..Default::default() }
}

fn item(name: &str, owner: &str, due_date: &str) -> pb::AddActionItemRequest {
    let kind = match owner.contains("/areas/") {
        true => pb::unit::Kind::Area(owner.into()),
        false => pb::unit::Kind::Department(owner.into()),
    };
    pb::AddActionItemRequest {
        name: name.into(),
        text: "安装分户水表".into(),
        owner: Some(pb::Unit { kind: Some(kind) }),
        due_date: due_date.into(),
        ..Default::default()
    }
}

fn publicise(name: &str, working_days: i32) -> pb::PubliciseDeliberationRequest {
    pb::PubliciseDeliberationRequest { name: name.into(), working_days, ..Default::default() }
}

fn done(name: &str, number: i32) -> pb::CompleteActionItemRequest {
    let evidence = vec![pb::Evidence { text: "水表已装".into(), ..Default::default() }];
    pb::CompleteActionItemRequest { name: name.into(), number, evidence, ..Default::default() }
}

fn complete(name: &str) -> pb::CompleteDeliberationRequest {
    pb::CompleteDeliberationRequest { name: name.into(), ..Default::default() }
}

fn cancel(name: &str) -> pb::CancelDeliberationRequest {
    pb::CancelDeliberationRequest { name: name.into(), reason: "不再需要".into(), ..Default::default() }
}

async fn get(client: &mut Client, name: &str) -> Answer<pb::Deliberation> {
    client.get_deliberation(pb::GetDeliberationRequest { name: name.into() }).await
}

/// A deliberation whose meeting these of the four residents and the company came to.
async fn held(site: &Site, topic: pb::Deliberation, present: &[i32]) -> pb::Deliberation {
    let name = draft(site, topic).await.name;
    let mut secretary = community(site);
    secretary.convene_deliberation(convene(site, &name)).await.expect("convened");
    site.clock.advance(Duration::hours(1));
    secretary.hold_deliberation(hold(&name, present)).await.expect("held").into_inner()
}

/// A deliberation that adopted its plan.
async fn adopted(site: &Site, topic: pb::Deliberation) -> pb::Deliberation {
    let name = held(site, topic, &[1, 2, 3]).await.name;
    let all = [1, 2, 3].map(|i| (i, stance(Stance::For)));
    let mut secretary = community(site);
    secretary.record_votes(votes(&name, &all)).await.expect("voted");
    secretary.resolve_deliberation(resolve(&name)).await.expect("resolved").into_inner()
}

/// One that adopted its plan, with one action item of the water company, publicised for a day that is over.
async fn in_follow_up(site: &Site) -> String {
    let name = adopted(site, topic(&[], pb::DecisionMode::SimpleMajority)).await.name;
    let mut secretary = community(site);
    secretary.add_action_item(item(&name, WATER, "2026-03-20")).await.expect("added");
    secretary.publicise_deliberation(publicise(&name, 1)).await.expect("publicised");
    site.clock.advance(Duration::days(2));
    name
}

#[tokio::test]
async fn water_cut_off_by_arrears_leads_to_one_meter_per_household() {
    let site = Site::with_district().await;
    let event = site.report().await.name;
    let drafted = draft(&site, topic(std::slice::from_ref(&event), pb::DecisionMode::Consensus)).await;
    assert_eq!((drafted.state(), drafted.events.clone()), (State::Draft, vec![event.clone()]));
    let (name, mut secretary) = (drafted.name.clone(), community(&site));
    secretary.convene_deliberation(convene(&site, &name)).await.expect("convened");
    let early = secretary.hold_deliberation(hold(&name, &[1, 2, 3])).await;
    assert_eq!(refusal(early), (Code::FailedPrecondition, "MEETING_NOT_YET".into()));
    site.clock.advance(Duration::hours(1));
    let mut request = hold(&name, &[1, 2, 3, 5]);
    request.walk_ins = vec![person("戊户", pb::ParticipantKind::Resident)];
    let came = secretary.hold_deliberation(request).await.expect("held").into_inner();
    let tally = came.tally.clone().expect("a tally");
    assert_eq!((came.state(), came.participants.len()), (State::Held, 6));
    assert_eq!((tally.invited, tally.quorum, tally.invited_present, tally.present), (4, 3, 3, 4));
    let most = [(1, stance(Stance::For)), (2, stance(Stance::For)), (6, stance(Stance::Abstain))];
    secretary.record_votes(votes(&name, &most)).await.expect("voted");
    let too_early = secretary.resolve_deliberation(resolve(&name)).await;
    assert_eq!(refusal(too_early), (Code::FailedPrecondition, "VOTES_MISSING".into()));
    secretary.record_votes(votes(&name, &[(3, stance(Stance::For))])).await.expect("voted");
    let resolved = secretary.resolve_deliberation(resolve(&name)).await.expect("resolved").into_inner();
    assert_eq!(
        (resolved.outcome(), resolved.tally.expect("one").support),
        (pb::DeliberationOutcome::Adopted, vec![3])
    );

    secretary.add_action_item(item(&name, WATER, "2026-03-20")).await.expect("added");
    secretary.add_action_item(item(&name, COMMUNITY, "2026-03-10")).await.expect("added");
    // Monday: three working days end on Thursday at half past five.
    let public = secretary.publicise_deliberation(publicise(&name, 3)).await.expect("public").into_inner();
    let end = time::macros::datetime!(2026-03-05 17:30 +08:00);
    assert_eq!((public.state(), public.publicity_end_time), (State::Publicised, Some(moment(end))));
    let objection =
        pb::RecordObjectionRequest {
            name: name.clone(), text: "费用怎么分摊".into(), ..Default::default()
        };
    secretary.record_objection(objection).await.expect("recorded");
    let ending =
        pb::EndPublicityRequest { name: name.clone(), note: "已答复".into(), ..Default::default() };
    let running = secretary.end_publicity(ending.clone()).await;
    assert_eq!(refusal(running), (Code::FailedPrecondition, "PUBLICITY_RUNNING".into()));
    site.clock.advance(end - site.clock.now());
    let mut secretary = community(&site);
    assert_eq!(get(&mut secretary, &name).await.expect("there").into_inner().state(), State::FollowUp);
    let unanswered = pb::EndPublicityRequest { note: String::new(), ..ending.clone() };
    assert_eq!(wrong_fields(secretary.end_publicity(unanswered).await), ["note"]);
    secretary.end_publicity(ending).await.expect("ended");

    site.clock.advance(Duration::days(7));
    let mut secretary = community(&site);
    let mut company = client(&site, Role::Department, WATER);
    let foreign = company.complete_action_item(done(&name, 2)).await;
    assert_eq!(refusal(foreign), (Code::PermissionDenied, "PERMISSION_DENIED".into()));
    let mine = company.complete_action_item(done(&name, 1)).await.expect("done").into_inner();
    assert!(mine.participants.is_empty(), "the owner of an item does not see who took part");
    let overdue: Vec<_> = mine.action_items.iter().map(|i| (i.state(), i.overdue)).collect();
    assert_eq!(overdue, [(pb::ActionItemState::Done, false), (pb::ActionItemState::Open, true)]);
    assert_eq!(metadata(secretary.complete_deliberation(complete(&name)).await, "numbers"), Some("2".into()));
    let give_up = pb::GiveUpActionItemRequest {
        name: name.clone(),
        number: 2,
        reason: "水务公司一并完成".into(),
        ..Default::default()
    };
    secretary.give_up_action_item(give_up).await.expect("given up");
    let completed = secretary.complete_deliberation(complete(&name)).await.expect("completed").into_inner();
    assert_eq!(completed.state(), State::Completed);

    let request = pb::ListDeliberationRecordsRequest { parent: name, ..Default::default() };
    let records = secretary.list_deliberation_records(request).await.expect("a page").into_inner().records;
    use pb::DeliberationAction::*;
    let actions: Vec<_> = records.iter().map(pb::DeliberationRecord::action).collect();
    let expected = [
        Create,
        Convene,
        Hold,
        Vote,
        Vote,
        Resolve,
        AddItem,
        AddItem,
        Publicise,
        Object,
        EndPublicity,
        CompleteItem,
        GiveUpItem,
        Complete,
    ];
    assert_eq!(actions, expected);
    assert!(records.iter().map(|r| r.version).eq(1..=14));
    assert_eq!(
        (records[2].numbers.clone(), records[11].actor.as_str()),
        (vec![1, 2, 3, 5, 6], "ROLE_DEPARTMENT-water")
    );
}

#[tokio::test]
async fn too_few_come_and_it_is_convened_again() {
    let site = Site::with_district().await;
    let topic = topic(&[], pb::DecisionMode::TwoThirds);
    let few = held(&site, topic, &[1, 5]).await;
    assert_eq!((few.state(), few.tally.expect("one").invited_present), (State::NotQuorate, 1));
    let (name, mut secretary) = (few.name, community(&site));
    let vote = secretary.record_votes(votes(&name, &[(1, stance(Stance::For))])).await;
    assert_eq!(refusal(vote), (Code::FailedPrecondition, "WRONG_STATE".into()));
    let again = secretary.convene_deliberation(convene(&site, &name)).await.expect("again").into_inner();
    assert!(again.tally.is_none() && again.participants.iter().all(|p| !p.present));
    site.clock.advance(Duration::hours(1));
    secretary.hold_deliberation(hold(&name, &[1, 2, 3])).await.expect("held");
    let late = secretary.hold_deliberation(hold(&name, &[4])).await;
    assert_eq!(refusal(late), (Code::FailedPrecondition, "WRONG_STATE".into()), "who came is written once");
    secretary
        .record_votes(votes(&name, &[(1, stance(Stance::For)), (2, stance(Stance::Against))]))
        .await
        .expect("voted");
    let rejected = secretary.resolve_deliberation(resolve(&name)).await.expect("resolved").into_inner();
    assert_eq!(rejected.outcome(), pb::DeliberationOutcome::Rejected);
    for refused in [
        secretary.add_action_item(item(&name, WATER, "2026-03-20")).await,
        secretary.publicise_deliberation(publicise(&name, 3)).await,
    ] {
        assert_eq!(refusal(refused), (Code::FailedPrecondition, "NOT_ADOPTED".into()));
    }
}

#[tokio::test]
async fn of_several_options_one_is_adopted_and_everyone_votes_once() {
    let site = Site::with_district().await;
    let options = ["一户一表", "总表分摊", "预存水费"].map(str::to_owned).to_vec();
    let topic = pb::Deliberation { options, ..topic(&[], pb::DecisionMode::TwoThirds) };
    let name = held(&site, topic, &[1, 2, 3, 5]).await.name;
    let mut secretary = community(&site);
    let refused = [
        ((5, Choice::Option(1)), "CANNOT_VOTE"),
        ((4, Choice::Option(1)), "CANNOT_VOTE"),
        ((1, Choice::Option(4)), "INVALID_REQUEST"),
        ((1, stance(Stance::For)), "INVALID_REQUEST"),
        ((9, Choice::Option(1)), "INVALID_REQUEST"),
    ];
    for (vote, reason) in refused {
        let with_a_good_one = votes(&name, &[(2, Choice::Option(1)), vote]);
        assert_eq!(refusal(secretary.record_votes(with_a_good_one).await).1, reason, "{vote:?}");
    }
    let good = [(1, Choice::Option(2)), (2, Choice::Option(2))];
    secretary.record_votes(votes(&name, &good)).await.expect("none of those refused was written");
    let twice = secretary.record_votes(votes(&name, &[(3, Choice::Option(2)), (1, Choice::Option(1))])).await;
    assert_eq!(refusal(twice), (Code::FailedPrecondition, "ALREADY_VOTED".into()));
    let resolved = secretary.resolve_deliberation(resolve(&name)).await.expect("resolved").into_inner();
    assert_eq!((resolved.adopted_option, resolved.tally.expect("one").support), (2, vec![0, 2, 0]));
}

/// Eight calls at one moment by turns to two replicas: how many succeeded; each other was refused with one of these reasons.
async fn winners<T: std::fmt::Debug>(
    site: &Site,
    reasons: &[&str],
    call: impl AsyncFn(Client, i32) -> Answer<T>,
) -> usize {
    let other = site.replica().await;
    let clients = (0..8).map(|i| (community(if i % 2 == 0 { site } else { &other }), i));
    let answers = join_all(clients.map(|(client, i)| call(client, i))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    for answer in lost {
        let (_, reason) = refusal(answer);
        assert!(reasons.contains(&reason.as_str()), "{reason}");
    }
    won.len()
}

#[tokio::test]
async fn of_two_at_one_moment_one_wins() {
    let site = Site::with_district().await;
    let name = held(&site, topic(&[], pb::DecisionMode::SimpleMajority), &[1, 2, 3]).await.name;
    let lost = ["ALREADY_VOTED", "ETAG_MISMATCH"];
    let vote = async |mut c: Client, _| c.record_votes(votes(&name, &[(1, stance(Stance::For))])).await;
    assert_eq!(winners(&site, &lost, vote).await, 1);
    let found = get(&mut community(&site), &name).await.expect("there").into_inner();
    assert_eq!(found.tally.expect("one").voted, 1);
    let lost = ["WRONG_STATE", "ETAG_MISMATCH"];
    let decide = async |mut c: Client, i: i32| {
        let resolution = format!("决议{i}");
        c.resolve_deliberation(pb::ResolveDeliberationRequest { resolution, ..resolve(&name) }).await
    };
    assert_eq!(winners(&site, &lost, decide).await, 1);
    let name = in_follow_up(&site).await;
    let finish = async |mut c: Client, _| c.complete_action_item(done(&name, 1)).await;
    assert_eq!(winners(&site, &lost, finish).await, 1);
    let finish = async |mut c: Client, _| c.complete_deliberation(complete(&name)).await;
    assert_eq!(winners(&site, &lost, finish).await, 1);
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_a_stale_etag_is_refused() {
    let site = Site::with_district().await;
    let drafted = draft(&site, topic(&[], pb::DecisionMode::SimpleMajority)).await;
    let mut secretary = community(&site);
    let request = pb::ConveneDeliberationRequest {
        request_id: request_id(),
        etag: drafted.etag.clone(),
        ..convene(&site, &drafted.name)
    };
    let first = secretary.convene_deliberation(request.clone()).await.expect("convened").into_inner();
    assert_eq!(secretary.convene_deliberation(request).await.expect("repeated").into_inner(), first);
    let stale = pb::CancelDeliberationRequest { etag: drafted.etag, ..cancel(&drafted.name) };
    assert_eq!(refusal(secretary.cancel_deliberation(stale).await), (Code::Aborted, "ETAG_MISMATCH".into()));
}

#[tokio::test]
async fn a_draft_is_changed_field_by_field() {
    let site = Site::with_district().await;
    let drafted = draft(&site, topic(&[], pb::DecisionMode::SimpleMajority)).await;
    let mut secretary = community(&site);
    let wanted = pb::Deliberation { title: "停水".into(), decision_mode: 0, ..drafted.clone() };
    let request = pb::UpdateDeliberationRequest {
        deliberation: Some(wanted),
        update_mask: mask(&["title"]),
        ..Default::default()
    };
    let changed = secretary.update_deliberation(request.clone()).await.expect("changed").into_inner();
    assert_eq!((changed.title.as_str(), &changed.participants), ("停水", &drafted.participants));
    assert_eq!(refusal(secretary.update_deliberation(request.clone()).await).1, "ETAG_MISMATCH");
    let mut wrong = request;
    wrong.update_mask = mask(&["state", "decision_mode", "events"]);
    wrong.deliberation.as_mut().expect("given").events =
        vec!["districts/410183/events/019ce000-0000-7000-8000-000000000001".into()];
    let mut fields = wrong_fields(secretary.update_deliberation(wrong).await);
    fields.sort();
    assert_eq!(fields, ["deliberation.decision_mode", "deliberation.events[0]", "update_mask"]);
}

#[tokio::test]
async fn what_does_not_exist_or_is_not_theirs_is_refused() {
    let site = Site::with_district().await;
    let create = async |mut client: Client, topic: pb::Deliberation| {
        let deliberation = Some(topic);
        let request =
            pb::CreateDeliberationRequest { parent: DISTRICT.into(), deliberation, ..Default::default() };
        client.create_deliberation(request).await
    };
    let nothing = format!("{DISTRICT}/events/{}", request_id());
    let unknown = create(community(&site), topic(&[nothing], pb::DecisionMode::Consensus)).await;
    assert_eq!(metadata(unknown, "field"), Some("deliberation.events".into()));
    let plain = || topic(&[], pb::DecisionMode::Consensus);
    let chief = create(client(&site, Role::GridChief, GRID), plain()).await;
    assert_eq!(refusal(chief), (Code::PermissionDenied, "PERMISSION_DENIED".into()), "not the chief's area");
    let nowhere = pb::Deliberation { area: format!("{COMMUNITY}999"), ..plain() };
    assert_eq!(metadata(create(community(&site), nowhere).await, "field"), Some("deliberation.area".into()));
    assert_eq!(
        wrong_fields(create(community(&site), pb::Deliberation::default()).await),
        ["deliberation.area", "deliberation.title", "deliberation.decision_mode"]
    );
    let name = draft(&site, plain()).await.name;
    for (role, scope) in [(Role::Street, STREET), (Role::Dispatcher, DISTRICT), (Role::Supervisor, DISTRICT)]
    {
        let seen = get(&mut client(&site, role, scope), &name).await.expect("seen").into_inner();
        assert_eq!(seen.participants.len(), 5, "{role:?}");
    }
    for (role, scope) in [(Role::Department, WATER), (Role::GridWorker, GRID), (Role::GridChief, GRID)] {
        assert_eq!(refusal(get(&mut client(&site, role, scope), &name).await).0, Code::NotFound, "{role:?}");
    }
    let past = pb::ConveneDeliberationRequest {
        meeting_time: Some(moment(site.clock.now())),
        ..convene(&site, &name)
    };
    assert_eq!(wrong_fields(community(&site).convene_deliberation(past).await), ["meeting_time"]);
    let name = adopted(&site, plain()).await.name;
    let yesterday = community(&site).add_action_item(item(&name, WATER, "2026-03-01")).await;
    assert_eq!(wrong_fields(yesterday), ["due_date"]);
    let nobody = community(&site)
        .add_action_item(item(&name, &format!("{DISTRICT}/departments/no"), "2026-03-20"))
        .await;
    assert_eq!(metadata(nobody, "field"), Some("owner".into()));
}

#[tokio::test]
async fn lists_by_area_state_event_and_unit() {
    let site = Site::with_district().await;
    let event = site.report().await.name;
    let first = in_follow_up(&site).await;
    let second = draft(&site, topic(std::slice::from_ref(&event), pb::DecisionMode::Consensus)).await.name;
    site.clock.advance(Duration::milliseconds(1));
    let third = draft(&site, topic(&[], pb::DecisionMode::Consensus)).await.name;
    community(&site).cancel_deliberation(cancel(&third)).await.expect("cancelled");
    let list = async |mut client: Client, request: pb::ListDeliberationsRequest| {
        let page = client.list_deliberations(request).await.map(Response::into_inner)?;
        assert!(page.deliberations.iter().all(|d| d.participants.is_empty()));
        Ok::<_, Status>((
            page.deliberations.into_iter().map(|d| d.name).collect::<Vec<_>>(),
            page.next_page_token,
        ))
    };
    let all = || pb::ListDeliberationsRequest { parent: DISTRICT.into(), ..Default::default() };
    let of = |states: &[State]| pb::ListDeliberationsRequest {
        states: states.iter().map(|s| i32::from(*s)).collect(),
        ..all()
    };
    let street = || client(&site, Role::Street, STREET);
    let about = pb::ListDeliberationsRequest { event: event.clone(), ..all() };
    let expected = [
        (all(), vec![&third, &second, &first]),
        (pb::ListDeliberationsRequest { area: COMMUNITY.into(), ..all() }, vec![&third, &second, &first]),
        (pb::ListDeliberationsRequest { area: GRID.into(), ..all() }, vec![]),
        (of(&[State::Draft, State::Cancelled]), vec![&third, &second]),
        (of(&[State::FollowUp]), vec![&first]),
        (of(&[State::Publicised]), vec![]),
        (about.clone(), vec![&second]),
        (pb::ListDeliberationsRequest { states: of(&[State::Held]).states, ..about }, vec![]),
    ];
    for (request, names) in expected {
        let found = list(street(), request.clone()).await.expect("a page").0;
        assert_eq!(found.iter().collect::<Vec<_>>(), names, "{request:?}");
    }
    let (page, token) =
        list(street(), pb::ListDeliberationsRequest { page_size: 2, ..all() }).await.expect("a page");
    let next = pb::ListDeliberationsRequest { page_size: 2, page_token: token, ..all() };
    assert_eq!(
        (page, list(street(), next).await.expect("a page").0),
        (vec![third, second], vec![first.clone()])
    );

    let water = list(client(&site, Role::Department, WATER), all()).await.expect("a page").0;
    assert_eq!(water, std::slice::from_ref(&first));
    assert!(list(client(&site, Role::Department, GARDEN), all()).await.expect("a page").0.is_empty());
    let foreign = pb::ListDeliberationsRequest { department: WATER.into(), ..all() };
    assert_eq!(
        list(client(&site, Role::Department, GARDEN), foreign.clone()).await.expect_err("not theirs").code(),
        Code::PermissionDenied
    );
    assert_eq!(list(client(&site, Role::Dispatcher, DISTRICT), foreign).await.expect("a page").0, [first]);
}

#[tokio::test]
async fn a_unit_sees_its_open_action_items_by_date() {
    let site = Site::with_district().await;
    let name = adopted(&site, topic(&[], pb::DecisionMode::SimpleMajority)).await.name;
    let mut secretary = community(&site);
    for (owner, date) in
        [(WATER, "2026-03-20"), (WATER, "2026-03-05"), (COMMUNITY, "2026-03-06"), (WATER, "2026-03-10")]
    {
        secretary.add_action_item(item(&name, owner, date)).await.expect("added");
    }
    let items = async |mut client: Client, page_token: &str| {
        let request = pb::ListActionItemsRequest {
            parent: DISTRICT.into(),
            page_size: 2,
            page_token: page_token.into(),
            ..Default::default()
        };
        let page = client.list_action_items(request).await.expect("a page").into_inner();
        let dates = page.action_items.iter().map(|i| (i.number, i.due_date.clone())).collect::<Vec<_>>();
        (dates, page.next_page_token)
    };
    let water = || client(&site, Role::Department, WATER);
    let (page, token) = items(water(), "").await;
    assert_eq!(page, [(2, "2026-03-05".to_owned()), (4, "2026-03-10".to_owned())]);
    assert_eq!(items(water(), &token).await, (vec![(1, "2026-03-20".to_owned())], String::new()));
    assert_eq!(items(community(&site), "").await.0, [(3, "2026-03-06".to_owned())]);
    secretary.publicise_deliberation(publicise(&name, 1)).await.expect("publicised");
    site.clock.advance(Duration::days(2));
    water().complete_action_item(done(&name, 2)).await.expect("done");
    let again = water().complete_action_item(done(&name, 2)).await;
    assert_eq!(refusal(again), (Code::FailedPrecondition, "WRONG_STATE".into()));
    assert_eq!(items(water(), "").await.0.len(), 2);
}

#[test]
fn the_roles_of_each_rpc_are_those_of_the_state_table() {
    let service = methods().into_iter().filter(|m| m.parent_service().name() == "DeliberationService");
    let by_table = |roles: &dyn Fn(actor::Role) -> bool| {
        let mut codes: Vec<_> =
            actor::Role::all().filter(|r| roles(*r)).map(|r| r.code().to_owned()).collect();
        codes.sort();
        codes
    };
    let mut found = 0;
    for method in service {
        let extension = pool().get_extension_by_name("jingwei.access.v1.permission").expect("there");
        let options = method.options();
        let declared = options.get_extension(&extension);
        let permission: jingwei_proto::access::v1::Permission =
            declared.as_message().expect("a message").transcode_to().expect("of its type");
        let mut roles: Vec<_> =
            permission.roles().map(|r| r.as_str_name().trim_start_matches("ROLE_").to_lowercase()).collect();
        roles.sort();
        let action = match method.name() {
            "CreateDeliberation" => ActionKind::Create,
            "UpdateDeliberation" => ActionKind::Update,
            "ConveneDeliberation" => ActionKind::Convene,
            "HoldDeliberation" => ActionKind::Hold,
            "RecordVotes" => ActionKind::Vote,
            "ResolveDeliberation" => ActionKind::Resolve,
            "AddActionItem" => ActionKind::AddItem,
            "PubliciseDeliberation" => ActionKind::Publicise,
            "RecordObjection" => ActionKind::Object,
            "EndPublicity" => ActionKind::EndPublicity,
            "CompleteActionItem" => ActionKind::CompleteItem,
            "GiveUpActionItem" => ActionKind::GiveUpItem,
            "CompleteDeliberation" => ActionKind::Complete,
            "CancelDeliberation" => ActionKind::Cancel,
            _ => {
                assert_eq!(roles, by_table(&|role| READERS.contains(&role)), "{}", method.name());
                continue;
            }
        };
        assert_eq!(roles, by_table(&|role| action.arc().is_for(role)), "{}", method.name());
        found += 1;
    }
    assert_eq!(found, ActionKind::all().count());
}
