//! Merging an event into another, and undoing it: nothing is lost on the way.
use uuid::Uuid;

use super::apply::Context;
use super::event::{Event, Merged};
use super::refusal::Refusal;

/// Sets state and clocks aside. The root is another open event of the district; merges do not nest.
pub(super) fn merge(next: &mut Event, root: Uuid, ctx: &Context<'_>) -> Result<(), Refusal> {
    if ctx.has_merged_events {
        return Err(Refusal::HasMergedEvents);
    }
    let fits = ctx.merge_root.is_some_and(|found| {
        found.id == root && root != next.id && found.district == next.district && found.state.is_open()
    });
    if !fits {
        return Err(Refusal::MergeTarget { root });
    }
    next.merged = Some(Merged {
        into: root,
        state: next.state,
        step_clock: next.step_clock.take(),
        handling_clock: next.handling_clock.take(),
    });
    Ok(())
}

/// Puts the clocks back as they were: the time of the merge counts, so merging buys none.
pub(super) fn unmerge(next: &mut Event) -> Result<(), Refusal> {
    if let Some(merged) = next.merged.take() {
        next.step_clock = merged.step_clock;
        next.handling_clock = merged.handling_clock;
    }
    Ok(())
}
