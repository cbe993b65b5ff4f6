//! The promises, one function each.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use eventlog::{Broker, Delivery, Inbound, Log, LogHead, RemoteLog};
use kernel::Recorded;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    Place,
    producer::{Producer, event},
};

const PATIENCE: Duration = Duration::from_secs(30);
const TOPIC: &str = "orders";

/// Waits for a condition.
pub async fn until(what: &str, mut done: impl FnMut() -> bool) {
    until_true(what, async || done()).await;
}

/// Waits for a condition that must be asked for.
pub async fn until_true(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    waited.unwrap_or_else(|_| panic!("waited too long for: {what}"));
}

async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(PATIENCE, work).await;
    done.unwrap_or_else(|_| panic!("waited too long for: {what}"))
}

/// The next delivery that is an event.
async fn next_event(tail: &mut mpsc::Receiver<Delivery>) -> (Arc<Recorded>, String) {
    loop {
        match within("an event", tail.recv()).await.expect("a delivery") {
            Delivery::Event { event, incarnation } => return (event, incarnation.to_string()),
            Delivery::Head(_) | Delivery::Reconnected => {}
        }
    }
}

async fn take(tail: &mut mpsc::Receiver<Delivery>, count: usize) -> Vec<Arc<Recorded>> {
    let mut events = Vec::new();
    while events.len() < count {
        events.push(next_event(tail).await.0);
    }
    events
}

async fn publish(broker: &dyn Broker, incarnation: &str, events: &[Arc<Recorded>]) {
    let mut said = String::new();
    let publish = async || match broker.publish(TOPIC, incarnation, events).await {
        Ok(()) => true,
        Err(error) => {
            said = error.to_string();
            false
        }
    };
    until_true("published", publish).await;
    assert!(said.is_empty(), "it took more than one attempt: {said}");
}

pub async fn events_come_in_the_order_of_their_partition(place: &dyn Place) {
    let (sender, listener) = (place.connect().await, place.connect().await);
    let mut tail = listener.tail(TOPIC).await.expect("a tail");
    // A subscription is known to the server when something came through it.
    settle(&*sender, &mut tail).await;
    let producer = Producer::new(TOPIC, "first");
    let events = producer.commit(TOPIC, 1_000).await;
    for chunk in events.chunks(300) {
        publish(&*sender, "first", chunk).await;
    }
    let mut last = BTreeMap::new();
    for event in take(&mut tail, 1_000).await {
        let before = last.insert(event.partition, event.position).unwrap_or(0);
        assert_eq!(
            event.prev, before,
            "the chain of partition {}",
            event.partition
        );
    }
    assert_eq!(last.len(), 8);
}

/// Waits until announcements of `sender` reach `tail`.
async fn settle(sender: &dyn Broker, tail: &mut mpsc::Receiver<Delivery>) {
    let head = LogHead {
        position: 0,
        incarnation: "settling".into(),
    };
    let heard = async || {
        sender.announce(TOPIC, &head).await.expect("announced");
        matches!(tail.try_recv(), Ok(Delivery::Head(_)))
    };
    until_true("a head", heard).await;
}

pub async fn text_comes_back_as_it_was(place: &dyn Place) {
    let (sender, listener) = (place.connect().await, place.connect().await);
    let mut tail = listener.tail(TOPIC).await.expect("a tail");
    settle(&*sender, &mut tail).await;
    let producer = Producer::new(TOPIC, "first");
    let odd = "thing-Ünïcode % \" \r\n ce-id: 9 🦀";
    let mut new = event(
        TOPIC,
        odd,
        1,
        "{\"text\": \"é\\u0000\\n\", \"n\": 1.50}".into(),
    );
    new.meta.actor = Some("staff:usr_1\r\nce-id: 3".into());
    let events = producer.commit_events(vec![new]).await;
    publish(&*sender, "first", &events).await;
    let (found, incarnation) = next_event(&mut tail).await;
    let want = &events[0];
    assert_eq!((&found.stream, &found.data), (&want.stream, &want.data));
    assert_eq!((&found.meta, found.at), (&want.meta, want.at));
    assert_eq!((&found.kind, found.version), (&want.kind, want.version));
    assert_eq!(incarnation, "first");
}

pub async fn publishing_again_keeps_one(place: &dyn Place) {
    let broker = place.connect().await;
    let producer = Producer::new(TOPIC, "first");
    let events = producer.commit(TOPIC, 20).await;
    for _ in 0..3 {
        publish(&*broker, "first", &events).await;
    }
    let kept = broker.retained(TOPIC, "first", 0, 100).await.expect("kept");
    assert_eq!(positions(&kept), (1..=20).collect::<Vec<_>>());
}

fn positions(events: &[Recorded]) -> Vec<i64> {
    events.iter().map(|event| event.position).collect()
}

