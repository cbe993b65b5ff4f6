//! The writer: one task and one connection per store, through which everything is written. One
//! transaction is under way at a time.

use std::{sync::Arc, time::Duration};

use kernel::{Rows, Statement};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep},
};

use super::{
    failure::Failure,
    questions, schema,
    server::{PATIENCE, Purpose, Server},
    session::{Broken, Run, Session, Step},
    transaction::{self, Parts, TAKE_HEAD},
    values::Arg,
};
use crate::{Batch, Committed, LoadStream, LoadedStream, StoreError, held::HeldJob};

pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// How often a transaction that met another one is run again.
const MEETINGS: usize = 20;
/// The pause before asking again what became of a batch.
const PAUSE: Duration = Duration::from_millis(200);

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
    Hold {
        reply: Reply<mpsc::UnboundedSender<HeldJob>>,
    },
    Stop,
}

pub(super) struct Writer {
    pub server: Server,
    pub topic: Arc<str>,
    /// Who writes: fresh with every opening.
    pub name: String,
    /// The number of the last batch.
    pub number: i64,
    pub session: Option<Session>,
    /// The last position that was acknowledged.
    pub last: watch::Sender<i64>,
    /// Set when the store is being closed: then nothing is waited for.
    pub closing: watch::Receiver<bool>,
}

impl Writer {
    pub async fn run(mut self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        while let Some(job) = jobs.recv().await {
            match job {
                Job::Commit { ddl, batch, reply } => {
                    drop(reply.send(self.commit(ddl.as_deref(), batch).await));
                }
                Job::Migrate {
                    owner,
                    scripts,
                    reply,
                } => drop(reply.send(schema::migrate(&self.server, owner, scripts).await)),
                Job::Hold { reply } => self.hold(reply).await,
                Job::Stop => break,
            }
        }
    }

    /// The connection; another one if it was lost.
    async fn session(&mut self, give_up: Instant) -> Result<&mut Session, StoreError> {
        let session = match self.session.take().filter(|session| !session.is_lost()) {
            Some(session) => session,
            None => self.server.reach(Purpose::Write, give_up).await?,
        };
        Ok(self.session.insert(session))
    }

    /// Writes a batch, whatever happens to the connection: the answer is true.
    async fn commit(&mut self, ddl: Option<&str>, batch: Batch) -> Result<Committed, StoreError> {
        self.number += 1;
        let give_up = Instant::now() + PATIENCE;
        let mut meetings = 0;
        loop {
            self.session(give_up).await?;
            let broken = match self.attempt(ddl, &batch).await {
                Ok((parts, answers)) => {
                    let committed = parts.committed(batch, &self.topic, &answers);
                    return Ok(self.acknowledged(committed));
                }
                Err(broken) => broken,
            };
            match broken.failure {
                Failure::Lost(why) if broken.ended => {
                    tracing::warn!(%why, "the answer to a commit was lost; asking what became of it");
                    if let Some(last) = self.find().await? {
                        return self.written(batch, last).await;
                    }
                    self.number += 1;
                }
                Failure::Lost(why) => {
                    self.session = None;
                    if Instant::now() >= give_up {
                        return Err(StoreError::Unavailable(why));
                    }
                }
                // Not the primary any more.
                Failure::ReadOnly if Instant::now() < give_up => {
                    self.session = None;
                    sleep(PAUSE).await;
                }
                Failure::Again(_) if meetings < MEETINGS => meetings += 1,
                Failure::Stale if meetings < MEETINGS => {
                    meetings += 1;
                    if let Some(session) = &mut self.session {
                        session.forget();
                    }
                }
                failure => return Err(schema::plain(failure)),
            }
        }
    }

    fn acknowledged(&self, committed: Committed) -> Committed {
        if let Some(event) = committed.events.last() {
            self.last.send_replace(event.position);
        }
        committed
    }

