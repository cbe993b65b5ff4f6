//! The log across processes, over a broker that loses, repeats, delays and refuses.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use eventlog::{Broker, Log, LogError, LogHead, RemoteLog};
use tokio_util::sync::CancellationToken;

use crate::{
    memory::{Dice, MemoryBroker},
    producer::Producer,
    suite::{read_all, until_true},
};

const TOPIC: &str = "orders";

/// Two instances of a producer commit in turn and sometimes die before they publish; the broker is
/// as bad as the seed makes it; the producer's history is down now and then. Every reader sees
/// every event once, in order.
async fn everything_arrives_once_and_in_order(seed: u64) {
    let broker = Arc::new(MemoryBroker::bad(seed));
    let producer = Producer::new(TOPIC, "first");
    let history = producer.history();
    let start = async || {
        let own = vec![producer.own(TOPIC).await];
        RemoteLog::start(broker.clone(), history.clone(), own, Vec::new())
    };
    let instances = [Arc::new(start().await), Arc::new(start().await)];
    let reader = RemoteLog::start(
        broker.clone(),
        history.clone(),
        Vec::new(),
        vec![TOPIC.into()],
    );
    let stop = CancellationToken::new();
    let relay = tokio::spawn({
        let (log, stop) = (instances[0].clone(), stop.clone());
        async move { log.relay(TOPIC, stop).await }
    });
    let mut dice = Dice::new(seed + 1_000);
    let mut total = 0;
    let write = async {
        for _ in 0..40 {
            let count = 1 + dice.below(8) as usize;
            let events = producer.commit(TOPIC, count).await;
            total += count as i64;
            match dice.below(12) {
                // It dies between commit and publication.
                0 => {}
                1 => broker.interrupt(),
                2 => reader.forget(),
                3 => history.down.store(true, Ordering::SeqCst),
                4 => history.down.store(false, Ordering::SeqCst),
                n => instances[n as usize % 2].publish(TOPIC, &events),
            }
            for _ in 0..dice.below(4) * dice.below(20) {
                tokio::time::advance(Duration::from_millis(1)).await;
            }
        }
        history.down.store(false, Ordering::SeqCst);
    };
    write.await;
    for log in [&reader, &*instances[0], &*instances[1]] {
        read_all(log, 0, total).await;
    }
    stop.cancel();
    relay.await.expect("ended");
    // For listeners outside: the broker has it all.
    let kept = broker
        .retained(TOPIC, "first", 0, 10_000)
        .await
        .expect("kept");
    let complete = async || kept.len() as i64 == total;
    if !complete().await {
        // What the last instance committed without publishing is the next relay's work.
        let stop = CancellationToken::new();
        let again = tokio::spawn({
            let (log, stop) = (instances[1].clone(), stop.clone());
            async move { log.relay(TOPIC, stop).await }
        });
        let all = async || {
            let kept = broker.retained(TOPIC, "first", 0, 10_000).await;
            kept.expect("kept").len() as i64 == total
        };
        until_true("all is published", all).await;
        stop.cancel();
        again.await.expect("ended");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_the_broker_does() {
    for seed in 0..40 {
        let tasks = tokio::task::LocalSet::new();
        let run = tasks.spawn_local(everything_arrives_once_and_in_order(seed));
        let ran = tasks.run_until(run).await;
        ran.unwrap_or_else(|error| panic!("with seed {seed}: {error}"));
    }
}

/// A reader that is there while events come, one at a time.
#[tokio::test(start_paused = true)]
async fn a_quiet_topic_is_read_to_its_end() {
    for seed in 0..10 {
        let broker = Arc::new(MemoryBroker::bad(seed));
        let producer = Producer::new(TOPIC, "first");
        let history = producer.history();
        let own = vec![producer.own(TOPIC).await];
        let log = Arc::new(RemoteLog::start(
            broker.clone(),
            history.clone(),
            own,
            Vec::new(),
        ));
        let reader = RemoteLog::start(broker, history, Vec::new(), vec![TOPIC.into()]);
        let stop = CancellationToken::new();
        let relay = tokio::spawn({
            let (log, stop) = (log.clone(), stop.clone());
            async move { log.relay(TOPIC, stop).await }
        });
        for n in 0..20 {
            log.publish(TOPIC, &producer.commit(TOPIC, 1).await);
            // Without another event behind it, only the announced head shows that it is missing.
            read_all(&reader, n, n + 1).await;
        }
        stop.cancel();
        relay.await.expect("ended");
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_producer_is_down_the_broker_is_read() {
    let broker = Arc::new(MemoryBroker::default());
    let producer = Producer::new(TOPIC, "first");
    let events = producer.commit(TOPIC, 200).await;
    broker
        .publish(TOPIC, "first", &events[50..])
        .await
        .expect("taken");
    let history = producer.history();
    history.down.store(true, Ordering::SeqCst);
    let reader = RemoteLog::start(broker, history.clone(), Vec::new(), vec![TOPIC.into()]);
    let head = reader.head(TOPIC).await.expect("a head");
    assert_eq!((head.position, head.incarnation.as_str()), (200, "first"));
    assert_eq!(read_all(&reader, 50, 200).await.len(), 150);
    // What the broker has no more waits for the producer.
    let early = reader.read(TOPIC, 10, 10).await;
    assert!(matches!(early, Err(LogError::Unavailable(_))), "{early:?}");
    history.down.store(false, Ordering::SeqCst);
    assert_eq!(read_all(&reader, 0, 200).await.len(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_head_is_waited_for() {
    let broker = Arc::new(MemoryBroker::default());
    let producer = Producer::new(TOPIC, "first");
    producer.commit(TOPIC, 3).await;
    let history = producer.history();
    history.down.store(true, Ordering::SeqCst);
    let reader = RemoteLog::start(broker, history.clone(), Vec::new(), vec![TOPIC.into()]);
    let wait = tokio::time::timeout(Duration::from_secs(20), reader.head(TOPIC));
    assert!(wait.await.is_err(), "nobody can know it");
    history.down.store(false, Ordering::SeqCst);
    assert_eq!(reader.head(TOPIC).await.expect("a head").position, 3);
    let unknown = reader.head("nothing").await;
    assert!(matches!(unknown, Err(LogError::NoTopic(_))));
}

/// Far behind, nothing is carried through memory that readers may not want.
#[tokio::test(start_paused = true)]
async fn a_long_absence_is_made_up_for() {
    let broker = Arc::new(MemoryBroker::default());
    let producer = Producer::new(TOPIC, "first");
    let reader = RemoteLog::start(
        broker.clone(),
        producer.history(),
        Vec::new(),
        vec![TOPIC.into()],
    );
    assert_eq!(reader.head(TOPIC).await.expect("a head").position, 0);
    for _ in 0..10 {
        producer.commit(TOPIC, 2_000).await;
    }
    let newest = producer.commit(TOPIC, 1).await;
    broker
        .publish(TOPIC, "first", &newest)
        .await
        .expect("taken");
    let head = reader.watch(TOPIC).expect("a topic");
    until_true("the head", async || *head.borrow() == 20_001).await;
    assert_eq!(read_all(&reader, 0, 20_001).await.len(), 20_001);
}

#[tokio::test(start_paused = true)]
async fn a_restored_log_stops_who_is_ahead_of_it() {
    let broker = Arc::new(MemoryBroker::default());
    let before = Producer::new(TOPIC, "first");
    before.commit(TOPIC, 100).await;
    // The producer is restored to an earlier moment: its history is another one.
    let after = Producer::new(TOPIC, "second");
    after.commit(TOPIC, 60).await;
    let history = Arc::new(Switch {
        old: before.history(),
        new: after.history(),
        restored: false.into(),
    });
    let reader = RemoteLog::start(
        broker.clone(),
        history.clone(),
        Vec::new(),
        vec![TOPIC.into()],
    );
    assert_eq!(reader.head(TOPIC).await.expect("a head").position, 100);
    history.restored.store(true, Ordering::SeqCst);
    let head = after.store.head().await.expect("a head");
    broker.announce(TOPIC, &head).await.expect("told");
    let adopted = async || reader.head(TOPIC).await == Ok(head.clone());
    until_true("the other log", adopted).await;
    let ahead = reader.read(TOPIC, 100, 10).await;
    let restored = matches!(ahead, Err(LogError::Restored { head: 60, .. }));
    assert!(restored, "{ahead:?}");
    assert_eq!(read_all(&reader, 50, 60).await.len(), 10);
    // Stragglers of the old log mean nothing.
    let old = before.commit(TOPIC, 1).await;
    broker.publish(TOPIC, "first", &old).await.expect("taken");
    let stale = LogHead {
        position: 101,
        incarnation: "first".into(),
    };
    broker.announce(TOPIC, &stale).await.expect("told");
    let new = after.commit(TOPIC, 1).await;
    broker.publish(TOPIC, "second", &new).await.expect("taken");
    assert_eq!(read_all(&reader, 60, 61).await[0].data, new[0].data);
}

/// Two histories, one after the other.
struct Switch {
    old: Arc<crate::producer::StoreHistory>,
    new: Arc<crate::producer::StoreHistory>,
    restored: std::sync::atomic::AtomicBool,
}

impl Switch {
    fn now(&self) -> &crate::producer::StoreHistory {
        match self.restored.load(Ordering::SeqCst) {
            true => &self.new,
            false => &self.old,
        }
    }
}

impl eventlog::History for Switch {
    fn head<'a>(&'a self, topic: &'a str) -> kernel::BoxFuture<'a, Result<LogHead, LogError>> {
        self.now().head(topic)
    }

    fn read<'a>(
        &'a self,
        topic: &'a str,
        incarnation: &'a str,
        after: i64,
        limit: usize,
        max_bytes: usize,
    ) -> kernel::BoxFuture<'a, Result<Vec<kernel::Recorded>, LogError>> {
        self.now().read(topic, incarnation, after, limit, max_bytes)
    }
}