pub async fn heads_are_announced(place: &dyn Place) {
    let (sender, listener) = (place.connect().await, place.connect().await);
    let mut tail = listener.tail(TOPIC).await.expect("a tail");
    settle(&*sender, &mut tail).await;
    let head = LogHead {
        position: 77,
        incarnation: "first".into(),
    };
    sender.announce(TOPIC, &head).await.expect("announced");
    let found = async {
        loop {
            match tail.recv().await.expect("a delivery") {
                Delivery::Head(head) if head.position > 0 => return head,
                _ => {}
            }
        }
    };
    assert_eq!(within("a head", found).await, head);
}

pub async fn what_is_retained_can_be_read(place: &dyn Place) {
    let broker = place.connect().await;
    assert_eq!(broker.newest(TOPIC).await.expect("nothing"), None);
    let none = broker
        .retained(TOPIC, "first", 0, 10)
        .await
        .expect("nothing");
    assert!(none.is_empty());
    let producer = Producer::new(TOPIC, "first");
    let events = producer.commit(TOPIC, 3_000).await;
    // The broker does not have the beginning; some come late, as when two instances publish.
    let mut order: Vec<_> = events[500..].to_vec();
    order[300..340].rotate_left(20);
    for chunk in order.chunks(500) {
        publish(&*broker, "first", chunk).await;
    }
    let newest = broker.newest(TOPIC).await.expect("asked").expect("a head");
    assert_eq!(
        (newest.position, newest.incarnation.as_str()),
        (3_000, "first")
    );
    for after in [500, 501, 799, 810, 830, 1_700, 2_990] {
        let found = broker
            .retained(TOPIC, "first", after, 100)
            .await
            .expect("kept");
        let upto = (after + 100).min(3_000);
        assert_eq!(positions(&found), (after + 1..=upto).collect::<Vec<_>>());
        assert_eq!(found[0].data, events[after as usize].data);
    }
    for after in [0, 499, 3_000, 4_000] {
        let found = broker
            .retained(TOPIC, "first", after, 100)
            .await
            .expect("kept");
        assert!(found.is_empty(), "behind {after}: {:?}", positions(&found));
    }
}

pub async fn another_incarnation_is_another_log(place: &dyn Place) {
    let broker = place.connect().await;
    let (first, second) = (
        Producer::new(TOPIC, "first"),
        Producer::new(TOPIC, "second"),
    );
    publish(&*broker, "first", &first.commit(TOPIC, 50).await).await;
    publish(&*broker, "second", &second.commit(TOPIC, 10).await).await;
    let newest = broker.newest(TOPIC).await.expect("asked").expect("a head");
    assert_eq!(
        (newest.position, newest.incarnation.as_str()),
        (10, "second")
    );
    let found = broker
        .retained(TOPIC, "second", 4, 100)
        .await
        .expect("kept");
    assert_eq!(positions(&found), (5..=10).collect::<Vec<_>>());
}

pub async fn garbage_is_passed_over(place: &dyn Place) {
    let (sender, listener) = (place.connect().await, place.connect().await);
    let mut tail = listener.tail(TOPIC).await.expect("a tail");
    settle(&*sender, &mut tail).await;
    let producer = Producer::new(TOPIC, "first");
    let events = producer.commit(TOPIC, 3).await;
    publish(&*sender, "first", &events[..1]).await;
    for garbage in [&b""[..], b"{}", b"\xff\xfe\x00", &[b'['; 10_000]] {
        place.garbage(TOPIC, garbage).await;
    }
    publish(&*sender, "first", &events[1..]).await;
    // Order holds per partition.
    let found = take(&mut tail, 3).await;
    let mut found: Vec<_> = found.iter().map(|event| event.position).collect();
    found.sort_unstable();
    assert_eq!(found, [1, 2, 3]);
    let kept = listener
        .retained(TOPIC, "first", 0, 10)
        .await
        .expect("kept");
    assert_eq!(positions(&kept), [1, 2, 3]);
    place.garbage(TOPIC, b"x").await;
    let newest = listener
        .newest(TOPIC)
        .await
        .expect("asked")
        .expect("a head");
    assert_eq!(newest.position, 3);
}

pub async fn what_is_too_large_does_not_hold_up_the_rest(place: &dyn Place) {
    let Some(size) = place.too_large() else {
        return;
    };
    let (sender, listener) = (place.connect().await, place.connect().await);
    let mut tail = listener.tail(TOPIC).await.expect("a tail");
    settle(&*sender, &mut tail).await;
    let producer = Producer::new(TOPIC, "first");
    let large = format!("\"{}\"", "x".repeat(size));
    let new = (1..=3).map(|n| {
        let data = if n == 2 { large.clone() } else { "{}".into() };
        event(TOPIC, &format!("thing-{n}"), 1, data)
    });
    let events = producer.commit_events(new.collect()).await;
    publish(&*sender, "first", &events).await;
    let found = take(&mut tail, 2).await;
    assert_eq!(found.iter().map(|e| e.position).collect::<Vec<_>>(), [1, 3]);
    // A reader of the log gets it from the producer.
    let log = reader(listener, &producer);
    let read = read_all(&log, 0, 3).await;
    assert_eq!(read[1].data.len(), large.len());
}

