//! The writer thread: the only place that changes the file.

use std::sync::Arc;

use kernel::{PARTITIONS, Recorded, partition_of};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::statement::{self, Texts};
use crate::{Batch, Committed, StoreError, dialect, held::HeldJob, system};

pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the writer can be asked.
pub(super) enum Job {
    Commit {
        ddl: Option<String>,
        batch: Batch,
        reply: Reply<Committed>,
    },
    Migrate {
        owner: &'static str,
        scripts: &'static [&'static str],
        reply: Reply<()>,
    },
    Scrub {
        reply: Reply<()>,
    },
    Hold {
        reply: Reply<mpsc::UnboundedSender<HeldJob>>,
    },
    Stop,
}

pub(super) struct Writer {
    connection: Connection,
    texts: Texts,
    topic: Arc<str>,
    /// Position of the last event.
    position: i64,
    /// Position of the last event of each partition.
    heads: [i64; PARTITIONS as usize],
}

/// Brings a new or old file to the system schema.
pub(super) fn prepare_database(
    connection: &mut Connection,
    incarnation: &str,
) -> Result<(), StoreError> {
    let table = "CREATE TABLE IF NOT EXISTS migrations (owner TEXT NOT NULL, number INTEGER NOT NULL, \
                 script TEXT NOT NULL, PRIMARY KEY (owner, number)) STRICT";
    connection.execute_batch(table).map_err(statement::error)?;
    migrate(connection, "souk", system::SCHEMA)?;
    let insert = "INSERT INTO log_head (id, position, incarnation, partitions) VALUES (1, 0, ?1, ?2) ON CONFLICT (id) DO NOTHING";
    connection
        .execute(insert, (incarnation, PARTITIONS))
        .map_err(statement::error)?;
    let partitions: u16 = connection
        .query_row("SELECT partitions FROM log_head WHERE id = 1", [], |row| {
            row.get(0)
        })
        .map_err(statement::error)?;
    if partitions != PARTITIONS {
        let text = format!("this log has {partitions} partitions, this program needs {PARTITIONS}");
        return Err(StoreError::Unavailable(text));
    }
    Ok(())
}

fn migrate(connection: &mut Connection, owner: &str, scripts: &[&str]) -> Result<(), StoreError> {
    let error = statement::error;
    for (number, script) in scripts.iter().enumerate() {
        let number = number as i64 + 1;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(error)?;
        let known: Option<String> = transaction
            .query_row(
                "SELECT script FROM migrations WHERE owner = ?1 AND number = ?2",
                (owner, number),
                |row| row.get(0),
            )
            .optional()
            .map_err(error)?;
        match known {
            Some(applied) if applied == *script => continue,
            Some(_) => {
                let text = format!(
                    "migration {number} of {owner} was changed after it was applied; add a new one instead"
                );
                return Err(StoreError::Data(text));
            }
            None => {}
        }
        for statement in dialect::schema_statements(script) {
            transaction.execute_batch(&statement).map_err(error)?;
        }
        let insert = "INSERT INTO migrations (owner, number, script) VALUES (?1, ?2, ?3)";
        transaction
            .execute(insert, (owner, number, script))
            .map_err(error)?;
        transaction.commit().map_err(error)?;
    }
    Ok(())
}

impl Writer {
    pub fn new(connection: Connection, topic: Arc<str>) -> Result<Self, StoreError> {
        let mut writer = Self {
            connection,
            texts: Texts::default(),
            topic,
            position: 0,
            heads: [0; PARTITIONS as usize],
        };
        writer.position = super::reader::head(&writer.connection)?.position;
        writer.heads = writer.read_heads()?;
        Ok(writer)
    }

    fn read_heads(&self) -> Result<[i64; PARTITIONS as usize], StoreError> {
        let mut heads = [0; PARTITIONS as usize];
        let mut prepared = self
            .connection
            .prepare("SELECT partition, head FROM log_partitions")
            .map_err(statement::error)?;
        let mut rows = prepared.query([]).map_err(statement::error)?;
        while let Some(row) = rows.next().map_err(statement::error)? {
            let partition: i64 = row.get(0).map_err(statement::error)?;
            if let Some(head) = heads.get_mut(partition as usize) {
                *head = row.get(1).map_err(statement::error)?;
            }
        }
        Ok(heads)
    }

    pub fn run(mut self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        while let Some(job) = jobs.blocking_recv() {
            match job {
                Job::Commit { ddl, batch, reply } => {
                    drop(reply.send(self.commit(ddl.as_deref(), batch)));
                }
                Job::Migrate {
                    owner,
                    scripts,
                    reply,
                } => {
                    drop(reply.send(migrate(&mut self.connection, owner, scripts)));
                }
                Job::Scrub { reply } => drop(reply.send(self.truncate_wal())),
                Job::Hold { reply } => self.hold(reply),
                Job::Stop => break,
            }
        }
        // A tidy file for the next start; everything is durable without it.
        let _ = self.truncate_wal();
    }

    /// Deleted rows are overwritten (`secure_delete`); older pages must go from the WAL as well.
    fn truncate_wal(&self) -> Result<(), StoreError> {
        let busy: bool = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(statement::error)?;
        match busy {
            true => Err(StoreError::Unavailable("a reader holds the log".into())),
            false => Ok(()),
        }
    }

