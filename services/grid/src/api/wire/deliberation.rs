//! Deliberations: model ↔ wire.

use jingwei_kit::etag;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::deliberation_quorum::Rule;
use jingwei_proto::grid::v1::deliberation_vote::Choice as WireChoice;
use time::macros::format_description;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{event, name, time as wire_time, unit};
use crate::model::deliberation::tally::{Choice, Mode, Outcome, Quorum, Tally};
use crate::model::deliberation::{
    Content, Deliberation, Item, Participant, ParticipantKind, Record, Settlement, Stamp, State, View,
};

/// A deliberation as it reads at a moment.
pub fn write(d: &Deliberation, view: View, now: OffsetDateTime) -> pb::Deliberation {
    let meeting = d.meeting.as_ref();
    let with_people = view == View::Whole;
    let people = d.content.participants.iter().filter(|_| with_people);
    let objection = |o: &crate::model::deliberation::Objection| pb::DeliberationObjection {
        text: o.text.clone(),
        raised_by: if with_people { o.raised_by.clone() } else { String::new() },
        create_time: Some(wire_time::write(o.at)),
    };
    let (outcome, adopted_option) = write_outcome(d.outcome);
    pb::Deliberation {
        name: of(d.district, d.id),
        area: name::area(d.area),
        title: d.content.title.clone(),
        background: d.content.background.clone(),
        events: d.content.events.iter().map(|id| name::event(d.district, *id)).collect(),
        options: d.content.options.clone(),
        participants: (1..).zip(people).map(|(number, p)| write_participant(number, p)).collect(),
        quorum: Some(write_quorum(d.content.quorum)),
        decision_mode: write_mode(d.content.mode).into(),
        state: write_state(d.state_at(now)).into(),
        meeting_time: meeting.map(|m| wire_time::write(m.at)),
        meeting_place: meeting.map(|m| m.place.clone()).unwrap_or_default(),
        notice: meeting.map(|m| m.notice.clone()).unwrap_or_default(),
        tally: d.content.participants.iter().any(|p| p.present).then(|| write_tally(d, &d.tally())),
        resolution: d.resolution.clone(),
        outcome: outcome.into(),
        adopted_option,
        publicity_start_time: d.publicity.map(|p| wire_time::write(p.start)),
        publicity_end_time: d.publicity.map(|p| wire_time::write(p.end)),
        objections: d.objections.iter().map(objection).collect(),
        action_items: (1..).zip(&d.items).map(|(number, item)| write_item(d, number, item, now)).collect(),
        create_time: Some(wire_time::write(d.created)),
        etag: etag::of(d.version),
    }
}

/// The name of a deliberation.
pub fn of(district: i32, id: Uuid) -> String {
    name::of(district, "deliberations", id)
}

fn write_participant(number: i32, p: &Participant) -> pb::DeliberationParticipant {
    pb::DeliberationParticipant {
        number,
        display_name: p.name.clone(),
        kind: write_kind(p.kind).into(),
        household: p.household.clone(),
        non_voting: p.non_voting,
        walk_in: p.walk_in,
        present: p.present,
        vote: p.vote.map(write_choice),
    }
}

fn write_choice(choice: Choice) -> pb::DeliberationVote {
    let choice = match choice {
        Choice::For => WireChoice::Stance(pb::VoteStance::For.into()),
        Choice::Against => WireChoice::Stance(pb::VoteStance::Against.into()),
        Choice::Abstain => WireChoice::Stance(pb::VoteStance::Abstain.into()),
        Choice::Option(number) => WireChoice::Option(signed(number)),
    };
    pb::DeliberationVote { choice: Some(choice) }
}

fn write_tally(d: &Deliberation, tally: &Tally) -> pb::DeliberationTally {
    pb::DeliberationTally {
        invited: signed(tally.invited),
        quorum: signed(d.content.quorum.of(tally.invited)),
        invited_present: signed(tally.invited_present),
        present: signed(tally.present),
        voted: signed(tally.voted),
        support: tally.support.iter().map(|votes| signed(*votes)).collect(),
        against: signed(tally.against),
        abstained: signed(tally.abstained),
    }
}

