//! Listening to a topic from its end on.

use kernel::PARTITIONS;
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer, StreamConsumer},
    error::KafkaError,
    message::BorrowedMessage,
};
use tokio::sync::mpsc;

use super::{KafkaBroker, PATIENCE, message, unavailable};
use crate::{Delivery, LogError, announcement, cloudevents::Decoder};

/// How many deliveries wait for the reader.
const WAITING: usize = 1_024;
/// One in so many messages that mean nothing is told of.
const TOLD: u64 = 1_000;

impl KafkaBroker {
    pub(super) async fn listen(&self, topic: &str) -> Result<mpsc::Receiver<Delivery>, LogError> {
        let (events, heads) = (self.events(topic), self.heads());
        self.ensure_topic(&events, PARTITIONS.into()).await?;
        self.ensure_topic(&heads, 1).await?;
        // The ends are asked for, so that nothing slips through while the first fetch is on its
        // way.
        let named = (events.clone(), heads.clone());
        let ends = self.blocking(move |_, reader| ends(&reader, &named.0, &named.1));
        let ends = ends.await?;
        let reader: StreamConsumer = self.reader()?;
        reader.assign(&ends).map_err(unavailable)?;
        let (deliver, deliveries) = mpsc::channel(WAITING);
        let topic = topic.to_owned();
        tokio::spawn(async move {
            let mut decoder = Decoder::new(&topic);
            let mut garbage = 0u64;
            let mut broken = false;
            loop {
                let received = tokio::select! {
                    received = reader.recv() => received,
                    () = deliver.closed() => return,
                };
                let delivery = match received {
                    Ok(message) if message.topic() == heads => head(&topic, &message),
                    Ok(message) => event(&mut decoder, &message).map(Some),
                    Err(KafkaError::PartitionEOF(_)) => continue,
                    Err(error) => {
                        if !std::mem::replace(&mut broken, true) {
                            tracing::warn!(topic, %error, "Kafka cannot be read; trying again");
                        }
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                        continue;
                    }
                };
                if std::mem::replace(&mut broken, false)
                    && deliver.send(Delivery::Reconnected).await.is_err()
                {
                    return;
                }
                match delivery {
                    Ok(None) => {}
                    Ok(Some(delivery)) => {
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
                                "skipped a message in a topic that is no event of it"
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

/// Where all partitions end now.
fn ends(reader: &BaseConsumer, events: &str, heads: &str) -> Result<TopicPartitionList, LogError> {
    let mut ends = TopicPartitionList::new();
    let all = (0..i32::from(PARTITIONS)).map(|partition| (events, partition));
    for (name, partition) in all.chain([(heads, 0)]) {
        let marks = reader.fetch_watermarks(name, partition, PATIENCE);
        let (_, end) = marks.map_err(unavailable)?;
        let added = ends.add_partition_offset(name, partition, Offset::Offset(end));
        added.map_err(unavailable)?;
    }
    Ok(ends)
}

fn event(decoder: &mut Decoder, message: &BorrowedMessage<'_>) -> Result<Delivery, String> {
    let (event, incarnation) = message::event(decoder, message).map_err(|e| e.to_string())?;
    Ok(Delivery::Event {
        event: event.into(),
        incarnation,
    })
}

/// The head in a message; `None` when it is another topic's.
fn head(topic: &str, message: &BorrowedMessage<'_>) -> Result<Option<Delivery>, String> {
    if message.key() != Some(topic.as_bytes()) {
        return Ok(None);
    }
    let head = message.payload().and_then(announcement::read);
    let head = head.ok_or("not a head")?;
    Ok(Some(Delivery::Head(head)))
}
