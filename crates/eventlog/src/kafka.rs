//! Kafka as the broker: a topic per service (`souk.orders`) whose eight partitions are ours, one
//! for heads (`souk.heads`), one per service for events from outside (`souk.inbound.inventory`).
//! Positions are kept in our own databases only: readers are assigned their partitions and no
//! consumer group is formed, except for events from outside.

mod config;
mod inbound;
mod message;
mod publish;
mod retained;
mod tail;

use std::{collections::HashSet, sync::Arc, sync::Mutex, time::Duration};

use kernel::{BoxFuture, Recorded};
use rdkafka::{
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    producer::FutureProducer,
};
use tokio::sync::mpsc;

use crate::{Broker, Delivery, Inbound, LogError, LogHead};

pub use config::{Config, ConfigError};
/// The client library: for tests that bring a cluster of their own (`rdkafka::mocking`).
pub use rdkafka;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A Kafka cluster.
#[derive(Clone)]
pub struct KafkaBroker {
    config: Config,
    producer: FutureProducer,
    /// Topics that are known to be there.
    topics: Arc<Mutex<HashSet<String>>>,
}

impl KafkaBroker {
    /// Connects in the background. Fails on settings that cannot be used.
    pub fn connect(config: Config) -> Result<Self, ConfigError> {
        let producer = config
            .client()
            .set("enable.idempotence", "true")
            .set("linger.ms", "1")
            .set("message.timeout.ms", "30000")
            .create();
        let producer = producer.map_err(|e| ConfigError::Client(e.to_string()))?;
        Ok(Self {
            config,
            producer,
            topics: Arc::default(),
        })
    }

    /// The Kafka topic of a service's events.
    fn events(&self, topic: &str) -> String {
        format!("{}.{topic}", self.config.prefix)
    }

    /// The Kafka topic in which heads are announced.
    fn heads(&self) -> String {
        format!("{}.heads", self.config.prefix)
    }

    /// A consumer that is given its partitions and keeps no offsets in Kafka.
    fn reader<C>(&self) -> Result<C, LogError>
    where
        C: rdkafka::config::FromClientConfig,
    {
        let reader = self
            .config
            .client()
            // Required by the library; no group is formed by a consumer that is assigned.
            .set("group.id", format!("{}.readers", self.config.prefix))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "100")
            .set("fetch.error.backoff.ms", "50")
            .create();
        reader.map_err(unavailable)
    }

    /// Runs what blocks on a thread where it may.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, BaseConsumer) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let broker = self.clone();
        let work = move || {
            let reader = broker.reader()?;
            work(&broker, reader)
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(unavailable)?
    }
}

/// How many partitions a Kafka topic has; `None` if it is not there.
fn partitions(reader: &BaseConsumer, name: &str) -> Result<Option<i32>, LogError> {
    let metadata = reader.fetch_metadata(Some(name), PATIENCE);
    let metadata = metadata.map_err(unavailable)?;
    let topic = metadata.topics().iter().find(|topic| topic.name() == name);
    let topic = topic.filter(|topic| topic.error().is_none());
    let count = topic.map_or(0, |topic| topic.partitions().len());
    Ok(i32::try_from(count).ok().filter(|count| *count > 0))
}

fn unavailable(error: impl std::fmt::Display) -> LogError {
    LogError::Unavailable(format!("Kafka: {error}"))
}

/// Whether a topic may have been deleted or never made.
fn is_unknown(error: &KafkaError) -> bool {
    use rdkafka::types::RDKafkaErrorCode::{
        UnknownPartition, UnknownTopic, UnknownTopicOrPartition,
    };
    let code = error.rdkafka_error_code();
    code.is_some_and(|code| {
        matches!(
            code,
            UnknownPartition | UnknownTopic | UnknownTopicOrPartition
        )
    })
}

impl Broker for KafkaBroker {
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
        let topic = topic.to_owned();
        Box::pin(self.blocking(move |broker, reader| broker.newest_kept(&reader, &topic)))
    }

    fn retained<'a>(
        &'a self,
        topic: &'a str,
        incarnation: &'a str,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>> {
        let (topic, incarnation) = (topic.to_owned(), incarnation.to_owned());
        Box::pin(self.blocking(move |broker, reader| {
            broker.kept(&reader, &topic, &incarnation, after, limit)
        }))
    }

    fn inbound<'a>(
        &'a self,
        service: &'a str,
    ) -> BoxFuture<'a, Result<mpsc::Receiver<Inbound>, LogError>> {
        Box::pin(async move { Ok(self.take_inbound(service)) })
    }
}
