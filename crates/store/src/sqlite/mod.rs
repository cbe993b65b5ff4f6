//! The SQLite adapter: one file, one writer thread, a few readers.
//!
//! WAL with `synchronous=FULL`: an acknowledged commit survives power loss. The writer alone
//! checkpoints. One process per file: the caller holds a lock on the data directory.

mod reader;
mod statement;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use kernel::{BoxFuture, Recorded, Rows, Statement};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Batch, Committed, HeldHead, LoadStream, LoadedStream, LogHead, Store, StoreError, Stores,
    held::Held,
};

/// How a SQLite store is opened.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file; made if it is missing.
    pub path: PathBuf,
    /// The service, which is the topic of its events.
    pub topic: &'static str,
    /// Threads for queries.
    pub readers: usize,
}

/// Versions before 3.51.3 can corrupt a database when the WAL is reset.
const OLDEST_SQLITE: i32 = 3_051_003;

/// A service's database in one SQLite file. Dropping it waits for what is being written.
pub struct SqliteStore {
    writer: Option<mpsc::UnboundedSender<writer::Job>>,
    readers: Mutex<Option<std::sync::mpsc::Sender<reader::Job>>>,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

impl SqliteStore {
    /// Opens or makes the database, applies the system schema, starts its threads.
    pub fn open(config: Config, incarnation: &str) -> Result<Self, StoreError> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            let text = format!(
                "SQLite {} is too old: 3.51.3 is needed",
                rusqlite::version()
            );
            return Err(StoreError::Unavailable(text));
        }
        let mut connection = connect(&config.path, false)?;
        writer::prepare_database(&mut connection, incarnation)?;
        let (writer, jobs) = mpsc::unbounded_channel();
        let mut threads = Vec::new();
        let topic: Arc<str> = config.topic.into();
        let spawn = |name: String, work: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new()
                .name(name)
                .spawn(work)
                .map_err(|e| StoreError::Unavailable(format!("cannot start a thread: {e}")))
        };
        let writing = writer::Writer::new(connection, topic.clone())?;
        threads.push(spawn(
            format!("{topic}-writer"),
            Box::new(move || writing.run(jobs)),
        )?);
        let (sender, receiver) = std::sync::mpsc::channel();
        let receiver = Arc::new(Mutex::new(receiver));
        for n in 0..config.readers.max(1) {
            let reading = reader::Reader::new(connect(&config.path, true)?, topic.clone());
            let jobs = receiver.clone();
            threads.push(spawn(
                format!("{topic}-reader-{n}"),
                Box::new(move || reading.run(&jobs)),
            )?);
        }
        Ok(Self {
            writer: Some(writer),
            readers: Mutex::new(Some(sender)),
            threads: Mutex::new(threads),
        })
    }

    async fn write<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> writer::Job,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let writer = self.writer.as_ref().ok_or_else(closed)?;
        writer.send(job(reply)).map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    async fn read<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> reader::Job,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        {
            let readers = self.readers.lock().map_err(|_| closed())?;
            readers
                .as_ref()
                .ok_or_else(closed)?
                .send(job(reply))
                .map_err(|_| closed())?;
        }
        answer.await.map_err(|_| closed())?
    }
}

/// A folder with one file per service, which is this process's alone.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Where.
    pub path: PathBuf,
    /// Threads for queries, per service.
    pub readers: usize,
}

impl Stores for Folder {
    fn open(
        &self,
        service: &'static str,
        incarnation: String,
    ) -> BoxFuture<'_, Result<Arc<dyn Store>, StoreError>> {
        let config = Config {
            path: self.path.join(format!("{service}.db")),
            topic: service,
            readers: self.readers,
        };
        Box::pin(async move {
            let opened =
                tokio::task::spawn_blocking(move || SqliteStore::open(config, &incarnation)).await;
            let opened = opened.map_err(|e| StoreError::Unavailable(e.to_string()))?;
            Ok(Arc::new(opened?) as Arc<dyn Store>)
        })
    }

    fn sole_owner(&self) -> bool {
        true
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // The threads end when nobody can ask them any more; then the file is nobody's.
        self.writer.take();
        if let Ok(mut readers) = self.readers.lock() {
            readers.take();
        }
        if let Ok(mut threads) = self.threads.lock() {
            threads.drain(..).for_each(|thread| drop(thread.join()));
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}

fn connect(path: &Path, read_only: bool) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(statement::error)?;
    connection.set_prepared_statement_cache_capacity(256);
    let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; \
                   PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000;";
    connection
        .execute_batch(pragmas)
        .map_err(statement::error)?;
    let rest = match read_only {
        true => "PRAGMA query_only = ON; PRAGMA cache_size = -2000; PRAGMA wal_autocheckpoint = 0;",
        false => "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;",
    };
    connection.execute_batch(rest).map_err(statement::error)?;
    Ok(connection)
}

