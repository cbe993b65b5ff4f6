//! The key ring of many processes: a PostgreSQL database of its own with one key per person.
//!
//! - A new key is durable before the commit that needs it. If two processes make one for the same
//!   person at once, the first that is durable is the person's; the other process seals again
//!   ([`Lapses::replaced`](crate::Lapses)).
//! - An erasure is seen by the other processes within two seconds; until then they may still read
//!   what they hold. A process that cannot reach the database keeps the keys it has in memory.
//! - Erasing deletes the key's row and vacuums the table. Its bytes stay in the server's
//!   write-ahead log until that is recycled, and in backups until these expire.

use std::{
    sync::{Arc, atomic::Ordering, mpsc::sync_channel},
    thread,
};

use kernel::{BoxFuture, Ids, KeyRing, KeyRingError, PersonId, sql};
use ring::{aead::LessSafeKey, hmac, rand::SystemRandom};
use store::postgres::Database;
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::{mpsc, oneshot},
};

use super::{
    cipher,
    keeper::{Ask, Found, Keeper, Memory, Reply, SCHEMA, error},
};
use crate::{KeyVault, Lapses, plan::records_owner};

/// Keys in PostgreSQL, shared by all processes.
pub struct PostgresKeyRing {
    keeper: mpsc::UnboundedSender<Ask>,
    memory: Arc<Memory>,
    blind: hmac::Key,
    random: SystemRandom,
    ids: Arc<dyn Ids>,
}

impl PostgresKeyRing {
    /// Opens or makes the ring in the database at `url` (`postgres://…/souk_keyring`, see
    /// [`store::postgres::Config::url`]).
    pub async fn open(url: &str, ids: Arc<dyn Ids>) -> Result<Self, KeyRingError> {
        let memory = Arc::new(Memory::default());
        let (keeper, asked) = mpsc::unbounded_channel();
        let (opened, opening) = oneshot::channel();
        let (url, secrets, keeping) =
            (url.to_owned(), [ids.secret(), ids.secret()], memory.clone());
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(e) => return drop(opened.send(Err(KeyRingError(e.to_string())))),
            };
            runtime.block_on(async {
                match prepare(&url, secrets).await {
                    Ok((database, blind, seen)) => {
                        let keeper = Keeper {
                            database,
                            memory: keeping,
                            seen,
                        };
                        drop(opened.send(Ok(blind)));
                        keeper.run(asked).await;
                    }
                    Err(e) => drop(opened.send(Err(error(e)))),
                }
            });
        };
        thread::Builder::new()
            .name("keyring".into())
            .spawn(serve)
            .map_err(|e| KeyRingError(e.to_string()))?;
        let blind = opening.await.map_err(|_| gone())??;
        Ok(Self {
            keeper,
            memory,
            blind: hmac::Key::new(hmac::HMAC_SHA256, &blind),
            random: SystemRandom::new(),
            ids,
        })
    }

    /// The person's key: `None` if they were erased or have none; made if they are new and `make`
    /// is set.
    fn key(&self, person: &PersonId, make: bool) -> Result<Option<Arc<LessSafeKey>>, KeyRingError> {
        if let Some(known) = self.memory.keys.get(person) {
            return Ok(known);
        }
        if let Some(bytes) = self.memory.pending().get(person) {
            return Ok(Some(Arc::new(cipher::key(bytes)?)));
        }
        match self.fetch(person)? {
            Found::Key(key) => Ok(Some(key)),
            Found::Nothing if make => self.make(person),
            Found::Nothing | Found::Erased => Ok(None),
        }
    }

    fn make(&self, person: &PersonId) -> Result<Option<Arc<LessSafeKey>>, KeyRingError> {
        // Held until the key is in memory: nobody else in this process makes a second one.
        let mut pending = self.memory.pending();
        if let Some(known) = self.memory.keys.get(person) {
            return Ok(known);
        }
        let bytes = *pending
            .entry(person.clone())
            .or_insert_with(|| self.ids.secret());
        let key = Arc::new(cipher::key(&bytes)?);
        self.memory.keys.insert(person.clone(), Some(key.clone()));
        self.memory.has_pending.store(true, Ordering::Release);
        Ok(Some(key))
    }

    /// Waits for the keeper. Rare: keys are fetched beforehand, and kept.
    fn fetch(&self, person: &PersonId) -> Result<Found, KeyRingError> {
        let (answer, answered) = sync_channel(1);
        let ask = Ask::Fetch {
            persons: vec![person.clone()],
            patient: true,
            reply: Box::new(move |found| drop(answer.send(found))),
        };
        self.keeper.send(ask).map_err(|_| gone())?;
        let wait = || answered.recv().map_err(|_| gone())?;
        let others_run_here = Handle::try_current()
            .is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
        match others_run_here {
            // Lets the tasks of this thread go on elsewhere.
            true => tokio::task::block_in_place(wait),
            false => wait(),
        }
    }

    fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(Reply<T>) -> Ask,
    ) -> BoxFuture<'static, Result<T, KeyRingError>> {
        let (answer, answered) = oneshot::channel();
        let sent = self
            .keeper
            .send(ask(Box::new(move |done| drop(answer.send(done)))));
        Box::pin(async move {
            sent.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?
        })
    }
}

