//! System S1 of the newspaper page, 荥阳市京城路街道, played through the public API: the figures come out of the records, whichever way
//! they are asked for, and a recount agrees.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use jingwei_grid::recount::Recount;
use jingwei_kit::clock::Clock;
use jingwei_standalone::demo::history::{EVENTS, LEVEL_THREE, NOTES};
use jingwei_standalone::demo::people::POSTED_CADRES;
use jingwei_standalone::demo::{self, Demo};
use jingwei_standalone::keys::{Grant, read_role, read_scope};
use jingwei_standalone::{Options, Suite};
use serde_json::Value;
use time::Duration;
use time::macros::datetime;
use tokio_util::sync::CancellationToken;

/// The figures of the page that an area has: posted cadres, events reported, accepted at level three, notes.
type Figures = [usize; 4];

const STREET: &str = "districts/410182/areas/410182002";

struct Reader<'a> {
    suite: &'a Suite,
    token: String,
    http: reqwest::Client,
}

impl Reader<'_> {
    async fn get(&self, path: &str) -> Value {
        let url = format!("http://{}/v1/{path}", self.suite.gateway());
        let answer = self.http.get(url).bearer_auth(&self.token).send().await.expect("it answers");
        let (status, text) = (answer.status(), answer.text().await.expect("a text"));
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// The figures of every area one level below.
    async fn below(&self, area: &str) -> Vec<(String, Figures)> {
        let page = self.get(&format!("{area}:childCounts?pageSize=200")).await;
        let counts = page["areaCounts"].as_array().expect("areas").iter();
        counts.map(|area| (area["area"].as_str().expect("a name").to_owned(), figures(area))).collect()
    }
}

/// A 64-bit number is a string in JSON, and 0 is left out.
fn number(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.parse().expect("a number"))
}

fn figures(counts: &Value) -> Figures {
    let levels = counts["acceptedByLevel"].as_array().cloned().unwrap_or_default();
    let level_three =
        levels.iter().find(|level| level["depth"] == 3).map_or(0, |level| number(&level["count"]));
    [number(&counts["postedCadres"]), number(&counts["reported"]), level_three, number(&counts["notes"])]
}

fn sum(areas: &[(String, Figures)]) -> Figures {
    areas.iter().fold([0; 4], |sum, (_, of)| std::array::from_fn(|i| sum[i] + of[i]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_figures_of_the_page_come_out_of_the_records() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("its mode");
    let clock = Clock::manual(datetime!(2026-11-20 08:00 +8));
    let options = Options { dir: dir.path().to_owned(), port: 0, database_url: None, clock: clock.clone() };
    demo::load(&options, Demo::History, &CancellationToken::new()).await.expect("it loads");
    let suite = Suite::start(options).await.expect("it starts");
    let grant = Grant {
        role: read_role("supervisor").expect("a role"),
        scope: read_scope("410182").expect("a scope"),
    };
    let token = suite.key().token("reader", None, &grant, clock.now(), Duration::hours(1)).expect("a token");
    let reader = Reader { suite: &suite, token, http: reqwest::Client::new() };

    let page = [POSTED_CADRES, EVENTS, LEVEL_THREE, NOTES];
    assert_eq!(page, [236, 3522, 1312, 11_580], "the page's own figures");
    assert_eq!(figures(&reader.get(&format!("{STREET}:counts")).await), page);
    assert_eq!(figures(&reader.get("districts/410182/areas/410182:counts").await), page);
    let communities = reader.below(STREET).await;
    assert_eq!(sum(&communities), page, "the communities' sum");
    for (community, of) in &communities {
        assert_eq!(sum(&reader.below(community).await), *of, "the grids' sum of {community}");
    }
    // By day, the trend's points sum up to the same.
    let trend = reader
        .get(&format!("{STREET}:trend?step=TREND_STEP_MONTH&fromDate=2026-09-01&toDate=2026-11-30"))
        .await;
    let points = trend["points"].as_array().expect("points").iter();
    let reported: usize = points.map(|point| number(&point["counts"]["reported"])).sum();
    assert_eq!(reported, EVENTS);

    let pool = suite.grid_database().connect().await.expect("the database answers");
    let differences = Recount::default().run(&pool, |district, found| println!("{district}: {found}")).await;
    assert_eq!(differences.expect("recounted"), 0);
    pool.close().await;
    suite.stop().await.expect("it stops");
}