/// An action item of a number.
pub fn write_item(d: &Deliberation, number: i32, item: &Item, now: OffsetDateTime) -> pb::ActionItem {
    let settled = item.settled.as_ref();
    let (state, reason, evidence) = match settled.map(|(settlement, _)| settlement) {
        None => (pb::ActionItemState::Open, String::new(), Vec::new()),
        Some(Settlement::Done { evidence }) => (pb::ActionItemState::Done, String::new(), evidence.clone()),
        Some(Settlement::GivenUp { reason }) => (pb::ActionItemState::GivenUp, reason.clone(), Vec::new()),
    };
    pb::ActionItem {
        deliberation: of(d.district, d.id),
        number,
        text: item.text.clone(),
        owner: Some(unit::write(d.district, &item.owner)),
        due_date: write_date(item.due),
        state: state.into(),
        overdue: item.is_overdue(now),
        settle_time: settled.map(|(_, Stamp(at))| wire_time::write(*at)),
        reason,
        evidence: evidence.iter().map(event::write_evidence).collect(),
    }
}

/// A record.
pub fn write_record(district: i32, id: Uuid, record: &Record) -> pb::DeliberationRecord {
    pb::DeliberationRecord {
        deliberation: of(district, id),
        version: record.version,
        action: i32::from(record.action.number()),
        from_state: record.from.map_or(0, |state| write_state(state).into()),
        to_state: write_state(record.to).into(),
        actor: record.subject.clone(),
        unit: Some(unit::write(district, &record.unit)),
        create_time: Some(wire_time::write(record.at)),
        note: record.note.clone(),
        numbers: record.numbers.clone(),
    }
}

/// What is to be talked over, as given; a violation for each event of another district and each participant that does not read.
pub fn read_content(given: &pb::Deliberation, district: i32, violations: &mut Violations) -> Content {
    let mut event = |(i, event): (usize, &String)| {
        let id = name::read_in(&format!("deliberation.events[{i}]"), event, district, violations);
        Uuid::parse_str(&id).ok()
    };
    Content {
        title: given.title.clone(),
        background: given.background.clone(),
        events: given.events.iter().enumerate().filter_map(&mut event).collect(),
        options: given.options.clone(),
        participants: read_participants("deliberation.participants", &given.participants, violations),
        quorum: read_quorum(given.quorum.as_ref()),
        mode: read_mode(given.decision_mode()).unwrap_or(Mode::SimpleMajority),
    }
}

/// Participants before a meeting; a violation for each without a name.
pub fn read_participants(
    field: &str,
    given: &[pb::DeliberationParticipant],
    violations: &mut Violations,
) -> Vec<Participant> {
    for (i, _) in given.iter().enumerate().filter(|(_, p)| p.display_name.trim().is_empty()) {
        violations.add(format!("{field}[{i}].display_name"), "required", "必填", "is required");
    }
    let read = |p: &pb::DeliberationParticipant| Participant {
        name: p.display_name.clone(),
        kind: read_kind(p.kind()),
        household: p.household.clone(),
        non_voting: p.non_voting,
        walk_in: false,
        present: false,
        vote: None,
    };
    given.iter().map(read).collect()
}

/// Numbers from 1; a violation for each that is none.
pub fn read_numbers(field: &str, given: &[i32], violations: &mut Violations) -> Vec<u32> {
    for (i, _) in given.iter().enumerate().filter(|(_, number)| **number < 1) {
        violations.add(format!("{field}[{i}]"), "number", "须为 1 或更大", "must be 1 or more");
    }
    given.iter().map(|number| number.unsigned_abs()).collect()
}

/// Votes; a violation for each that says nothing.
pub fn read_votes(given: &[pb::RecordedVote], violations: &mut Violations) -> Vec<(u32, Choice)> {
    let mut votes = Vec::with_capacity(given.len());
    for (i, vote) in given.iter().enumerate() {
        let choice = vote.vote.as_ref().and_then(|vote| vote.choice.as_ref());
        let choice = match choice {
            Some(WireChoice::Option(number)) => Some(Choice::Option(number.unsigned_abs())),
            Some(WireChoice::Stance(stance)) => match pb::VoteStance::try_from(*stance) {
                Ok(pb::VoteStance::For) => Some(Choice::For),
                Ok(pb::VoteStance::Against) => Some(Choice::Against),
                Ok(pb::VoteStance::Abstain) => Some(Choice::Abstain),
                _ => None,
            },
            None => None,
        };
        match choice {
            Some(choice) => votes.push((vote.participant.unsigned_abs(), choice)),
            None => {
                let zh = "须填写 stance 或 option 之一";
                violations.add(format!("votes[{i}].vote"), "required", zh, "must be a stance or an option");
            }
        }
    }
    votes
}

