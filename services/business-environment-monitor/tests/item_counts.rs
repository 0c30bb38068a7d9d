//! Counts of items and issues: the counters are what a full scan finds, whatever happened, and what monitors delivered; races.

mod common;

use std::collections::BTreeSet;

use common::batches::on;
use common::information::{
    Information, experience, item, link, merge, promote, promote_to, unlink, unmerge, visit,
};
use common::{DISTRICT, Site, metadata, refusal};
use futures::future::join_all;
use jingwei_business_environment_monitor::store::duty::{Delivered, delivered};
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use sqlx::PgPool;
use time::macros::{date, datetime};
use tonic::{Code, Response, Status};

/// What is counted in each month: 1 to 6 items by state, 7 items behind an issue, 8 issues. Looks at every item; follows the merges.
const SCAN: &str = "with recursive up as (
    select district, id, month, state, merged_into, id as root from info_item
    union all
    select up.district, up.id, up.month, up.state, i.merged_into, i.id from up
      join info_item i on i.district = up.district and i.id = up.merged_into)
  select to_char(collect_time at time zone interval '8 hours', 'YYYY-MM') as month, state as kind, count(*) from info_item group by 1, 2
  union all
  select to_char(up.month, 'YYYY-MM'), 7, count(*) from up where up.merged_into is null
    and exists (select from info_item_issue l where l.district = up.district and l.item = up.root) group by 1
  union all
  select to_char(i.submit_time at time zone interval '8 hours', 'YYYY-MM'), 8, count(*) from issue i
    where exists (select from info_item_issue l where l.district = i.district and l.issue = i.id) group by 1
  order by 1, 2";

const KEPT: &str =
    "select to_char(month, 'YYYY-MM'), kind, count from info_item_count where count <> 0 order by 1, 2";

/// The body of an item and the columns beside it say the same; so do links, records and roots.
const BROKEN: &str = "select i.id::text from info_item i join info_item r on r.district = i.district and r.id = i.root
  where i.behind <> (r.state = 5) or r.merged_into is not null or (i.merged_into is null and i.root <> i.id)
    or (i.body->>'version')::bigint <> i.version or i.body->>'merged_into' is distinct from i.merged_into::text
    or jsonb_array_length(i.body->'issues') <>
      (select count(*) from info_item_issue l where l.district = i.district and l.item = i.id
         and i.body->'issues' ? l.issue::text)
    or (select count(*) from info_item_record c where c.district = i.district and c.item = i.id) <> i.version";

async fn check(pool: &PgPool) {
    let rows = async |sql| sqlx::query_as::<_, (String, i32, i64)>(sql).fetch_all(pool).await.expect("rows");
    let kept = sqlx::query_as::<_, (String, i16, i64)>(KEPT).fetch_all(pool).await.expect("rows");
    let kept: Vec<_> = kept.into_iter().map(|(month, kind, count)| (month, i32::from(kind), count)).collect();
    assert_eq!(kept, rows(SCAN).await);
    let broken: Vec<String> = sqlx::query_scalar(BROKEN).fetch_all(pool).await.expect("rows");
    assert!(broken.is_empty(), "{broken:?}");
}

/// Numbers without a pattern, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}

/// One step on some items and issues; most are possible now and then only.
async fn step(
    office: &mut Information,
    dice: &mut Dice,
    items: &[String],
    issues: &[String],
) -> Result<(), Status> {
    let (item, other) = (&items[dice.below(items.len())], &items[dice.below(items.len())]);
    let issue = &issues[dice.below(issues.len())];
    match dice.below(16) {
        0..=4 => office.triage_info_item(on!(TriageInfoItemRequest, item)).await,
        5 => office.note_info_item(on!(NoteInfoItemRequest, item)).await,
        6 => {
            let reason = "已解决".into();
            office
                .reject_info_item(pb::RejectInfoItemRequest { reason, ..on!(RejectInfoItemRequest, item) })
                .await
        }
        7..=9 => office.merge_info_item(merge(item, other)).await,
        10 => office.unmerge_info_item(unmerge(item)).await,
        11 => office.promote_info_item(promote(item)).await,
        12 => office.promote_info_item(promote_to(item, issue)).await,
        13 | 14 => office.link_info_item(link(item, issue)).await,
        _ => office.unlink_info_item(unlink(item, issue)).await,
    }
    .map(drop)
}

