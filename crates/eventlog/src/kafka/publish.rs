//! Publishing: events into the service's topic, heads into the one for heads.

use std::sync::{Arc, PoisonError};

use kernel::{PARTITIONS, Recorded};
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    error::KafkaError,
    producer::{FutureRecord, future_producer::DeliveryFuture},
    types::RDKafkaErrorCode,
};

use super::{KafkaBroker, PATIENCE, is_unknown, message, partitions, unavailable};
use crate::{LogError, LogHead, announcement};

impl KafkaBroker {
    /// Sends all, then waits for the cluster to have them all.
    pub(super) async fn publish_all(
        &self,
        topic: &str,
        incarnation: &str,
        events: &[Arc<Recorded>],
    ) -> Result<(), LogError> {
        let name = self.events(topic);
        self.ensure_topic(&name, i32::from(PARTITIONS)).await?;
        let mut answers = Vec::with_capacity(events.len());
        for event in events {
            match self.send(&name, incarnation, event).await {
                Ok(answer) => answers.push(answer),
                Err(error) if too_large(&error) => warn_too_large(event),
                Err(error) => return Err(unavailable(error)),
            }
        }
        for (event, answer) in events.iter().zip(answers) {
            match answer.await.map_err(unavailable)? {
                Ok(_) => {}
                Err((error, _)) if too_large(&error) => warn_too_large(event),
                Err((error, _)) => {
                    self.forget_topic(&name, &error);
                    return Err(unavailable(error));
                }
            }
        }
        Ok(())
    }

    async fn send(
        &self,
        name: &str,
        incarnation: &str,
        event: &Recorded,
    ) -> Result<DeliveryFuture, KafkaError> {
        loop {
            let record = FutureRecord::to(name)
                .partition(event.partition.into())
                .key(event.stream.as_str())
                .payload(&*event.data)
                .timestamp(event.at.0.div_euclid(1_000))
                .headers(message::headers(event, incarnation));
            match self.producer.send_result(record) {
                Ok(answer) => return Ok(answer),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
                Err((error, _)) => return Err(error),
            }
        }
    }

    /// Tells how far a topic reaches.
    pub(super) async fn announce_head(&self, topic: &str, head: &LogHead) -> Result<(), LogError> {
        let name = self.heads();
        self.ensure_topic(&name, 1).await?;
        let text = announcement::write(head);
        let record = FutureRecord::to(&name).key(topic).payload(&text);
        let sent = self.producer.send(record, PATIENCE).await;
        sent.map(|_| ()).map_err(|(error, _)| {
            self.forget_topic(&name, &error);
            unavailable(error)
        })
    }

    /// Makes a topic if it is not there.
    pub(super) async fn ensure_topic(&self, name: &str, count: i32) -> Result<(), LogError> {
        let known = |broker: &Self| {
            let topics = broker.topics.lock();
            topics
                .unwrap_or_else(PoisonError::into_inner)
                .contains(name)
        };
        if known(self) {
            return Ok(());
        }
        let wanted = name.to_owned();
        let found = self
            .blocking(move |_, reader| partitions(&reader, &wanted))
            .await?;
        match found {
            None => self.make_topic(name, count).await?,
            Some(found) if found != count => {
                let text = format!("Kafka: the topic {name} has {found} partitions, not {count}");
                return Err(LogError::Unavailable(text));
            }
            Some(_) => {}
        }
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.insert(name.to_owned());
        Ok(())
    }

    async fn make_topic(&self, name: &str, count: i32) -> Result<(), LogError> {
        let admin: AdminClient<DefaultClientContext> =
            self.config.client().create().map_err(unavailable)?;
        let age = self.config.max_age.as_millis().to_string();
        let bytes = self.config.max_bytes.to_string();
        let topic = NewTopic::new(name, count, TopicReplication::Fixed(self.config.replicas))
            .set("retention.ms", &age)
            .set("retention.bytes", &bytes);
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        let made = admin.create_topics([&topic], &options).await;
        for result in made.map_err(unavailable)? {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((name, code)) => {
                    return Err(unavailable(format!("cannot make the topic {name}: {code}")));
                }
            }
        }
        Ok(())
    }

    fn forget_topic(&self, name: &str, error: &KafkaError) {
        if is_unknown(error) {
            let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
            topics.remove(name);
        }
    }
}

fn too_large(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge)
}

fn warn_too_large(event: &Recorded) {
    // Our readers see the gap and read it from the store.
    tracing::warn!(event = %event.id(), bytes = event.data.len(), "an event is larger than Kafka takes; listeners outside will not see it");
}
