//! A history that the loader lived through, done again by calls of the public API.

use std::collections::HashMap;

use jingwei_bench::fill::history::Happening;
use jingwei_bench::fill::life::{Birth, Door};
use jingwei_bench::fill::step::{Ask, Step};
use jingwei_grid::sweep::Sweep;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_proto::grid::v1::resident_service_client::ResidentServiceClient;
use time::OffsetDateTime;
use tonic::{Code, Status};

use crate::site::Site;

/// Who does it again.
pub(crate) struct Player<'a> {
    site: &'a Site,
    sweep: Sweep,
    /// The tail of each reporter's number, by case number.
    tails: HashMap<String, String>,
}

impl<'a> Player<'a> {
    pub(crate) fn new(site: &'a Site) -> Self {
        Self { site, sweep: site.sweep(), tails: HashMap::new() }
    }

    /// Does it at its moment. What was refused must be refused again.
    pub(crate) async fn play(&mut self, happening: Happening, at: OffsetDateTime) {
        self.site.clock.set(at);
        match happening {
            Happening::Reported(case_number, birth) => self.report(case_number, &birth).await,
            Happening::Acted(case_number, step) => {
                let done = self.act(&case_number, &step).await;
                done.unwrap_or_else(|status| panic!("{step:?}: {status}"));
            }
            Happening::Refused(case_number, step) => {
                let status = self.act(&case_number, &step).await.expect_err("refused");
                assert_eq!(status.code(), Code::FailedPrecondition, "{step:?}");
            }
            // An alarm of the same event that is due at the same moment was given with the first.
            Happening::Swept(_) => drop(self.sweep.once().await.expect("swept")),
        }
    }

    async fn report(&mut self, case_number: String, birth: &Birth) {
        let request = birth.request.clone();
        let tail = |reporter: &pb::Reporter| reporter.phone.get(7..).unwrap_or_default().to_owned();
        self.tails.insert(case_number.clone(), request.reporter.as_ref().map(tail).unwrap_or_default());
        let session = self.site.session(&birth.by);
        let given = match birth.door {
            Door::Signed => {
                let event = EventServiceClient::new(session).report_event(request).await.expect("reported");
                event.into_inner().case_number
            }
            Door::Public => {
                let submitted = ResidentServiceClient::new(session).submit_report(submitted(request)).await;
                submitted.expect("submitted").into_inner().case_number
            }
        };
        assert_eq!(given, case_number);
    }

    async fn act(&self, case_number: &str, step: &Step) -> Result<(), Status> {
        let session = self.site.session(&step.by);
        let mut events = EventServiceClient::new(session.clone());
        let done = match step.ask.clone() {
            Ask::Confirm(r) => events.confirm_event(r).await,
            Ask::Accept(r) => events.accept_event(r).await,
            Ask::Reject(r) => events.reject_event(r).await,
            Ask::Register(r) => events.register_event(r).await,
            Ask::Void(r) => events.void_event(r).await,
            Ask::Dispatch(r) => events.dispatch_event(r).await,
            Ask::SignFor(r) => events.sign_for_event(r).await,
            Ask::CoHandled(r) => events.complete_co_handling(r).await,
            Ask::Resolve(r) => events.resolve_event(r).await,
            Ask::Pass(r) => events.pass_event(r).await,
            Ask::Fail(r) => events.fail_event(r).await,
            Ask::Return(r) => events.request_return(r).await,
            Ask::ApproveReturn(r) => events.approve_return(r).await,
            Ask::Extension(r) => events.request_extension(r).await,
            Ask::ApproveExtension(r) => events.approve_extension(r).await,
            Ask::Deny(r) => events.deny_request(r).await,
            Ask::Suspension(r) => events.request_suspension(r).await,
            Ask::ApproveSuspension(r) => events.approve_suspension(r).await,
            Ask::Escalate(r) => events.escalate_event(r).await,
            Ask::Settle(r) => events.settle_event(r).await,
            Ask::Reopen(r) => events.reopen_event(r).await,
            Ask::Urge(r) => events.urge_event(r).await,
            Ask::Supervise(r) => events.supervise_event(r).await,
            Ask::Uphold(r) => events.uphold_event(r).await,
            Ask::Answer { solved, rating } => {
                let request = pb::AnswerCaseRequest {
                    parent: format!("districts/{}", &case_number[..6]),
                    case_number: case_number.to_owned(),
                    secret: self.tails[case_number].clone(),
                    solved,
                    rating,
                    comment: String::new(),
                };
                return ResidentServiceClient::new(session).answer_case(request).await.map(|_| ());
            }
        };
        done.map(|_| ())
    }
}

fn submitted(report: pb::ReportEventRequest) -> pb::SubmitReportRequest {
    pb::SubmitReportRequest {
        parent: report.parent,
        category: report.category,
        area: report.area,
        point: report.point,
        address: report.address,
        description: report.description,
        reporter: report.reporter,
        evidence: report.evidence,
        event_id: report.event_id,
        request_id: report.request_id,
        coordinate_system: report.coordinate_system,
    }
}
