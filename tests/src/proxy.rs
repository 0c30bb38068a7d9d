//! A TCP proxy whose weather changes: between the service and its database it cuts, stalls, slows down, garbles or closes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::Error;

/// The most that passes in one piece, in bytes.
const PIECE: usize = 16 << 10;

/// What happens to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Everything passes.
    Fair,
    /// Nothing passes, and nobody is told: bytes wait until it is fair again.
    Stalled,
    /// Each piece waits so long before it passes.
    Slow(Duration),
    /// Every byte becomes a zero.
    Garbled,
    /// Connections are cut, and new ones are closed at once.
    Closed,
}

/// A proxy that listens on loopback until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    sky: watch::Sender<Sky>,
    open: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// What connections look at.
#[derive(Debug, Clone, Copy)]
struct Sky {
    weather: Weather,
    server: Option<SocketAddr>,
    /// How often all connections were cut.
    cuts: u64,
    /// How often all connections were forgotten.
    lapses: u64,
}

impl Proxy {
    /// A proxy that leads nowhere yet.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start() -> Result<Self, Error> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (address, open) = (listener.local_addr()?, Arc::<AtomicUsize>::default());
        let (sky, seen) = watch::channel(Sky { weather: Weather::Fair, server: None, cuts: 0, lapses: 0 });
        let task = tokio::spawn(serve(listener, seen, open.clone()));
        Ok(Self { address, sky, open, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it holds.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Leads new connections to a server.
    pub fn lead_to(&self, server: SocketAddr) {
        self.sky.send_modify(|sky| sky.server = Some(server));
    }

    /// Changes the weather, for the connections that there are as well.
    pub fn set(&self, weather: Weather) {
        self.sky.send_modify(|sky| sky.weather = weather);
    }

    /// Cuts every connection; new ones pass.
    pub fn cut(&self) {
        self.sky.send_modify(|sky| sky.cuts += 1);
    }

    /// Forgets every connection, as a firewall does that was started anew: nothing passes any more, and nobody is told. New ones
    /// pass.
    pub fn forget(&self) {
        self.sky.send_modify(|sky| sky.lapses += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, sky: watch::Receiver<Sky>, open: Arc<AtomicUsize>) {
    // Aborted with this task.
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (sky, open) = (sky.clone(), open.clone());
        connections.spawn(async move {
            open.fetch_add(1, Ordering::Relaxed);
            // A connection that broke ends on both sides: that is all there is to say.
            connect(client, sky).await.ok();
            open.fetch_sub(1, Ordering::Relaxed);
        });
        while connections.try_join_next().is_some() {}
    }
}

/// One connection, until a side ends it or it is cut.
async fn connect(client: TcpStream, sky: watch::Receiver<Sky>) -> io::Result<()> {
    let Sky { server, cuts, .. } = *sky.borrow();
    let pumps = async {
        let server = TcpStream::connect(server.ok_or(io::ErrorKind::NotConnected)?).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        tokio::select! {
            end = pump(from_client, to_server, sky.clone()) => end,
            end = pump(from_server, to_client, sky.clone()) => end,
        }
    };
    let mut watched = sky.clone();
    tokio::select! {
        end = pumps => end,
        _ = watched.wait_for(|sky| sky.weather == Weather::Closed || sky.cuts != cuts) => Ok(()),
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut sky: watch::Receiver<Sky>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    let known = sky.borrow().lapses;
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        let passes = |sky: &Sky| sky.weather != Weather::Stalled && sky.lapses == known;
        match sky.wait_for(passes).await.map(|sky| sky.weather) {
            Ok(Weather::Slow(pause)) => tokio::time::sleep(pause).await,
            Ok(Weather::Garbled) => piece[..length].fill(0),
            _ => {}
        }
        to.write_all(&piece[..length]).await?;
    }
}