#[tokio::test]
async fn the_counters_are_what_a_full_scan_finds() {
    let site = Site::with_monitors(&["zhang", "sun"]).await;
    let pool = site.database.connect().await.expect("the database answers");
    let (mut items, mut issues, mut dice, mut done) = (Vec::new(), Vec::new(), Dice(20_260_316), 0);
    // Around the ends of months, where the local month is not the one in UTC.
    for now in [
        datetime!(2026-03-31 23:59:30 +8),
        datetime!(2026-04-01 00:00:10 +8),
        datetime!(2026-05-01 07:59:59 +8),
        datetime!(2026-06-15 12:00 +8),
    ] {
        site.clock.set(now);
        for i in 0..8 {
            items.push(site.collected(["zhang", "sun"][i % 2]).await.name);
        }
        issues.push(site.submitted().await.name);
        let mut office = site.informed();
        for i in 0..150 {
            match step(&mut office, &mut dice, &items, &issues).await {
                Ok(()) => done += 1,
                Err(status) => assert!(
                    matches!(status.code(), Code::FailedPrecondition | Code::InvalidArgument),
                    "{status}"
                ),
            }
            if i % 15 == 0 {
                check(&pool).await;
            }
        }
        check(&pool).await;
    }
    assert!(done > 80, "{done} steps were possible");
    let counts = site.counts().await;
    assert_eq!(counts.collected_count, i64::try_from(items.len()).expect("few"));
    assert_eq!(counts.states.len(), 6);
    assert!(counts.issue_count > 1 && counts.behind_issue_count > counts.issue_count, "{counts:?}");
    // The sums of the months are the whole; for a monitor too.
    let mut sum = 0;
    for month in ["2026-03", "2026-04", "2026-05", "2026-06"] {
        let (from_month, to_month) = (month.to_owned(), month.to_owned());
        let request = pb::GetInfoItemCountsRequest { parent: DISTRICT.into(), from_month, to_month };
        let told = site.informant("wu").get_info_item_counts(request).await.expect("counted").into_inner();
        sum += told.collected_count;
    }
    assert_eq!(sum, counts.collected_count);
}

#[tokio::test]
async fn what_monitors_delivered_is_known_by_person_and_period() {
    let site = Site::with_monitors(&["zhang", "sun"]).await;
    let pool = site.database.connect().await.expect("the database answers");
    for _ in 0..3 {
        site.informant("zhang").create_visit(visit()).await.expect("recorded");
    }
    site.informant("sun").create_experience(experience()).await.expect("recorded");
    let (a, b) = (site.triaged("zhang").await.name, site.triaged("sun").await.name);
    let mut office = site.informed();
    office.merge_info_item(merge(&b, &a)).await.expect("merged");
    office.promote_info_item(promote(&a)).await.expect("promoted");
    site.collected("zhang").await;
    // The last moment of the day, and the first of the next.
    for now in [datetime!(2026-03-16 23:59:58 +8), datetime!(2026-03-16 23:59:59 +8)] {
        site.clock.set(now);
        site.collected("sun").await;
    }
    let person = |person: &str, items, visits, experiences, promoted| Delivered {
        person: person.to_owned(),
        items,
        visits,
        experiences,
        promoted,
    };
    let got = async |from, to| delivered(&pool, 410_183, from, to).await.expect("known");
    let (sixteenth, seventeenth) = (date!(2026 - 03 - 16), date!(2026 - 03 - 17));
    let first = [person("sun", 2, 0, 1, 1), person("zhang", 2, 3, 0, 1)];
    assert_eq!(got(sixteenth, sixteenth).await, first);
    assert_eq!(got(seventeenth, seventeenth).await, [person("sun", 1, 0, 0, 0)]);
    assert_eq!(got(sixteenth, seventeenth).await, [person("sun", 3, 0, 1, 1), first[1].clone()]);
    assert_eq!(got(date!(2026 - 03 - 01), date!(2026 - 03 - 15)).await, []);
    assert_eq!(delivered(&pool, 410_182, sixteenth, seventeenth).await.expect("known"), []);
    office = site.informed();
    office.unmerge_info_item(unmerge(&b)).await.expect("parted");
    assert_eq!(got(sixteenth, sixteenth).await, [person("sun", 2, 0, 1, 0), first[1].clone()]);
}

/// Calls by as many people of the office, by turns to two replicas: all are under way before the first can write, however fast they are.
async fn at_once<Q, T>(
    site: &Site,
    requests: Vec<Q>,
    call: impl AsyncFn(Information, Q) -> Result<Response<T>, Status>,
) -> Vec<Result<T, Status>> {
    let (other, all) = (site.replica().await, i64::try_from(requests.len()).expect("few"));
    let pool = site.database.connect().await.expect("the database answers");
    let mut held = pool.begin().await.expect("begun");
    sqlx::query("select from info_item_count for update").execute(&mut *held).await.expect("locked");
    let calls = requests.into_iter().enumerate().map(|(i, request)| {
        let replica = if i % 2 == 0 { site } else { &other };
        let office = replica.information(&format!("li-{i}"), Role::BusinessEnvironmentOffice);
        (office, request)
    });
    let calls = calls.map(async |(office, request)| call(office, request).await.map(Response::into_inner));
    let release = async {
        while sqlx::query_scalar::<_, i64>(WAITING).fetch_one(&pool).await.expect("counted") < all {}
        held.rollback().await.expect("released");
    };
    tokio::join!(join_all(calls), release).0
}

/// How many wait for a lock.
const WAITING: &str =
    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