/// A local date `YYYY-MM-DD`; else `None`, with a violation noted.
pub fn read_date(field: &str, text: &str, violations: &mut Violations) -> Option<Date> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
    let date = date.filter(|date| (1950..=2200).contains(&date.year()));
    if date.is_none() {
        let zh = "没有这一天；格式为 YYYY-MM-DD，1950 至 2200 年";
        violations.add(field, "date", zh, "is no date: YYYY-MM-DD in the years 1950 to 2200");
    }
    date
}

/// A local date.
pub fn write_date(date: Date) -> String {
    date.format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
}

/// A state in a request; `None` where unspecified.
pub fn read_state(state: pb::DeliberationState) -> Option<State> {
    i16::try_from(state as i32).ok().and_then(State::of_number)
}

fn write_state(state: State) -> pb::DeliberationState {
    pb::DeliberationState::try_from(i32::from(state.number())).unwrap_or_default()
}

fn write_quorum(quorum: Quorum) -> pb::DeliberationQuorum {
    let rule = match quorum {
        Quorum::Minimum(minimum) => Rule::Minimum(signed(minimum)),
        Quorum::Percent(percent) => Rule::Percent(signed(percent)),
    };
    pb::DeliberationQuorum { rule: Some(rule) }
}

fn read_quorum(quorum: Option<&pb::DeliberationQuorum>) -> Quorum {
    match quorum.and_then(|quorum| quorum.rule.as_ref()) {
        Some(Rule::Minimum(minimum)) => Quorum::Minimum(minimum.unsigned_abs()),
        Some(Rule::Percent(percent)) => Quorum::Percent(percent.unsigned_abs()),
        None => Quorum::Minimum(1),
    }
}

fn write_mode(mode: Mode) -> pb::DecisionMode {
    match mode {
        Mode::SimpleMajority => pb::DecisionMode::SimpleMajority,
        Mode::TwoThirds => pb::DecisionMode::TwoThirds,
        Mode::Consensus => pb::DecisionMode::Consensus,
    }
}

fn read_mode(mode: pb::DecisionMode) -> Option<Mode> {
    match mode {
        pb::DecisionMode::Unspecified => None,
        pb::DecisionMode::SimpleMajority => Some(Mode::SimpleMajority),
        pb::DecisionMode::TwoThirds => Some(Mode::TwoThirds),
        pb::DecisionMode::Consensus => Some(Mode::Consensus),
    }
}

fn write_outcome(outcome: Option<Outcome>) -> (pb::DeliberationOutcome, i32) {
    match outcome {
        None => (pb::DeliberationOutcome::Unspecified, 0),
        Some(Outcome::Adopted { option }) => (pb::DeliberationOutcome::Adopted, option.map_or(0, signed)),
        Some(Outcome::Rejected) => (pb::DeliberationOutcome::Rejected, 0),
        Some(Outcome::NoConsensus) => (pb::DeliberationOutcome::NoConsensus, 0),
    }
}

fn write_kind(kind: ParticipantKind) -> pb::ParticipantKind {
    match kind {
        ParticipantKind::Resident => pb::ParticipantKind::Resident,
        ParticipantKind::OwnersCommittee => pb::ParticipantKind::OwnersCommittee,
        ParticipantKind::PropertyCompany => pb::ParticipantKind::PropertyCompany,
        ParticipantKind::Enterprise => pb::ParticipantKind::Enterprise,
        ParticipantKind::Unit => pb::ParticipantKind::Unit,
        ParticipantKind::Deputy => pb::ParticipantKind::Deputy,
        ParticipantKind::Other => pb::ParticipantKind::Other,
    }
}

fn read_kind(kind: pb::ParticipantKind) -> ParticipantKind {
    match kind {
        pb::ParticipantKind::Resident => ParticipantKind::Resident,
        pb::ParticipantKind::OwnersCommittee => ParticipantKind::OwnersCommittee,
        pb::ParticipantKind::PropertyCompany => ParticipantKind::PropertyCompany,
        pb::ParticipantKind::Enterprise => ParticipantKind::Enterprise,
        pb::ParticipantKind::Unit => ParticipantKind::Unit,
        pb::ParticipantKind::Deputy => ParticipantKind::Deputy,
        pb::ParticipantKind::Unspecified | pb::ParticipantKind::Other => ParticipantKind::Other,
    }
}

fn signed(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
