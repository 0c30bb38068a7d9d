//! The work calendar (工作日历): when a district works, and how deadlines run on it.
//!
//! **Nouns**: shift (班次), holiday (节假日) and make-up working day (调休上班) make a [`Calendar`]; a [`Limit`] (时限) in
//! one of three units of time ends where [`due`] says; [`Segments`] are when a clock ran and when it stood still.
//!
//! **Invariants**: a year without data is said, never guessed ([`NoCalendar`]); working time is exact to the nanosecond; a
//! pause moves a deadline by the time of its unit alone.
//!
//! **Who calls**: the models of the services. Pure: data and time are arguments. `data/` has the holidays that were
//! announced and an office's week, in the shape that [`parse_days`] and [`parse_shifts`] read; a district's own are
//! imported.

mod calendar;
mod deadline;
mod segments;

pub use calendar::{
    CHINA_STANDARD_TIME, Calendar, CalendarDay, CalendarFault, CsvError, CsvProblem, DayKind, NoCalendar,
    Shift, covered_years, parse_days, parse_shifts,
};
pub use deadline::{Limit, TimeUnit, advance, advance_by, due, measure, measure_exact};
pub use segments::{Pace, Segment, Segments, due_after_pause};
