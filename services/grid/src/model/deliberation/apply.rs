//! One action on a deliberation: whether it is possible, and what is known after it.

use jingwei_work_calendar::{Calendar, Limit, TimeUnit, due};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::arcs::ActionKind;
use super::command::{Command, Refusal};
use super::tally::{Choice, Tally, tally};
use super::{
    Content, Deliberation, Item, Meeting, Objection, Participant, Publicity, Record, Settlement, Stamp,
    State, local_date, place,
};
use crate::model::actor::Actor;
use crate::model::area::AreaCode;

/// What an action needs to know besides.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The time.
    pub now: OffsetDateTime,
    /// The district's work calendar, for a publicity.
    pub calendar: Option<&'a Calendar>,
}

impl Deliberation {
    /// The votes, counted.
    pub fn tally(&self) -> Tally {
        tally(&self.content.participants, self.content.options.len())
    }

    /// A new draft of the area, with its record; refused where no grant may convene there.
    pub fn draft(
        id: Uuid,
        area: AreaCode,
        content: Content,
        grants: &[Actor],
        now: OffsetDateTime,
    ) -> Result<(Deliberation, Record), Refusal> {
        let draft = Deliberation {
            district: area.district(),
            id,
            area,
            content,
            state: State::Draft,
            meeting: None,
            resolution: String::new(),
            outcome: None,
            publicity: None,
            objections: Vec::new(),
            items: Vec::new(),
            created: now,
            version: 1,
        };
        let action = ActionKind::Create;
        let actor = action.arc().granted(&draft, None, grants).ok_or(Refusal::NotAllowed { action })?;
        let mut record = blank(&draft, action, actor, now);
        record.note.clone_from(&draft.content.title);
        record.details = details(&draft.content);
        Ok((draft, record))
    }
}

/// The deliberation after a command, and the record of the change.
///
/// # Errors
/// Why it is not possible.
pub fn apply(
    before: &Deliberation,
    command: &Command,
    grants: &[Actor],
    context: &Context<'_>,
) -> Result<(Deliberation, Record), Refusal> {
    let (action, now) = (command.kind(), context.now);
    let item = command.item().and_then(|number| before.item(number));
    let actor = action.arc().granted(before, item, grants).ok_or(Refusal::NotAllowed { action })?;
    // A publicity that is over has ended by itself; who ends it says more.
    let state = if action == ActionKind::EndPublicity { before.state } else { before.state_at(now) };
    if !action.arc().from.contains(&state) {
        return Err(Refusal::WrongState { state, action });
    }
    let mut after = Deliberation { state, version: before.version + 1, ..before.clone() };
    let numbers = change(&mut after, command, context)?;
    let mut record = blank(&after, action, actor, now);
    record.from = Some(state);
    record.note = command.note();
    record.numbers = numbers.into_iter().filter_map(|n| i32::try_from(n).ok()).collect();
    record.details = details(command);
    Ok((after, record))
}

/// Makes the change; answers with the numbers of those that it is about.
fn change(d: &mut Deliberation, command: &Command, context: &Context<'_>) -> Result<Vec<u32>, Refusal> {
    let now = context.now;
    match command {
        Command::Update(content) => d.content = content.clone(),
        Command::Convene(meeting) => convene(d, meeting, now)?,
        Command::Hold { present, walk_ins } => return hold(d, present, walk_ins, now),
        Command::Vote(votes) => return vote(d, votes),
        Command::Resolve { resolution } => {
            let tally = d.tally();
            match tally.missing(d.content.mode) {
                0 => d.outcome = Some(tally.outcome(d.content.mode)),
                count => return Err(Refusal::VotesMissing { count }),
            }
            d.resolution.clone_from(resolution);
            d.state = State::Resolved;
        }
        Command::AddItem { text, owner, due } => {
            adopted(d)?;
            if *due < local_date(now) {
                return Err(Refusal::NotInFuture { field: "due_date" });
            }
            d.items.push(Item { text: text.clone(), owner: owner.clone(), due: *due, settled: None });
            return Ok(vec![u32::try_from(d.items.len()).unwrap_or(u32::MAX)]);
        }
        Command::Publicise { working_days } => {
            adopted(d)?;
            let calendar = context.calendar.ok_or(Refusal::NoCalendar { year: now.year() })?;
            let limit = Limit { unit: TimeUnit::WorkingDays, amount: *working_days };
            d.publicity = Some(Publicity { start: now, end: due(calendar, now, limit)? });
            d.state = State::Publicised;
        }
        Command::Object { text, raised_by } => {
            d.objections.push(Objection { text: text.clone(), raised_by: raised_by.clone(), at: now });
        }
        Command::EndPublicity { note } => end_publicity(d, note, now)?,
        Command::CompleteItem { number, evidence } => {
            return settle(d, *number, Settlement::Done { evidence: evidence.clone() }, now);
        }
        Command::GiveUpItem { number, reason } => {
            return settle(d, *number, Settlement::GivenUp { reason: reason.clone() }, now);
        }
        Command::Complete { .. } => {
            let open = (1..).zip(&d.items).filter(|(_, item)| item.settled.is_none());
            let numbers: Vec<u32> = open.map(|(number, _)| number).collect();
            if !numbers.is_empty() {
                return Err(Refusal::ItemsOpen { numbers });
            }
            d.state = State::Completed;
        }
        Command::Cancel { .. } => d.state = State::Cancelled,
    }
    Ok(Vec::new())
}

