//! `bench`: starts the suite as separate processes on this machine, fills it, puts it under load, and prints a table.
//!
//! Everything runs on one machine: PostgreSQL, the services, the gateway and this load generator share its cores.

mod feed;
mod json;
mod lifecycle;
mod load;
mod pgbench;
mod reads;
mod record;
mod site;
mod spike;
mod table;
mod usage;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use jingwei_tests::Error;

use crate::load::Load;
use crate::record::Record;
use crate::site::{Site, Wanted};
use crate::table::Table;

/// 测量：在本机以独立进程启动整套系统并施加负载 / measures the suite, started as separate processes on this machine.
#[derive(Parser)]
struct Options {
    /// 数据目录，测量之间保留 / the data folder, kept between measurements
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
    /// 至少有这么多事件 / at least so many events
    #[arg(long, default_value_t = 10_000)]
    events: u64,
    /// 事件分布在多少天内 / over how many days the events are spread
    #[arg(long, default_value_t = 90)]
    days: u32,
    /// 在多少个区县施加负载；空库也只填充这些区县 / in how many districts people are at work; an empty database is filled with these only
    #[arg(long, default_value_t = 15)]
    districts: usize,
    /// 每项测量的秒数 / seconds of each measurement
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// 同时进行的调用数 / calls at once
    #[arg(long, default_value_t = 32)]
    at_once: usize,
    /// 数据库连接数 / connections to the database
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// 只做这些 / only these
    #[arg(long, value_delimiter = ',', default_values_t = Part::all())]
    only: Vec<Part>,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Lifecycle,
    Report,
    Get,
    List,
    Queue,
    Statistics,
    Feed,
    Pgbench,
    Spike,
    Idle,
}

impl Part {
    fn all() -> Vec<Self> {
        <Self as clap::ValueEnum>::value_variants().to_vec()
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", format!("{self:?}").to_lowercase())
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let options = Options::parse();
    let wanted = Wanted { events: options.events, days: options.days, districts: options.districts };
    let site = Site::start(&options.folder, options.connections, &wanted).await?;
    let load = Load { at_once: options.at_once, lasting: Duration::from_secs(options.seconds) };
    let mut table = Table::new(site.describe().await?);
    for part in &options.only {
        measure(*part, &site, &load, &options, &mut table).await?;
    }
    println!("{table}");
    Ok(())
}

async fn measure(
    part: Part,
    site: &Site,
    load: &Load,
    options: &Options,
    table: &mut Table,
) -> Result<(), Error> {
    let mut row = |record: Record| table.add(record);
    match part {
        Part::Lifecycle => row(lifecycle::measure(site, load).await?),
        Part::Report => {
            row(reads::report(site, load).await?);
            row(json::report(site, load).await?);
        }
        Part::Get => {
            row(reads::get(site, load).await?);
            row(json::get(site, load).await?);
        }
        Part::List => {
            row(reads::list(site, load).await?);
            row(json::list(site, load).await?);
        }
        Part::Queue => row(reads::queue(site, load).await?),
        Part::Statistics => row(reads::statistics(site, load).await?),
        Part::Feed => row(feed::measure(site, load).await?),
        Part::Pgbench => row(pgbench::measure(site, options.connections, load.lasting).await?),
        Part::Spike => spike::measure(site).await?.into_iter().for_each(row),
        Part::Idle => row(usage::idle(site).await?),
    }
    Ok(())
}
