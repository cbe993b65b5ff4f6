//! Read models: applied with every commit, and rebuilt from the log beside the old tables.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use kernel::{AppError, DecodeError, KeyRing, Projection, Recorded, Source, Statement, with_keys};
use store::{Batch, Store, system};

use crate::{batcher::app_error, service::Inlet};

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
            .try_for_each(|projection| (projection.apply)(event, statements))
    }
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
        let rows = store
            .query(vec![system::projection_version(projection.name)])
            .await;
        let rows = rows.map_err(|e| app_error(&e))?;
        let known: Option<i64> = rows
            .first()
            .and_then(|rows| rows.first())
            .map(|row| row.get(0));
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
        fresh
            .statements
            .push(system::delete_positions(&subscription_name(projection)));
        fresh
            .statements
            .push(system::projection_live(projection.name, projection.version));
    }
    if !ddl.is_empty() {
        store.define(ddl, fresh).await.map_err(|e| app_error(&e))?;
    }
    Ok(())
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
    suffix: String,
    /// Statement text → the same text on the new tables. Leaked: a rebuild is rare, and a
    /// projection has a handful of statements.
    texts: HashMap<&'static str, &'static str>,
    /// Position up to which the service's own events are in.
    pub applied: i64,
}

static GENERATION: AtomicU64 = AtomicU64::new(1);

impl Rebuild {
    /// Makes the new tables.
    pub async fn begin(projection: &Projection, store: &dyn Store) -> Result<Self, AppError> {
        let head = store.head().await.map_err(|e| app_error(&e))?;
        // Unique among attempts, so that index names of an earlier one are not in the way.
        let suffix = format!(
            "__{}_{}_{}",
            projection.version,
            head.position,
            GENERATION.fetch_add(1, Ordering::Relaxed)
        );
        let rebuilt = Rebuilt {
            projection: projection.clone(),
            suffix,
            texts: HashMap::new(),
            applied: 0,
        };
        let drop: String = rebuilt
            .new_tables()
            .map(|table| format!("DROP TABLE IF EXISTS {table};"))
            .collect();
        let schema = rename_schema(projection.schema, projection.tables, &rebuilt.suffix);
        store
            .define(drop + &schema, Batch::default())
            .await
            .map_err(|e| app_error(&e))?;
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
        with_keys(keys, || (self.projection.apply)(event, &mut statements))
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
        let mut batch = Batch::default();
        batch.statements.push(system::projection_live(
            self.projection.name,
            self.projection.version,
        ));
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

/// `sql` with every table of `tables` (as a whole word) carrying `suffix`.
fn rename(sql: &str, tables: &[&str], suffix: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 16);
    let mut word = String::new();
    for c in sql.chars().chain(std::iter::once('\n')) {
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        out.push_str(&word);
        if tables.contains(&word.as_str()) {
            out.push_str(suffix);
        }
        word.clear();
        out.push(c);
    }
    out.pop();
    out
}

/// The same for a schema, where index names must be new as well.
fn rename_schema(schema: &str, tables: &[&str], suffix: &str) -> String {
    let mut out = String::new();
    let mut after_index = false;
    for piece in rename(schema, tables, suffix).split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        out.push_str(word);
        if after_index && !word.is_empty() {
            out.push_str(suffix);
        }
        after_index = word.eq_ignore_ascii_case("INDEX") || (after_index && word.is_empty());
        out.push_str(&piece[word.len()..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_table_names_are_renamed() {
        let sql = "INSERT INTO orders (id, orders_total) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET x = orders.x";
        let expected = "INSERT INTO orders__1 (id, orders_total) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET x = orders__1.x";
        assert_eq!(rename(sql, &["orders"], "__1"), expected);
    }

    #[test]
    fn index_names_are_new_too() {
        let schema = "CREATE TABLE a (id TEXT); CREATE INDEX a_by_id ON a (id);";
        assert_eq!(
            rename_schema(schema, &["a"], "__1"),
            "CREATE TABLE a__1 (id TEXT); CREATE INDEX a_by_id__1 ON a__1 (id);"
        );
    }
}
