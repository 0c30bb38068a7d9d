//! Apply: one action on one symposium, by the table.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use super::{Command, Invitee, Record, Refusal, State, Suggestion, Symposium};
use crate::model::actor::{Actor, Role};

/// How many are invited at most.
const INVITEES: usize = 500;
/// How much is suggested at most.
const SUGGESTIONS: usize = 200;

/// A new symposium, as given: planned, with those invited.
///
/// # Errors
/// Blank texts, somebody invited twice, too many.
pub fn plan(given: Symposium, actor: &Actor, now: OffsetDateTime) -> Result<(Symposium, Record), Refusal> {
    check_actor(&given, actor)?;
    for (field, text) in [("title", &given.title), ("place", &given.place)] {
        require(field, text)?;
    }
    check_invitees("invitees", &given.invitees)?;
    let symposium = Symposium { state: State::Planned, version: 1, ..given };
    let record = Record {
        version: 1,
        action: "PLAN",
        from: None,
        to: State::Planned,
        by: actor.subject.clone(),
        at: now,
    };
    Ok((symposium, record))
}

/// The symposium after a command, and its record.
///
/// # Errors
/// In this order: who, the state, then what the command needs.
pub fn apply(
    before: &Symposium,
    command: &Command,
    actor: &Actor,
    now: OffsetDateTime,
) -> Result<(Symposium, Record), Refusal> {
    check_actor(before, actor)?;
    let (action, from, to) = command.arc();
    if !from.contains(&before.state) {
        return Err(Refusal::WrongState { state: before.state });
    }
    let mut after = before.clone();
    change(&mut after, command)?;
    after.state = to.unwrap_or(before.state);
    after.version += 1;
    let record = Record {
        version: after.version,
        action,
        from: Some(before.state),
        to: after.state,
        by: actor.subject.clone(),
        at: now,
    };
    Ok((after, record))
}

fn change(after: &mut Symposium, command: &Command) -> Result<(), Refusal> {
    match command {
        Command::Invite(more) => {
            after.invitees.extend(more.iter().cloned());
            check_invitees("invitees", &after.invitees)?;
        }
        Command::Hold(present) => {
            check_invitees("present", present)?;
            if !present.iter().all(|invitee| after.invitees.contains(invitee)) {
                return Err(Refusal::NotInvited);
            }
            if !after.suggestions.iter().all(|suggestion| present.contains(&suggestion.invitee)) {
                return Err(Refusal::Suggested);
            }
            after.present.clone_from(present);
        }
        Command::Suggest { invitee, text } => suggest(after, invitee, text)?,
        Command::Follow { number, outcome } => {
            if let super::Outcome::Answer(text) = outcome {
                require("answer", text)?;
            }
            let place = number.checked_sub(1).and_then(|place| after.suggestions.get_mut(place));
            place.ok_or(Refusal::NoSuchSuggestion)?.outcome = Some(outcome.clone());
        }
        Command::PublishMinutes(minutes) => {
            require("minutes", minutes)?;
            after.minutes.clone_from(minutes);
        }
        Command::PublishFollowUp(follow_up) => {
            require("follow_up", follow_up)?;
            if after.suggestions.iter().any(|suggestion| suggestion.outcome.is_none()) {
                return Err(Refusal::SuggestionsOpen);
            }
            after.follow_up.clone_from(follow_up);
        }
        Command::Cancel(reason) => {
            require("reason", reason)?;
            after.cancel_reason.clone_from(reason);
        }
    }
    Ok(())
}

fn suggest(after: &mut Symposium, invitee: &Invitee, text: &str) -> Result<(), Refusal> {
    require("text", text)?;
    if !after.present.contains(invitee) {
        return Err(Refusal::NotPresent);
    }
    if after.suggestions.len() >= SUGGESTIONS {
        return Err(Refusal::TooMany { field: "text", limit: SUGGESTIONS });
    }
    after.suggestions.push(Suggestion { invitee: invitee.clone(), text: text.to_owned(), outcome: None });
    Ok(())
}

fn check_actor(symposium: &Symposium, actor: &Actor) -> Result<(), Refusal> {
    let office = actor.role == Role::Office && actor.district == symposium.district;
    if office { Ok(()) } else { Err(Refusal::NotAllowed) }
}

fn check_invitees(field: &'static str, invitees: &[Invitee]) -> Result<(), Refusal> {
    if invitees.iter().collect::<BTreeSet<_>>().len() != invitees.len() {
        return Err(Refusal::NamedTwice { field });
    }
    if invitees.len() > INVITEES {
        return Err(Refusal::TooMany { field, limit: INVITEES });
    }
    Ok(())
}

fn require(field: &'static str, text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() { Err(Refusal::Missing { field }) } else { Ok(()) }
}
