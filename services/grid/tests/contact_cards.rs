//! Contact cards (连心卡) through the API: a live view with a stable public link, versions, deliveries.

mod common;

use common::{DISTRICT, Session, Site, area, mask, refusal, request_id, wrong_fields};
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::contact_card_service_client::ContactCardServiceClient;
use jingwei_proto::grid::v1::staff_service_client::StaffServiceClient;
use time::Duration;
use tonic::Code;

const GRID: &str = "410182002011001";
const STREET: &str = "410182002";

/// A server with areas, and what the tests do with it.
struct Cards {
    site: Site,
    cards: ContactCardServiceClient<Session>,
    staff: StaffServiceClient<Session>,
}

impl Cards {
    async fn start() -> Self {
        let site = Site::with_areas().await;
        let cards = ContactCardServiceClient::new(site.administrator());
        let staff = StaffServiceClient::new(site.administrator());
        Self { site, cards, staff }
    }

    async fn card(&mut self, code: &str) -> pb::ContactCard {
        let request = pb::GetContactCardRequest { name: card_name(code) };
        self.cards.get_contact_card(request).await.expect("every area has a card").into_inner()
    }

    async fn post(
        &mut self,
        display_name: &str,
        duty_phone: &str,
        code: &str,
        role: pb::PostingRole,
    ) -> pb::Posting {
        let member = pb::StaffMember {
            display_name: display_name.into(),
            duty_phone: duty_phone.into(),
            ..Default::default()
        };
        let request = pb::CreateStaffMemberRequest {
            parent: DISTRICT.into(),
            staff_member: Some(member),
            ..Default::default()
        };
        let member = self.staff.create_staff_member(request).await.expect("entered").into_inner();
        self.staff.create_posting(posting(&member.name, code, role)).await.expect("posted").into_inner()
    }

    async fn set_phone(&mut self, code: &str, service_phone: &str) {
        let area = pb::Area {
            name: area(code),
            display_name: "不变".into(),
            service_phone: service_phone.into(),
            ..Default::default()
        };
        let request = pb::UpdateAreaRequest {
            area: Some(area),
            update_mask: mask(&["service_phone"]),
            ..Default::default()
        };
        self.site.areas().update_area(request).await.expect("changed");
    }
}

fn posting(member: &str, code: &str, role: pb::PostingRole) -> pb::CreatePostingRequest {
    let posting = pb::Posting {
        staff_member: member.into(),
        area: area(code),
        role: role.into(),
        ..Default::default()
    };
    pb::CreatePostingRequest { parent: DISTRICT.into(), posting: Some(posting), ..Default::default() }
}

fn card_name(code: &str) -> String {
    format!("{}/contactCard", area(code))
}

fn people(card: &pb::ContactCard) -> Vec<(&str, &str)> {
    card.people.iter().map(|p| (p.display_name.as_str(), p.duty_phone.as_str())).collect()
}

#[tokio::test]
async fn a_card_exists_with_its_area_and_follows_its_people() {
    let mut cards = Cards::start().await;
    let empty = cards.card(GRID).await;
    assert_eq!(empty.title, "荥阳市京城路街道永安街社区第一网格");
    assert_eq!((empty.version, people(&empty), empty.service_phone.as_str()), (1, vec![], ""));
    cards.post("医生", "3", GRID, pb::PostingRole::Doctor).await;
    let member = cards.post("网格员", "2", GRID, pb::PostingRole::GridMember).await;
    cards.post("网格长", "1", GRID, pb::PostingRole::GridChief).await;
    let full = cards.card(GRID).await;
    assert_eq!((full.version, people(&full)), (4, vec![("网格长", "1"), ("网格员", "2"), ("医生", "3")]));
    cards.site.clock.advance(Duration::minutes(5));
    let wanted = pb::StaffMember {
        name: member.staff_member.clone(),
        display_name: "新名".into(),
        duty_phone: "22".into(),
        ..Default::default()
    };
    let request = pb::UpdateStaffMemberRequest { staff_member: Some(wanted), ..Default::default() };
    cards.staff.update_staff_member(request).await.expect("changed");
    let changed = cards.card(GRID).await;
    assert_eq!((changed.version, people(&changed)[1]), (5, ("新名", "22")));
    assert_eq!(changed.update_time, Some(common::moment(cards.site.clock.now())));
    let request = pb::EndPostingRequest { name: member.name, reason: "离任".into(), ..Default::default() };
    cards.staff.end_posting(request).await.expect("ended");
    let after = cards.card(GRID).await;
    assert_eq!((after.version, people(&after)), (6, vec![("网格长", "1"), ("医生", "3")]));
    assert_eq!(cards.card("410182002011").await.version, 1, "another area's card is another card");
    let request =
        pb::ListContactCardVersionsRequest { parent: card_name(GRID), page_size: 4, ..Default::default() };
    let newest = cards.cards.list_contact_card_versions(request.clone()).await.expect("a page").into_inner();
    assert_eq!(newest.versions.iter().map(|v| v.version).collect::<Vec<_>>(), [6, 5, 4, 3]);
    assert_eq!(newest.versions[2].people, full.people);
    let request = pb::ListContactCardVersionsRequest { page_token: newest.next_page_token, ..request };
    let oldest = cards.cards.list_contact_card_versions(request).await.expect("a page").into_inner();
    assert_eq!(oldest.versions.iter().map(|v| v.version).collect::<Vec<_>>(), [2, 1]);
}

