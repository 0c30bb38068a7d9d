//! SIGTERM under load: what runs is finished, what comes later is turned away, nothing acknowledged is lost.

use jingwei_tests::{Clients, Error, Way};

use crate::site::Site;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_under_load_it_ends_in_good_order_and_loses_nothing() -> Result<(), Error> {
    let mut site = Site::start().await?;
    let clients = Clients::start(&site.processes, &site.district, 8).await?;
    for _ in 0..3 {
        clients.progress(&Way::ALL, 16).await?;
        // Bounded by the process's own grace period: `stop` is patient for longer.
        let status = site.processes.grids[0].stop().await?;
        assert!(status.success(), "{status}");
        site.processes.grids[0].start().await?;
        clients.progress(&Way::ALL, 16).await?;
    }
    site.check(&clients.finish().await?).await
}
