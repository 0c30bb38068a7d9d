//! The grid service: `grid serve` (migrates first) or `grid migrate`. Settings: variables with the prefix `GRID_`.

use std::error::Error;
use std::process::ExitCode;

use jingwei_grid::{Grid, config::Config, migrate};
use jingwei_kit::{clock::Clock, serve, telemetry};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (config, options) = Config::from_env()?;
    let telemetry = telemetry::start(options).await?;
    migrate(&config.database).await?;
    if std::env::args().nth(1).as_deref() != Some("migrate") {
        let stop = CancellationToken::new();
        let grid = Grid::bind(config, Clock::system(), stop.clone()).await?;
        tokio::spawn(async move {
            // Where signals cannot be heard, the process ends by them as it would without this.
            if serve::told_to_stop().await.is_ok() {
                stop.cancel();
            }
        });
        grid.run().await?;
    }
    telemetry.stop();
    Ok(())
}