#[tokio::test]
async fn of_two_offices_that_decide_on_one_item_one_does() {
    let site = Site::with_monitors(&["zhang"]).await;
    let pool = site.database.connect().await.expect("the database answers");
    for with_etag in [false, true] {
        let read = site.triaged("zhang").await;
        let etag = if with_etag { read.etag.clone() } else { String::new() };
        let decide = async |mut office: Information, rejects: bool| {
            if rejects {
                let reject = pb::RejectInfoItemRequest {
                    reason: "已解决".into(),
                    etag: etag.clone(),
                    ..on!(RejectInfoItemRequest, read.name)
                };
                office.reject_info_item(reject).await
            } else {
                let promote = pb::PromoteInfoItemRequest { etag: etag.clone(), ..promote(&read.name) };
                office.promote_info_item(promote).await
            }
        };
        let answers = at_once(&site, vec![true, false, true, false], decide).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 3));
        let expected = if with_etag {
            (Code::Aborted, "ETAG_MISMATCH")
        } else {
            (Code::FailedPrecondition, "WRONG_STATE")
        };
        for answer in lost {
            assert_eq!(refusal(answer), (expected.0, expected.1.to_owned()));
        }
        assert_eq!(site.item_history(&read.name).await.len(), 3);
    }
    check(&pool).await;
}

#[tokio::test]
async fn eight_that_are_merged_in_a_circle_end_in_one_that_is_not() {
    let site = Site::with_monitors(&["zhang"]).await;
    let pool = site.database.connect().await.expect("the database answers");
    let mut names = Vec::new();
    for _ in 0..8 {
        names.push(site.triaged("zhang").await.name);
    }
    let requests: Vec<_> = (0..8).map(|i| merge(&names[i], &names[(i + 1) % 8])).collect();
    let answers =
        at_once(&site, requests, async |mut office, request| office.merge_info_item(request).await).await;
    let merged: BTreeSet<_> = answers.iter().flatten().map(|item| item.name.clone()).collect();
    assert!((1..8).contains(&merged.len()), "{merged:?}");
    for answer in answers.into_iter().filter(Result::is_err) {
        assert_eq!(refusal(answer), (Code::FailedPrecondition, "ITEM_MERGED".into()));
    }
    // Whichever is asked for, what is named is not merged.
    let one_more = site.triaged("zhang").await.name;
    for name in &merged {
        let refused = site.informed().merge_info_item(merge(&one_more, name)).await;
        let target = metadata(refused, "target").expect("is named");
        assert!(names.contains(&target) && !merged.contains(&target), "{target} is merged itself");
    }
    let counts = site.counts().await;
    let of = |state: pb::InfoItemState| counts.states[state as usize - 1].count;
    let merged = i64::try_from(merged.len()).expect("few");
    assert_eq!((of(pb::InfoItemState::Merged), of(pb::InfoItemState::Triaged)), (merged, 9 - merged));
    check(&pool).await;
}

#[tokio::test]
async fn of_eight_that_link_one_issue_one_does_and_it_counts_once() {
    let site = Site::with_monitors(&["zhang"]).await;
    let pool = site.database.connect().await.expect("the database answers");
    let (first, second) = (site.submitted().await.name, site.submitted().await.name);
    let item = site.triaged("zhang").await.name;
    site.informed().promote_info_item(promote_to(&item, &first)).await.expect("promoted");
    let requests = (0..8).map(|_| link(&item, &second)).collect();
    let answers =
        at_once(&site, requests, async |mut office, request| office.link_info_item(request).await).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for answer in lost {
        assert_eq!(refusal(answer), (Code::FailedPrecondition, "ISSUE_LINKED".into()));
    }
    // Many items at one moment make one issue count once.
    let mut names = Vec::new();
    for _ in 0..8 {
        names.push(site.triaged("zhang").await.name);
    }
    let requests = names.iter().map(|name| promote_to(name, &second)).collect();
    let answers =
        at_once(&site, requests, async |mut office, request| office.promote_info_item(request).await).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let counts = site.counts().await;
    assert_eq!((counts.issue_count, counts.behind_issue_count), (2, 9));
    check(&pool).await;
}

/// Collections and decisions at one moment: nothing is lost, and nobody waits for ever.
#[tokio::test]
async fn collections_and_decisions_do_not_lock_each_other_out() {
    let site = Site::with_monitors(&["zhang", "sun"]).await;
    let pool = site.database.connect().await.expect("the database answers");
    let mut names = Vec::new();
    for _ in 0..8 {
        names.push(site.triaged("zhang").await.name);
    }
    let promotions = names.iter().map(|name| promote(name)).collect();
    let promoting =
        at_once(&site, promotions, async |mut office, request| office.promote_info_item(request).await);
    let collecting = join_all((0..16).map(async |_| site.informant("sun").create_info_item(item()).await));
    let submitting = join_all((0..8).map(async |_| site.monitor().submit_issue(site.submission()).await));
    let (promoted, collected, submitted) = tokio::join!(promoting, collecting, submitting);
    assert!(promoted.iter().all(Result::is_ok), "{promoted:?}");
    assert!(collected.iter().all(Result::is_ok) && submitted.iter().all(Result::is_ok));
    let counts = site.counts().await;
    assert_eq!((counts.collected_count, counts.behind_issue_count, counts.issue_count), (24, 8, 8));
    check(&pool).await;
}
