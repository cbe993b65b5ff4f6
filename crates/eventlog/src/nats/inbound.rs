//! Events from programs outside: a stream that keeps them until a service has committed what they
//! led to.

use std::time::Duration;

use async_nats::jetstream::{
    AckKind, Message,
    consumer::{AckPolicy, Consumer, DeliverPolicy, pull},
};
use futures_util::StreamExt;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{NatsBroker, Storage, message, unavailable};
use crate::{
    Inbound, LogError,
    cloudevents::{Foreign, Malformed},
};

/// How long an event waits for a service that is away.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long handling one may take before it is delivered to another instance.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// How many are handled at once, by all instances of a service.
const AT_ONCE: i64 = 256;
/// How soon one that could not be handled comes again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often it is looked whether there is a connection again.
const LOOK: Duration = Duration::from_millis(500);
/// How long to wait after a failure, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

impl NatsBroker {
    /// Hands on what comes for `service`, for as long as the receiver is kept.
    pub(super) fn take_inbound(&self, service: &str) -> mpsc::Receiver<Inbound> {
        let (hand_on, taken) = mpsc::channel(16);
        let (broker, service) = (self.clone(), service.to_owned());
        tokio::spawn(async move {
            let mut pause = BACKOFF.0;
            loop {
                let ended = tokio::select! {
                    () = hand_on.closed() => return,
                    ended = broker.hand_on(&service, &hand_on) => ended,
                };
                match ended {
                    Ok(()) => pause = BACKOFF.0,
                    Err(error) => {
                        tracing::debug!(service, %error, "cannot receive events from outside; trying again");
                    }
                }
                tokio::select! {
                    () = hand_on.closed() => return,
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(BACKOFF.1);
            }
        });
        taken
    }

    async fn hand_on(
        &self,
        service: &str,
        hand_on: &mpsc::Sender<Inbound>,
    ) -> Result<(), LogError> {
        let mut connected = self.connected.clone();
        while !self.is_connected() {
            // The client tells of a connection a moment before it has it, and then no more.
            if let Ok(waited) = timeout(LOOK, connected.changed()).await {
                waited.map_err(|_| unavailable("the client has ended"))?;
            }
        }
        connected.mark_unchanged();
        let consumer = self.inbound_consumer(service).await?;
        let stream = consumer
            .stream()
            .max_messages_per_batch(64)
            .heartbeat(Duration::from_secs(5))
            .expires(Duration::from_secs(30));
        let messages = stream.messages().await;
        let mut messages = messages.map_err(|e| unavailable(e.kind()))?;
        loop {
            let next = tokio::select! {
                next = messages.next() => next,
                // What was asked for went with the old connection.
                _ = connected.changed() => return Ok(()),
            };
            let Some(next) = next else { return Ok(()) };
            let message = next.map_err(|e| unavailable(e.kind()))?;
            match foreign(&message) {
                Ok(event) => give(hand_on, message, event).await,
                Err(reason) => {
                    tracing::warn!(service, %reason, "an event from outside is not valid; it is dropped");
                    // It would not be better the next time.
                    let _ = message.ack_with(AckKind::Term).await;
                }
            }
        }
    }

    async fn inbound_consumer(&self, service: &str) -> Result<Consumer<pull::Config>, LogError> {
        let prefix = &self.config.prefix;
        let name = self.stream_name("inbound");
        if self.config.manage {
            // Always on disk: what is promised to programs outside must survive a restart.
            let subjects = format!("{prefix}.inbound.*");
            self.make_stream(name.clone(), subjects, Storage::File, KEPT)
                .await?;
        }
        let filter = format!("{prefix}.inbound.{service}");
        let config = pull::Config {
            durable_name: Some(service.to_owned()),
            filter_subject: filter.clone(),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: AT_ONCE,
            ..Default::default()
        };
        let made = self
            .jetstream
            .create_consumer_on_stream(config, &name)
            .await;
        let consumer = made.map_err(|e| unavailable(e.kind()))?;
        // Servers have been seen to ignore filters they do not know.
        if consumer.cached_info().config.filter_subject != filter {
            return Err(unavailable("the server did not take the filter"));
        }
        Ok(consumer)
    }
}

/// Binary mode if the attributes are in headers, else structured mode.
fn foreign(message: &Message) -> Result<Foreign, Malformed> {
    let found = match &message.headers {
        Some(headers) => message::attributes(headers)?,
        None => Default::default(),
    };
    if found.specversion.is_some() {
        return Foreign::binary(&found, &message.payload);
    }
    Foreign::structured(&message.payload)
}

/// Hands an event on, and tells the server when it is done.
async fn give(hand_on: &mpsc::Sender<Inbound>, message: Message, event: Foreign) {
    let (done, committed) = oneshot::channel();
    let inbound = Inbound {
        source: event.source,
        id: event.id,
        kind: event.kind,
        data: event.data,
        done,
    };
    if hand_on.send(inbound).await.is_err() {
        return;
    }
    tokio::spawn(async move {
        let answer = match committed.await {
            Ok(true) => AckKind::Ack,
            _ => AckKind::Nak(Some(AGAIN)),
        };
        if let Err(error) = message.ack_with(answer).await {
            tracing::debug!(%error, "an event from outside will be delivered again");
        }
    });
}
