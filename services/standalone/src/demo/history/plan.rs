//! The plan: 3,522 events by the ways that they go, step by step, each step in an hour of a working day.

use jingwei_proto::grid::v1 as pb;
use uuid::Uuid;

use super::super::id;
use super::texts;

/// How many days are lived through.
pub(in crate::demo) const DAYS: usize = 60;
/// Hours of a day in which people act: 08:00 to 17:00.
pub(super) const HOURS: usize = 10;
/// Events reported (上报) on the page.
pub const EVENTS: usize = 3522;
/// Of these accepted at level three, the base grid (三级受理).
pub const LEVEL_THREE: usize = 1312;

/// Casual notes (随手记) taken on the page.
pub const NOTES: usize = 11_580;

/// Settled on the spot by a grid's worker; the rest of level three goes through the grid's chief.
const SETTLED: usize = 480;
/// Accepted by a community (二级) and handled by a grid.
const LEVEL_TWO: usize = 1320;
/// Accepted by the street (一级) and handled by a department.
const LEVEL_ONE: usize = 690;
const REJECTED: usize = 70;
const MERGED: usize = 20;

/// The way an event goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Settled on the spot by the worker.
    Settled,
    /// Accepted and closed by the grid's chief.
    Grid,
    /// Given up to the community and closed there.
    Community,
    /// Given up to the street, handled by a department.
    Street,
    /// Not accepted.
    Rejected,
    /// Merged into another.
    Merged,
    /// Reported in the last days: some are still on their way.
    Open,
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum By {
    /// A worker of the event's grid.
    Worker,
    /// Its chief.
    Chief,
    /// An officer of its community.
    Community,
    /// An officer of the street.
    Street,
    /// The department that handles it.
    Department,
    /// Somebody without a name.
    Public,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Report,
    Submit,
    Confirm,
    Escalate,
    Accept,
    Register,
    DispatchToGrid,
    DispatchToDepartment,
    SignFor,
    Resolve,
    Fail,
    Pass,
    Settle,
    Reject,
    Merge,
    RequestExtension,
    ApproveExtension,
    RequestReturn,
    ApproveReturn,
    Urge,
    Answer { solved: bool, rating: i32 },
}

/// One thing that somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// In which hour: day × `HOURS` + hour of the day.
    pub(super) hour: usize,
    /// The event's number.
    pub(super) event: usize,
    /// The place among the event's steps.
    pub(super) number: usize,
    /// Who.
    pub(super) by: By,
    /// What.
    pub(super) what: What,
}

/// The way of each event, spread over the time by a number that is the same in every load.
pub(super) fn way(event: usize) -> Way {
    let ways = [
        (Way::Settled, SETTLED),
        (Way::Grid, LEVEL_THREE - SETTLED),
        (Way::Community, LEVEL_TWO),
        (Way::Street, LEVEL_ONE),
        (Way::Rejected, REJECTED),
        (Way::Merged, MERGED),
    ];
    let mut place = event;
    for (way, count) in ways {
        if place < count {
            return way;
        }
        place -= count;
    }
    Way::Open
}

/// The event that a merged one is merged into: one of those that the street gives to a department, which stay open for a day.
pub(super) fn root(event: usize) -> usize {
    let (first_merged, first_root) =
        (LEVEL_THREE + LEVEL_TWO + LEVEL_ONE + REJECTED, LEVEL_THREE + LEVEL_TWO);
    match way(event) {
        Way::Merged => first_root + 7 * (event - first_merged),
        _ => event,
    }
}

/// A number below `below` that follows from an event and what it is for.
pub(super) fn roll(event: usize, what: &str, below: usize) -> usize {
    let hash: Uuid = id(&format!("roll {event} {what}"));
    (hash.as_u64_pair().0 % below as u64) as usize
}

/// Whether a resident reported it without signing in: it is verified first, and answered at the end.
pub(super) fn is_public(event: usize) -> bool {
    way(event) == Way::Community && event.is_multiple_of(4)
}

/// Everything that is done, in the order of the hours.
pub(in crate::demo) fn plan() -> Vec<Step> {
    let mut steps: Vec<Step> = (0..EVENTS).flat_map(steps_of).filter(|s| s.hour < DAYS * HOURS).collect();
    steps.sort_by_key(|step| (step.hour, step.event, step.number));
    steps
}

/// When it is reported: what must be through by the end begins a week before it; the open ones begin then.
fn begin(event: usize) -> usize {
    let last_days = 4 * HOURS;
    let most = DAYS * HOURS;
    match way(event) {
        Way::Open => most - last_days + roll(event, "begin", last_days),
        Way::Merged => begin(root(event)) + 1,
        _ => roll(event, "begin", most - 7 * HOURS),
    }
}

