//! Processor time and memory of each process, from /proc.

use std::fs;
use std::time::{Duration, Instant};

use jingwei_tests::Error;

use crate::record::Record;
use crate::site::Site;

/// The kernel's unit of processor time in /proc: 100 a second on Linux.
const TICKS: f64 = 100.0;
/// How long an idle suite is left alone before it is looked at.
const IDLE: Duration = Duration::from_secs(10);

/// What one part of the suite used.
#[derive(Debug, Clone)]
pub(crate) struct Usage {
    /// Which.
    pub(crate) name: &'static str,
    /// Cores, on average.
    pub(crate) cores: f64,
    /// Memory in MiB at the end; shared pages counted in parts.
    pub(crate) memory: f64,
}

/// Processor time used up to a moment.
pub(crate) struct Meter {
    began: Instant,
    ticks: Vec<f64>,
}

impl Meter {
    /// Starts to count.
    pub(crate) fn start(site: &Site) -> Result<Self, Error> {
        let parts = parts(site)?;
        let ticks = parts.iter().map(|(_, pids)| pids.iter().map(|pid| ticks(*pid)).sum()).collect();
        Ok(Self { began: Instant::now(), ticks })
    }

    /// What was used since.
    pub(crate) fn stop(self, site: &Site) -> Result<Vec<Usage>, Error> {
        let seconds = self.began.elapsed().as_secs_f64();
        let used = parts(site)?.into_iter().zip(self.ticks).map(|((name, pids), before)| {
            let now: f64 = pids.iter().map(|pid| ticks(*pid)).sum();
            let memory = pids.iter().map(|pid| memory(*pid)).sum();
            Usage { name, cores: (now - before) / TICKS / seconds, memory }
        });
        Ok(used.collect())
    }
}

/// What the suite needs when nobody calls.
pub(crate) async fn idle(site: &Site) -> Result<Record, Error> {
    let meter = Meter::start(site)?;
    tokio::time::sleep(IDLE).await;
    Ok(Record { usage: meter.stop(site)?, elapsed: IDLE, ..Record::new("idle") })
}

/// The processes of each part.
fn parts(site: &Site) -> Result<Vec<(&'static str, Vec<u32>)>, Error> {
    let grids = site.processes.grids.iter().filter_map(|grid| grid.pid()).collect();
    let gateway = site.processes.gateway.pid().into_iter().collect();
    let postmaster = site.processes.postgres_pid()?;
    let postgres = children(postmaster).into_iter().chain([postmaster]).collect();
    Ok(vec![
        ("grid", grids),
        ("gateway", gateway),
        ("PostgreSQL", postgres),
        ("load", vec![std::process::id()]),
    ])
}

fn children(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Own and of children that have ended: fields 14 to 17 of stat, after the name in brackets.
fn ticks(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    fields.skip(11).take(4).filter_map(|field| field.parse::<f64>().ok()).sum()
}

/// The proportional set size in MiB.
fn memory(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
