//! Closed loop: so many callers, each with its next call as soon as the last is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use jingwei_tests::Error;
use tonic::Status;

use crate::record::Record;
use crate::site::Site;
use crate::usage::Meter;

/// How much longer it runs before it counts: caches, connections, prepared statements.
pub(crate) const WARM_UP: Duration = Duration::from_secs(3);

const WARMING_UP: u8 = 0;
const COUNTING: u8 = 1;
const OVER: u8 = 2;

/// A load.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// How many callers.
    pub(crate) at_once: usize,
    /// How long it is measured.
    pub(crate) lasting: Duration,
}

impl Load {
    /// Keeps the callers calling; each is made by `caller` with its number.
    pub(crate) async fn run<C, F>(
        &self,
        site: &Site,
        name: &str,
        caller: impl Fn(usize) -> C,
    ) -> Result<Record, Error>
    where
        C: FnMut() -> F + Send + 'static,
        F: Future<Output = Result<(), Status>> + Send + 'static,
    {
        let phase = Arc::new(AtomicU8::new(WARMING_UP));
        let callers: Vec<_> =
            (0..self.at_once).map(|n| tokio::spawn(keep_calling(caller(n), phase.clone()))).collect();
        tokio::time::sleep(WARM_UP).await;
        let (meter, began) = (Meter::start(site)?, Instant::now());
        phase.store(COUNTING, Ordering::Relaxed);
        tokio::time::sleep(self.lasting).await;
        phase.store(OVER, Ordering::Relaxed);
        let (elapsed, usage) = (began.elapsed(), meter.stop(site)?);
        let mut record = Record { elapsed, usage, ..Record::new(name) };
        for caller in callers {
            record.join(&caller.await?);
        }
        eprintln!("{name}: {:.0}/s, p99 {:.1} ms", record.rate(), record.quantile(0.99));
        Ok(record)
    }
}

async fn keep_calling<F>(mut call: impl FnMut() -> F, phase: Arc<AtomicU8>) -> Record
where
    F: Future<Output = Result<(), Status>>,
{
    let mut record = Record::new("");
    loop {
        let began = Instant::now();
        let outcome = call().await;
        match phase.load(Ordering::Relaxed) {
            WARMING_UP => {}
            COUNTING => record.note(began.elapsed(), &outcome),
            _ => return record,
        }
    }
}
