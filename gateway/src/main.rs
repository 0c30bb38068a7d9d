//! The gateway as a process of its own: settings from the environment, with the prefix `GATEWAY_`. `gateway health` asks the
//! running one whether it is ready, for the health check of a container.

use std::{net::SocketAddr, process::ExitCode};

use bytes::Bytes;
use http_body_util::Empty;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use jingwei_gateway::{Settings, listen, run};
use jingwei_kit::{config, serve::told_to_stop, telemetry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> ExitCode {
    match start().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes = std::iter::successors(Some(&*error), |e| e.source()).map(ToString::to_string);
            eprintln!("{}", causes.collect::<Vec<_>>().join(": "));
            ExitCode::FAILURE
        }
    }
}

async fn start() -> Result<(), Box<dyn std::error::Error>> {
    let mut variables = config::Settings::from_env("GATEWAY_");
    let settings = Settings::read(&mut variables);
    let address = listen(&mut variables);
    let options = telemetry::Options::read("gateway", &mut variables);
    variables.finish()?;
    if std::env::args().nth(1).as_deref() == Some("health") {
        return ask_health(address).await;
    }
    let telemetry = telemetry::start(options).await?;
    let listener = TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    let stop = CancellationToken::new();
    let told = stop.clone();
    // Without a signal handler the process ends the hard way.
    tokio::spawn(async move { told_to_stop().await.map(|()| told.cancel()) });
    run(settings, listener, stop).await?;
    telemetry.stop();
    Ok(())
}

/// Whether the gateway at `address` is ready; an address such as 0.0.0.0 leads to this machine.
async fn ask_health(address: SocketAddr) -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let status = client.get(format!("http://{address}/readyz").parse()?).await?.status();
    if status.is_success() { Ok(()) } else { Err(format!("/readyz: {status}").into()) }
}
