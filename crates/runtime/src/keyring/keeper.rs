//! The thread that speaks with the key ring's database. It has a small runtime of its own, so that
//! code that cannot wait asynchronously (a deserializer) may wait for it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use kernel::{KeyRingError, PersonId, Rows, Statement, sql};
use quick_cache::sync::Cache;
use ring::aead::LessSafeKey;
use store::{StoreError, postgres::Database};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};

use super::{KEPT, cipher};
use crate::Lapses;

/// How often erasures made by other processes are looked for, while keys are in memory.
const LOOK: Duration = Duration::from_secs(1);
/// How long somebody who cannot wait asynchronously is kept waiting for a database that is away.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) const SCHEMA: &[&str] = &["
CREATE TABLE keys (person TEXT PRIMARY KEY, key BYTEA NOT NULL);
CREATE TABLE erased (person TEXT PRIMARY KEY, number BIGINT NOT NULL);
CREATE INDEX erased_number ON erased (number);
CREATE TABLE erasures (id BIGINT PRIMARY KEY, count BIGINT NOT NULL);
INSERT INTO erasures (id, count) VALUES (1, 0);
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BYTEA NOT NULL);
"];

/// What is known of a person's key.
#[derive(Clone)]
pub(super) enum Found {
    Key(Arc<LessSafeKey>),
    Erased,
    /// There is none, and there never was one.
    Nothing,
}

/// What the keeper can be asked.
pub(super) enum Ask {
    /// Brings keys into memory and answers the first one's.
    Fetch {
        persons: Vec<PersonId>,
        patient: bool,
        reply: Reply<Found>,
    },
    Persist {
        reply: Reply<()>,
    },
    Erase {
        person: PersonId,
        reply: Reply<()>,
    },
}

/// Takes the answer to whoever waits for it, in whatever way they wait.
pub(super) type Reply<T> = Box<dyn FnOnce(Result<T, KeyRingError>) + Send>;

/// What the ring and its keeper share.
pub(super) struct Memory {
    pub keys: Cache<PersonId, Option<Arc<LessSafeKey>>>,
    pub pending: Mutex<HashMap<PersonId, [u8; 32]>>,
    pub has_pending: AtomicBool,
    pub erasures: AtomicU64,
    replaced: AtomicU64,
    unreachable: AtomicU64,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            keys: Cache::new(KEPT),
            pending: Mutex::default(),
            has_pending: AtomicBool::new(false),
            erasures: AtomicU64::new(0),
            replaced: AtomicU64::new(0),
            unreachable: AtomicU64::new(0),
        }
    }
}

impl Memory {
    pub fn pending(&self) -> MutexGuard<'_, HashMap<PersonId, [u8; 32]>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn lapses(&self) -> Lapses {
        Lapses {
            replaced: self.replaced.load(Ordering::Acquire),
            unreachable: self.unreachable.load(Ordering::Acquire),
        }
    }

    fn forget(&self, person: &PersonId) {
        self.keys.insert(person.clone(), None);
    }
}

pub(super) struct Keeper {
    pub database: Database,
    pub memory: Arc<Memory>,
    /// The number of the last erasure that was seen.
    pub seen: i64,
}

