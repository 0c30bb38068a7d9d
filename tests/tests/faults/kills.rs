//! kill -9 at random moments under load.

use std::env;
use std::time::Duration;

use jingwei_tests::{Clients, Error, Way};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection as _, PgConnection};
use tokio::time::Instant;

use crate::site::Site;

/// How many clients there are on each way.
const CLIENTS: usize = 4;
/// The longest time between two kills, beside that until all clients go on, in milliseconds.
const LONGEST: u64 = 400;
/// How many requests must be acknowledged on each way after a kill: then the service is back.
const BACK: u64 = 8;

/// What is killed.
#[derive(Debug, Clone, Copy)]
enum Victim {
    /// The grid service; an orchestrator starts it again.
    Grid,
    /// PostgreSQL's first process; an orchestrator starts it again.
    Postgres,
    /// One of the processes that serve a connection; PostgreSQL cuts all connections and recovers by itself.
    Backend,
}

/// `KILLS` says how many (8), `SEED` which ones; `make kills` does 100.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kills_at_random_moments() -> Result<(), Error> {
    let kills = env::var("KILLS").map_or(Ok(8), |text| text.parse())?;
    let seed = env::var("SEED").map_or_else(|_| Ok(fastrand::u64(..)), |text| text.parse())?;
    println!("KILLS={kills} SEED={seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut site = Site::start().await?;
    let clients = Clients::start(&site.processes, &site.district, CLIENTS).await?;
    let began = Instant::now();
    let mut slowest = Duration::ZERO;
    for _ in 0..kills {
        clients.progress(&Way::ALL, 1).await?;
        // The random moment is what is tested: nothing is waited for.
        tokio::time::sleep(Duration::from_millis(chance.u64(..LONGEST))).await;
        let victim = [Victim::Grid, Victim::Postgres, Victim::Backend][chance.usize(..3)];
        let killed = Instant::now();
        kill(&mut site, victim, &mut chance).await?;
        clients.progress(&Way::ALL, BACK).await?;
        println!("{victim:?}: back after {:?}", killed.elapsed());
        slowest = slowest.max(killed.elapsed());
    }
    println!("{kills} kills in {:?}, slowest back after {slowest:?}", began.elapsed());
    site.check(&clients.finish().await?).await
}

async fn kill(site: &mut Site, victim: Victim, chance: &mut fastrand::Rng) -> Result<(), Error> {
    match victim {
        Victim::Grid => {
            site.processes.grids[0].kill()?;
            site.processes.grids[0].start().await
        }
        Victim::Postgres => {
            site.processes.kill_postgres()?;
            site.processes.restart_postgres().await
        }
        Victim::Backend => {
            let backends = backends(&site.processes.database()).await?;
            let chosen = backends[chance.usize(..backends.len())];
            Ok(kill_process(Pid::from_raw(chosen).ok_or("no process id")?, Signal::KILL)?)
        }
    }
}

/// The process ids of the service's connections.
async fn backends(database: &str) -> Result<Vec<i32>, Error> {
    let mut connection = PgConnection::connect(database).await?;
    let sql = "select pid from pg_stat_activity where usename = 'jingwei_grid' order by pid";
    let backends = sqlx::query_scalar(sql).fetch_all(&mut connection).await?;
    connection.close().await?;
    Ok(backends)
}
