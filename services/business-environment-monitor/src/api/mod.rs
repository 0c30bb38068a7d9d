//! The handlers, one file for each proto service; each a script: read the request, ask the model, let the store write.

pub mod act;
pub mod actors;
pub mod appointment;
pub mod assistance;
pub mod batch;
pub mod calendar;
pub mod calendars;
pub mod composition;
pub mod core;
pub mod duty;
pub mod enterprise;
pub mod info_item;
pub mod information;
pub mod issue;
pub mod issue_list;
pub mod issue_statistics;
pub mod observation;
pub mod receiver_key;
pub mod repeat;
pub mod report;
pub mod symposium;
pub mod tag;
pub mod transfer;
pub mod watch;
pub mod wire;
pub mod write;

use jingwei_kit::serve::Server;
use jingwei_proto::business_environment_monitor::v1::appointment_service_server::AppointmentServiceServer;
use jingwei_proto::business_environment_monitor::v1::assistance_service_server::AssistanceServiceServer;
use jingwei_proto::business_environment_monitor::v1::calendar_service_server::CalendarServiceServer;
use jingwei_proto::business_environment_monitor::v1::confidential_report_service_server::ConfidentialReportServiceServer;
use jingwei_proto::business_environment_monitor::v1::duty_service_server::DutyServiceServer;
use jingwei_proto::business_environment_monitor::v1::enterprise_service_server::EnterpriseServiceServer;
use jingwei_proto::business_environment_monitor::v1::information_service_server::InformationServiceServer;
use jingwei_proto::business_environment_monitor::v1::issue_service_server::IssueServiceServer;
use jingwei_proto::business_environment_monitor::v1::issue_statistics_service_server::IssueStatisticsServiceServer;
use jingwei_proto::business_environment_monitor::v1::symposium_service_server::SymposiumServiceServer;
use jingwei_proto::business_environment_monitor::v1::tag_service_server::TagServiceServer;
use jingwei_proto::business_environment_monitor::v1::transfer_service_server::TransferServiceServer;

pub use self::calendars::Calendars;
pub use self::core::Core;

/// Adds every service to a server.
pub fn register(server: Server, core: &Core) -> Server {
    server
        .service(AppointmentServiceServer::new(appointment::Appointments(core.clone())))
        .service(CalendarServiceServer::new(calendar::CalendarHandlers(core.clone())))
        .service(DutyServiceServer::new(duty::Duties(core.clone())))
        .service(EnterpriseServiceServer::new(enterprise::Enterprises(core.clone())))
        .service(AssistanceServiceServer::new(assistance::Assistance(core.clone())))
        .service(InformationServiceServer::new(information::Information(core.clone())))
        .service(TransferServiceServer::new(transfer::Transfers(core.clone())))
        .service(ConfidentialReportServiceServer::new(report::Reports(core.clone())))
        .service(IssueServiceServer::new(issue::Issues(core.clone())))
        .service(IssueStatisticsServiceServer::new(issue_statistics::Statistics(core.clone())))
        .service(SymposiumServiceServer::new(symposium::Symposiums(core.clone())))
        .service(TagServiceServer::new(tag::Tags(core.clone())))
}
