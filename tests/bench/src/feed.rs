//! The change feed under load: how long after its commit a change reaches readers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jingwei_kit::clock::Clock;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_tests::Error;
use tonic::Streaming;

use crate::lifecycle;
use crate::load::Load;
use crate::record::Record;
use crate::site::Site;

/// How many read each district's changes.
const READERS: usize = 2;

/// Changes that reached readers while lifecycles go on; the times are from the transition's time to the reader.
pub(crate) async fn measure(site: &Site, load: &Load) -> Result<Record, Error> {
    let over = Arc::new(AtomicBool::new(false));
    let mut readers = Vec::new();
    for district in site.districts.iter().flat_map(|district| [district; READERS]) {
        let mut person = site.person(Role::Dispatcher, &district.code.to_string())?;
        let request = pb::WatchEventsRequest { parent: district.name(), ..Default::default() };
        let stream = person.events.watch_events(request).await?.into_inner();
        readers.push(tokio::spawn(read(stream, over.clone())));
    }
    let calls = lifecycle::measure(site, load).await?;
    over.store(true, Ordering::Relaxed);
    let name = format!("feed: changes × {READERS} readers, beside {:.0} lifecycles a second", calls.rate());
    let mut record =
        Record { elapsed: calls.elapsed + crate::load::WARM_UP, usage: calls.usage, ..Record::new(name) };
    for reader in readers {
        record.join(&reader.await?);
    }
    Ok(record)
}

/// Reads until it is over and nothing more comes.
async fn read(mut stream: Streaming<pb::WatchEventsResponse>, over: Arc<AtomicBool>) -> Record {
    let (clock, mut record) = (Clock::system(), Record::new(""));
    loop {
        match tokio::time::timeout(Duration::from_secs(2), stream.message()).await {
            Ok(Ok(Some(change))) => {
                let at = change.transition.and_then(|t| t.create_time).unwrap_or_default();
                let now = clock.now().unix_timestamp_nanos();
                let then = i128::from(at.seconds) * 1_000_000_000 + i128::from(at.nanos);
                let took = u64::try_from(now - then).unwrap_or(0);
                record.note(Duration::from_nanos(took), &Ok(()));
            }
            Ok(Ok(None)) => return record,
            Ok(Err(status)) => {
                record.note(Duration::ZERO, &Err(status));
                return record;
            }
            Err(_) if over.load(Ordering::Relaxed) => return record,
            Err(_) => {}
        }
    }
}