#[tokio::test]
async fn the_nearest_service_phone_counts() {
    let mut cards = Cards::start().await;
    cards.set_phone(STREET, "0371-2").await;
    assert_eq!(cards.card(GRID).await.service_phone, "0371-2");
    assert_eq!(cards.card(STREET).await.service_phone, "0371-2");
    assert_eq!(cards.card("410182").await.service_phone, "");
    cards.set_phone(GRID, "0371-15").await;
    let own = cards.card(GRID).await;
    assert_eq!((own.service_phone.as_str(), own.version), ("0371-15", 3));
    cards.set_phone(STREET, "0371-22").await;
    let own = cards.card(GRID).await;
    assert_eq!((own.service_phone.as_str(), own.version), ("0371-15", 3), "nothing changed on this card");
    let inherited = cards.card("410182002011").await;
    assert_eq!((inherited.service_phone.as_str(), inherited.version), ("0371-22", 3));
    let created = common::new_area("410182002011002", "第二网格");
    cards.site.areas().create_area(created).await.expect("created");
    let new = cards.card("410182002011002").await;
    assert_eq!((new.service_phone.as_str(), new.version), ("0371-22", 1), "inherited from the start");
}

#[tokio::test]
async fn a_service_phone_to_come_is_on_the_card_from_its_day_on() {
    let mut cards = Cards::start().await;
    let tomorrow = cards.site.clock.now() + Duration::days(1);
    let street = pb::Area {
        name: area(STREET),
        display_name: "不变".into(),
        service_phone: "0371-2".into(),
        ..Default::default()
    };
    let request = pb::UpdateAreaRequest {
        area: Some(street),
        update_mask: mask(&["service_phone"]),
        effective_time: Some(common::moment(tomorrow)),
        ..Default::default()
    };
    cards.site.areas().update_area(request).await.expect("noted");
    let before = cards.card(GRID).await;
    assert_eq!((before.service_phone.as_str(), before.version), ("", 1));
    cards.site.clock.set(tomorrow);
    let mut public = ContactCardServiceClient::new(cards.site.channel.clone());
    for _ in 0..2 {
        let request = pb::GetPublicContactCardRequest { name: before.public_name.clone() };
        let shown = public.get_public_contact_card(request).await.expect("public").into_inner();
        assert_eq!((shown.service_phone.as_str(), shown.version), ("0371-2", 2), "noticed once");
    }
}

