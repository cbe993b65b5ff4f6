//! One connection: prepared statements, and transactions that leave in one piece.

use std::{collections::HashMap, future::poll_fn, task::Poll, time::Duration};

use kernel::{BoxFuture, Rows, Statement};
use tokio::time::timeout;
use tokio_postgres::{
    Client, Connection, Socket,
    tls::TlsStream,
    types::{ToSql, Type},
};

use super::{
    failure::{self, Failure},
    server::Purpose,
    values::{self, Arg},
};
use crate::StoreError;

/// How long an answer is waited for. The server gives up before.
const ANSWER: Duration = Duration::from_secs(45);
/// A transaction must fit into the server's messages, with room to spare.
const LARGEST: usize = 900_000_000;

/// Settings of every session: nobody waits without end, neither for us nor we for them.
const SETTINGS: &str = "SET statement_timeout = '30s'; SET lock_timeout = '10s'; \
    SET idle_in_transaction_session_timeout = '2s'; SET jit = off; \
    SELECT set_config('synchronous_commit', 'on', false) \
        WHERE current_setting('synchronous_commit') IN ('off', 'local');";

/// A statement with what is bound to it.
pub(super) struct Step<'a> {
    pub sql: &'static str,
    pub args: Vec<Arg<'a>>,
}

impl<'a> Step<'a> {
    pub fn new(sql: &'static str, args: Vec<Arg<'a>>) -> Self {
        Self { sql, args }
    }
}

impl<'a> From<&'a Statement> for Step<'a> {
    fn from(statement: &'a Statement) -> Self {
        Self::new(
            statement.sql,
            statement.args.iter().map(Arg::Value).collect(),
        )
    }
}

/// Statements that are sent together.
pub(super) struct Run<'a> {
    pub begin: Option<&'static str>,
    pub steps: Vec<Step<'a>>,
    pub end: Option<&'static str>,
}

/// Why a run failed.
#[derive(Debug)]
pub(super) struct Broken {
    pub failure: Failure,
    /// The step that failed, if it was one.
    pub step: Option<usize>,
    /// Whether the end of the transaction was sent: if the connection was lost as well, nobody
    /// knows whether it was committed.
    pub ended: bool,
}

impl Broken {
    fn before(failure: Failure) -> Self {
        Self {
            failure,
            step: None,
            ended: false,
        }
    }
}

/// A connection to the server. Used by one task at a time.
pub(super) struct Session {
    client: Client,
    prepared: HashMap<&'static str, tokio_postgres::Statement, foldhash::fast::RandomState>,
}