    /// Sends a batch as one transaction, in one piece.
    async fn attempt(
        &mut self,
        ddl: Option<&str>,
        batch: &Batch,
    ) -> Result<(Parts, Vec<Rows>), Broken> {
        let (parts, mut steps) =
            Parts::of(batch, &self.name, self.number).map_err(|e| broken(e.into()))?;
        let Some(session) = &mut self.session else {
            return Err(broken(Failure::Lost("not connected".into())));
        };
        let own = batch.statements.iter().map(Step::from);
        let answers = match ddl {
            None => {
                steps.extend(own);
                let run = Run {
                    begin: Some("BEGIN"),
                    steps,
                    end: Some("COMMIT"),
                };
                session.run(run).await
            }
            Some(ddl) => define(session, ddl, steps, own.collect()).await,
        };
        match answers {
            Ok(answers) => Ok((parts, answers)),
            Err(broken) => Err(parts.judge(broken)),
        }
    }

    /// What became of the last batch: its last position if it was written. If not, its number is
    /// used up, so that it cannot be written any more: the server may not have begun with it yet.
    /// Takes the head first, so that it waits for a transaction that is still under way. Asks
    /// until it is told.
    async fn find(&mut self) -> Result<Option<i64>, StoreError> {
        self.session = None;
        loop {
            let (name, number) = (self.name.clone(), self.number);
            let asked = match self.session(Instant::now() + PATIENCE).await {
                Ok(session) => {
                    let asked = session
                        .run(transaction::what_became_of(&name, number))
                        .await;
                    asked.map_err(|broken| schema::plain(broken.failure))
                }
                Err(error) => Err(error),
            };
            match asked {
                Ok(answers) => return Ok(transaction::became(&answers, number)),
                Err(error) => self.wait_on(&error).await?,
            }
        }
    }

    /// A pause before an answer that must be had is asked for again; the error if the store is
    /// being closed and cannot wait.
    async fn wait_on(&mut self, error: &StoreError) -> Result<(), StoreError> {
        self.session = None;
        if *self.closing.borrow() {
            let text = format!("whether the last batch was written is not known: {error}");
            return Err(StoreError::Unavailable(text));
        }
        tracing::warn!(%error, "cannot ask yet what became of a commit");
        sleep(PAUSE).await;
        Ok(())
    }

    /// The answer for a batch that was found to be written.
    async fn written(&mut self, batch: Batch, last: i64) -> Result<Committed, StoreError> {
        let first = last - batch.events.len() as i64;
        loop {
            let asked = match self.session(Instant::now() + PATIENCE).await {
                Ok(session) => {
                    let args = vec![Arg::Int(first), Arg::Int(last)];
                    let asked = session.ask(Step::new(transaction::WRITTEN, args)).await;
                    asked.map_err(schema::plain)
                }
                Err(error) => Err(error),
            };
            match asked {
                Ok(rows) => {
                    let committed = transaction::found(batch, &self.topic, &rows);
                    return Ok(self.acknowledged(committed));
                }
                Err(error) => self.wait_on(&error).await?,
            }
        }
    }

    /// Takes the head and does what its holder says, until they commit or let it go.
    async fn hold(&mut self, reply: Reply<mpsc::UnboundedSender<HeldJob>>) {
        if let Err(error) = self.take_head().await {
            drop(reply.send(Err(error)));
            return;
        }
        let (holder, mut jobs) = mpsc::unbounded_channel();
        if reply.send(Ok(holder)).is_ok() {
            while let Some(job) = jobs.recv().await {
                match job {
                    HeldJob::Load { streams, reply } => {
                        drop(reply.send(self.load_held(streams).await));
                    }
                    HeldJob::Query { statements, reply } => {
                        drop(reply.send(self.query_held(&statements).await));
                    }
                    HeldJob::Commit { batch, reply } => {
                        drop(reply.send(self.commit_held(batch).await));
                        return;
                    }
                }
            }
        }
        self.let_go().await;
    }

