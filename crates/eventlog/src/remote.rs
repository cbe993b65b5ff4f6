//! The log across processes. Each topic is put together from what this process committed, what the
//! broker brings, and what the producers' own stores say; the broker is trusted with nothing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kernel::{BoxFuture, Recorded};
use store::Store;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Broker, Delivery, History, Log, LogError, LogHead,
    assembly::{Assembly, Source, Want},
    outbox::{Outbox, Returned},
};

/// How many events one read of history takes at most, and about how many bytes of payload.
const READ: usize = 512;
const READ_BYTES: usize = 1024 * 1024;
/// Deliveries taken in at once.
const CHUNK: usize = 512;
/// How long to wait after a failure, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// When nothing was heard of a topic for so long, its producer is asked: heads are announced each
/// second where all is well.
const SILENCE: Duration = Duration::from_secs(2);

/// A topic whose producer runs in this process, perhaps in others too.
pub struct OwnTopic {
    /// Its name: the service's.
    pub topic: String,
    /// Where its events are.
    pub store: Arc<dyn Store>,
    /// Its head at the start.
    pub head: LogHead,
}

/// One topic, shared by its tasks and readers.
pub(crate) struct Topic {
    pub name: String,
    /// The store, if the producer is here.
    pub own: Option<Arc<dyn Store>>,
    assembly: Mutex<Assembly>,
    /// The contiguous head: what wakes readers.
    head: watch::Sender<i64>,
    /// The incarnation, once it is known.
    incarnation: watch::Sender<Option<Arc<str>>>,
    /// Wakes the task that mends.
    mend: Notify,
    outbox: Outbox,
    pub returned: Mutex<Returned>,
}

/// The log of services whose producers are in other processes.
pub struct RemoteLog {
    topics: HashMap<String, Arc<Topic>>,
    pub(crate) broker: Arc<dyn Broker>,
    history: Arc<dyn History>,
    /// Ends with the log.
    _tasks: JoinSet<()>,
}

impl RemoteLog {
    /// Begins to listen to the services' `own` topics and to those they have `heard` of. Does not
    /// wait for the broker or anybody else. Must be called within a runtime.
    pub fn start(
        broker: Arc<dyn Broker>,
        history: Arc<dyn History>,
        own: Vec<OwnTopic>,
        heard: Vec<String>,
    ) -> Self {
        let mut topics = HashMap::new();
        for own in own {
            let topic = Topic::new(&own.topic, Assembly::at(&own.head), Some(own.store));
            *lock(&topic.returned) = Returned::from(own.head.position);
            topics.insert(own.topic, Arc::new(topic));
        }
        for name in heard {
            let unknown = || Arc::new(Topic::new(&name, Assembly::unknown(), None));
            topics.entry(name.clone()).or_insert_with(unknown);
        }
        let mut tasks = JoinSet::new();
        for topic in topics.values() {
            tasks.spawn(listen(topic.clone(), broker.clone()));
            tasks.spawn(mend(topic.clone(), broker.clone(), history.clone()));
            if topic.own.is_some() {
                tasks.spawn(publish(topic.clone(), broker.clone()));
            }
        }
        Self {
            topics,
            broker,
            history,
            _tasks: tasks,
        }
    }