    /// Takes the file's lock and does what its holder says, until they commit or let it go.
    fn hold(&mut self, reply: Reply<mpsc::UnboundedSender<HeldJob>>) {
        if let Err(error) = self.begin() {
            drop(reply.send(Err(error)));
            return;
        }
        let (holder, mut jobs) = mpsc::unbounded_channel();
        if reply.send(Ok(holder)).is_ok() {
            while let Some(job) = jobs.blocking_recv() {
                match job {
                    HeldJob::Load { streams, reply } => {
                        drop(reply.send(super::reader::load_all(&self.connection, streams)));
                    }
                    HeldJob::Query { statements, reply } => {
                        let (connection, texts) = (&self.connection, &mut self.texts);
                        let ask = |asked| statement::query(connection, texts, asked);
                        drop(reply.send(statements.iter().map(ask).collect()));
                    }
                    HeldJob::Commit { batch, reply } => {
                        drop(reply.send(self.finish(None, batch)));
                        return;
                    }
                }
            }
        }
        let _ = self.connection.execute_batch("ROLLBACK");
    }

    fn begin(&self) -> Result<(), StoreError> {
        self.connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(statement::error)
    }

    fn commit(&mut self, ddl: Option<&str>, batch: Batch) -> Result<Committed, StoreError> {
        self.begin()?;
        self.finish(ddl, batch)
    }

    /// Writes and commits, or rolls back, the transaction that was begun.
    fn finish(&mut self, ddl: Option<&str>, mut batch: Batch) -> Result<Committed, StoreError> {
        let before = (self.position, self.heads);
        let written = self.write(ddl, &mut batch);
        let done = written.and_then(|()| {
            self.connection
                .execute_batch("COMMIT")
                .map_err(statement::error)
        });
        if let Err(error) = done {
            (self.position, self.heads) = before;
            if !self.connection.is_autocommit() {
                let _ = self.connection.execute_batch("ROLLBACK");
            }
            return Err(error);
        }
        Ok(Committed {
            events: batch.events.into_iter().map(Arc::new).collect(),
        })
    }

    fn write(&mut self, ddl: Option<&str>, batch: &mut Batch) -> Result<(), StoreError> {
        self.check_versions(batch)?;
        if !batch.events.is_empty() {
            self.append(&mut batch.events)?;
        }
        for text in ddl.map(dialect::schema_statements).unwrap_or_default() {
            self.connection
                .execute_batch(&text)
                .map_err(statement::error)?;
        }
        for item in &batch.statements {
            statement::execute(&self.connection, &mut self.texts, item)?;
        }
        Ok(())
    }

    fn check_versions(&self, batch: &Batch) -> Result<(), StoreError> {
        if batch.asserted.is_empty() {
            return Ok(());
        }
        let text = "SELECT coalesce(max(version), 0) FROM events WHERE stream = ?1";
        let mut prepared = self
            .connection
            .prepare_cached(text)
            .map_err(statement::error)?;
        for (stream, version) in &batch.asserted {
            let found: i64 = prepared
                .query_row([stream.as_str()], |row| row.get(0))
                .map_err(statement::error)?;
            if found != *version {
                return Err(StoreError::Conflict);
            }
        }
        Ok(())
    }

    /// Takes positions from the head and appends, chaining each partition.
    fn append(&mut self, events: &mut [Recorded]) -> Result<(), StoreError> {
        let error = statement::error;
        let count = events.len() as i64;
        let last: i64 = self
            .connection
            .prepare_cached(
                "UPDATE log_head SET position = position + ?1 WHERE id = 1 RETURNING position",
            )
            .and_then(|mut prepared| prepared.query_row([count], |row| row.get(0)))
            .map_err(error)?;
        if last - count != self.position {
            // Another process wrote to this file, against the rules; the chain must hold anyway.
            self.heads = self.read_heads()?;
        }
        self.position = last;
        let insert = "INSERT INTO events (position, prev, partition, stream, version, type, data, meta, at) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let mut touched = [false; PARTITIONS as usize];
        let mut prepared = self.connection.prepare_cached(insert).map_err(error)?;
        let before = "SELECT 1 FROM events WHERE stream = ?1 AND version = ?2";
        let mut before = self.connection.prepare_cached(before).map_err(error)?;
        for (event, position) in events.iter_mut().zip(last - count + 1..) {
            let partition = partition_of(event.stream.as_str());
            let head = &mut self.heads[usize::from(partition)];
            event.topic = self.topic.clone();
            (event.position, event.prev, event.partition) = (position, *head, partition);
            (*head, touched[usize::from(partition)]) = (position, true);
            // The version itself is guarded by UNIQUE; that there is no gap below it, here.
            if event.version != 1
                && !before
                    .exists((event.stream.as_str(), event.version - 1))
                    .map_err(error)?
            {
                return Err(StoreError::Conflict);
            }
            let meta =
                serde_json::to_string(&event.meta).map_err(|e| StoreError::Data(e.to_string()))?;
            prepared
                .execute((
                    position,
                    event.prev,
                    partition,
                    event.stream.as_str(),
                    event.version,
                    &*event.kind,
                    &*event.data,
                    meta,
                    event.at.0,
                ))
                .map_err(error)?;
        }
        let text = "INSERT INTO log_partitions (partition, head) VALUES (?1, ?2) \
                    ON CONFLICT (partition) DO UPDATE SET head = excluded.head";
        let mut prepared = self.connection.prepare_cached(text).map_err(error)?;
        for (partition, _) in touched.iter().enumerate().filter(|(_, touched)| **touched) {
            prepared
                .execute((partition as i64, self.heads[partition]))
                .map_err(error)?;
        }
        Ok(())
    }
}
