//! The grid service: `grid serve` (migrates first), `grid migrate`, or `grid rekey` (seals telephone numbers with the first key). Settings: variables with the prefix `GRID_`.

use std::error::Error;
use std::process::ExitCode;

use jingwei_grid::{Grid, config::Config, migrate};
use jingwei_kit::{clock::Clock, serve, telemetry};
use tokio_util::sync::CancellationToken;
use tonic::Status;

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
    let command = std::env::args().nth(1);
    if command.as_deref() == Some("rekey") {
        let done = config.data_keys.rotate(&config.database.connect().await?).await.map_err(Status::from)?;
        println!("已用新密钥重新加密 {done} 个号码 / {done} numbers sealed with the first key");
    } else if command.as_deref() != Some("migrate") {
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