impl Keeper {
    /// Serves until nobody can ask any more.
    pub async fn run(mut self, mut asked: mpsc::UnboundedReceiver<Ask>) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                ask = asked.recv() => match ask {
                    Some(ask) => self.answer(ask).await,
                    None => return,
                },
                _ = looks.tick() => if !self.memory.keys.is_empty() {
                    // What cannot be seen now is seen later.
                    let _ = self.look_for_erasures().await;
                },
            }
        }
    }

    async fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Fetch {
                persons,
                patient,
                reply,
            } => {
                let give_up = Instant::now() + PATIENCE;
                let found = loop {
                    match self.fetch(&persons).await {
                        Err(StoreError::Unavailable(_)) if patient && Instant::now() < give_up => {}
                        found => break found,
                    }
                };
                if found.is_err() {
                    self.memory.unreachable.fetch_add(1, Ordering::AcqRel);
                }
                reply(found.map_err(error));
            }
            Ask::Persist { reply } => reply(self.persist().await),
            Ask::Erase { person, reply } => reply(self.erase(&person).await.map_err(error)),
        }
    }

    async fn fetch(&mut self, persons: &[PersonId]) -> Result<Found, StoreError> {
        let answers = self.database.ask(&stored(persons)).await?;
        let (keys, erased) = stored_rows(answers);
        let mut first = Found::Nothing;
        for person in persons {
            // A key of ours that is not durable yet is judged when it is written.
            let known = self.memory.pending().contains_key(person);
            let found = match (erased.contains(person), keys.get(person)) {
                (true, _) => Found::Erased,
                (false, Some(bytes)) => Found::Key(Arc::new(made(bytes)?)),
                (false, None) => Found::Nothing,
            };
            match &found {
                Found::Key(key) if !known => {
                    self.memory.keys.insert(person.clone(), Some(key.clone()))
                }
                Found::Erased => self.memory.forget(person),
                _ => {}
            }
            if person == &persons[0] {
                first = found;
            }
        }
        Ok(first)
    }

    /// Makes new keys durable, unless another process was faster: then its key is the person's,
    /// and ours is void.
    async fn persist(&mut self) -> Result<(), KeyRingError> {
        let pending = self.memory.pending().clone();
        if pending.is_empty() {
            return Ok(());
        }
        let persons: Vec<PersonId> = pending.keys().cloned().collect();
        // An erasure waits for this lock, or this waits for the erasure.
        let mut statements = vec![sql!("SELECT count FROM erasures WHERE id = 1 FOR SHARE")];
        statements.extend(pending.iter().map(|(person, key)| {
            sql!(
                "INSERT INTO keys (person, key) SELECT $1, $2 \
                 WHERE NOT EXISTS (SELECT 1 FROM erased WHERE person = $1) ON CONFLICT (person) DO NOTHING",
                person.as_str(),
                key.to_vec()
            )
        }));
        statements.push(stored(&persons));
        let mut answers = self.database.transact(&statements).await.map_err(error)?;
        let (keys, erased) = stored_rows(answers.pop().unwrap_or_default());
        let mut lost = 0;
        let mut waiting = self.memory.pending();
        for (person, ours) in &pending {
            match keys.get(person).filter(|_| !erased.contains(person)) {
                Some(stored) if stored.as_slice() == ours => {}
                Some(stored) => {
                    lost += 1;
                    let key = made(stored).map_err(error)?;
                    self.memory.keys.insert(person.clone(), Some(Arc::new(key)));
                }
                None => {
                    lost += 1;
                    self.memory.forget(person);
                }
            }
            waiting.remove(person);
        }
        // In this order: who finds nothing pending must see that something was lost.
        self.memory.replaced.fetch_add(lost, Ordering::AcqRel);
        self.memory
            .has_pending
            .store(!waiting.is_empty(), Ordering::Release);
        match lost {
            0 => Ok(()),
            _ => Err(KeyRingError(
                "another process made the key; seal again".into(),
            )),
        }
    }

    async fn erase(&mut self, person: &PersonId) -> Result<(), StoreError> {
        let name = person.as_str();
        let statements = [
            sql!("UPDATE erasures SET count = count + 1 WHERE id = 1"),
            sql!("DELETE FROM keys WHERE person = $1", name),
            sql!(
                "INSERT INTO erased (person, number) VALUES ($1, (SELECT count FROM erasures WHERE id = 1)) \
                 ON CONFLICT (person) DO NOTHING",
                name
            ),
        ];
        self.database.transact(&statements).await?;
        self.memory.pending().remove(person);
        self.memory.forget(person);
        self.memory.erasures.fetch_add(1, Ordering::AcqRel);
        self.database.vacuum().await
    }

    async fn look_for_erasures(&mut self) -> Result<(), StoreError> {
        let look = sql!(
            "SELECT person, number FROM erased WHERE number > $1 ORDER BY number",
            self.seen
        );
        for row in self.database.ask(&look).await? {
            if let Ok(person) = row.get::<String>(0).parse() {
                self.memory.forget(&person);
            }
            self.seen = row.get(1);
            self.memory.erasures.fetch_add(1, Ordering::AcqRel);
        }
        Ok(())
    }
}

/// Keys and erasures of these persons, as one statement sees them. Ids hold no commas.
fn stored(persons: &[PersonId]) -> Statement {
    let ids: Vec<&str> = persons.iter().map(PersonId::as_str).collect();
    sql!(
        "SELECT person, key FROM keys WHERE person = ANY (string_to_array($1, ',')) \
         UNION ALL SELECT person, NULL FROM erased WHERE person = ANY (string_to_array($1, ','))",
        ids.join(",")
    )
}

fn stored_rows(rows: Rows) -> (HashMap<PersonId, Vec<u8>>, Vec<PersonId>) {
    let (mut keys, mut erased) = (HashMap::new(), Vec::new());
    for row in &rows {
        let Ok(person) = row.get::<String>(0).parse::<PersonId>() else {
            continue;
        };
        match row.get::<Option<Vec<u8>>>(1) {
            Some(key) => drop(keys.insert(person, key)),
            None => erased.push(person),
        }
    }
    (keys, erased)
}

fn made(bytes: &[u8]) -> Result<LessSafeKey, StoreError> {
    let bytes = bytes
        .try_into()
        .map_err(|_| StoreError::Data("a key of another length".into()))?;
    cipher::key(bytes).map_err(|e| StoreError::Data(e.0))
}

pub(super) fn error(error: StoreError) -> KeyRingError {
    KeyRingError(error.to_string())
}
