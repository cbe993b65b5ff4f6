//! NATS with JetStream as the broker.
//!
//! A stream per topic (`souk_orders`) keeps some of the past for listeners outside and for when a
//! producer is away. Our own readers do not use it: they listen to the subjects themselves, which
//! costs the server least, loses what is sent while a connection is down, and needs no more than
//! that, because what is missing shows and is read from the producer.
//!
//! Subjects: `souk.orders.3.orders.order.placed.v1` (partition, type), `souk.heads.orders`,
//! `souk.inbound.inventory`.

mod config;
mod inbound;
mod message;
mod publish;
mod retained;
mod tail;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_nats::{Client, Event, connection::State, jetstream};
use kernel::{BoxFuture, Recorded};
use tokio::sync::{mpsc, watch};

use crate::{Broker, Delivery, Inbound, LogError, LogHead};

pub use config::{Config, ConfigError, Storage};

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Messages that wait for one of our tasks; what is beyond is lost, shows, and is read again.
const WAITING: usize = 16 * 1024;

/// A NATS server, or a cluster of them.
#[derive(Clone)]
pub struct NatsBroker {
    client: Client,
    jetstream: jetstream::Context,
    config: Config,
    /// Raised at each (re)connection, and when messages were lost.
    connected: watch::Receiver<u64>,
    /// Topics whose stream is there, and during which connection that was seen.
    streams: Arc<Mutex<(u64, HashSet<String>)>>,
}

impl NatsBroker {
    /// Connects, for ever if need be: does not wait until the server is there. Fails on settings
    /// that cannot be used.
    pub async fn connect(config: Config) -> Result<Self, ConfigError> {
        let (raise, connected) = watch::channel(0u64);
        let raise = Arc::new(raise);
        let options = config.options().await?;
        let options = options
            .retry_on_initial_connect()
            .max_reconnects(None)
            .reconnect_delay_callback(pause)
            .request_timeout(Some(PATIENCE))
            .subscription_capacity(WAITING)
            .event_callback(move |event| {
                let raise = raise.clone();
                async move { heard(&raise, &event) }
            });
        let client = options.connect(config.addresses()?).await;
        let client = client.map_err(|e| ConfigError::Connect(e.kind().to_string()))?;
        let jetstream = jetstream::ContextBuilder::new()
            .timeout(PATIENCE)
            .ack_timeout(PATIENCE)
            .max_ack_inflight(4 * 1024)
            .build(client.clone());
        Ok(Self {
            client,
            jetstream,
            config,
            connected,
            streams: Arc::default(),
        })
    }

    /// Whether there is a connection now.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// What is asked while there is no connection would wait in a queue, and be sent when it is
    /// stale; it is refused instead.
    fn reachable(&self) -> Result<(), LogError> {
        match self.client.connection_state() {
            State::Connected => Ok(()),
            _ => Err(LogError::Unavailable("NATS is not connected".into())),
        }
    }

    /// Whether the stream of `topic` was seen during this connection.
    fn stream_is_there(&self, topic: &str) -> bool {
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.0 == *self.connected.borrow() && streams.1.contains(topic)
    }

    fn note_stream(&self, topic: &str, there: bool) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let now = *self.connected.borrow();
        if streams.0 != now {
            *streams = (now, HashSet::new());
        }
        if there {
            streams.1.insert(topic.to_owned());
        } else {
            streams.1.remove(topic);
        }
    }
}

/// How long to wait before connecting again.
fn pause(attempts: usize) -> Duration {
    match attempts {
        0 | 1 => Duration::ZERO,
        // 20 ms, 40 ms … 2 s.
        n => Duration::from_millis(10 << n.min(8)).min(Duration::from_secs(2)),
    }
}

fn heard(raise: &watch::Sender<u64>, event: &Event) {
    match event {
        Event::Connected => {
            tracing::info!("connected to NATS");
            raise.send_modify(|times| *times += 1);
        }
        Event::Disconnected => {
            tracing::warn!("lost the connection to NATS; connecting again");
        }
        Event::SlowConsumer(_) => {
            tracing::warn!(
                "NATS brought more than could be taken in; reading it from the producers"
            );
            raise.send_modify(|times| *times += 1);
        }
        // Says, among others, that a permission is missing or a login is wrong; never the login.
        Event::ServerError(error) => tracing::warn!(%error, "NATS refused something"),
        Event::ClientError(error) => tracing::debug!(%error, "NATS cannot be reached"),
        Event::LameDuckMode | Event::Draining | Event::Closed => {
            tracing::info!(%event, "NATS connection");
        }
    }
}

fn unavailable(error: impl std::fmt::Display) -> LogError {
    LogError::Unavailable(format!("NATS: {error}"))
}

impl Broker for NatsBroker {
    fn publish<'a>(
        &'a self,
        topic: &'a str,
        incarnation: &'a str,
        events: &'a [Arc<Recorded>],
    ) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(self.publish_all(topic, incarnation, events))
    }

    fn announce<'a>(
        &'a self,
        topic: &'a str,
        head: &'a LogHead,
    ) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(self.announce_head(topic, head))
    }

    fn tail<'a>(
        &'a self,
        topic: &'a str,
    ) -> BoxFuture<'a, Result<mpsc::Receiver<Delivery>, LogError>> {
        Box::pin(self.listen(topic))
    }

    fn newest<'a>(&'a self, topic: &'a str) -> BoxFuture<'a, Result<Option<LogHead>, LogError>> {
        Box::pin(self.newest_kept(topic))
    }

    fn retained<'a>(
        &'a self,
        topic: &'a str,
        incarnation: &'a str,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>> {
        Box::pin(self.kept(topic, incarnation, after, limit))
    }

    fn inbound<'a>(
        &'a self,
        service: &'a str,
    ) -> BoxFuture<'a, Result<mpsc::Receiver<Inbound>, LogError>> {
        Box::pin(async move { Ok(self.take_inbound(service)) })
    }
}
