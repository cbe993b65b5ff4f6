//! A broker in memory: well-behaved under the suite, and under the reader's tests as bad as a seed
//! makes it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use eventlog::{Broker, Delivery, Inbound, LogError, LogHead, cloudevents::Foreign};
use kernel::{BoxFuture, Recorded};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::{Doing, Place};

/// Numbers that look random and are the same for the same seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}

type Kept = (String, Arc<Recorded>);

#[derive(Default)]
struct Topic {
    listeners: Vec<mpsc::UnboundedSender<Delivery>>,
    kept: Vec<Kept>,
    /// What a bad broker brings later, or not at all.
    held: Vec<Kept>,
}

#[derive(Default)]
struct Inside {
    topics: HashMap<String, Topic>,
    inbound: HashMap<String, Vec<Foreign>>,
    /// Present if the broker is bad.
    dice: Option<Dice>,
}

/// A broker in memory.
#[derive(Clone)]
pub struct MemoryBroker {
    inside: Arc<Mutex<Inside>>,
    arrived: Arc<Semaphore>,
}

impl Default for MemoryBroker {
    fn default() -> Self {
        Self {
            inside: Arc::default(),
            arrived: Arc::new(Semaphore::new(0)),
        }
    }
}

impl MemoryBroker {
    /// One that loses, repeats, delays and refuses.
    pub fn bad(seed: u64) -> Self {
        let broker = Self::default();
        broker.inside().dice = Some(Dice::new(seed));
        broker
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("no test panicked in here")
    }

    /// Ends all connections' deliveries for a moment.
    pub fn interrupt(&self) {
        for topic in self.inside().topics.values_mut() {
            topic.held.clear();
            let tell = |to: &mpsc::UnboundedSender<_>| to.send(Delivery::Reconnected).is_ok();
            topic.listeners.retain(tell);
        }
    }

    pub fn send(&self, service: &str, event: Foreign) {
        let mut inside = self.inside();
        inside
            .inbound
            .entry(service.into())
            .or_default()
            .push(event);
        self.arrived.add_permits(1);
    }
}

impl Topic {
    fn deliver(&mut self, (incarnation, event): &Kept) {
        let delivery = || Delivery::Event {
            event: event.clone(),
            incarnation: incarnation.as_str().into(),
        };
        self.listeners.retain(|to| to.send(delivery()).is_ok());
    }

    fn keep(&mut self, new: &Kept) {
        let same = |kept: &Kept| kept.0 == new.0 && kept.1.position == new.1.position;
        if !self.kept.iter().any(same) {
            self.kept.push(new.clone());
        }
    }
}

