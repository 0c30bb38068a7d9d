//! The handlers, one file for each proto service; each a script: read the request, ask the model, let the store write.

pub mod actors;
pub mod area;
pub mod attachment;
pub mod calendar;
pub mod category;
pub mod contact_card;
pub mod core;
pub mod deadlines;
pub mod deliberation;
pub mod deliberation_list;
pub mod department;
pub mod download;
pub mod duplicate;
pub mod event;
pub mod event_list;
mod evidence;
pub mod export;
pub mod hand_over;
pub mod import;
pub mod limit;
mod linked;
pub mod month_bulletin;
pub mod note;
pub mod note_taking;
pub mod numbers;
pub mod patrol;
pub mod patrolling;
pub mod posting;
pub mod public_upload;
mod reach;
pub mod repeat;
pub mod report;
pub mod resident;
pub mod staff;
pub mod statistics;
pub mod sync;
pub mod upload;
pub mod watch;
pub mod wire;
pub mod work_record;
mod workbook;
pub mod write;

use jingwei_kit::serve::Server;
use jingwei_proto::grid::v1::area_service_server::AreaServiceServer;
use jingwei_proto::grid::v1::attachment_service_server::AttachmentServiceServer;
use jingwei_proto::grid::v1::calendar_service_server::CalendarServiceServer;
use jingwei_proto::grid::v1::category_service_server::CategoryServiceServer;
use jingwei_proto::grid::v1::contact_card_service_server::ContactCardServiceServer;
use jingwei_proto::grid::v1::deliberation_service_server::DeliberationServiceServer;
use jingwei_proto::grid::v1::department_service_server::DepartmentServiceServer;
use jingwei_proto::grid::v1::duplicate_service_server::DuplicateServiceServer;
use jingwei_proto::grid::v1::event_service_server::EventServiceServer;
use jingwei_proto::grid::v1::export_service_server::ExportServiceServer;
use jingwei_proto::grid::v1::hand_over_service_server::HandOverServiceServer;
use jingwei_proto::grid::v1::import_service_server::ImportServiceServer;
use jingwei_proto::grid::v1::month_bulletin_service_server::MonthBulletinServiceServer;
use jingwei_proto::grid::v1::note_service_server::NoteServiceServer;
use jingwei_proto::grid::v1::patrol_service_server::PatrolServiceServer;
use jingwei_proto::grid::v1::resident_service_server::ResidentServiceServer;
use jingwei_proto::grid::v1::staff_service_server::StaffServiceServer;
use jingwei_proto::grid::v1::statistics_service_server::StatisticsServiceServer;
use jingwei_proto::grid::v1::sync_service_server::SyncServiceServer;
use jingwei_proto::grid::v1::upload_service_server::UploadServiceServer;
use jingwei_proto::grid::v1::work_record_service_server::WorkRecordServiceServer;

pub use self::core::Core;
use self::deadlines::Deadlines;
use crate::config::Rules;
use crate::files::Files;
use crate::model::apply::{ANSWER_WINDOW, REOPEN_WINDOW};
use crate::seal::Keyring;
use crate::store::group::Group;

/// What some of the handlers work with besides.
pub struct Parts {
    /// Calendars and limits.
    pub deadlines: Deadlines,
    /// What telephone numbers are sealed with.
    pub data_keys: Keyring,
    /// Where files are kept.
    pub files: Files,
}

/// Adds every service to a server.
pub fn register(server: Server, core: &Core, parts: Parts, rules: &Rules) -> Server {
    let Parts { deadlines, data_keys, files } = parts;
    let reopen_window = rules.reopen_window.try_into().unwrap_or(REOPEN_WINDOW);
    let answer_window = rules.answer_window.try_into().unwrap_or(ANSWER_WINDOW);
    let Core { pool, clock, feed } = core.clone();
    let (events_pool, events_clock) = (pool.clone(), clock.clone());
    let events = event::Events {
        sought: Group::new(pool.clone()),
        news: Group::new(pool.clone()),
        changes: Group::new(pool.clone()),
        pool: events_pool,
        clock: events_clock,
        feed,
        deadlines,
        data_keys,
        reopen_window,
        answer_window,
    };
    let cards = contact_card::ContactCards { core: core.clone(), public_url: rules.public_url.clone() };
    let uploads =
        upload::Uploads { core: core.clone(), files: files.clone(), max_bytes: rules.max_upload_bytes };
    let imports = import::Imports { core: core.clone(), events: events.clone(), files: files.clone() };
    let notes = note::Notes { core: core.clone(), events: events.clone() };
    let attachments = attachment::Attachments { notes: notes.clone(), files };
    let patrols = patrol::Patrols(core.clone());
    let syncs = sync::Syncs { notes: notes.clone(), patrols: patrols.clone() };
    server
        .service(ImportServiceServer::new(imports))
        .service(ExportServiceServer::new(export::Exports(core.clone())))
        .service(UploadServiceServer::new(uploads))
        .service(AttachmentServiceServer::new(attachments))
        .service(AreaServiceServer::new(area::Areas(core.clone())))
        .service(DepartmentServiceServer::new(department::Departments(core.clone())))
        .service(StaffServiceServer::new(staff::Staff(core.clone())))
        .service(ContactCardServiceServer::new(cards))
        .service(CategoryServiceServer::new(category::Categories(core.clone())))
        .service(CalendarServiceServer::new(calendar::Calendars(core.clone())))
        .service(ResidentServiceServer::new(resident::Residents::new(events.clone())))
        .service(DuplicateServiceServer::new(duplicate::Duplicates(core.clone())))
        .service(EventServiceServer::new(events))
        .service(MonthBulletinServiceServer::new(month_bulletin::MonthBulletins {
            pool: pool.clone(),
            clock: clock.clone(),
        }))
        .service(DeliberationServiceServer::new(deliberation::Deliberations(core.clone())))
        .service(WorkRecordServiceServer::new(work_record::WorkRecords(core.clone())))
        .service(HandOverServiceServer::new(hand_over::HandOvers(core.clone())))
        .service(StatisticsServiceServer::new(statistics::Statistics { pool, clock }))
        .service(NoteServiceServer::new(notes))
        .service(PatrolServiceServer::new(patrols))
        .service(SyncServiceServer::new(syncs))
}
