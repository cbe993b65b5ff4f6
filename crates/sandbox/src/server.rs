//! Starts and stops a sandbox, and serves its connections.
//!
//! Connections are served directly on hyper because a provider that misbehaves must be able to
//! drop a connection without an answer, which a well-behaved server does not offer.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::Uri;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::carrier::{Book, Carrier};
use crate::config::Config;
use crate::engine::Engine;
use crate::http::{App, HangUp, Secret, routes};
use crate::ids::Ids;
use crate::ledger::{Delays, Ledger};
use crate::sender::Sender;
use crate::store::Store;
use crate::tokens::Vault;
use crate::webhooks::Dispatcher;

/// Connections at the same time, at most; more wait to be accepted.
const MAX_CONNECTIONS: usize = 4_096;
/// How long a shutdown waits for requests under way.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be made or written.
    #[error("the sandbox's data directory {path} cannot be used: {source}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The database cannot be opened; perhaps another process has it.
    #[error("the sandbox's database cannot be opened: {0}")]
    Database(#[from] rusqlite::Error),
    /// A setting is wrong.
    #[error("the sandbox's setting {name} {reason}")]
    Setting {
        /// The field of [`Config`].
        name: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No thread, no address, no randomness.
    #[error("the sandbox cannot start: {0}")]
    System(#[from] std::io::Error),
}

/// A running provider. Dropping it stops it without waiting.
pub struct Sandbox {
    url: String,
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// Starts a provider on `listener`; it answers as soon as this returns. Must be called inside a
/// tokio runtime with I/O and time.
pub async fn start(listener: TcpListener, config: Config) -> Result<Sandbox, StartError> {
    let address = listener.local_addr()?;
    let url = public_url(&config, address)?;
    let carrier_url = webhook_url("carrier_webhook_url", config.carrier_webhook_url.as_ref())?;
    let webhook_url = webhook_url("webhook_url", config.webhook_url.as_ref())?;
    check_keys(&config)?;

    let opening = {
        let config = config.clone();
        tokio::task::spawn_blocking(move || open(&config))
    };
    let (store, root, book) = opening.await.map_err(std::io::Error::other)??;
    let ids = Arc::new(Ids::new(&derive(&root, "ids")));
    let delays = webhook_url.is_some().then_some(Delays {
        late: config.late_webhook,
        held: config.reorder_hold,
        first: config.webhook_timeout + config.retry.first,
    });
    let ledger = Ledger::new(store, Arc::clone(&ids), url.clone(), delays)?;
    let new_webhooks = Arc::new(Notify::new());
    let (engine, thread) = Engine::start(ledger, Arc::clone(&new_webhooks))?;

    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let sender = webhook_url.map(|to| {
        Arc::new(Sender::new(
            to,
            &config.webhook_secret,
            config.webhook_timeout,
        ))
    });
    if let Some(sender) = &sender {
        let dispatcher = Dispatcher::new(
            engine.clone(),
            Arc::clone(sender),
            config.retry,
            config.webhook_concurrency,
        );
        tasks.spawn(dispatcher.run(new_webhooks, stop.clone()));
    }
    let app = App {
        engine,
        ids,
        vault: Vault::new(&derive(&root, "tokens")),
        sender,
        api_key: Secret::new(&config.api_key),
        publishable_key: Secret::new(&config.publishable_key),
        hold: config.hold,
        stop: stop.clone(),
    };
    let carrier = Carrier::start(book, &config, carrier_url, &stop, &tasks);
    tasks.spawn(accept(
        listener,
        routes(Arc::new(app), carrier.routes()),
        stop.clone(),
        tasks.clone(),
    ));
    tracing::info!(%address, "sandbox payment provider and carrier are up");
    Ok(Sandbox {
        url,
        address,
        stop,
        tasks,
        thread: Some(thread),
    })
}

impl Sandbox {
    /// The address of the provider, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets requests under way finish (at most ten seconds; held connections
    /// are dropped at once), and closes the database. Undelivered webhooks wait there.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        if let Some(thread) = self.thread.take() {
            // With the tasks gone nobody holds the engine: its thread is ending.
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the sandbox's ledger thread had failed");
            }
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn public_url(config: &Config, address: SocketAddr) -> Result<String, StartError> {
    match &config.public_url {
        Some(url) if crate::page::is_return_url(url) => Ok(url.trim_end_matches('/').to_owned()),
        Some(_) => Err(StartError::Setting {
            name: "public_url",
            reason: "must be an http or https address",
        }),
        None if address.ip().is_unspecified() => Ok(format!("http://127.0.0.1:{}", address.port())),
        None => Ok(format!("http://{address}")),
    }
}

fn webhook_url(name: &'static str, url: Option<&String>) -> Result<Option<Uri>, StartError> {
    let Some(url) = url else {
        return Ok(None);
    };
    match url.parse::<Uri>() {
        Ok(uri) if uri.scheme_str() == Some("http") && uri.host().is_some() => Ok(Some(uri)),
        _ => Err(StartError::Setting {
            name,
            reason: "must be an http:// address",
        }),
    }
}

fn check_keys(config: &Config) -> Result<(), StartError> {
    let keys = [
        ("api_key", &config.api_key),
        ("publishable_key", &config.publishable_key),
        ("webhook_secret", &config.webhook_secret),
    ];
    match keys.into_iter().find(|(_, key)| key.is_empty()) {
        Some((name, _)) => Err(StartError::Setting {
            name,
            reason: "must not be empty",
        }),
        None => Ok(()),
    }
}

/// Opens the database and reads, or makes, the root secret of identifiers and tokens.
fn open(config: &Config) -> Result<(Store, Vec<u8>, Book), StartError> {
    let folder = match &config.data {
        Some(path) => {
            let failed = |source| StartError::Directory {
                path: path.clone(),
                source,
            };
            std::fs::create_dir_all(path).map_err(failed)?;
            Some(path)
        }
        None => None,
    };
    let file = |name: &str| folder.map(|path| path.join(name));
    let store = Store::open(file("sandbox.sqlite").as_deref())?;
    let book = Book::open(file("carrier.sqlite").as_deref())?;
    let fresh = match config.seed {
        Some(seed) => seed.to_be_bytes().to_vec(),
        None => {
            let mut secret = vec![0; 32];
            SystemRandom::new()
                .fill(&mut secret)
                .map_err(|_| std::io::Error::other("no randomness"))?;
            secret
        }
    };
    let root = store.meta("root", || fresh)?;
    Ok((store, root, book))
}

fn derive(root: &[u8], purpose: &str) -> [u8; 32] {
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, root), purpose.as_bytes());
    let mut key = [0; 32];
    key.copy_from_slice(mac.as_ref());
    key
}

async fn accept(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let (router, stop) = (router.clone(), stop.clone());
                tasks.spawn(async move {
                    serve(stream, router, stop).await;
                    drop(permit);
                });
            }
            // Out of file handles, most likely: wait for some to come back.
            Err(error) => {
                tracing::warn!(%error, "the sandbox cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Why a connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("hung up on purpose")]
struct HungUp;

async fn serve(stream: TcpStream, router: Router, stop: CancellationToken) {
    // Small answers must leave at once. When this fails the connection is gone anyway.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let answer = router.clone().call(request);
        async move {
            let response = answer.await.unwrap_or_else(|never| match never {});
            if response.extensions().get::<HangUp>().is_some() {
                Err(HungUp)
            } else {
                Ok(response)
            }
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(60))
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // How a connection ends is the peer's business, or ours on purpose.
    let ended = tokio::select! {
        _ = connection.as_mut() => true,
        () = stop.cancelled() => false,
    };
    if !ended {
        connection.as_mut().graceful_shutdown();
        let _ = tokio::time::timeout(PATIENCE, connection).await;
    }
}
