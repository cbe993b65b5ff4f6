//! Read models: applied with every commit, and rebuilt from the log beside the old tables.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use eventlog::Log;
use kernel::{AppError, DecodeError, Ids, KeyRing, Projection, Recorded, Row, Source, Statement};
use store::{Batch, Store, sharing, system};

use crate::{
    batcher::app_error,
    lock::Lock,
    rebuild::{Rebuild, Sink},
};

/// The projections that commit with their service's own events.
pub(crate) struct Live(Vec<Projection>);

impl Live {
    pub fn of(projections: &[Projection]) -> Self {
        Self(
            projections
                .iter()
                .filter(|p| p.source == Source::Own)
                .cloned()
                .collect(),
        )
    }

    /// Adds what `event` means for every read model.
    pub fn apply(
        &self,
        event: &Recorded,
        statements: &mut Vec<Statement>,
    ) -> Result<(), DecodeError> {
        self.0
            .iter()
            .try_for_each(|projection| apply(projection, event, statements))
    }

    /// Fails unless this program's versions are live: for commits of one among several instances.
    pub fn asserted(&self) -> impl Iterator<Item = Statement> + '_ {
        let projections = self.0.iter();
        projections.map(|one| sharing::assert_projection(one.name, one.version))
    }

    /// Says which version is live that this program does not know.
    pub async fn outdated(&self, store: &dyn Store) -> Result<Option<String>, AppError> {
        for projection in &self.0 {
            if let Some(live) = live_version(projection, store).await?
                && live != projection.version
            {
                return Ok(Some(other_version(projection, live)));
            }
        }
        Ok(None)
    }
}

/// What to say when another version than this program's is live.
pub(crate) fn other_version(projection: &Projection, live: i64) -> String {
    let (name, version) = (projection.name, projection.version);
    format!("the read model {name} is at version {live}; this program writes version {version}")
}

/// The version that is live, if the projection was ever built.
pub(crate) async fn live_version(
    projection: &Projection,
    store: &dyn Store,
) -> Result<Option<i64>, AppError> {
    let row = first(store, system::projection_version(projection.name)).await?;
    Ok(row.map(|row| row.get(0)))
}

/// Applies a projection; one that panics is as good as one that cannot read the event.
pub(crate) fn apply(
    projection: &Projection,
    event: &Recorded,
    statements: &mut Vec<Statement>,
) -> Result<(), DecodeError> {
    catch_unwind(AssertUnwindSafe(|| (projection.apply)(event, statements))).unwrap_or_else(|_| {
        Err(DecodeError {
            kind: event.kind.to_string(),
            reason: format!("projection {} panicked", projection.name),
        })
    })
}

/// Brings the tables of a service's projections to the versions this program knows, before
/// anything else runs. New ones are made; changed ones are rebuilt from the log. For a process that
/// owns the database alone.
pub(crate) async fn prepare(
    service: &str,
    projections: &[Projection],
    store: &dyn Store,
    log: &dyn Log,
    keys: &Arc<dyn KeyRing>,
) -> Result<(), AppError> {
    let head = store.head().await.map_err(|e| app_error(&e))?.position;
    let (mut ddl, mut fresh) = (String::new(), Batch::default());
    for projection in projections {
        let (generation, leftover) = attempts(projection, store).await?;
        if !leftover.is_empty() {
            // A rebuild that a crash broke off; nobody reads its tables.
            let mut ended = Batch::default();
            let record = system::record_rebuild(projection.name, generation, "");
            ended.statements.push(record);
            let tidied = store.define(drop_tables(&leftover), ended).await;
            tidied.map_err(|e| app_error(&e))?;
        }
        if live_version(projection, store).await? == Some(projection.version) {
            continue;
        }
        if projection.source == Source::Own && head > 0 {
            tracing::info!(
                service,
                projection = projection.name,
                version = projection.version,
                events = head,
                "building a projection"
            );
            let rebuild = Rebuild::begin(projection, store, None).await?;
            rebuild.switch(store, log, keys).await?;
            continue;
        }
        // Nothing to read yet, or other services' events, which are read from the beginning again.
        for table in projection.tables {
            ddl.push_str(&format!("DROP TABLE IF EXISTS {table};"));
        }
        ddl.push_str(projection.schema);
        ddl.push(';');
        let name = subscription_name(projection);
        fresh.statements.push(system::delete_positions(&name));
        fresh.statements.push(system::forget_letters(&name));
        fresh
            .statements
            .push(system::projection_live(projection.name, projection.version));
    }
    if !ddl.is_empty() {
        store.define(ddl, fresh).await.map_err(|e| app_error(&e))?;
    }
    Ok(())
}

