//! One server as a process of its own: started, killed, told to stop, started again at the same address.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use jingwei_cluster::port;
use jingwei_proto::grid::v1::event_service_server::SERVICE_NAME;
use rustix::process::{Pid, Signal, kill_process};
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::Error;

/// How long a start or an end may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often one that is under way is looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// A server process, killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    program: PathBuf,
    settings: Vec<(String, String)>,
    log: PathBuf,
    address: SocketAddr,
    metrics: SocketAddr,
    child: Option<Child>,
}

impl Process {
    /// A process of the program of that name, which is built beside the running one, not started yet. It gets free ports, its
    /// settings with a prefix, and logs into `folder` under `name`.
    ///
    /// # Errors
    /// The program is not built, or there is no free port.
    pub(crate) fn new(
        program: &str,
        prefix: &str,
        name: &str,
        folder: &Path,
        settings: &[(String, String)],
    ) -> Result<Self, Error> {
        let (address, metrics) = (free_address()?, free_address()?);
        let own = [("LISTEN", address.to_string()), ("METRICS_LISTEN", metrics.to_string())];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
        let settings = own.chain(settings.iter().cloned());
        Ok(Self {
            program: built(program)?,
            settings: settings.map(|(name, value)| (format!("{prefix}{name}"), value)).collect(),
            log: folder.join(format!("{name}.log")),
            address,
            metrics,
            child: None,
        })
    }

    /// Where it listens, or will.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its metrics are.
    pub fn metrics(&self) -> SocketAddr {
        self.metrics
    }

    /// Its log: what it wrote to standard error in all its lives.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Its process id; `None` where it does not run.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Starts it, and waits until it answers that it serves.
    ///
    /// # Errors
    /// It ends, or does not get ready; its log says why.
    pub async fn start(&mut self) -> Result<(), Error> {
        self.spawn()?;
        self.ready().await
    }

    /// Starts it, and does not wait.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn(&mut self) -> Result<(), Error> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.program);
        command.env_clear().envs(self.settings.iter().cloned());
        self.child = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?);
        Ok(())
    }

    /// Waits until it answers that it serves.
    ///
    /// # Errors
    /// It ends, or takes too long.
    pub async fn ready(&mut self) -> Result<(), Error> {
        let channel = Endpoint::from_shared(format!("http://{}", self.address))?.connect_lazy();
        let mut health = HealthClient::new(channel);
        let asked = HealthCheckRequest { service: SERVICE_NAME.to_owned() };
        for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
            let said = health.check(asked.clone()).await;
            if said.is_ok_and(|said| said.get_ref().status() == ServingStatus::Serving) {
                return Ok(());
            }
            if let Some(status) = self.child.as_mut().map(Child::try_wait).transpose()?.flatten() {
                return Err(format!(
                    "{} ended: {status}; see {}",
                    self.program.display(),
                    self.log.display()
                )
                .into());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(format!("{} does not get ready; see {}", self.program.display(), self.log.display()).into())
    }

    /// kill -9.
    ///
    /// # Errors
    /// It does not run.
    pub fn kill(&mut self) -> Result<(), Error> {
        let mut child = self.child.take().ok_or("it does not run")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// SIGTERM, as an operator or an orchestrator says it; does not wait.
    ///
    /// # Errors
    /// It does not run.
    pub fn tell_to_stop(&self) -> Result<(), Error> {
        let child = self.child.as_ref().ok_or("it does not run")?;
        Ok(kill_process(Pid::from_child(child), Signal::TERM)?)
    }

    /// SIGTERM; waits until it has ended.
    ///
    /// # Errors
    /// It does not run, or does not end.
    pub async fn stop(&mut self) -> Result<ExitStatus, Error> {
        self.tell_to_stop()?;
        let child = self.child.as_mut().ok_or("it does not run")?;
        for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
            if let Some(status) = child.try_wait()? {
                self.child = None;
                return Ok(status);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(format!("{} does not end", self.program.display()).into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// A program of the workspace, in the folder of the running program or above it: `target/debug/deps/x` → `target/debug`.
fn built(program: &str) -> Result<PathBuf, Error> {
    let own = std::env::current_exe()?;
    let found = own.ancestors().skip(1).map(|folder| folder.join(program)).find(|path| path.is_file());
    found.ok_or_else(|| {
        format!("{program} is not built: cargo build -p {program} (with the profile of this program)").into()
    })
}

fn free_address() -> Result<SocketAddr, Error> {
    Ok(([127, 0, 0, 1], port::free()?).into())
}
