//! Routing: who can be given an event, and its way up, down and across, level by level 逐级转办.
use super::area::AreaCode;
use super::event::Event;
use super::refusal::Refusal;
use super::unit::Unit;

/// The deepest level that can give work to a department: the street.
const STREET_DEPTH: u8 = 1;

/// Whether a desk can give work to a unit: an area inside it, or a department from street or district.
pub(super) fn can_give_to(desk: AreaCode, unit: &Unit) -> bool {
    match unit {
        Unit::Area(area) => desk.contains(area),
        Unit::Department(_) => desk.depth() <= STREET_DEPTH,
    }
}

pub(super) fn escalate(next: &mut Event) -> Result<(), Refusal> {
    refuse_if_bound(next)?;
    let holder = next.holder();
    let area = holder.area().ok_or(Refusal::TargetNotAllowed { target: holder })?;
    let parent = area.parent().ok_or(Refusal::NoLevelAbove)?;
    give(next, Unit::Area(parent))
}

pub(super) fn delegate(next: &mut Event, target: AreaCode) -> Result<(), Refusal> {
    if target.parent().is_none() || target.parent() != next.holder().area() {
        return Err(Refusal::TargetNotAllowed { target: Unit::Area(target) });
    }
    give(next, Unit::Area(target))
}

/// Across: to a sibling area, from department to department, or, once dispatched, from street or district to a
/// department.
pub(super) fn transfer(next: &mut Event, target: &Unit) -> Result<(), Refusal> {
    refuse_if_bound(next)?;
    let holder = next.holder();
    let fits = match (&holder, target) {
        (Unit::Area(from), Unit::Area(to)) => from.parent().is_some() && from.parent() == to.parent(),
        (Unit::Area(from), Unit::Department(_)) => {
            next.state.is_with_handler() && from.depth() <= STREET_DEPTH
        }
        (Unit::Department(_), Unit::Department(_)) => true,
        (Unit::Department(_), Unit::Area(_)) => false,
    };
    if !fits || holder == *target {
        return Err(Refusal::TargetNotAllowed { target: target.clone() });
    }
    give(next, target.clone())
}

/// Passing on is as good as returning: a final ruling rules it out.
fn refuse_if_bound(event: &Event) -> Result<(), Refusal> {
    if event.final_ruling && event.state.is_with_handler() { Err(Refusal::RuledFinal) } else { Ok(()) }
}

/// Makes the unit the holder: the lead once dispatched, the desk before.
fn give(next: &mut Event, unit: Unit) -> Result<(), Refusal> {
    next.refuse_while_pending()?;
    match unit.area() {
        Some(area) if !next.state.is_with_handler() => next.desk = area,
        _ => lead_by(next, unit),
    }
    Ok(())
}

/// Makes the unit the lead; the desk moves up as far as it must to be able to give it work.
pub(super) fn lead_by(next: &mut Event, unit: Unit) {
    let levels = std::iter::once(next.desk).chain(next.desk.ancestors());
    next.desk = levels.into_iter().find(|desk| can_give_to(*desk, &unit)).unwrap_or(next.desk);
    next.co_handlers.retain(|handler| handler.unit != unit);
    next.lead = Some(unit);
}
