//! The only SQL: plain functions over a connection that take and give the model's types.

pub mod appointment;
pub mod appointment_record;
pub mod batch;
pub mod calendar;
pub mod duty;
pub mod enterprise;
pub mod info_item;
pub mod info_item_link;
pub mod issue;
pub mod issue_change;
pub mod issue_list;
pub mod issue_statistics;
pub mod need;
pub mod observation;
pub mod receiver_key;
pub mod report;
pub mod symposium;
pub mod transfer;
pub mod transition;
pub mod year_tasks;
