//! Proto ↔ model, one file for each noun.

pub mod appointment;
pub mod calendar;
pub mod command;
pub mod composition;
pub mod duty;
pub mod enterprise;
pub mod info_item;
pub mod issue;
pub mod issue_statistics;
pub mod name;
pub mod need;
pub mod observation;
pub mod report;
pub mod symposium;
pub mod time;
pub mod transfer;
pub mod transition;