impl Store for SqliteStore {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Committed, StoreError>> {
        Box::pin(self.write(|reply| writer::Job::Commit {
            ddl: None,
            batch,
            reply,
        }))
    }

    fn define(&self, ddl: String, batch: Batch) -> BoxFuture<'_, Result<Committed, StoreError>> {
        Box::pin(self.write(|reply| writer::Job::Commit {
            ddl: Some(ddl),
            batch,
            reply,
        }))
    }

    fn migrate(
        &self,
        owner: &'static str,
        scripts: &'static [&'static str],
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write(move |reply| writer::Job::Migrate {
            owner,
            scripts,
            reply,
        }))
    }

    fn query(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        Box::pin(self.read(|reply| reader::Job::Query { statements, reply }))
    }

    fn load(
        &self,
        streams: Vec<LoadStream>,
    ) -> BoxFuture<'_, Result<Vec<LoadedStream>, StoreError>> {
        Box::pin(self.read(|reply| reader::Job::Load { streams, reply }))
    }

    fn read_log(
        &self,
        after: i64,
        limit: usize,
        max_bytes: usize,
    ) -> BoxFuture<'_, Result<Vec<Recorded>, StoreError>> {
        Box::pin(self.read(move |reply| reader::Job::ReadLog {
            after,
            limit,
            max_bytes,
            reply,
        }))
    }

    fn head(&self) -> BoxFuture<'_, Result<LogHead, StoreError>> {
        Box::pin(self.read(|reply| reader::Job::Head { reply }))
    }

    fn scrub(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write(|reply| writer::Job::Scrub { reply }))
    }

    fn hold(&self) -> BoxFuture<'_, Result<Box<dyn HeldHead>, StoreError>> {
        Box::pin(async move {
            let held = self.write(|reply| writer::Job::Hold { reply }).await?;
            Ok(Box::new(Held(held)) as Box<dyn HeldHead>)
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Some(writer) = &self.writer {
                let _ = writer.send(writer::Job::Stop);
            }
            if let Ok(mut readers) = self.readers.lock() {
                readers.take();
            }
            let threads = match self.threads.lock() {
                Ok(mut threads) => std::mem::take(&mut *threads),
                Err(_) => return,
            };
            let _ = tokio::task::spawn_blocking(move || {
                threads.into_iter().for_each(|thread| drop(thread.join()));
            })
            .await;
        })
    }
}

/// Checks a database file that nobody uses (`PRAGMA quick_check`): the number of events in its log,
/// if it has one.
pub fn check(path: &Path) -> Result<Option<i64>, StoreError> {
    let connection = connect(path, true)?;
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(statement::error)?;
    if verdict != "ok" {
        return Err(StoreError::Unavailable(verdict));
    }
    Ok(reader::head(&connection).ok().map(|head| head.position))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An acknowledged commit survives power loss, only the writer checkpoints, and deleted rows
    /// are overwritten: all of it rests on these settings and on the version.
    #[test]
    fn the_settings_that_durability_rests_on_are_in_force() {
        assert!(rusqlite::version_number() >= OLDEST_SQLITE);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("test.db");
        for (read_only, expected) in [(false, [2, 1, 4000, 0]), (true, [2, 1, 0, 1])] {
            let connection = connect(&path, read_only).expect("opens");
            let get = |name: &str| {
                connection
                    .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
            };
            assert_eq!(
                get("journal_mode").expect("a value"),
                "wal".to_owned().into()
            );
            let names = [
                "synchronous",
                "secure_delete",
                "wal_autocheckpoint",
                "query_only",
            ];
            for (name, expected) in names.into_iter().zip(expected) {
                assert_eq!(
                    get(name).expect("a value"),
                    i64::from(expected).into(),
                    "{name}"
                );
            }
        }
    }
}