fn reader(broker: Arc<dyn Broker>, producer: &Producer) -> RemoteLog {
    RemoteLog::start(broker, producer.history(), Vec::new(), vec![TOPIC.into()])
}

/// Reads until position `upto`, as a consumer does; every event must come once and in order.
pub async fn read_all(log: &dyn Log, after: i64, upto: i64) -> Vec<Arc<Recorded>> {
    let mut head = log.watch(TOPIC).expect("a topic");
    let mut read = Vec::new();
    let mut position = after;
    let work = async {
        while position < upto {
            let waited = head.wait_for(|head| *head > position).await;
            waited.expect("the log is there");
            let events = log.read(TOPIC, position, 64).await.unwrap_or_default();
            for event in &events {
                assert_eq!(event.position, position + 1, "without gaps, in order, once");
                position = event.position;
            }
            if events.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            read.extend(events);
        }
    };
    within("all events", work).await;
    read
}

const COUNTED: &str = r#"{"specversion":"1.0","id":"ID","source":"/wms","type":"inventory.stock.counted.v1","datacontenttype":"application/json","data":{"sku":"A","units":7}}"#;

async fn next(inbound: &mut mpsc::Receiver<Inbound>) -> Inbound {
    within("an event from outside", inbound.recv())
        .await
        .expect("an event")
}

pub async fn events_from_outside_come_until_they_are_done(place: &dyn Place) {
    let broker = place.connect().await;
    let mut inbound = broker.inbound("inventory").await.expect("a receiver");
    place.send("inventory", "{}").await;
    place.send("inventory", &COUNTED.replace("ID", "1")).await;
    let first = next(&mut inbound).await;
    assert_eq!((first.source.as_str(), first.id.as_str()), ("/wms", "1"));
    assert_eq!(first.kind, "inventory.stock.counted.v1");
    assert_eq!(first.data, r#"{"sku":"A","units":7}"#);
    first.done.send(false).expect("somebody waits");
    let again = next(&mut inbound).await;
    assert_eq!(again.id, "1");
    // Whoever took it died.
    drop(again);
    let again = next(&mut inbound).await;
    assert_eq!(again.id, "1");
    again.done.send(true).expect("somebody waits");
    place.send("inventory", &COUNTED.replace("ID", "2")).await;
    let second = next(&mut inbound).await;
    assert_eq!(second.id, "2", "the first is done");
    second.done.send(true).expect("somebody waits");
}

pub async fn instances_share_events_from_outside(place: &dyn Place) {
    let (a, b) = (place.connect().await, place.connect().await);
    let mut one = a.inbound("inventory").await.expect("a receiver");
    let mut other = b.inbound("inventory").await.expect("a receiver");
    for n in 0..20 {
        place
            .send("inventory", &COUNTED.replace("ID", &n.to_string()))
            .await;
    }
    let mut seen = Vec::new();
    while seen.len() < 20 {
        let event = within("an event", async {
            tokio::select! {
                event = one.recv() => event,
                event = other.recv() => event,
            }
        });
        let event = event.await.expect("an event");
        seen.push(event.id.parse::<u32>().expect("a number"));
        event.done.send(true).expect("somebody waits");
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
}

pub async fn a_reader_loses_nothing_when_the_broker_is_killed(place: &dyn Place) {
    let (sender, listener) = (place.connect().await, place.connect().await);
    let producer = Producer::new(TOPIC, "first");
    let writing = Arc::new(RemoteLog::start(
        sender,
        producer.history(),
        vec![producer.own(TOPIC).await],
        Vec::new(),
    ));
    let reading = reader(listener, &producer);
    let stop = CancellationToken::new();
    let relay = tokio::spawn({
        let (log, stop) = (writing.clone(), stop.clone());
        async move { log.relay(TOPIC, stop).await }
    });
    let write = async {
        for round in 0..60 {
            let events = producer.commit(TOPIC, 10).await;
            writing.publish(TOPIC, &events);
            if round == 20 || round == 40 {
                place.restart().await;
            }
        }
    };
    let (read, ()) = tokio::join!(read_all(&reading, 0, 600), write);
    assert_eq!(read.len(), 600);
    // What came from a later event on did so through the broker again.
    let events = producer.commit(TOPIC, 5).await;
    writing.publish(TOPIC, &events);
    read_all(&reading, 600, 605).await;
    stop.cancel();
    within("the relay's end", relay).await.expect("ended");
}