impl Broker for MemoryBroker {
    fn publish<'a>(
        &'a self,
        topic: &'a str,
        incarnation: &'a str,
        events: &'a [Arc<Recorded>],
    ) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let mut inside = self.inside();
            let Inside { topics, dice, .. } = &mut *inside;
            let topic = topics.entry(topic.into()).or_default();
            for event in events {
                let new = (incarnation.to_owned(), event.clone());
                topic.keep(&new);
                let fate = dice.as_mut().map_or(9, |dice| dice.below(10));
                match fate {
                    0 => {}
                    1 => topic.held.push(new),
                    2 => {
                        topic.deliver(&new);
                        topic.deliver(&new);
                    }
                    _ => topic.deliver(&new),
                }
                if fate == 3 && !topic.held.is_empty() {
                    let late = topic.held.swap_remove(0);
                    topic.deliver(&late);
                }
            }
            match dice.as_mut().map_or(9, |dice| dice.below(10)) {
                // They arrived, and the answer is lost.
                0 => Err(LogError::Unavailable("the answer is lost".into())),
                _ => Ok(()),
            }
        })
    }

    fn announce<'a>(
        &'a self,
        topic: &'a str,
        head: &'a LogHead,
    ) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(async move {
            let mut inside = self.inside();
            let topic = inside.topics.entry(topic.into()).or_default();
            let tell = |to: &mpsc::UnboundedSender<_>| to.send(Delivery::Head(head.clone()));
            topic.listeners.retain(|to| tell(to).is_ok());
            Ok(())
        })
    }

    fn tail<'a>(
        &'a self,
        topic: &'a str,
    ) -> BoxFuture<'a, Result<mpsc::Receiver<Delivery>, LogError>> {
        Box::pin(async move {
            let (listener, mut heard) = mpsc::unbounded_channel();
            let (deliver, deliveries) = mpsc::channel(16);
            let mut inside = self.inside();
            let topic = inside.topics.entry(topic.into()).or_default();
            topic.listeners.push(listener);
            tokio::spawn(async move {
                while let Some(delivery) = heard.recv().await {
                    if deliver.send(delivery).await.is_err() {
                        return;
                    }
                }
            });
            Ok(deliveries)
        })
    }

    fn newest<'a>(&'a self, topic: &'a str) -> BoxFuture<'a, Result<Option<LogHead>, LogError>> {
        Box::pin(async move {
            let inside = self.inside();
            let last = inside.topics.get(topic).and_then(|topic| topic.kept.last());
            Ok(last.map(|(incarnation, event)| LogHead {
                position: event.position,
                incarnation: incarnation.clone(),
            }))
        })
    }

    fn retained<'a>(
        &'a self,
        topic: &'a str,
        incarnation: &'a str,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>> {
        Box::pin(async move {
            let inside = self.inside();
            let kept = inside
                .topics
                .get(topic)
                .map_or(&[][..], |topic| &topic.kept);
            let mut found: Vec<Recorded> = kept
                .iter()
                .filter(|(of, event)| of == incarnation && event.position > after)
                .map(|(_, event)| (**event).clone())
                .collect();
            found.sort_by_key(|event| event.position);
            let run = (after + 1..).zip(&found).take(limit);
            let count = run.take_while(|(p, event)| *p == event.position).count();
            found.truncate(count);
            Ok(found)
        })
    }

    fn inbound<'a>(
        &'a self,
        service: &'a str,
    ) -> BoxFuture<'a, Result<mpsc::Receiver<Inbound>, LogError>> {
        let (broker, service) = (self.clone(), service.to_owned());
        let (hand_on, taken) = mpsc::channel(1);
        tokio::spawn(async move {
            loop {
                let Ok(arrived) = broker.arrived.acquire().await else {
                    return;
                };
                arrived.forget();
                let next = {
                    let mut inside = broker.inside();
                    let queue = inside.inbound.entry(service.clone()).or_default();
                    (!queue.is_empty()).then(|| queue.remove(0))
                };
                let Some(event) = next else { continue };
                let (done, committed) = oneshot::channel();
                let inbound = Inbound {
                    source: event.source.clone(),
                    id: event.id.clone(),
                    kind: event.kind.clone(),
                    data: event.data.clone(),
                    done,
                };
                let given = hand_on.send(inbound).await.is_ok();
                let (broker, service) = (broker.clone(), service.clone());
                tokio::spawn(async move {
                    if committed.await != Ok(true) {
                        broker.send(&service, event);
                    }
                });
                if !given {
                    return;
                }
            }
        });
        Box::pin(async move { Ok(taken) })
    }
}

/// The broker in memory, as the suite sees it.
#[derive(Default)]
pub struct MemoryPlace(MemoryBroker);

impl Place for MemoryPlace {
    fn connect(&self) -> Doing<'_, Arc<dyn Broker>> {
        Box::pin(async { Arc::new(self.0.clone()) as Arc<dyn Broker> })
    }

    fn restart(&self) -> Doing<'_, ()> {
        Box::pin(async { self.0.interrupt() })
    }

    fn garbage<'a>(&'a self, _topic: &'a str, _bytes: &'a [u8]) -> Doing<'a, ()> {
        Box::pin(async {})
    }

    fn send<'a>(&'a self, service: &'a str, event: &'a str) -> Doing<'a, ()> {
        Box::pin(async move {
            if let Ok(event) = Foreign::structured(event.as_bytes()) {
                self.0.send(service, event);
            }
        })
    }

    fn too_large(&self) -> Option<usize> {
        None
    }
}
