//! The reader threads: queries, streams, the log.

use std::sync::{Arc, Mutex, OnceLock, mpsc};

use kernel::{Recorded, Rows, Statement, StreamId, Timestamp};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::statement::{self, Texts};
use crate::{LoadStream, LoadedStream, LogHead, StoreError};

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What a reader can be asked.
pub(super) enum Job {
    Query {
        statements: Vec<Statement>,
        reply: Reply<Vec<Rows>>,
    },
    Load {
        streams: Vec<LoadStream>,
        reply: Reply<Vec<LoadedStream>>,
    },
    ReadLog {
        after: i64,
        limit: usize,
        max_bytes: usize,
        reply: Reply<Vec<Recorded>>,
    },
    Head {
        reply: Reply<LogHead>,
    },
}

pub(super) struct Reader {
    connection: Connection,
    texts: Texts,
    topic: Arc<str>,
}

impl Reader {
    pub fn new(connection: Connection, topic: Arc<str>) -> Self {
        Self {
            connection,
            texts: Texts::default(),
            topic,
        }
    }

    pub fn run(mut self, jobs: &Mutex<mpsc::Receiver<Job>>) {
        loop {
            let job = match jobs.lock() {
                Ok(jobs) => jobs.recv(),
                Err(_) => return,
            };
            match job {
                Ok(Job::Query { statements, reply }) => drop(reply.send(self.query(&statements))),
                Ok(Job::Load { streams, reply }) => drop(reply.send(self.load(streams))),
                Ok(Job::ReadLog {
                    after,
                    limit,
                    max_bytes,
                    reply,
                }) => {
                    drop(reply.send(self.read_log(after, limit, max_bytes)));
                }
                Ok(Job::Head { reply }) => drop(reply.send(head(&self.connection))),
                Err(_) => return,
            }
        }
    }

    fn query(&mut self, statements: &[Statement]) -> Result<Vec<Rows>, StoreError> {
        if let [only] = statements {
            return Ok(vec![statement::query(
                &self.connection,
                &mut self.texts,
                only,
            )?]);
        }
        self.connection
            .execute_batch("BEGIN")
            .map_err(statement::error)?;
        let found: Result<Vec<Rows>, StoreError> = statements
            .iter()
            .map(|s| statement::query(&self.connection, &mut self.texts, s))
            .collect();
        self.connection
            .execute_batch("COMMIT")
            .map_err(statement::error)?;
        found
    }

    fn load(&mut self, streams: Vec<LoadStream>) -> Result<Vec<LoadedStream>, StoreError> {
        self.connection
            .execute_batch("BEGIN")
            .map_err(statement::error)?;
        let found = load_all(&self.connection, streams);
        self.connection
            .execute_batch("COMMIT")
            .map_err(statement::error)?;
        found
    }

    fn read_log(
        &self,
        after: i64,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        let error = statement::error;
        let text = "SELECT position, prev, partition, stream, version, type, data, meta, at FROM events \
                    WHERE position > ?1 ORDER BY position LIMIT ?2";
        let mut prepared = self.connection.prepare_cached(text).map_err(error)?;
        let mut rows = prepared.query((after, limit as i64)).map_err(error)?;
        let (mut found, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next().map_err(error)? {
            let event = self.recorded(row).map_err(error)?;
            bytes += event.data.len();
            found.push(event);
            if bytes >= max_bytes {
                break;
            }
        }
        Ok(found)
    }

    fn recorded(&self, row: &rusqlite::Row<'_>) -> rusqlite::Result<Recorded> {
        let text = |i: usize| row.get_ref(i).and_then(|v| Ok(v.as_str()?.to_owned()));
        Ok(Recorded {
            topic: self.topic.clone(),
            position: row.get(0)?,
            prev: row.get(1)?,
            partition: row.get(2)?,
            stream: StreamId::from_name(&text(3)?),
            version: row.get(4)?,
            kind: text(5)?.into(),
            data: text(6)?.into(),
            meta: serde_json::from_str(&text(7)?).unwrap_or_default(),
            at: Timestamp(row.get(8)?),
            typed: OnceLock::new(),
        })
    }
}

/// Loads streams as they are now.
pub(super) fn load_all(
    connection: &Connection,
    streams: Vec<LoadStream>,
) -> Result<Vec<LoadedStream>, StoreError> {
    streams
        .into_iter()
        .map(|wanted| load_one(connection, wanted))
        .collect()
}

fn load_one(connection: &Connection, wanted: LoadStream) -> Result<LoadedStream, StoreError> {
    let error = statement::error;
    let mut snapshot: Option<(i64, String)> = None;
    if let Some(shape) = wanted.shape {
        let text = "SELECT version, state FROM snapshots WHERE stream = ?1 AND shape = ?2";
        let mut prepared = connection.prepare_cached(text).map_err(error)?;
        let mut rows = prepared
            .query((wanted.stream.as_str(), shape))
            .map_err(error)?;
        if let Some(row) = rows.next().map_err(error)? {
            snapshot = Some((row.get(0).map_err(error)?, row.get(1).map_err(error)?));
        }
    }
    let after = snapshot.as_ref().map_or(0, |(version, _)| *version);
    let text = "SELECT type, data FROM events WHERE stream = ?1 AND version > ?2 ORDER BY version";
    let mut prepared = connection.prepare_cached(text).map_err(error)?;
    let rows = prepared
        .query_map((wanted.stream.as_str(), after), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .map_err(error)?;
    let events = rows.collect::<Result<Vec<_>, _>>().map_err(error)?;
    Ok(LoadedStream {
        stream: wanted.stream,
        snapshot,
        events,
    })
}

/// The head of the log.
pub(super) fn head(connection: &Connection) -> Result<LogHead, StoreError> {
    connection
        .query_row(
            "SELECT position, incarnation FROM log_head WHERE id = 1",
            [],
            |row| {
                Ok(LogHead {
                    position: row.get(0)?,
                    incarnation: row.get(1)?,
                })
            },
        )
        .map_err(statement::error)
}