    async fn take_head(&mut self) -> Result<(), StoreError> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let session = self.session(give_up).await?;
            let run = Run {
                begin: Some("BEGIN"),
                steps: vec![Step::new(TAKE_HEAD, vec![Arg::Int(0)])],
                end: None,
            };
            let Err(broken) = session.run(run).await else {
                return Ok(());
            };
            match broken.failure {
                Failure::Refused(error) => {
                    self.let_go().await;
                    return Err(error);
                }
                _ if Instant::now() >= give_up => {
                    return Err(StoreError::Unavailable(
                        "cannot take the head of the log".into(),
                    ));
                }
                _ => self.session = None,
            }
        }
    }

    async fn let_go(&mut self) {
        let rolled_back = match &self.session {
            Some(session) => session.script("ROLLBACK").await,
            None => return,
        };
        if rolled_back.is_err() {
            self.session = None; // the server lets go of it with the connection
        }
    }

    async fn load_held(
        &mut self,
        streams: Vec<LoadStream>,
    ) -> Result<Vec<LoadedStream>, StoreError> {
        let session = self.session.as_mut().ok_or(StoreError::Conflict)?;
        let asked = session.ask(questions::load(&streams)).await;
        let rows = asked.map_err(|failure| self.lost_head(failure))?;
        Ok(questions::loaded(streams, rows))
    }

    async fn query_held(&mut self, statements: &[Statement]) -> Result<Vec<Rows>, StoreError> {
        let reads = |statement: &Statement| {
            let word = statement.sql.split_whitespace().next().unwrap_or_default();
            ["SELECT", "WITH", "VALUES"]
                .iter()
                .any(|read| word.eq_ignore_ascii_case(read))
        };
        if !statements.iter().all(reads) {
            return Err(StoreError::Data("a query must not write".into()));
        }
        let session = self.session.as_mut().ok_or(StoreError::Conflict)?;
        let run = Run {
            begin: None,
            steps: statements.iter().map(Step::from).collect(),
            end: None,
        };
        let asked = session.run(run).await;
        asked.map_err(|broken| self.lost_head(broken.failure))
    }

    /// The head is lost with the connection, which is of no use any more: what was read under it may
    /// not be true.
    fn lost_head(&mut self, failure: Failure) -> StoreError {
        if let Failure::Lost(_) = failure {
            self.session = None;
        }
        match failure {
            Failure::Refused(error) => error,
            _ => StoreError::Conflict,
        }
    }

    /// Commits what was decided while the head was held. It is not sent again: without the head
    /// it must be decided again.
    async fn commit_held(&mut self, batch: Batch) -> Result<Committed, StoreError> {
        self.number += 1;
        let (parts, mut steps) = match Parts::of(&batch, &self.name, self.number) {
            Ok(found) => found,
            Err(error) => {
                self.let_go().await;
                return Err(error);
            }
        };
        steps.extend(batch.statements.iter().map(Step::from));
        let session = self.session.as_mut().ok_or(StoreError::Conflict)?;
        let run = Run {
            begin: None,
            steps,
            end: Some("COMMIT"),
        };
        let broken = match session.run(run).await {
            Ok(answers) => {
                let committed = parts.committed(batch, &self.topic, &answers);
                return Ok(self.acknowledged(committed));
            }
            Err(broken) => parts.judge(broken),
        };
        match broken.failure {
            Failure::Lost(_) if broken.ended => match self.find().await? {
                Some(last) => self.written(batch, last).await,
                None => Err(StoreError::Conflict),
            },
            failure => {
                let error = self.lost_head(failure);
                if !broken.ended {
                    self.let_go().await;
                }
                Err(error)
            }
        }
    }
}

fn broken(failure: Failure) -> Broken {
    Broken {
        failure,
        step: None,
        ended: false,
    }
}

/// A batch with changes of tables, which its own statements may speak of: these can be prepared
/// only when the tables are there, within the transaction.
async fn define(
    session: &mut Session,
    ddl: &str,
    leading: Vec<Step<'_>>,
    own: Vec<Step<'_>>,
) -> Result<Vec<Rows>, Broken> {
    let begin = Run {
        begin: Some("BEGIN"),
        steps: leading,
        end: None,
    };
    let mut written = session.run(begin).await;
    if written.is_ok() {
        for statement in crate::dialect::statements(ddl) {
            if let Err(failure) = session.script(&statement).await {
                written = Err(broken(failure));
                break;
            }
        }
        // Another table may have the name now.
        session.forget();
    }
    if written.is_ok() {
        let rest = Run {
            begin: None,
            steps: own,
            end: Some("COMMIT"),
        };
        match session.run(rest).await {
            Ok(_) => return written,
            Err(broken) => {
                written = Err(Broken {
                    step: None,
                    ..broken
                })
            }
        }
    }
    // If the end was sent after a failure, this does nothing.
    let _ = session.script("ROLLBACK").await;
    session.forget();
    written
}
