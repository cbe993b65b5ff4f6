//! What every broker adapter must hold to, run on each of them, and what the log across processes
//! promises whatever a broker does. Another adapter adds a [`Place`] and one line to `adapters!`.

#[cfg(feature = "kafka")]
mod kafka;
mod memory;
mod nats;
mod producer;
mod reader;
mod suite;

use std::{pin::Pin, sync::Arc};

use eventlog::Broker;

/// What a test waits for, on its own thread.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A broker that can be connected to more than once, broken, and spoken to in its own tongue.
pub trait Place {
    /// A new connection.
    fn connect(&self) -> Doing<'_, Arc<dyn Broker>>;
    /// Kills the server and starts it again.
    fn restart(&self) -> Doing<'_, ()>;
    /// Sends bytes that are no event to where the events of `topic` are.
    fn garbage<'a>(&'a self, topic: &'a str, bytes: &'a [u8]) -> Doing<'a, ()>;
    /// Sends a CloudEvent in structured mode to `service`, as a program outside does.
    fn send<'a>(&'a self, service: &'a str, event: &'a str) -> Doing<'a, ()>;
    /// A payload that is too large for it, if there is such a size.
    fn too_large(&self) -> Option<usize>;
}

/// One test per promise and adapter.
macro_rules! adapters {
    ($($adapter:ident => $place:expr),+ $(,)?) => { $(
        mod $adapter {
            use crate::suite;
            adapters!(@ $place;
                events_come_in_the_order_of_their_partition,
                text_comes_back_as_it_was,
                publishing_again_keeps_one,
                heads_are_announced,
                what_is_retained_can_be_read,
                another_incarnation_is_another_log,
                garbage_is_passed_over,
                what_is_too_large_does_not_hold_up_the_rest,
                events_from_outside_come_until_they_are_done,
                instances_share_events_from_outside,
                a_reader_loses_nothing_when_the_broker_is_killed,
            );
        }
    )+ };
    (@ $place:expr; $($promise:ident),+ $(,)?) => { $(
        #[tokio::test(flavor = "multi_thread")]
        async fn $promise() {
            let place = $place;
            suite::$promise(&place).await;
        }
    )+ };
}

adapters!(
    memory_adapter => crate::memory::MemoryPlace::default(),
    nats_adapter => crate::nats::Server::start(),
);

#[cfg(feature = "kafka")]
adapters!(kafka_adapter => crate::kafka::Cluster::start());
