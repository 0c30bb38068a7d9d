//! How fast the transcoder is beside prost-reflect's messages with serde: a page of 50 events, both ways, in one run.
//!
//! `cargo run --release -p jingwei-gateway --example transcode`

use std::{error::Error, hint::black_box, time::Instant};

use jingwei_gateway::transcode::{MessageId, Tables};
use jingwei_proto::{grid::v1 as grid, pool};
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use prost_types::Timestamp;

const PAGE: &str = "jingwei.grid.v1.ListEventsResponse";
/// Passes of one measurement; the best of `ROUNDS` counts, as the machine is shared.
const PASSES: u32 = 400;
const ROUNDS: u32 = 9;

fn main() -> Result<(), Box<dyn Error>> {
    let tables = Tables::new(pool());
    let message = tables.message(PAGE).ok_or("no such message")?;
    let described = pool().get_message_by_name(PAGE).ok_or("no such message")?;
    let wire = page().encode_to_vec();
    let mut json = Vec::new();
    tables.to_json(message, &wire, &mut json)?;
    assert_eq!(from_json(&described, &json)?, DynamicMessage::decode(described.clone(), wire.as_slice())?);
    println!(
        "50 events: {} bytes on the wire, {} in JSON; best of {ROUNDS} rounds of {PASSES}",
        wire.len(),
        json.len()
    );
    compare("wire to JSON", || ours_to_json(&tables, message, &wire), || to_json(&described, &wire))?;
    compare("JSON to wire", || ours_to_wire(&tables, message, &json), || to_wire(&described, &json))
}

/// Events as a real page has them: about 600 bytes each.
fn page() -> grid::ListEventsResponse {
    let time = |seconds: i64| Some(Timestamp { seconds: 1_795_392_000 + seconds, nanos: 123_456_000 });
    let unit = |code: &str| grid::Unit {
        kind: Some(grid::unit::Kind::Area(format!("districts/410182/areas/{code}"))),
    };
    let clock = |start: i64| grid::Clock {
        step: grid::EventStep::Handle.into(),
        start_time: time(start),
        due_time: time(start + 86_400),
        unit: grid::TimeUnit::WorkingHours.into(),
        allowed_minutes: 480,
        ..Default::default()
    };
    let event = |n: i64| grid::Event {
        name: format!("districts/410182/events/019c8a5e-7d1f-7c3a-9a55-{n:012x}"),
        case_number: format!("410182-20261122-{n:06}"),
        category: "districts/410182/categories/road-damage".to_owned(),
        area: "districts/410182/areas/410182002011001".to_owned(),
        area_version: 3,
        point: Some(grid::Point { latitude: 34.78912 + n as f64 / 1000.0, longitude: 113.38214 }),
        address: "荥阳市索河街道 \"中原路\" 与索河路交叉口向东五十米".to_owned(),
        description: "路面破损约两平方米，雨后积水，行人与非机动车通行困难，附近有小学，建议尽快修补。"
            .repeat(2),
        reporter: Some(grid::Reporter {
            display_name: "张*".to_owned(),
            phone: "138****0001".to_owned(),
            ..Default::default()
        }),
        evidence: vec![grid::Evidence {
            uri: "https://files.example/410182/a.jpg".to_owned(),
            ..Default::default()
        }],
        state: grid::EventState::Handling.into(),
        desk: Some(unit("410182002011")),
        holder: Some(unit("410182002")),
        accepted_depth: Some(2),
        handling_clock: Some(clock(3600)),
        step_clock: Some(clock(7200)),
        return_count: 1,
        report_time: time(0),
        dispatch_time: time(3600),
        due_time: time(90_000),
        version: 7,
        etag: "AAAAAAAAAAc".to_owned(),
        ..Default::default()
    };
    grid::ListEventsResponse { events: (0..50).map(event).collect(), next_page_token: "NTA=".to_owned() }
}

fn compare<A, B>(
    what: &str,
    ours: impl Fn() -> Result<A, Box<dyn Error>>,
    theirs: impl Fn() -> Result<B, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let (ours, theirs) = (best(ours)?, best(theirs)?);
    println!("{what}: {ours:.1} µs, prost-reflect {theirs:.1} µs, {:.1} times as fast", theirs / ours);
    Ok(())
}

/// Microseconds of one pass.
fn best<T>(pass: impl Fn() -> Result<T, Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..PASSES {
            black_box(pass()?);
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(PASSES));
    }
    Ok(best)
}

fn ours_to_json(tables: &Tables, message: MessageId, wire: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut json = Vec::with_capacity(wire.len() * 2);
    tables.to_json(message, black_box(wire), &mut json)?;
    Ok(json)
}

fn ours_to_wire(tables: &Tables, message: MessageId, json: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut wire = Vec::new();
    tables.to_wire(message, black_box(json), &mut wire)?;
    Ok(wire)
}

fn to_json(described: &MessageDescriptor, wire: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    Ok(serde_json::to_vec(&DynamicMessage::decode(described.clone(), black_box(wire))?)?)
}

fn to_wire(described: &MessageDescriptor, json: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    Ok(from_json(described, black_box(json))?.encode_to_vec())
}

fn from_json(described: &MessageDescriptor, json: &[u8]) -> Result<DynamicMessage, Box<dyn Error>> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let message = DynamicMessage::deserialize(described.clone(), &mut reader)?;
    reader.end()?;
    Ok(message)
}
