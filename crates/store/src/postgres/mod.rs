//! The PostgreSQL adapter: a database per service, which several processes share.
//!
//! A commit takes the log's head first and leaves in one piece, so that the head's lock is held
//! for no longer than the server needs. The connection that commits is the store's own; queries
//! have others. An answer that was lost is found out before it is given.

mod database;
mod failure;
mod questions;
mod reader;
mod replicas;
mod schema;
mod server;
mod session;
mod transaction;
mod values;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};

use kernel::{BoxFuture, Recorded, Rows, Statement, freshness};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::Instant,
};

pub use self::database::Database;
use self::{
    failure::Failure,
    reader::Readers,
    replicas::{Replicas, split_head, with_head},
    server::{PATIENCE, Purpose, Server},
    session::Step,
    writer::{Job, Reply, Writer},
};
use crate::{
    Batch, Committed, HeldHead, LoadStream, LoadedStream, LogHead, Store, StoreError, Stores,
    held::Held,
};

/// How a PostgreSQL store is opened.
#[derive(Clone)]
pub struct Config {
    /// `postgres://user:password@host:port,host:port/database?…`: several hosts are a primary and
    /// its standbys, of which the one that takes writes is found again after a failover. Beside
    /// the usual parameters: `sslrootcert` and `replicas` (hosts with ports, commas between), which
    /// answer queries within a scope of [`kernel::freshness`] as far as they have got.
    pub url: String,
    /// The service, which is the topic of its events.
    pub topic: &'static str,
    /// Connections for queries, at most.
    pub readers: usize,
}

/// A service's database on PostgreSQL.
pub struct PostgresStore {
    server: Server,
    topic: Arc<str>,
    jobs: mpsc::UnboundedSender<Job>,
    readers: Readers,
    replicas: Option<Replicas>,
    /// The last position that this process has written.
    written: watch::Receiver<i64>,
    writing: Mutex<Option<JoinHandle<()>>>,
    closing: watch::Sender<bool>,
}

impl PostgresStore {
    /// Opens or makes the database, applies the system schema, starts the writer.
    pub async fn open(config: Config, incarnation: &str) -> Result<Self, StoreError> {
        let server = Server::parse(&config.url)?.named(&format!("souk {}", config.topic));
        server.create_database(Instant::now() + PATIENCE).await?;
        let name = fresh_name()?;
        let session = schema::prepare_database(&server, incarnation, &name).await?;
        let (jobs, received) = mpsc::unbounded_channel();
        let (closing, closed) = watch::channel(false);
        let topic: Arc<str> = config.topic.into();
        let (last, written) = watch::channel(0);
        let writer = Writer {
            server: server.clone(),
            topic: topic.clone(),
            name,
            number: 0,
            session: Some(session),
            last,
            closing: closed,
        };
        let writing = tokio::spawn(writer.run(received));
        Ok(Self {
            readers: Readers::new(server.clone(), Purpose::Read, config.readers),
            replicas: Replicas::of(&server, config.readers),
            written,
            server,
            topic,
            jobs,
            writing: Mutex::new(Some(writing)),
            closing,
        })
    }

    async fn write<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(job(reply)).map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    async fn ask_one(&self, step: impl Fn() -> Step<'static>) -> Result<Rows, StoreError> {
        let mut answers = self.readers.ask(|| vec![step()], PATIENCE).await?;
        Ok(answers.pop().unwrap_or_default())
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}

/// The name under which a writer's batches are recorded.
fn fresh_name() -> Result<String, StoreError> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| StoreError::Unavailable("no randomness".into()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Databases on one server (or a primary and its standbys), one per service.
#[derive(Clone)]
pub struct Databases {
    /// Like [`Config::url`], with `{service}` in the database's name.
    pub url: String,
    /// Connections for queries, at most, per service.
    pub readers: usize,
}

impl Stores for Databases {
    fn open(
        &self,
        service: &'static str,
        incarnation: String,
    ) -> BoxFuture<'_, Result<Arc<dyn Store>, StoreError>> {
        let config = Config {
            url: self.url.replace("{service}", &format!("souk_{service}")),
            topic: service,
            readers: self.readers,
        };
        Box::pin(async move {
            let opened = PostgresStore::open(config, &incarnation).await?;
            Ok(Arc::new(opened) as Arc<dyn Store>)
        })
    }

    fn sole_owner(&self) -> bool {
        false
    }
}

impl Store for PostgresStore {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Committed, StoreError>> {
        Box::pin(self.write(|reply| Job::Commit {
            ddl: None,
            batch,
            reply,
        }))
    }

