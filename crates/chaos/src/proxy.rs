//! A TCP proxy of our own between any two processes: it can cut a connection, let it hang, delay
//! and throttle it. Neither side can tell it from a bad network.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};

use crate::{
    error::{Doing as _, Result},
    random::Random,
    schedule::How,
};

/// What may wait in a direction of a connection, in pieces of up to 16 KiB.
const PIECES: usize = 64;

/// A listener whose connections lead to a target that may change.
pub struct Proxy {
    address: SocketAddr,
    broken: watch::Sender<Option<How>>,
    target: Arc<Mutex<Option<SocketAddr>>>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Begins to listen, on a port of its own.
    pub async fn start(target: Option<SocketAddr>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.doing(|| "a proxy cannot listen".into())?;
        let address = listener.local_addr().doing(|| "no address".into())?;
        let (broken, state) = watch::channel(None);
        let target = Arc::new(Mutex::new(target));
        let accepting = tokio::spawn(accept(listener, target.clone(), state));
        Ok(Self {
            address,
            broken,
            target,
            accepting,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections lead there from now on.
    pub fn lead_to(&self, target: Option<SocketAddr>) {
        if let Ok(mut current) = self.target.lock() {
            *current = target;
        }
    }

    /// Breaks it, or with `None` heals it.
    pub fn set(&self, how: Option<How>) {
        self.broken.send_replace(how);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    target: Arc<Mutex<Option<SocketAddr>>>,
    state: watch::Receiver<Option<How>>,
) {
    while let Ok((client, peer)) = listener.accept().await {
        let seed = u64::from(peer.port());
        let target = target.lock().map_or(None, |target| *target);
        tokio::spawn(connection(client, target, state.clone(), seed));
    }
}

async fn connection(
    client: TcpStream,
    target: Option<SocketAddr>,
    mut state: watch::Receiver<Option<How>>,
    seed: u64,
) {
    let mut cut = state.clone();
    let work = async {
        flowing(&mut state).await?;
        let server = TcpStream::connect(target?).await.ok()?;
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::join!(
            direction(from_client, to_server, state.clone(), Random::of(seed, 1)),
            direction(from_server, to_client, state, Random::of(seed, 2)),
        );
        Some(())
    };
    // Both ends are dropped, and with them closed, as soon as the link is cut.
    tokio::select! {
        _ = cut.wait_for(|how| *how == Some(How::Cut)) => {}
        _ = work => {}
    }
}

/// Waits while nothing arrives. `None` when the proxy is gone.
async fn flowing(state: &mut watch::Receiver<Option<How>>) -> Option<()> {
    let moves = |how: &Option<How>| *how != Some(How::Hang);
    state.wait_for(moves).await.ok().map(|_| ())
}

/// Carries one direction. Reading and writing are apart, so that a delay is a delay and not a limit
/// of the rate.
async fn direction(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<Option<How>>,
    mut random: Random,
) {
    let (pieces, mut waiting) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES);
    let looking = state.clone();
    let read = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(size @ 1..) = from.read(&mut buffer).await {
            let due = Instant::now() + delay(*looking.borrow(), &mut random);
            if pieces.send((due, buffer[..size].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let write = async move {
        while let Some((due, piece)) = waiting.recv().await {
            tokio::time::sleep_until(due).await;
            if flowing(&mut state).await.is_none() || to.write_all(&piece).await.is_err() {
                return;
            }
            let how = *state.borrow();
            if let Some(How::Slow { rate, .. }) = how {
                let took = piece.len() as f64 / rate as f64;
                tokio::time::sleep(Duration::from_secs_f64(took)).await;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}

fn delay(how: Option<How>, random: &mut Random) -> Duration {
    match how {
        Some(How::Slow {
            latency, jitter, ..
        }) => Duration::from_millis(latency + random.below(jitter + 1)),
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
#[path = "proxy_tests.rs"]
mod tests;