impl Session {
    pub fn start<T>(client: Client, connection: Connection<Socket, T>) -> Self
    where
        T: TlsStream + Unpin + Send + 'static,
    {
        // It ends when the client is dropped, or with the connection.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                let reason = failure::line_error(&error);
                tracing::debug!(reason, "a connection to PostgreSQL ended");
            }
        });
        Self {
            client,
            prepared: HashMap::default(),
        }
    }

    /// Whether it is known to be of no use.
    pub fn is_lost(&self) -> bool {
        self.client.is_closed()
    }

    /// Makes the settings of a new session.
    pub async fn prepare_session(&self, purpose: Purpose) -> Result<(), Failure> {
        self.script(SETTINGS).await?;
        match purpose {
            Purpose::Write => Ok(()),
            Purpose::Read | Purpose::Replica => {
                self.script("SET default_transaction_read_only = on").await
            }
        }
    }

    /// Runs statements without values, waiting for them.
    pub async fn script(&self, sql: &str) -> Result<(), Failure> {
        let done = timeout(ANSWER, self.client.batch_execute(sql)).await;
        let done = done.map_err(|_| Failure::Lost("the server did not answer".into()))?;
        done.map_err(|error| failure::sort(&error))
    }

    /// Forgets all prepared statements: their tables have changed.
    pub fn forget(&mut self) {
        self.prepared.clear();
    }

    /// Runs one statement, and waits for it.
    pub async fn ask(&mut self, step: Step<'_>) -> Result<Rows, Failure> {
        let run = Run {
            begin: None,
            steps: vec![step],
            end: None,
        };
        let mut answers = self.run(run).await.map_err(|broken| broken.failure)?;
        Ok(answers.pop().unwrap_or_default())
    }

    /// Sends everything, and then waits for the answers; the client never waits inside a
    /// transaction. Every answer is looked at: the server says yes to the end of a transaction
    /// that failed.
    pub async fn run(&mut self, run: Run<'_>) -> Result<Vec<Rows>, Broken> {
        self.prepare(&run.steps).await.map_err(Broken::before)?;
        let answering = timeout(ANSWER, self.send(&run)).await;
        answering.unwrap_or_else(|_| {
            Err(Broken {
                failure: Failure::Lost("the server did not answer".into()),
                step: None,
                ended: run.end.is_some(),
            })
        })
    }

    async fn send(&self, run: &Run<'_>) -> Result<Vec<Rows>, Broken> {
        let mut waiting = Vec::with_capacity(run.steps.len());
        let begun = match run.begin {
            Some(begin) => Some(Sent::new(self.word(begin)).await),
            None => None,
        };
        for step in &run.steps {
            waiting.push(Sent::new(self.execute(step)).await);
        }
        let unsent = begun.as_ref().is_some_and(Sent::failed) || waiting.iter().any(Sent::failed);
        // What could not be sent must not be missing from what is committed.
        let end = match unsent {
            true => run.end.map(|_| "ROLLBACK"),
            false => run.end,
        };
        let ending = match end {
            Some(end) => Some(Sent::new(self.word(end)).await),
            None => None,
        };
        let ended = !unsent && run.end.is_some() && ending.as_ref().is_some_and(|e| !e.failed());
        let broken = |failure, step| Broken {
            failure,
            step,
            ended,
        };
        if let Some(begun) = begun {
            begun.answer().await.map_err(|e| broken(e, None))?;
        }
        let mut answers = Vec::with_capacity(waiting.len());
        let mut first: Option<Broken> = None;
        for (step, sent) in waiting.into_iter().enumerate() {
            match sent.answer().await {
                Ok(rows) => answers.push(rows),
                Err(failure) if first.is_none() => first = Some(broken(failure, Some(step))),
                Err(_) => {} // the first error tells; the others are its consequences
            }
        }
        let done = match ending {
            Some(ending) => ending.answer().await.map_err(|e| broken(e, None)),
            None => Ok(Rows::new()),
        };
        match first {
            Some(first) => Err(first),
            None => done.map(|_| answers),
        }
    }

    fn word<'a>(&'a self, sql: &'static str) -> BoxFuture<'a, Result<Rows, Failure>> {
        Box::pin(async move { self.script(sql).await.map(|()| Rows::new()) })
    }

    fn execute<'a>(&'a self, step: &'a Step<'_>) -> BoxFuture<'a, Result<Rows, Failure>> {
        Box::pin(async move {
            let Some(prepared) = self.prepared.get(step.sql) else {
                return Err(Failure::Stale);
            };
            let args: Vec<&(dyn ToSql + Sync)> = step
                .args
                .iter()
                .map(|arg| arg as &(dyn ToSql + Sync))
                .collect();
            let found = self.client.query(prepared, &args).await;
            let found = found.map_err(|error| failure::sort(&error))?;
            let rows = found.iter().map(values::row).collect::<Result<_, _>>()?;
            Ok(rows)
        })
    }

    /// Prepares what was not prepared yet, all in one trip, and checks that the values fit.
    pub async fn prepare(&mut self, steps: &[Step<'_>]) -> Result<(), Failure> {
        let mut new: Vec<&Step<'_>> = Vec::new();
        for step in steps {
            let known = self.prepared.contains_key(step.sql);
            if !known && !new.iter().any(|other| other.sql == step.sql) {
                new.push(step);
            }
        }
        if !new.is_empty() {
            let preparing = timeout(ANSWER, prepare_all(&self.client, &new)).await;
            let lost = |_| Failure::Lost("the server did not answer".into());
            let prepared = preparing.map_err(lost)??;
            let texts = new.iter().map(|step| step.sql);
            self.prepared.extend(texts.zip(prepared));
        }
        let mut size = 0;
        for step in steps {
            let Some(prepared) = self.prepared.get(step.sql) else {
                continue;
            };
            let (asked, given) = (prepared.params().len(), step.args.len());
            if asked != given {
                let text = format!("a statement asks for {asked} values and has {given}");
                return Err(StoreError::Data(text).into());
            }
            for (arg, ty) in step.args.iter().zip(prepared.params()) {
                arg.check(ty)?;
                size += arg.size();
            }
        }
        match size > LARGEST {
            true => Err(StoreError::Data("a batch is too large for PostgreSQL".into()).into()),
            false => Ok(()),
        }
    }
}

async fn prepare_all(
    client: &Client,
    new: &[&Step<'_>],
) -> Result<Vec<tokio_postgres::Statement>, Failure> {
    let mut waiting = Vec::with_capacity(new.len());
    for step in new {
        waiting.push(Sent::new(Box::pin(prepare_one(client, step)) as BoxFuture<'_, _>).await);
    }
    let mut prepared = Vec::with_capacity(new.len());
    for sent in waiting {
        prepared.push(sent.answer().await?);
    }
    Ok(prepared)
}

const GUESSED_WRONG: [&str; 4] = ["42P18", "42P08", "42883", "42804"];

/// Lets the server find the parameters' types. Where it cannot, or where what it found takes no
/// such values (`SELECT $1` is taken for text), it is told.
async fn prepare_one(
    client: &Client,
    step: &Step<'_>,
) -> Result<tokio_postgres::Statement, Failure> {
    let error = |e: tokio_postgres::Error| failure::sort(&e);
    match client.prepare(step.sql).await {
        Ok(prepared) => {
            let types = prepared.params().iter();
            let fits = step.args.iter().zip(types).all(|(arg, ty)| arg.fits(ty));
            if fits {
                return Ok(prepared);
            }
        }
        // Indeterminate, ambiguous, or of no use with the types that were guessed.
        Err(e)
            if e.code()
                .is_some_and(|code| GUESSED_WRONG.contains(&code.code())) => {}
        Err(e) => return Err(error(e)),
    }
    let types: Vec<Type> = step.args.iter().map(Arg::natural).collect();
    client.prepare_typed(step.sql, &types).await.map_err(error)
}

/// A request that is on its way.
struct Sent<'a, T> {
    future: BoxFuture<'a, Result<T, Failure>>,
    done: Option<Result<T, Failure>>,
}

impl<'a, T> Sent<'a, T> {
    /// Sends it: the first poll hands the request to the connection.
    async fn new(mut future: BoxFuture<'a, Result<T, Failure>>) -> Self {
        let done = poll_fn(|context| {
            Poll::Ready(match future.as_mut().poll(context) {
                Poll::Ready(done) => Some(done),
                Poll::Pending => None,
            })
        })
        .await;
        Self { future, done }
    }

    /// Whether it could not be sent.
    fn failed(&self) -> bool {
        matches!(self.done, Some(Err(_)))
    }

    async fn answer(self) -> Result<T, Failure> {
        match self.done {
            Some(done) => done,
            None => self.future.await,
        }
    }
}
