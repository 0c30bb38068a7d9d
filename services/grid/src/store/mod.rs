//! The only SQL: plain functions over a connection that take and give the model's types.

pub mod area;
pub mod attachment;
pub mod backlog;
pub mod batch;
pub mod calendar;
pub mod card;
pub mod category;
pub mod contact;
pub mod content;
pub mod count;
pub mod deliberation;
pub mod department;
pub mod event;
pub mod event_list;
pub mod hand_over;
pub mod note;
pub mod note_count;
pub mod note_list;
pub mod patrol;
pub mod recount;
pub mod spot;
pub mod staff;
pub mod transition;
pub mod unit;
pub mod upload;
pub mod work_record;
