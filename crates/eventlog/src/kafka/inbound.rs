//! Events from programs outside: a topic per service, shared by its instances as a consumer group.
//! An offset is stored when what the event led to is committed.

use std::{sync::Arc, time::Duration};

use kernel::PARTITIONS;
use rdkafka::{
    Message,
    consumer::{Consumer, StreamConsumer},
    message::BorrowedMessage,
};
use tokio::sync::{mpsc, oneshot};

use super::{KafkaBroker, message, unavailable};
use crate::{
    Inbound, LogError,
    cloudevents::{Foreign, Malformed},
};

/// How soon one that could not be handled comes again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long to wait after a failure.
const BACKOFF: Duration = Duration::from_secs(1);

impl KafkaBroker {
    /// Hands on what comes for `service`, for as long as the receiver is kept.
    pub(super) fn take_inbound(&self, service: &str) -> mpsc::Receiver<Inbound> {
        let (hand_on, taken) = mpsc::channel(1);
        let (broker, service) = (self.clone(), service.to_owned());
        tokio::spawn(async move {
            loop {
                let ended = tokio::select! {
                    () = hand_on.closed() => return,
                    ended = broker.hand_on(&service, &hand_on) => ended,
                };
                if let Err(error) = ended {
                    tracing::debug!(service, %error, "cannot receive events from outside; trying again");
                }
                tokio::select! {
                    () = hand_on.closed() => return,
                    () = tokio::time::sleep(BACKOFF) => {}
                }
            }
        });
        taken
    }

    async fn hand_on(
        &self,
        service: &str,
        hand_on: &mpsc::Sender<Inbound>,
    ) -> Result<(), LogError> {
        let name = format!("{}.inbound.{service}", self.config.prefix);
        self.ensure_topic(&name, PARTITIONS.into()).await?;
        let receiver: StreamConsumer = self
            .config
            .client()
            .set("group.id", &name)
            .set("enable.auto.offset.store", "false")
            .set("auto.commit.interval.ms", "1000")
            .set("auto.offset.reset", "earliest")
            .set("session.timeout.ms", "10000")
            // Handling one that fails goes on for as long as it takes.
            .set("max.poll.interval.ms", "3600000")
            .create()
            .map_err(unavailable)?;
        let member = Arc::new(receiver);
        let _leaving = Leaving(Some(member.clone()));
        // Declared after, so let go of before.
        let receiver = member;
        receiver.subscribe(&[&name]).map_err(unavailable)?;
        loop {
            let message = receiver.recv().await.map_err(unavailable)?;
            match foreign(&message) {
                Ok(event) => until_done(hand_on, &event).await?,
                Err(reason) => {
                    tracing::warn!(service, %reason, "an event from outside is not valid; it is dropped");
                }
            }
            // Lost with its partition, it comes again where that went.
            let _ = receiver.store_offset_from_message(&message);
        }
    }
}

/// The last to let go of a member of a group. Dropped, it lets the member leave the group on a
/// thread of its own: the library waits for the group's answer, without limit if the cluster is
/// gone.
struct Leaving(Option<Arc<StreamConsumer>>);

impl Drop for Leaving {
    fn drop(&mut self) {
        let member = self.0.take();
        // Without a thread it leaves here and now.
        let leave = std::thread::Builder::new().name("kafka-leave".into());
        let _ = leave.spawn(move || drop(member));
    }
}

/// Binary mode if the attributes are in headers, else structured mode.
fn foreign(message: &BorrowedMessage<'_>) -> Result<Foreign, Malformed> {
    let found = message::attributes(message)?;
    let payload = message.payload().unwrap_or_default();
    match found.specversion {
        Some(_) => Foreign::binary(&found, payload),
        None => Foreign::structured(payload),
    }
}

/// Hands an event on again and again: Kafka itself delivers in order, and once.
async fn until_done(hand_on: &mpsc::Sender<Inbound>, event: &Foreign) -> Result<(), LogError> {
    loop {
        let (done, committed) = oneshot::channel();
        let inbound = Inbound {
            source: event.source.clone(),
            id: event.id.clone(),
            kind: event.kind.clone(),
            data: event.data.clone(),
            done,
        };
        let sent = hand_on.send(inbound).await;
        sent.map_err(|_| unavailable("nobody takes events from outside any more"))?;
        if committed.await == Ok(true) {
            return Ok(());
        }
        tokio::time::sleep(AGAIN).await;
    }
}