fn adopted(d: &Deliberation) -> Result<(), Refusal> {
    if d.is_adopted() { Ok(()) } else { Err(Refusal::NotAdopted) }
}

/// A meeting anew: nothing of the one before counts.
fn convene(d: &mut Deliberation, meeting: &Meeting, now: OffsetDateTime) -> Result<(), Refusal> {
    let refused = match d.state {
        State::Resolved => d.is_adopted(),
        State::Publicised => d.objections.is_empty(),
        _ => false,
    };
    if refused {
        return Err(Refusal::WrongState { state: d.state, action: ActionKind::Convene });
    }
    if meeting.at <= now {
        return Err(Refusal::NotInFuture { field: "meeting_time" });
    }
    d.content.participants.retain(|p| !p.walk_in);
    for participant in &mut d.content.participants {
        (participant.present, participant.vote) = (false, None);
    }
    d.meeting = Some(meeting.clone());
    d.resolution.clear();
    (d.outcome, d.publicity) = (None, None);
    d.objections.clear();
    d.items.clear();
    d.state = State::Convened;
    Ok(())
}

fn hold(
    d: &mut Deliberation,
    present: &[u32],
    walk_ins: &[Participant],
    now: OffsetDateTime,
) -> Result<Vec<u32>, Refusal> {
    if let Some(at) = d.meeting.as_ref().map(|meeting| meeting.at).filter(|at| *at > now) {
        return Err(Refusal::MeetingNotYet { at });
    }
    for (i, number) in present.iter().enumerate() {
        let missing = || Refusal::NoSuchNumber { field: format!("present[{i}]") };
        let found = place(*number).and_then(|place| d.content.participants.get_mut(place));
        found.ok_or_else(missing)?.present = true;
    }
    let came = |p: &Participant| Participant { walk_in: true, present: true, vote: None, ..p.clone() };
    d.content.participants.extend(walk_ins.iter().map(came));
    let tally = d.tally();
    let quorate = tally.invited_present >= d.content.quorum.of(tally.invited);
    d.state = if quorate { State::Held } else { State::NotQuorate };
    Ok((1..).zip(&d.content.participants).filter(|(_, p)| p.present).map(|(number, _)| number).collect())
}

fn vote(d: &mut Deliberation, votes: &[(u32, Choice)]) -> Result<Vec<u32>, Refusal> {
    let options = d.content.options.len();
    for (i, (number, choice)) in votes.iter().enumerate() {
        let wrong = |part: &str| Refusal::NoSuchNumber { field: format!("votes[{i}].{part}") };
        let found = place(*number).and_then(|place| d.content.participants.get_mut(place));
        let voter = found.ok_or_else(|| wrong("participant"))?;
        if !voter.present || voter.non_voting {
            return Err(Refusal::CannotVote { participant: *number });
        }
        if voter.vote.is_some() {
            return Err(Refusal::AlreadyVoted { participant: *number });
        }
        if !choice.fits(options) {
            return Err(wrong("vote"));
        }
        voter.vote = Some(*choice);
    }
    Ok(votes.iter().map(|(number, _)| *number).collect())
}

fn end_publicity(d: &mut Deliberation, note: &str, now: OffsetDateTime) -> Result<(), Refusal> {
    if let Some(end) = d.publicity.map(|p| p.end).filter(|end| *end > now) {
        return Err(Refusal::PublicityRunning { end });
    }
    if !d.objections.is_empty() && note.trim().is_empty() {
        return Err(Refusal::ObjectionsUnanswered);
    }
    d.state = State::FollowUp;
    Ok(())
}

fn settle(
    d: &mut Deliberation,
    number: u32,
    settlement: Settlement,
    now: OffsetDateTime,
) -> Result<Vec<u32>, Refusal> {
    let found = place(number).and_then(|place| d.items.get_mut(place));
    let item = found.ok_or_else(|| Refusal::NoSuchNumber { field: "number".to_owned() })?;
    if item.settled.is_some() {
        return Err(Refusal::ItemSettled { number });
    }
    item.settled = Some((settlement, Stamp(now)));
    Ok(vec![number])
}

fn blank(after: &Deliberation, action: ActionKind, actor: &Actor, now: OffsetDateTime) -> Record {
    Record {
        version: after.version,
        action,
        from: None,
        to: after.state,
        subject: actor.subject.clone(),
        role: actor.role,
        unit: actor.unit(after.area),
        at: now,
        note: String::new(),
        numbers: Vec::new(),
        details: serde_json::Value::Null,
    }
}

fn details(given: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(given).expect("no map has other keys than texts")
}
