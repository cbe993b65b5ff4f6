//! A database that is no service's: tables without a log.

use kernel::{Rows, Statement};
use tokio::time::Instant;

use super::{
    failure::Failure,
    schema::{self, plain},
    server::{PATIENCE, Purpose, Server},
    session::{Run, Session, Step},
};
use crate::StoreError;

/// How often a transaction that met another one is run again.
const MEETINGS: usize = 20;

/// A database on PostgreSQL beside the services' (the key ring's), with one connection that is
/// made again when it is lost. Must be used within one tokio runtime.
pub struct Database {
    server: Server,
    session: Option<Session>,
}

impl Database {
    /// Connects to the database, makes it if it is missing, and applies its schema. The URL is
    /// like [`Config::url`](super::Config).
    pub async fn open(url: &str, application: &str, schema: &[&str]) -> Result<Self, StoreError> {
        let server = Server::parse(url)?.named(application);
        server.create_database(Instant::now() + PATIENCE).await?;
        schema::migrate(&server, application, schema).await?;
        Ok(Self {
            server,
            session: None,
        })
    }

    /// Runs statements in one transaction and one trip. When the connection is lost they are run
    /// again, so running them twice must be like running them once.
    pub async fn transact(&mut self, statements: &[Statement]) -> Result<Vec<Rows>, StoreError> {
        self.run(statements, Some("BEGIN"), Some("COMMIT")).await
    }

    /// Asks one question, which needs no transaction.
    pub async fn ask(&mut self, question: &Statement) -> Result<Rows, StoreError> {
        let answers = self.run(std::slice::from_ref(question), None, None).await?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    async fn run(
        &mut self,
        statements: &[Statement],
        begin: Option<&'static str>,
        end: Option<&'static str>,
    ) -> Result<Vec<Rows>, StoreError> {
        let give_up = Instant::now() + PATIENCE;
        let mut meetings = 0;
        loop {
            let lost = self.session.take().filter(|session| !session.is_lost());
            let mut session = match lost {
                Some(session) => session,
                None => self.server.reach(Purpose::Write, give_up).await?,
            };
            let run = Run {
                begin,
                steps: statements.iter().map(Step::from).collect(),
                end,
            };
            let failure = match session.run(run).await {
                Ok(answers) => {
                    self.session = Some(session);
                    return Ok(answers);
                }
                Err(broken) => broken.failure,
            };
            meetings += 1;
            let last = meetings == MEETINGS || Instant::now() >= give_up;
            match failure {
                Failure::Refused(error) => {
                    self.session = Some(session);
                    return Err(error);
                }
                failure if last => return Err(plain(failure)),
                Failure::Lost(_) | Failure::ReadOnly => {}
                _ => {
                    session.forget();
                    self.session = Some(session);
                }
            }
        }
    }

    /// Gives the space of deleted rows free, so that it is written over in time.
    pub async fn vacuum(&mut self) -> Result<(), StoreError> {
        let give_up = Instant::now() + PATIENCE;
        let session = self.server.reach(Purpose::Write, give_up).await?;
        session.script("VACUUM").await.map_err(plain)
    }
}
