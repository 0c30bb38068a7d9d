//! A spike: ten times the steady load for ten seconds, by callers who do not wait for each other (open loop).

use std::time::{Duration, Instant};

use jingwei_tests::Error;
use tokio::sync::mpsc;
use tonic::Status;

use crate::lifecycle::Team;
use crate::load::Load;
use crate::reads::teams;
use crate::record::Record;
use crate::site::Site;
use crate::usage::Meter;

/// Reports per second before and after the spike, and in it.
const STEADY: u32 = 300;
const SPIKE: u32 = 10 * STEADY;
/// How long each part lasts.
const PART: Duration = Duration::from_secs(10);
/// How many different people report.
const TEAMS: usize = 64;

/// What came of one call: when it was due, how long after that it was answered, with what.
type Fate = (Duration, Duration, Result<(), Status>);

/// Steady, spike, recovery: three records, and how soon the calls were as quick as before.
pub(crate) async fn measure(site: &Site) -> Result<Vec<Record>, Error> {
    let teams = teams(site, &Load { at_once: TEAMS, lasting: PART })?;
    let (meter, began) = (Meter::start(site)?, Instant::now());
    let (fates, mut told) = mpsc::unbounded_channel();
    let mut people = teams.iter().cycle();
    for (part, rate) in [STEADY, SPIKE, STEADY].into_iter().enumerate() {
        let start = PART * u32::try_from(part)?;
        let pause = Duration::from_secs(1) / rate;
        for n in 0..rate * u32::try_from(PART.as_secs())? {
            let due = start + pause * n;
            tokio::time::sleep_until((began + due).into()).await;
            let (team, fates) = (people.next().cloned().ok_or("nobody reports")?, fates.clone());
            tokio::spawn(async move {
                let outcome = report(&team).await;
                // The reader is there until all are told.
                fates.send((due, began.elapsed().saturating_sub(due), outcome)).ok();
            });
        }
    }
    drop(fates);
    let mut records =
        ["steady", "spike", "after the spike"].map(|name| Record { elapsed: PART, ..Record::new(name) });
    let mut all: Vec<Fate> = Vec::new();
    while let Some(fate) = told.recv().await {
        all.push(fate);
    }
    for (due, took, outcome) in &all {
        let part = (due.as_secs() / PART.as_secs()) as usize;
        records[part.min(2)].note(*took, outcome);
    }
    let recovered = recovery(&all, records[0].quantile(0.99));
    for (record, rate) in records.iter_mut().zip([STEADY, SPIKE, STEADY]) {
        record.name = format!("{}: {rate} reports a second, open loop", record.name);
    }
    records[2].name.push_str(&format!("; as quick as before after {recovered:.0} s"));
    records[2].usage = meter.stop(site)?;
    Ok(records.into())
}

async fn report(team: &Team) -> Result<(), Status> {
    team.worker.events.clone().report_event(team.report()).await.map(drop)
}

/// Seconds after the spike until no call fails and a second's p99 is at most twice what it was before, or 20 ms.
fn recovery(all: &[Fate], before: f64) -> f64 {
    let after = PART.as_secs() * 2;
    let quick = Duration::from_secs_f64((before * 2.0).max(20.0) / 1000.0);
    let late = all
        .iter()
        .filter(|(due, took, outcome)| due.as_secs() >= after && (outcome.is_err() || *took > quick));
    let mut late_by_second = std::collections::BTreeMap::<u64, u32>::new();
    for (due, ..) in late {
        *late_by_second.entry(due.as_secs() - after).or_default() += 1;
    }
    late_by_second
        .iter()
        .rfind(|(_, count)| **count > STEADY / 100)
        .map_or(0.0, |(second, _)| *second as f64 + 1.0)
}
