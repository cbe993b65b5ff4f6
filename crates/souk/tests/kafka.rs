//! The real shop as many processes, with Kafka between them: librdkafka's mock cluster, in this
//! process, on real sockets. Only with the feature `kafka`.
#![cfg(all(unix, feature = "kafka"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod support;

use eventlog::kafka::rdkafka::{mocking::MockCluster, producer::DefaultProducerContext};
use support::{Buying, Shop, order_status, supervised::Steering};

/// A cluster of one broker. It cannot make topics by itself, as a real one does.
fn cluster() -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("souk.heads", 1, 1).unwrap();
    for service in [
        "identity",
        "catalog",
        "cart",
        "orders",
        "inventory",
        "payments",
    ] {
        for topic in [format!("souk.{service}"), format!("souk.inbound.{service}")] {
            cluster.create_topic(&topic, 8, 1).unwrap();
        }
    }
    cluster
}

#[tokio::test(flavor = "multi_thread")]
async fn kafka_carries_a_shop_whose_processes_come_and_go() {
    let cluster = cluster();
    let events = format!("kafka://{}", cluster.bootstrap_servers());
    let options = ["--processes", "--events", &events];
    let shop = Shop::start_with(&[&options[..], &["--provider-timeout-ms", "1000"]].concat());
    let steering = Steering::of(&shop.data());
    shop.product("lamp", 2500, 100).await;
    let buying = Buying::one("lamp", 1, "tok_visa");
    let (_, first) = shop.bought(&buying).await;
    assert_eq!(order_status(&first), "confirmed");

    steering.ok(&["scale", "orders=2"]);
    let pid = steering.kill("orders-1");
    let (_, second) = shop.bought(&buying).await;
    assert_eq!(order_status(&second), "confirmed");
    steering.replaced("orders-1", pid).await;
    shop.stock_settles("lamp", 98).await;
}
