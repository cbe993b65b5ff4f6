//! Schemas: the system's and the services' migrations, under a lock, since several processes may
//! start at once.

use kernel::PARTITIONS;
use tokio::time::Instant;

use super::{
    failure::Failure,
    server::{PATIENCE, Purpose, Server},
    session::{Session, Step},
    values::Arg,
};
use crate::{StoreError, dialect, system};

/// How often a migration that met another process is tried again.
const MEETINGS: usize = 20;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (owner TEXT NOT NULL, number BIGINT NOT NULL, \
    script TEXT NOT NULL, PRIMARY KEY (owner, number))";

/// Brings a new or old database to the system schema, and enters the writer.
pub(super) async fn prepare_database(
    server: &Server,
    incarnation: &str,
    writer: &str,
) -> Result<Session, StoreError> {
    migrate(server, "souk", system::SCHEMA).await?;
    let give_up = Instant::now() + PATIENCE;
    let mut session = server.reach(Purpose::Write, give_up).await?;
    let insert = "INSERT INTO log_head (id, position, incarnation, partitions) VALUES (1, 0, $1, $2) \
        ON CONFLICT (id) DO NOTHING";
    let args = vec![Arg::Text(incarnation), Arg::Int(PARTITIONS.into())];
    session.ask(Step::new(insert, args)).await.map_err(plain)?;
    let asked = Step::new("SELECT partitions FROM log_head WHERE id = 1", Vec::new());
    let rows = session.ask(asked).await.map_err(plain)?;
    let partitions = rows.first().map_or(0, |row| row.get::<i64>(0));
    if partitions != i64::from(PARTITIONS) {
        let text = format!("this log has {partitions} partitions, this program needs {PARTITIONS}");
        return Err(StoreError::Unavailable(text));
    }
    // Writers that are long gone: nobody waits for their answers.
    const WEEK: &str = "DELETE FROM writers WHERE writer <> $1 \
        AND at < CAST(extract(epoch FROM now()) * 1000000 AS BIGINT) - 604800000000";
    session
        .ask(Step::new(WEEK, vec![Arg::Text(writer)]))
        .await
        .map_err(plain)?;
    Ok(session)
}

/// Applies what was not applied yet, on a connection of its own: a long migration must not hold
/// the time limits of commits.
pub(super) async fn migrate(
    server: &Server,
    owner: &str,
    scripts: &[&str],
) -> Result<(), StoreError> {
    let mut meetings = 0;
    loop {
        let give_up = Instant::now() + PATIENCE;
        let mut session = server.reach(Purpose::Write, give_up).await?;
        let failure = match migrate_once(&mut session, owner, scripts).await {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        meetings += 1;
        if meetings == MEETINGS {
            return Err(plain(failure));
        }
        if let Failure::Refused(error) = failure {
            return Err(error);
        }
    }
}

async fn migrate_once(session: &mut Session, owner: &str, scripts: &[&str]) -> Result<(), Failure> {
    let limits = "SET statement_timeout = 0; SET lock_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'";
    session.script(limits).await?;
    make_table(session).await?;
    for (script, number) in scripts.iter().zip(1..) {
        session.script("BEGIN").await?;
        // The others wait here, and then find that it is done.
        let applied = match session
            .script("LOCK TABLE migrations IN EXCLUSIVE MODE")
            .await
        {
            Ok(()) => apply(session, owner, number, script).await,
            Err(failure) => Err(failure),
        };
        let end = match applied {
            Ok(()) => "COMMIT",
            Err(_) => "ROLLBACK",
        };
        let ended = session.script(end).await;
        applied.and(ended)?;
    }
    Ok(())
}

/// `IF NOT EXISTS` does not help against another process that makes it at this moment.
async fn make_table(session: &Session) -> Result<(), Failure> {
    let mut last = Ok(());
    for _ in 0..3 {
        last = session.script(TABLE).await;
        if !matches!(last, Err(Failure::Refused(StoreError::Data(_)))) {
            break;
        }
    }
    last
}

async fn apply(
    session: &mut Session,
    owner: &str,
    number: i64,
    script: &str,
) -> Result<(), Failure> {
    let known = Step::new(
        "SELECT script FROM migrations WHERE owner = $1 AND number = $2",
        vec![Arg::Text(owner), Arg::Int(number)],
    );
    if let Some(row) = session.ask(known).await?.first() {
        return match row.get::<String>(0) == script {
            true => Ok(()),
            false => {
                let text = format!(
                    "migration {number} of {owner} was changed after it was applied; add a new one instead"
                );
                Err(StoreError::Data(text).into())
            }
        };
    }
    for statement in dialect::statements(script) {
        session.script(&statement).await?;
    }
    let insert = "INSERT INTO migrations (owner, number, script) VALUES ($1, $2, $3)";
    let args = vec![Arg::Text(owner), Arg::Int(number), Arg::Text(script)];
    session.ask(Step::new(insert, args)).await?;
    Ok(())
}

/// A failure that will not be met again here.
pub(super) fn plain(failure: Failure) -> StoreError {
    match failure {
        Failure::Refused(error) => error,
        Failure::Lost(why) | Failure::Again(why) => StoreError::Unavailable(why),
        Failure::Stale => StoreError::Unavailable("tables are changing".into()),
        Failure::Asserted => StoreError::Data("a statement divided by zero".into()),
        Failure::ReadOnly => StoreError::Unavailable("the server takes no writes".into()),
    }
}
