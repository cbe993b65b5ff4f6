//! The key ring of one process: a small SQLite file of its own with one key per person.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use kernel::{BoxFuture, Ids, KeyRing, KeyRingError, PersonId};
use quick_cache::sync::Cache;
use ring::{aead::LessSafeKey, hmac, rand::SystemRandom};
use rusqlite::{Connection, OptionalExtension as _};

use super::{KEPT, cipher};
use crate::KeyVault;

/// Keys in SQLite; a new key is durable before the commit that needs it.
pub struct SqliteKeyRing {
    connection: Mutex<Connection>,
    keys: Cache<PersonId, Option<Arc<LessSafeKey>>>,
    pending: Mutex<HashMap<PersonId, [u8; 32]>>,
    has_pending: AtomicBool,
    erasures: AtomicU64,
    blind: hmac::Key,
    random: SystemRandom,
    ids: Arc<dyn Ids>,
}

impl SqliteKeyRing {
    /// Opens or makes the ring.
    pub fn open(path: &Path, ids: Arc<dyn Ids>) -> Result<Self, KeyRingError> {
        // Before anything is in it: SQLite gives its side files the permissions of this one.
        restrict(path);
        let connection = Connection::open(path).map_err(error)?;
        let setup = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA busy_timeout = 5000; \
            CREATE TABLE IF NOT EXISTS keys (person TEXT PRIMARY KEY, key BLOB NOT NULL) STRICT, WITHOUT ROWID; \
            CREATE TABLE IF NOT EXISTS erased (person TEXT PRIMARY KEY) STRICT, WITHOUT ROWID; \
            CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;";
        connection.execute_batch(setup).map_err(error)?;
        let insert =
            "INSERT INTO secrets (name, value) VALUES ('blind', ?1) ON CONFLICT (name) DO NOTHING";
        connection.execute(insert, [ids.secret()]).map_err(error)?;
        let blind: Vec<u8> = connection
            .query_row(
                "SELECT value FROM secrets WHERE name = 'blind'",
                [],
                |row| row.get(0),
            )
            .map_err(error)?;
        Ok(Self {
            connection: Mutex::new(connection),
            keys: Cache::new(KEPT),
            pending: Mutex::default(),
            has_pending: AtomicBool::new(false),
            erasures: AtomicU64::new(0),
            blind: hmac::Key::new(hmac::HMAC_SHA256, &blind),
            random: SystemRandom::new(),
            ids,
        })
    }

    /// Makes new keys durable.
    fn persist_now(&self) -> Result<(), KeyRingError> {
        let mut connection = lock(&self.connection)?;
        // New keys are made under the connection's lock, so none comes in meanwhile. They are
        // pending until they are durable: another service that sealed with one of them finds it
        // so, and waits here.
        let mut pending = lock(&self.pending)?;
        if pending.is_empty() {
            return Ok(());
        }
        let transaction = connection.transaction().map_err(error)?;
        {
            let text =
                "INSERT INTO keys (person, key) VALUES (?1, ?2) ON CONFLICT (person) DO NOTHING";
            let mut prepared = transaction.prepare_cached(text).map_err(error)?;
            for (person, key) in pending.iter() {
                prepared.execute((person.as_str(), key)).map_err(error)?;
            }
        }
        transaction.commit().map_err(error)?;
        pending.clear();
        self.has_pending.store(false, Ordering::Release);
        Ok(())
    }

    fn erase_now(&self, person: &PersonId) -> Result<(), KeyRingError> {
        let mut connection = lock(&self.connection)?;
        let transaction = connection.transaction().map_err(error)?;
        transaction
            .execute("DELETE FROM keys WHERE person = ?1", [person.as_str()])
            .map_err(error)?;
        let insert = "INSERT INTO erased (person) VALUES (?1) ON CONFLICT (person) DO NOTHING";
        transaction
            .execute(insert, [person.as_str()])
            .map_err(error)?;
        transaction.commit().map_err(error)?;
        lock(&self.pending)?.remove(person);
        self.keys.insert(person.clone(), None);
        self.erasures.fetch_add(1, Ordering::Release);
        connection
            .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
            .map_err(error)
    }

    /// The key as it stands: `Some(None)` if the person was erased.
    fn stored(
        &self,
        connection: &Connection,
        person: &PersonId,
    ) -> Result<Option<Option<[u8; 32]>>, KeyRingError> {
        if let Some(key) = lock(&self.pending)?.get(person) {
            return Ok(Some(Some(*key)));
        }
        let key = connection
            .prepare_cached("SELECT key FROM keys WHERE person = ?1")
            .and_then(|mut prepared| {
                prepared
                    .query_row([person.as_str()], |row| row.get::<_, [u8; 32]>(0))
                    .optional()
            })
            .map_err(error)?;
        if key.is_some() {
            return Ok(key.map(Some));
        }
        let erased = connection
            .prepare_cached("SELECT 1 FROM erased WHERE person = ?1")
            .and_then(|mut prepared| prepared.exists([person.as_str()]))
            .map_err(error)?;
        Ok(erased.then_some(None))
    }

