//! The grid service: `grid serve` (migrates first), `grid migrate`; `grid rekey` seals telephone numbers with the first key;
//! `grid recount [--district D] [--repair]` compares the counters with all transitions, and fails where they differ and are not
//! repaired; `grid health` asks the running service, for the health check of a container. Settings: variables with the prefix
//! `GRID_`.

use std::error::Error;
use std::process::ExitCode;

use jingwei_grid::{Grid, config::Config, migrate, recount::Recount};
use jingwei_kit::{clock::Clock, pg::Database, serve, telemetry};
use tokio_util::sync::CancellationToken;
use tonic::Status;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let (config, options) = Config::from_env()?;
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    if command.as_deref() == Some("health") {
        serve::ask_health(config.listen).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let telemetry = telemetry::start(options).await?;
    migrate(&config.database).await?;
    let code = match command.as_deref() {
        Some("migrate") => ExitCode::SUCCESS,
        Some("rekey") => rekey(&config).await?,
        Some("recount") => recount(&config.database, Recount::read(arguments)?).await?,
        _ => serve(config).await?,
    };
    telemetry.stop();
    Ok(code)
}

async fn serve(config: Config) -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let stop = CancellationToken::new();
    let grid = Grid::bind(config, Clock::system(), stop.clone()).await?;
    tokio::spawn(async move {
        // Where signals cannot be heard, the process ends by them as it would without this.
        if serve::told_to_stop().await.is_ok() {
            stop.cancel();
        }
    });
    grid.run().await?;
    Ok(ExitCode::SUCCESS)
}

/// Prints how many numbers it sealed again.
async fn rekey(config: &Config) -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let done = config.data_keys.rotate(&config.database.connect().await?).await.map_err(Status::from)?;
    println!("已用新密钥重新加密 {done} 个号码 / {done} numbers sealed with the first key");
    Ok(ExitCode::SUCCESS)
}

/// Prints every difference, and how many there are.
async fn recount(database: &Database, recount: Recount) -> Result<ExitCode, sqlx::Error> {
    let pool = database.connect().await?;
    let found = recount.run(&pool, |district, difference| println!("{district}: {difference}")).await?;
    println!("{found} differences 处不符{}", if recount.repair { ", repaired 已修复" } else { "" });
    Ok(if found == 0 || recount.repair { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
