//! The business-environment monitor's process: `serve` (the default; migrates first), `migrate`, and `health`, which asks the
//! running service, for the health check of a container. Settings: variables with the prefix `BUSINESS_ENVIRONMENT_MONITOR_`.

use std::error::Error;
use std::process::ExitCode;

use jingwei_business_environment_monitor::{Monitor, config::Config, migrate};
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
    let command = std::env::args().nth(1).unwrap_or_else(|| "serve".to_owned());
    if command == "health" {
        return Ok(serve::ask_health(config.listen).await?);
    }
    let telemetry = telemetry::start(options).await?;
    migrate(&config.database).await?;
    match command.as_str() {
        "migrate" => {}
        "serve" => serve(config).await?,
        other => {
            return Err(format!("没有命令 {other} / no command {other}: serve, migrate or health").into());
        }
    }
    telemetry.stop();
    Ok(())
}

async fn serve(config: Config) -> Result<(), Box<dyn Error + Send + Sync>> {
    let stop = CancellationToken::new();
    let monitor = Monitor::bind(config, Clock::system(), stop.clone()).await?;
    tokio::spawn(async move {
        // Where signals cannot be heard, the process ends by them as it would without this.
        if serve::told_to_stop().await.is_ok() {
            stop.cancel();
        }
    });
    monitor.run().await
}
