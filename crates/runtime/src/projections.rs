//! Read models: applied with every commit, and rebuilt from the log beside the old tables.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use kernel::{
    AppError, DecodeError, KeyRing, Projection, Recorded, Row, Source, Statement, with_keys,
};
use store::{Batch, Store, system};

use crate::{
    batcher::app_error,
    rename::{rename, rename_schema},
    service::Inlet,
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
}

/// Applies a projection; one that panics is as good as one that cannot read the event.
fn apply(
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
/// anything else runs. New ones are made; changed ones are rebuilt from the log.
pub(crate) async fn prepare(
    service: &str,
    projections: &[Projection],
    store: &dyn Store,
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
        let version = first(store, system::projection_version(projection.name)).await?;
        let known: Option<i64> = version.map(|row| row.get(0));
        if known == Some(projection.version) {
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
            let rebuild = Rebuild::begin(projection, store).await?;
            rebuild.finish().switch(store, keys).await?;
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
async fn attempts(
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

fn drop_tables(tables: &[String]) -> String {
    tables
        .iter()
        .map(|table| format!("DROP TABLE IF EXISTS {table};"))
        .collect()
}

/// The name of the subscription that feeds a projection of other services' events.
pub(crate) fn subscription_name(projection: &Projection) -> String {
    format!("projection:{}", projection.name)
}

/// A projection being rebuilt into tables of its own.
pub(crate) struct Rebuild {
    rebuilt: Rebuilt,
    waiting: Vec<Statement>,
}

/// A rebuilt projection that can take the old one's place.
pub(crate) struct Rebuilt {
    projection: Projection,
    /// Which rebuild of this projection it is; never used again, so that the names of its indexes,
    /// which stay when its tables are renamed, are in no later one's way.
    generation: i64,
    suffix: String,
    /// Statement text → the same text on the new tables. Leaked: a rebuild is rare, and a
    /// projection has a handful of statements.
    texts: HashMap<&'static str, &'static str>,
    /// Position up to which the service's own events are in.
    pub applied: i64,
}

impl Rebuild {
    /// Makes the new tables.
    pub async fn begin(projection: &Projection, store: &dyn Store) -> Result<Self, AppError> {
        let (last, leftover) = attempts(projection, store).await?;
        let generation = last + 1;
        let rebuilt = Rebuilt {
            projection: projection.clone(),
            generation,
            suffix: format!("__{generation}"),
            texts: HashMap::new(),
            applied: 0,
        };
        let tables: Vec<String> = rebuilt.new_tables().collect();
        let ddl = drop_tables(&leftover)
            + &rename_schema(projection.schema, projection.tables, &rebuilt.suffix);
        let mut batch = Batch::default();
        let begun = system::record_rebuild(projection.name, generation, &tables.join(","));
        batch.statements.push(begun);
        store.define(ddl, batch).await.map_err(|e| app_error(&e))?;
        Ok(Self {
            rebuilt,
            waiting: Vec::new(),
        })
    }

    /// Takes an event in.
    pub fn apply(&mut self, event: &Recorded, keys: &Arc<dyn KeyRing>) -> Result<(), AppError> {
        self.rebuilt.apply(event, keys, &mut self.waiting)
    }

    /// Writes what was taken in, between the service's other commits.
    pub async fn write(&mut self, inlet: &Inlet) -> Result<(), AppError> {
        match self.waiting.is_empty() {
            true => Ok(()),
            false => inlet.write(std::mem::take(&mut self.waiting)).await,
        }
    }

    /// All is in but the last events, which [`Rebuilt::switch`] reads.
    pub fn finish(self) -> Rebuilt {
        self.rebuilt
    }
}

impl Rebuilt {
    fn new_tables(&self) -> impl Iterator<Item = String> + '_ {
        self.projection
            .tables
            .iter()
            .map(|table| format!("{table}{}", self.suffix))
    }

    fn apply(
        &mut self,
        event: &Recorded,
        keys: &Arc<dyn KeyRing>,
        out: &mut Vec<Statement>,
    ) -> Result<(), AppError> {
        let mut statements = Vec::new();
        with_keys(keys, || apply(&self.projection, event, &mut statements))
            .map_err(|e| AppError::Internal(e.to_string()))?;
        for mut statement in statements {
            let (tables, suffix) = (self.projection.tables, &self.suffix);
            statement.sql = self
                .texts
                .entry(statement.sql)
                .or_insert_with_key(|sql| Box::leak(rename(sql, tables, suffix).into_boxed_str()));
            out.push(statement);
        }
        self.applied = event.position;
        Ok(())
    }

    /// Reads what is still missing of the service's own events (nothing else may write meanwhile),
    /// and puts the new tables in the old ones' place in one transaction.
    pub async fn switch(
        mut self,
        store: &dyn Store,
        keys: &Arc<dyn KeyRing>,
    ) -> Result<(), AppError> {
        while self.projection.source == Source::Own {
            let events = store
                .read_log(self.applied, 1_000, 4 << 20)
                .await
                .map_err(|e| app_error(&e))?;
            if events.is_empty() {
                break;
            }
            let mut batch = Batch::default();
            for event in &events {
                self.apply(event, keys, &mut batch.statements)?;
            }
            store.commit(batch).await.map_err(|e| app_error(&e))?;
        }
        let mut ddl = String::new();
        for (old, new) in self.projection.tables.iter().zip(self.new_tables()) {
            ddl.push_str(&format!(
                "DROP TABLE IF EXISTS {old}; ALTER TABLE {new} RENAME TO {old};"
            ));
        }
        let (name, version) = (self.projection.name, self.projection.version);
        let mut batch = Batch::default();
        batch
            .statements
            .push(system::projection_live(name, version));
        let ended = system::record_rebuild(name, self.generation, "");
        batch.statements.push(ended);
        store.define(ddl, batch).await.map_err(|e| app_error(&e))?;
        Ok(())
    }
}

/// Rebuilds a projection of the service's own events while the service goes on.
pub(crate) async fn rebuild_own(
    projection: &Projection,
    store: &dyn Store,
    inlet: &Inlet,
    keys: &Arc<dyn KeyRing>,
) -> Result<Rebuilt, AppError> {
    let mut rebuild = Rebuild::begin(projection, store).await?;
    let head = store.head().await.map_err(|e| app_error(&e))?.position;
    while rebuild.rebuilt.applied < head {
        let events = store
            .read_log(rebuild.rebuilt.applied, 1_000, 4 << 20)
            .await
            .map_err(|e| app_error(&e))?;
        for event in &events {
            rebuild.apply(event, keys)?;
        }
        rebuild.write(inlet).await?;
        if events.is_empty() {
            break;
        }
    }
    Ok(rebuild.finish())
}