fn steps_of(event: usize) -> Vec<Step> {
    let mut walk = Walk { event, hour: begin(event), steps: Vec::new() };
    if is_public(event) {
        walk.next(0, By::Public, What::Submit);
        walk.next(1, By::Chief, What::Confirm);
    } else {
        walk.next(0, By::Worker, What::Report);
    }
    match way(event) {
        Way::Settled => walk.next(1, By::Worker, What::Settle),
        Way::Grid => walk.handle(By::Chief, By::Worker, What::DispatchToGrid),
        Way::Community => {
            walk.next(1, By::Chief, What::Escalate);
            walk.handle(By::Community, By::Worker, What::DispatchToGrid);
        }
        Way::Street | Way::Open => {
            walk.next(1, By::Chief, What::Escalate);
            walk.next(1, By::Community, What::Escalate);
            walk.handle(By::Street, By::Department, What::DispatchToDepartment);
        }
        Way::Rejected => walk.next(1, By::Chief, What::Reject),
        Way::Merged => walk.next(1, By::Street, What::Merge),
    }
    if is_public(event) && roll(event, "answers", 3) > 0 {
        let rating = [5, 5, 5, 4, 4, 4, 5, 3, 2, 1][roll(event, "rating", 10)];
        walk.next(3, By::Public, What::Answer { solved: rating > 2, rating });
    }
    walk.steps
}

/// The steps of one event as they are put together.
struct Walk {
    event: usize,
    hour: usize,
    steps: Vec<Step>,
}

impl Walk {
    fn next(&mut self, later: usize, by: By, what: What) {
        self.hour += later;
        self.steps.push(Step { hour: self.hour, event: self.event, number: self.steps.len(), by, what });
    }

    /// From acceptance to closing, with what goes wrong on the way.
    fn handle(&mut self, desk: By, handler: By, dispatch: What) {
        let one_in = |walk: &Walk, what: &str, n: usize| roll(walk.event, what, n) == 0;
        self.next(1, desk, What::Accept);
        self.next(1, desk, What::Register);
        self.next(1, desk, dispatch);
        if handler == By::Department && one_in(self, "return", 25) {
            self.next(2, handler, What::RequestReturn);
            self.next(1, desk, What::ApproveReturn);
            self.next(1, desk, dispatch);
        }
        self.next(1 + roll(self.event, "signs", 3), handler, What::SignFor);
        if texts::of(self.event).in_days && one_in(self, "extension", 30) {
            self.next(1, handler, What::RequestExtension);
            self.next(1, desk, What::ApproveExtension);
        }
        if one_in(self, "urge", 20) {
            self.next(2, desk, What::Urge);
        }
        // One in eight takes days: late, where the limit is a day or less.
        let slow = one_in(self, "slow", 8);
        self.next(if slow { 25 } else { 1 + roll(self.event, "handles", 6) }, handler, What::Resolve);
        if one_in(self, "fails", 20) {
            self.next(1, desk, What::Fail);
            self.next(3, handler, What::Resolve);
        }
        self.next(1, desk, What::Pass);
    }
}

/// How many notes the worker of a grid takes on a day: the same number each day, dealt out to the grids.
pub(super) fn notes(grid: usize, grids: usize) -> usize {
    const A_DAY: usize = NOTES / DAYS;
    const { assert!(NOTES.is_multiple_of(DAYS)) };
    A_DAY / grids + usize::from(grid < A_DAY % grids)
}

/// What came of it, mostly solved.
pub(super) fn outcome(event: usize) -> pb::EventOutcome {
    match roll(event, "outcome", 20) {
        0 => pb::EventOutcome::PartlySolved,
        1 => pb::EventOutcome::SelfResolved,
        _ => pb::EventOutcome::Solved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_has_the_figures_of_the_page() {
        let steps = plan();
        let count = |test: &dyn Fn(&Step) -> bool| steps.iter().filter(|step| test(step)).count();
        assert_eq!(count(&|s| matches!(s.what, What::Report | What::Submit)), EVENTS);
        let at_level_three = |s: &Step| s.what == What::Settle || s.what == What::Accept && s.by == By::Chief;
        assert_eq!(count(&at_level_three), LEVEL_THREE);
        assert_eq!(steps, plan(), "the same each time");
        assert!(count(&|s| s.what == What::Pass) > 2000);
    }

    #[test]
    fn the_notes_are_dealt_out_to_the_last() {
        for grids in [1, 7, 60] {
            let a_day: usize = (0..grids).map(|grid| notes(grid, grids)).sum();
            assert_eq!(a_day * DAYS, NOTES);
        }
    }

    #[test]
    fn nobody_does_two_things_to_an_event_at_once_but_at_its_begin() {
        for event in 0..EVENTS {
            let steps = steps_of(event);
            assert!(steps.windows(2).all(|pair| pair[0].hour < pair[1].hour), "{event}");
        }
    }
}
