//! The processes of a test, with a district, in a folder of their own.

use std::time::Duration;

use jingwei_tests::{District, Error, Ledger, Options, Processes, Proxy};
use tempfile::TempDir;
use tokio::time::Instant;

/// Processes with a district that has what events need.
pub(crate) struct Site {
    pub(crate) processes: Processes,
    pub(crate) district: District,
    _folder: TempDir,
}

impl Site {
    /// As they come.
    pub(crate) async fn start() -> Result<Self, Error> {
        let folder = tempfile::tempdir()?;
        Self::over(Options::new(folder.path()), folder).await
    }

    /// With a proxy between the service and its database.
    pub(crate) async fn behind(proxy: &Proxy) -> Result<Self, Error> {
        let folder = tempfile::tempdir()?;
        let options = Options { database_at: Some(proxy.address()), ..Options::new(folder.path()) };
        let mut processes = Processes::prepare(options).await?;
        proxy.lead_to(processes.postgres());
        processes.serve().await?;
        Self::with(processes, folder).await
    }

    /// With these options, which name the folder.
    pub(crate) async fn over(options: Options, folder: TempDir) -> Result<Self, Error> {
        Self::with(Processes::start(options).await?, folder).await
    }

    async fn with(processes: Processes, folder: TempDir) -> Result<Self, Error> {
        let district = District::all().into_iter().find(|d| d.code == 410_182).ok_or("no such district")?;
        processes.set_up(&district).await?;
        Ok(Self { processes, district, _folder: folder })
    }

    /// Nothing that was acknowledged is lost, nothing is there twice, everything agrees.
    pub(crate) async fn check(&self, ledger: &Ledger) -> Result<(), Error> {
        println!("{}", ledger.summary());
        let faults = ledger.verify(&self.processes, &self.district).await?;
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        Ok(())
    }
}

/// Waits for a condition.
pub(crate) async fn until(
    what: &str,
    mut holds: impl AsyncFnMut() -> Result<bool, Error>,
) -> Result<(), Error> {
    let began = Instant::now();
    while !holds().await? {
        if began.elapsed() > Duration::from_secs(60) {
            return Err(format!("waited in vain until {what}").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
