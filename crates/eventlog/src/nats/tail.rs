//! Listening to a topic: its subjects themselves, not its stream.

use async_nats::Message;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::{NatsBroker, message, unavailable};
use crate::{Delivery, LogError, announcement, cloudevents::Decoder};

/// How many deliveries wait for the reader.
const WAITING: usize = 1_024;
/// One in so many messages that mean nothing is told of.
const TOLD: u64 = 1_000;

impl NatsBroker {
    pub(super) async fn listen(&self, topic: &str) -> Result<mpsc::Receiver<Delivery>, LogError> {
        let subscribe = |subject| self.client.subscribe(subject);
        let events = subscribe(self.subjects(topic)).await;
        let mut events = events.map_err(|e| unavailable(e.kind()))?;
        let heads = subscribe(self.heads(topic)).await;
        let mut heads = heads.map_err(|e| unavailable(e.kind()))?;
        let mut connected = self.connected.clone();
        let mut decoder = Decoder::new(topic);
        let topic = topic.to_owned();
        let (deliver, deliveries) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            let mut garbage = 0u64;
            loop {
                let delivery = tokio::select! {
                    message = events.next() => match message {
                        None => return,
                        Some(message) => event(&mut decoder, &message),
                    },
                    message = heads.next() => match message {
                        None => return,
                        Some(message) => head(&message),
                    },
                    changed = connected.changed() => match changed {
                        Err(_) => return,
                        Ok(()) => Ok(Delivery::Reconnected),
                    },
                    () = deliver.closed() => return,
                };
                match delivery {
                    Ok(delivery) => {
                        if deliver.send(delivery).await.is_err() {
                            return;
                        }
                    }
                    Err(reason) => {
                        if garbage.is_multiple_of(TOLD) {
                            tracing::warn!(
                                topic,
                                reason,
                                so_far = garbage + 1,
                                "skipped a message on a topic's subject that is no event of it"
                            );
                        }
                        garbage += 1;
                    }
                }
            }
        });
        Ok(deliveries)
    }
}

fn event(decoder: &mut Decoder, message: &Message) -> Result<Delivery, String> {
    let read = message::event(decoder, &message.payload);
    let (event, incarnation) = read.map_err(|e| e.to_string())?;
    Ok(Delivery::Event {
        event: event.into(),
        incarnation,
    })
}

fn head(message: &Message) -> Result<Delivery, String> {
    let head = announcement::read(&message.payload).ok_or("not a head")?;
    Ok(Delivery::Head(head))
}