    fn define(&self, ddl: String, batch: Batch) -> BoxFuture<'_, Result<Committed, StoreError>> {
        Box::pin(self.write(|reply| Job::Commit {
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
        Box::pin(self.write(move |reply| Job::Migrate {
            owner,
            scripts,
            reply,
        }))
    }

    fn query(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        let fresh = freshness::current();
        Box::pin(async move {
            let (Some(replicas), Some(fresh)) = (&self.replicas, fresh) else {
                let steps = || statements.iter().map(Step::from).collect();
                return self.readers.ask(steps, PATIENCE).await;
            };
            let floor = fresh.floor(&self.topic).max(self.written());
            let answered = match fresh.may_lag() {
                true => replicas.ask(floor, &statements).await,
                false => None,
            };
            let (position, answers) = match answered {
                Some(answered) => answered,
                None => split_head(
                    self.readers
                        .ask(|| with_head(&statements), PATIENCE)
                        .await?,
                ),
            };
            fresh.raise(&self.topic, position);
            Ok(answers)
        })
    }

    fn written(&self) -> i64 {
        *self.written.borrow()
    }

    fn load(
        &self,
        streams: Vec<LoadStream>,
    ) -> BoxFuture<'_, Result<Vec<LoadedStream>, StoreError>> {
        Box::pin(async move {
            let mut answers = self
                .readers
                .ask(|| vec![questions::load(&streams)], PATIENCE)
                .await?;
            let rows = answers.pop().unwrap_or_default();
            Ok(questions::loaded(streams, rows))
        })
    }

    fn read_log(
        &self,
        after: i64,
        limit: usize,
        max_bytes: usize,
    ) -> BoxFuture<'_, Result<Vec<Recorded>, StoreError>> {
        Box::pin(async move {
            let rows = self
                .ask_one(|| questions::log(after, limit, max_bytes))
                .await?;
            Ok(questions::recorded(&rows, &self.topic))
        })
    }

    fn head(&self) -> BoxFuture<'_, Result<LogHead, StoreError>> {
        Box::pin(async move { questions::head_of(&self.ask_one(questions::head).await?) })
    }

    /// Vacuums: what was deleted or overwritten is given free in the tables, once no transaction
    /// sees it any more. Its bytes are overwritten when the space is used again, and stay in the
    /// write-ahead log until that is recycled, and in backups until they expire.
    fn scrub(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let give_up = Instant::now() + PATIENCE;
            let session = self.server.reach(Purpose::Write, give_up).await?;
            let vacuum = async {
                session.script("SET statement_timeout = 0").await?;
                session.script("VACUUM").await
            };
            vacuum
                .await
                .map_err(|failure: Failure| schema::plain(failure))
        })
    }

    fn hold(&self) -> BoxFuture<'_, Result<Box<dyn HeldHead>, StoreError>> {
        Box::pin(async move {
            let held = self.write(|reply| Job::Hold { reply }).await?;
            Ok(Box::new(Held(held)) as Box<dyn HeldHead>)
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.closing.send_replace(true);
            let _ = self.jobs.send(Job::Stop);
            self.readers.close();
            if let Some(replicas) = &self.replicas {
                replicas.close();
            }
            let writing = self
                .writing
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if let Some(writing) = writing {
                let _ = writing.await;
            }
        })
    }
}
