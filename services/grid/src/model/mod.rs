//! Types and rules, pure: no I/O, no clock, no randomness.

pub mod action;
pub mod actor;
mod alarm;
pub mod apply;
pub mod arcs;
pub mod area;
pub mod calendar;
pub mod card;
pub mod category;
pub mod clock;
pub mod count;
pub mod deadline;
pub mod department;
mod desk;
pub mod event;
mod merge;
pub mod position;
mod record;
pub mod refusal;
pub mod relation;
pub mod report;
mod requests;
mod routing;
pub mod staff;
pub mod transition;
pub mod unit;