    /// The person's key: `None` if they were erased; made if they are new and `make` is set.
    fn key(&self, person: &PersonId, make: bool) -> Result<Option<Arc<LessSafeKey>>, KeyRingError> {
        if let Some(known) = self.keys.get(person) {
            return Ok(known);
        }
        // Held until the key is cached: nobody else makes a second key for this person, and no
        // erasure slips in between.
        let connection = lock(&self.connection)?;
        let bytes = match self.stored(&connection, person)? {
            Some(stored) => stored,
            None if make => {
                let fresh = self.ids.secret();
                lock(&self.pending)?.insert(person.clone(), fresh);
                self.has_pending.store(true, Ordering::Release);
                Some(fresh)
            }
            // A key that never was: the data is unreadable, as after an erasure.
            None => return Ok(None),
        };
        let key = bytes
            .map(|bytes| cipher::key(&bytes).map(Arc::new))
            .transpose()?;
        self.keys.insert(person.clone(), key.clone());
        Ok(key)
    }
}

impl KeyRing for SqliteKeyRing {
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

impl KeyVault for SqliteKeyRing {
    fn has_pending(&self) -> bool {
        self.has_pending.load(Ordering::Acquire)
    }

    fn persist(self: Arc<Self>) -> BoxFuture<'static, Result<(), KeyRingError>> {
        blocking(move || self.persist_now())
    }

    /// Reading a key from the file takes no longer than asking for it.
    fn prefetch(self: Arc<Self>, _: Vec<PersonId>) -> BoxFuture<'static, Result<(), KeyRingError>> {
        Box::pin(async { Ok(()) })
    }

    fn erasures(&self) -> u64 {
        self.erasures.load(Ordering::Acquire)
    }

    fn erase(self: Arc<Self>, person: PersonId) -> BoxFuture<'static, Result<(), KeyRingError>> {
        blocking(move || self.erase_now(&person))
    }

    fn ring(self: Arc<Self>) -> Arc<dyn KeyRing> {
        self
    }
}

fn blocking(
    work: impl FnOnce() -> Result<(), KeyRingError> + Send + 'static,
) -> BoxFuture<'static, Result<(), KeyRingError>> {
    Box::pin(async {
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|e| KeyRingError(e.to_string()))?
    })
}

fn lock<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, KeyRingError> {
    mutex
        .lock()
        .map_err(|_| KeyRingError("the key ring is broken".into()))
}

fn error(error: rusqlite::Error) -> KeyRingError {
    KeyRingError(error.to_string())
}

/// Makes the file if it is missing; only the owner may read the keys.
#[cfg(unix)]
fn restrict(path: &Path) {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let mut options = std::fs::OpenOptions::new();
    let made = options.create(true).append(true).mode(0o600).open(path);
    let file = made.and_then(|file| file.set_permissions(std::fs::Permissions::from_mode(0o600)));
    if let Err(error) = file {
        tracing::warn!(%error, "the key ring's file permissions could not be restricted");
    }
}

#[cfg(not(unix))]
fn restrict(_: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RandomIds;

    #[test]
    fn a_key_that_is_not_yet_durable_is_not_lost_by_the_cache() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keyring.db");
        let ring = SqliteKeyRing::open(&path, Arc::new(RandomIds)).expect("opens");
        let person: PersonId = "per_c".parse().expect("id");
        let sealed = ring.seal(&person, b"1").expect("seals");
        ring.keys.clear();
        assert_eq!(
            ring.open(&person, &sealed).expect("opens").as_deref(),
            Some(&b"1"[..])
        );
    }

    /// Another service that sealed with the same new key must wait for it too: until the key is on
    /// disk it is pending, also while it is being written.
    #[test]
    fn a_key_is_pending_until_it_is_durable() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keyring.db");
        let ring = SqliteKeyRing::open(&path, Arc::new(RandomIds)).expect("opens");
        let person: PersonId = "per_d".parse().expect("id");
        ring.seal(&person, b"1").expect("seals");
        let slow_disk = Connection::open(&path).expect("opens");
        slow_disk.execute_batch("BEGIN IMMEDIATE").expect("held");
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| ring.persist_now());
            for _ in 0..5_000 {
                std::thread::yield_now();
                assert!(
                    ring.has_pending(),
                    "a commit could have gone ahead of its key"
                );
            }
            slow_disk.execute_batch("ROLLBACK").expect("free");
            writing.join().expect("no panic").expect("durable");
        });
        assert!(!ring.has_pending());
    }

    #[test]
    fn a_key_that_could_not_be_written_is_tried_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keyring.db");
        let ring = SqliteKeyRing::open(&path, Arc::new(RandomIds)).expect("opens");
        let person: PersonId = "per_e".parse().expect("id");
        let sealed = ring.seal(&person, b"1").expect("seals");
        lock(&ring.connection)
            .and_then(|c| c.execute_batch("PRAGMA query_only = ON").map_err(error))
            .expect("the disk takes nothing now");
        assert!(ring.persist_now().is_err());
        assert!(ring.has_pending(), "the key would be lost");
        lock(&ring.connection)
            .and_then(|c| c.execute_batch("PRAGMA query_only = OFF").map_err(error))
            .expect("now it does");
        ring.persist_now().expect("durable");
        drop(ring);
        let ring = SqliteKeyRing::open(&path, Arc::new(RandomIds)).expect("opens");
        let opened = ring.open(&person, &sealed).expect("opens");
        assert_eq!(opened.as_deref(), Some(&b"1"[..]));
    }
}