/// The same where older instances may be at work: what answers now goes on answering while a
/// changed read model is built beside it, and others that start wait for the `lock`. An older
/// program than the live one is refused, unless it is alone: two would undo each other's work.
pub(crate) async fn prepare_shared(
    projections: &[Projection],
    (store, log): (&Arc<dyn Store>, &dyn Log),
    keys: &Arc<dyn KeyRing>,
    (slot, ids, timeout): (&str, &dyn Ids, Duration),
) -> Result<(), AppError> {
    for projection in projections {
        if live_version(projection, store.as_ref()).await? == Some(projection.version) {
            continue;
        }
        let lock = Lock::acquire(store.clone(), slot, ids.next(), timeout).await;
        let lock = lock.map_err(|e| app_error(&e))?;
        // Perhaps another one has built it while this one waited.
        match live_version(projection, store.as_ref()).await? {
            Some(live) if live == projection.version => lock.release().await,
            Some(live) => {
                if live > projection.version && others_live(store.as_ref(), timeout).await? {
                    lock.release().await;
                    return Err(AppError::Unavailable(other_version(projection, live)));
                }
                let mut rebuild = Rebuild::begin(projection, store.as_ref(), Some(lock)).await?;
                let sink = Sink::Store(store.as_ref());
                rebuild.approach(store.as_ref(), log, keys, &sink).await?;
                rebuild.switch(store.as_ref(), log, keys).await?;
            }
            None => build(projection, (store, log), keys, lock).await?,
        }
    }
    Ok(())
}

/// Makes the tables of a read model for the first time.
async fn build(
    projection: &Projection,
    (store, log): (&Arc<dyn Store>, &dyn Log),
    keys: &Arc<dyn KeyRing>,
    lock: Lock,
) -> Result<(), AppError> {
    if projection.source == Source::Own {
        let rebuild = Rebuild::begin(projection, store.as_ref(), Some(lock)).await?;
        return rebuild.switch(store.as_ref(), log, keys).await;
    }
    let (name, version) = (projection.name, projection.version);
    let mut batch = Batch::default();
    let statements = [lock.assert(), system::projection_live(name, version)];
    // Its subscription has no positions yet, and begins at the beginning.
    batch.statements.extend(statements);
    let defined = store.define(projection.schema.to_owned(), batch).await;
    defined.map_err(|e| app_error(&e))?;
    lock.release().await;
    Ok(())
}

/// Whether another instance gives signs of life.
async fn others_live(store: &dyn Store, timeout: Duration) -> Result<bool, AppError> {
    let beats = || async {
        let rows = store.query(vec![sharing::instances()]).await;
        let rows = rows.map_err(|e| app_error(&e))?.into_iter().flatten();
        let beats = rows.map(|row| (row.get::<String>(0), row.get::<i64>(2)));
        Ok::<_, AppError>(beats.collect::<Vec<_>>())
    };
    let before = beats().await?;
    if before.is_empty() {
        return Ok(false);
    }
    tokio::time::sleep(timeout).await;
    let after = beats().await?;
    Ok(after.iter().any(|one| !before.contains(one)))
}

async fn first(store: &dyn Store, statement: Statement) -> Result<Option<Row>, AppError> {
    let rows = store.query(vec![statement]).await;
    let rows = rows.map_err(|e| app_error(&e))?;
    Ok(rows
        .into_iter()
        .next()
        .unwrap_or_default()
        .into_iter()
        .next())
}

/// How often a projection was rebuilt, and the tables of a rebuild that did not end.
pub(crate) async fn attempts(
    projection: &Projection,
    store: &dyn Store,
) -> Result<(i64, Vec<String>), AppError> {
    let Some(row) = first(store, system::rebuild(projection.name)).await? else {
        return Ok((0, Vec::new()));
    };
    let tables: String = row.get(1);
    let tables = tables.split(',').filter(|table| !table.is_empty());
    Ok((row.get(0), tables.map(str::to_owned).collect()))
}

pub(crate) fn drop_tables(tables: &[String]) -> String {
    tables
        .iter()
        .map(|table| format!("DROP TABLE IF EXISTS {table};"))
        .collect()
}

/// The name of the subscription that feeds a projection of other services' events.
pub(crate) fn subscription_name(projection: &Projection) -> String {
    format!("projection:{}", projection.name)
}
