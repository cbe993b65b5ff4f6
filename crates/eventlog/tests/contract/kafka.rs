//! Kafka under the suite: librdkafka's mock cluster, one for each test.

use std::{sync::Arc, time::Duration};

use eventlog::{
    Broker,
    kafka::{Config, KafkaBroker},
};
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer as _},
    mocking::MockCluster,
    producer::{DefaultProducerContext, FutureProducer, FutureRecord},
};

use crate::{Doing, Place};

/// A cluster of one broker. It cannot make topics by itself, as a real one does.
pub struct Cluster(MockCluster<'static, DefaultProducerContext>);

impl Cluster {
    pub fn start() -> Self {
        let cluster = MockCluster::new(1).expect("a cluster");
        for (topic, partitions) in [
            ("souk.orders", 8),
            ("souk.heads", 1),
            ("souk.inbound.inventory", 8),
        ] {
            let made = cluster.create_topic(topic, partitions, 1);
            made.expect("a topic");
        }
        Self(cluster)
    }

    async fn produce(&self, topic: &str, payload: &[u8], id: &str) {
        let producer: FutureProducer = ClientConfig::new()
            .set("bootstrap.servers", self.0.bootstrap_servers())
            .create()
            .expect("a producer");
        let record = FutureRecord::to(topic).payload(payload).key(id);
        let sent = producer.send(record, Duration::from_secs(10)).await;
        sent.expect("sent");
    }

    /// Waits until a client finds nobody there.
    async fn unreachable(&self) {
        let probe: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.0.bootstrap_servers())
            .create()
            .expect("a client");
        let asking = tokio::task::spawn_blocking(move || {
            while probe.fetch_metadata(None, Duration::from_secs(1)).is_ok() {}
        });
        asking.await.expect("no panic");
    }
}

impl Place for Cluster {
    fn connect(&self) -> Doing<'_, Arc<dyn Broker>> {
        Box::pin(async {
            let url = format!("kafka://{}", self.0.bootstrap_servers());
            let config = Config::parse(&url).expect("a URL");
            let broker = KafkaBroker::connect(config).expect("settings");
            Arc::new(broker) as Arc<dyn Broker>
        })
    }

    fn restart(&self) -> Doing<'_, ()> {
        Box::pin(async {
            self.0.broker_down(1).expect("down");
            self.unreachable().await;
            self.0.broker_up(1).expect("up");
        })
    }

    fn garbage<'a>(&'a self, topic: &'a str, bytes: &'a [u8]) -> Doing<'a, ()> {
        Box::pin(async move {
            self.produce(&format!("souk.{topic}"), bytes, "x").await;
            self.produce("souk.heads", b"lots", topic).await;
        })
    }

    fn send<'a>(&'a self, service: &'a str, event: &'a str) -> Doing<'a, ()> {
        let topic = format!("souk.inbound.{service}");
        // All in one partition, so that they come in order.
        Box::pin(async move { self.produce(&topic, event.as_bytes(), "one").await })
    }

    fn too_large(&self) -> Option<usize> {
        Some(1_000_000)
    }
}