    pub(crate) fn topic(&self, topic: &str) -> Result<&Arc<Topic>, LogError> {
        self.topics
            .get(topic)
            .ok_or_else(|| LogError::NoTopic(topic.to_owned()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is whole between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Topic {
    fn new(name: &str, assembly: Assembly, own: Option<Arc<dyn Store>>) -> Self {
        Self {
            name: name.to_owned(),
            own,
            head: watch::channel(assembly.contiguous()).0,
            incarnation: watch::channel(assembly.incarnation().cloned()).0,
            assembly: Mutex::new(assembly),
            mend: Notify::new(),
            outbox: Outbox::default(),
            returned: Mutex::default(),
        }
    }

    /// Changes what is known, and tells whom it concerns.
    fn change<T>(&self, change: impl FnOnce(&mut Assembly) -> T) -> T {
        let mut assembly = lock(&self.assembly);
        let answer = change(&mut assembly);
        let (head, incarnation) = (assembly.contiguous(), assembly.incarnation());
        // Under the lock, so that heads are told in order.
        self.incarnation.send_if_modified(|known| {
            let new = known.as_ref() != incarnation;
            if new {
                *known = incarnation.cloned();
            }
            new
        });
        self.head
            .send_if_modified(|known| std::mem::replace(known, head) != head);
        if assembly.wants(Instant::now()) != Want::Nothing {
            self.mend.notify_one();
        }
        answer
    }

    /// Takes in what the broker brought.
    fn delivered(&self, deliveries: &mut Vec<Delivery>) {
        if self.own.is_some() {
            let mut returned = lock(&self.returned);
            for delivery in &*deliveries {
                if let Delivery::Event { event, .. } = delivery {
                    returned.mark(event.position);
                }
            }
        }
        self.change(|assembly| {
            for delivery in deliveries.drain(..) {
                match delivery {
                    Delivery::Event { event, incarnation } => {
                        let source = Source::Broker(&incarnation);
                        if !assembly.offer(event.clone(), source) {
                            tracing::warn!(event = %event.id(), "an event from the broker does not fit its partition; reading it from the producer");
                        }
                    }
                    Delivery::Head(head) => assembly.announced(&head, false),
                    Delivery::Reconnected => assembly.doubt(),
                }
            }
        });
    }

    /// Events behind `after` from the producer's store, or if it is away what the broker kept.
    async fn older(
        &self,
        broker: &dyn Broker,
        history: &dyn History,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Recorded>, LogError> {
        if let Some(store) = &self.own {
            let events = store.read_log(after, limit, READ_BYTES).await;
            return events.map_err(|e| LogError::Unavailable(e.to_string()));
        }
        let Some(incarnation) = self.incarnation.borrow().clone() else {
            return Err(LogError::Unavailable("its head is not known yet".into()));
        };
        let read = history.read(&self.name, &incarnation, after, limit, READ_BYTES);
        let error = match read.await {
            Ok(events) => return Ok(without_gaps(events, after)),
            Err(error @ LogError::Restored { .. }) => {
                self.change(Assembly::doubt);
                return Err(error);
            }
            Err(error) => error,
        };
        let retained = broker
            .retained(&self.name, &incarnation, after, limit)
            .await;
        match retained.map(|events| without_gaps(events, after)) {
            Ok(events) if !events.is_empty() => Ok(events),
            _ => Err(error),
        }
    }

    async fn ask_head(&self, broker: &dyn Broker, history: &dyn History) -> Result<(), LogError> {
        let head = match &self.own {
            Some(store) => {
                let head = store.head().await;
                head.map_err(|e| LogError::Unavailable(e.to_string()))
            }
            None => history.head(&self.name).await,
        };
        let error = match head {
            Ok(head) => {
                self.change(|assembly| assembly.announced(&head, true));
                return Ok(());
            }
            Err(error) => error,
        };
        // The producer is away. What the broker has, the producer had; but it cannot say whether
        // the log was restored since.
        let newest = broker.newest(&self.name).await.ok().flatten();
        let known = self.incarnation.borrow().clone();
        match newest {
            Some(head) if known.is_none_or(|known| *known == *head.incarnation) => {
                self.change(|assembly| assembly.announced(&head, true));
                Ok(())
            }
            _ => Err(error),
        }
    }
}

/// What goes on from `after` without gaps.
fn without_gaps(mut events: Vec<Recorded>, after: i64) -> Vec<Recorded> {
    let whole = (after + 1..).zip(&events);
    let count = whole.take_while(|(p, event)| *p == event.position).count();
    events.truncate(count);
    events
}

/// Takes in what the broker brings, for ever.
async fn listen(topic: Arc<Topic>, broker: Arc<dyn Broker>) {
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut pause = BACKOFF.0;
    loop {
        match broker.tail(&topic.name).await {
            Ok(mut deliveries) => {
                pause = BACKOFF.0;
                // Something may have come between the head that is known and the first delivery.
                topic.change(Assembly::doubt);
                while deliveries.recv_many(&mut chunk, CHUNK).await > 0 {
                    topic.delivered(&mut chunk);
                }
            }
            Err(error) => {
                tracing::debug!(topic = topic.name, %error, "cannot listen to a topic; trying again");
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(BACKOFF.1);
    }
}

/// Publishes what this process committed, for ever.
async fn publish(topic: Arc<Topic>, broker: Arc<dyn Broker>) {
    let incarnation = topic.incarnation.borrow().clone().unwrap_or_default();
    topic
        .outbox
        .run(&*broker, &topic.name, &incarnation, &topic.returned)
        .await;
}

/// Fills gaps and asks for the head, for ever.
async fn mend(topic: Arc<Topic>, broker: Arc<dyn Broker>, history: Arc<dyn History>) {
    let mut pause = BACKOFF.0;
    loop {
        let want = lock(&topic.assembly).wants(Instant::now());
        let done = match want {
            Want::Nothing => {
                let heard = timeout(SILENCE, topic.mend.notified()).await;
                if heard.is_err() {
                    // A broker that says nothing, not even the head, may be away.
                    topic.change(Assembly::doubt);
                }
                continue;
            }
            Want::Patience(until) => {
                tokio::time::sleep_until(until).await;
                continue;
            }
            Want::Head => {
                // What is doubted from now on, this answer does not settle.
                lock(&topic.assembly).asking();
                let asked = topic.ask_head(&*broker, &*history).await;
                if asked.is_err() {
                    topic.change(Assembly::stop_asking);
                }
                asked
            }
            Want::Gap { after, upto } => fill(&topic, &*broker, &*history, after, upto).await,
        };
        match done {
            Ok(()) => pause = BACKOFF.0,
            Err(error) => {
                tracing::debug!(topic = topic.name, %error, "a topic's history cannot be read; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(BACKOFF.1);
            }
        }
    }
}

async fn fill(
    topic: &Topic,
    broker: &dyn Broker,
    history: &dyn History,
    after: i64,
    upto: i64,
) -> Result<(), LogError> {
    let limit = usize::try_from(upto - after).unwrap_or(1).clamp(1, READ);
    let events = topic.older(broker, history, after, limit).await?;
    topic.change(|assembly| {
        if events.is_empty() {
            assembly.nothing_behind(after);
        }
        for event in events {
            assembly.offer(Arc::new(event), Source::Store);
        }
    });
    Ok(())
}

impl Log for RemoteLog {
    fn read<'a>(
        &'a self,
        topic: &'a str,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Arc<Recorded>>, LogError>> {
        Box::pin(async move {
            let topic = self.topic(topic)?;
            let (recent, contiguous, replaced) = {
                let assembly = lock(&topic.assembly);
                let recent = assembly.read(after, limit);
                (recent, assembly.contiguous(), assembly.was_replaced())
            };
            if replaced && after > contiguous {
                return ahead(topic, &*self.history, after).await;
            }
            if let Some(events) = recent {
                return Ok(events);
            }
            let limit = limit.min(READ);
            let older = topic.older(&*self.broker, &*self.history, after, limit);
            let events = older.await?;
            if events.is_empty() {
                // It must be there: everything up to the head is. An empty answer would make the
                // reader come again at once.
                let text = format!("nothing behind {after} can be read just now");
                return Err(LogError::Unavailable(text));
            }
            Ok(events.into_iter().map(Arc::new).collect())
        })
    }

    fn watch(&self, topic: &str) -> Result<watch::Receiver<i64>, LogError> {
        Ok(self.topic(topic)?.head.subscribe())
    }

    fn publish(&self, topic: &str, events: &[Arc<Recorded>]) {
        let Ok(topic) = self.topic(topic) else {
            return;
        };
        topic.change(|assembly| {
            for event in events {
                assembly.offer(event.clone(), Source::Store);
            }
        });
        topic.outbox.push(events);
    }

    fn head<'a>(&'a self, topic: &'a str) -> BoxFuture<'a, Result<LogHead, LogError>> {
        Box::pin(async move {
            let topic = self.topic(topic)?;
            if let Some(store) = &topic.own {
                let head = store.head().await;
                return head.map_err(|e| LogError::Unavailable(e.to_string()));
            }
            let mut known = topic.incarnation.subscribe();
            let waited = known.wait_for(Option::is_some).await;
            waited.map_err(|_| LogError::Unavailable("the log has ended".into()))?;
            let head = lock(&topic.assembly).head();
            head.ok_or_else(|| LogError::Unavailable("its head is not known".into()))
        })
    }

    fn incarnation(&self, topic: &str) -> Option<Arc<str>> {
        self.topic(topic).ok()?.incarnation.borrow().clone()
    }

    fn forget(&self) {
        for topic in self.topics.values() {
            topic.change(Assembly::forget);
            topic.outbox.forget();
        }
    }

    fn relay<'a>(&'a self, topic: &'a str, stop: CancellationToken) -> BoxFuture<'a, ()> {
        Box::pin(crate::relay::relay(self, topic, stop))
    }
}

/// What to say to a reader that is ahead of a log that was restored: perhaps another instance of
/// its service heard of more; or it is from before.
async fn ahead(
    topic: &Topic,
    history: &dyn History,
    after: i64,
) -> Result<Vec<Arc<Recorded>>, LogError> {
    let head = match &topic.own {
        Some(store) => {
            let head = store.head().await;
            head.map_err(|e| LogError::Unavailable(e.to_string()))?
        }
        None => history.head(&topic.name).await?,
    };
    if after <= head.position {
        return Ok(Vec::new());
    }
    Err(LogError::Restored {
        topic: topic.name.clone(),
        head: head.position,
    })
}