#[tokio::test]
async fn the_public_link_is_stable_and_needs_no_token() {
    let mut cards = Cards::start().await;
    let before = cards.card(GRID).await;
    cards.post("网格长", "1", GRID, pb::PostingRole::GridChief).await;
    let card = cards.card(GRID).await;
    assert_eq!(
        (&before.public_name, &before.public_path, &before.qr_svg),
        (&card.public_name, &card.public_path, &card.qr_svg)
    );
    let id = card.public_name.strip_prefix("districts/410182/contactCards/").expect("a public name");
    assert!(id.len() == 12 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{id}");
    assert!(card.public_path.ends_with(&card.public_name), "{}", card.public_path);
    assert!(card.qr_svg.contains("<svg"), "{}", card.qr_svg);
    assert_ne!(card.public_name, cards.card(STREET).await.public_name);
    let mut public = ContactCardServiceClient::new(cards.site.channel.clone());
    let request = pb::GetPublicContactCardRequest { name: card.public_name.clone() };
    let shown = public.get_public_contact_card(request).await.expect("public").into_inner();
    assert_eq!((shown.title, shown.people, shown.version), (card.title, card.people, card.version));
    for name in ["districts/410182/contactCards/000000000000", &card.public_name.replace("410182", "410183")]
    {
        let other = pb::GetPublicContactCardRequest { name: name.to_owned() };
        assert_eq!(
            refusal(public.get_public_contact_card(other).await),
            (Code::NotFound, "NOT_FOUND".into())
        );
    }
    let missing = pb::GetContactCardRequest { name: card_name("410182099") };
    assert_eq!(refusal(cards.cards.get_contact_card(missing).await), (Code::NotFound, "NOT_FOUND".into()));
}

#[tokio::test]
async fn people_posted_at_the_same_moment_are_all_on_the_card() {
    let mut cards = Cards::start().await;
    let mut members = Vec::new();
    for i in 0..8 {
        let posted = cards.post(&format!("员{i}"), "", STREET, pb::PostingRole::GridMember).await;
        members.push(posted.staff_member);
    }
    let calls = members.into_iter().map(|member| {
        let mut staff = StaffServiceClient::new(cards.site.administrator());
        tokio::spawn(async move {
            staff.create_posting(posting(&member, GRID, pb::PostingRole::GridMember)).await
        })
    });
    for call in futures::future::join_all(calls).await {
        call.expect("no panic").expect("none is in another's way");
    }
    let card = cards.card(GRID).await;
    assert_eq!((card.people.len(), card.version), (8, 9));
}

#[tokio::test]
async fn deliveries_are_recorded_by_who_serves_the_area() {
    let mut cards = Cards::start().await;
    cards.post("网格长", "1", GRID, pb::PostingRole::GridChief).await;
    let worker = cards.site.session("worker-7", &[(Role::GridWorker, &area(GRID))]);
    let mut worker = ContactCardServiceClient::new(worker);
    let deliver = |household: &str, version: i64| {
        let delivery = pb::ContactCardDelivery { household: household.into(), version, ..Default::default() };
        pb::RecordDeliveryRequest {
            parent: card_name(GRID),
            delivery: Some(delivery),
            request_id: request_id(),
        }
    };
    let request = deliver("3号楼2单元501", 0);
    let first = worker.record_delivery(request.clone()).await.expect("recorded").into_inner();
    assert_eq!((first.version, first.deliverer.as_str()), (2, "worker-7"));
    assert_eq!(first.deliver_time, Some(common::moment(cards.site.clock.now())));
    assert_eq!(worker.record_delivery(request).await.expect("repeated").into_inner(), first);
    cards.site.clock.advance(Duration::milliseconds(1));
    let second = worker.record_delivery(deliver("3号楼2单元502", 1)).await.expect("an old card").into_inner();
    assert_eq!(second.version, 1);
    let future = worker.record_delivery(deliver("3号楼2单元503", 9)).await;
    assert_eq!(refusal(future), (Code::FailedPrecondition, "REFERENCE_MISSING".into()));
    let elsewhere = pb::RecordDeliveryRequest { parent: card_name(STREET), ..deliver("1号楼", 0) };
    assert_eq!(refusal(worker.record_delivery(elsewhere).await).0, Code::PermissionDenied);
    let unnamed = worker.record_delivery(deliver("", 0)).await;
    assert_eq!(wrong_fields(unnamed), ["delivery.household"]);
    let request = pb::ListDeliveriesRequest { parent: card_name(GRID), page_size: 1, ..Default::default() };
    let newest = worker.list_deliveries(request.clone()).await.expect("a page").into_inner();
    assert_eq!(newest.deliveries, [second]);
    let request = pb::ListDeliveriesRequest { page_token: newest.next_page_token, ..request };
    let oldest = worker.list_deliveries(request).await.expect("a page").into_inner();
    assert_eq!((oldest.deliveries, oldest.next_page_token.as_str()), (vec![first], ""));
}