/// Opens the database: also answers the secret of blind hashes, and the last erasure.
async fn prepare(
    url: &str,
    [blind, records]: [[u8; 32]; 2],
) -> Result<(Database, Vec<u8>, i64), store::StoreError> {
    let mut database = Database::open(url, "souk keyring", SCHEMA).await?;
    let statements = [
        sql!(
            "INSERT INTO secrets (name, value) VALUES ('blind', $1) ON CONFLICT (name) DO NOTHING",
            blind.to_vec()
        ),
        sql!(
            "INSERT INTO keys (person, key) VALUES ($1, $2) ON CONFLICT (person) DO NOTHING",
            records_owner().as_str(),
            records.to_vec()
        ),
        sql!("SELECT value FROM secrets WHERE name = 'blind'"),
        sql!("SELECT count FROM erasures WHERE id = 1"),
    ];
    let answers = database.transact(&statements).await?;
    let first = |n: usize| answers.get(n).and_then(|rows| rows.first());
    let blind = first(2).map(|row| row.get(0)).unwrap_or_default();
    let seen = first(3).map_or(0, |row| row.get(0));
    Ok((database, blind, seen))
}

fn gone() -> KeyRingError {
    KeyRingError("the key ring is closed".into())
}

impl KeyRing for PostgresKeyRing {
    fn seal(&self, person: &PersonId, plain: &[u8]) -> Result<Vec<u8>, KeyRingError> {
        cipher::seal(self.key(person, true)?, &self.random, person, plain)
    }

    fn open(&self, person: &PersonId, sealed: &[u8]) -> Result<Option<Vec<u8>>, KeyRingError> {
        cipher::open(self.key(person, false)?, person, sealed)
    }

    fn blind(&self, purpose: &str, value: &str) -> String {
        cipher::blind(&self.blind, purpose, value)
    }
}

impl KeyVault for PostgresKeyRing {
    fn has_pending(&self) -> bool {
        self.memory.has_pending.load(Ordering::Acquire)
    }

    fn persist(self: Arc<Self>) -> BoxFuture<'static, Result<(), KeyRingError>> {
        self.ask(|reply| Ask::Persist { reply })
    }

    fn lapses(&self) -> Lapses {
        self.memory.lapses()
    }

    fn prefetch(
        self: Arc<Self>,
        persons: Vec<PersonId>,
    ) -> BoxFuture<'static, Result<(), KeyRingError>> {
        let unknown = |person: &PersonId| self.memory.keys.peek(person).is_none();
        let persons: Vec<PersonId> = persons.into_iter().filter(unknown).collect();
        if persons.is_empty() {
            return Box::pin(async { Ok(()) });
        }
        let fetched = self.ask(|reply| Ask::Fetch {
            persons,
            patient: false,
            reply,
        });
        Box::pin(async move { fetched.await.map(|_| ()) })
    }

    fn erasures(&self) -> u64 {
        self.memory.erasures.load(Ordering::Acquire)
    }

    fn erase(self: Arc<Self>, person: PersonId) -> BoxFuture<'static, Result<(), KeyRingError>> {
        self.ask(|reply| Ask::Erase { person, reply })
    }

    fn ring(self: Arc<Self>) -> Arc<dyn KeyRing> {
        self
    }
}
