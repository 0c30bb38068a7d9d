//! Proto ↔ model, one file for each noun.

pub mod action_request;
pub mod area;
pub mod calendar;
pub mod card;
pub mod category;
pub mod command;
pub mod deliberation;
pub mod deliberation_command;
pub mod department;
pub mod event;
pub mod hand_over;
pub mod limit;
pub mod name;
pub mod note;
pub mod patrol;
pub mod point;
pub mod resident;
pub mod staff;
pub mod statistics;
pub mod sync;
pub mod time;
pub mod transition;
pub mod unit;
pub mod upload;
pub mod work_record;
