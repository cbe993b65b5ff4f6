//! Rebuilding a read model from the log beside the tables that answer meanwhile, and switching.
//!
//! Whoever writes goes on writing the old tables. What is new is read again until nothing is, and
//! the switch asserts that: if somebody was faster it fails, and more is read.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use eventlog::Log;
use kernel::{AppError, KeyRing, PARTITIONS, Projection, Recorded, Source, Statement, with_keys};
use store::{Batch, Store, StoreError, sharing, system};

use crate::{
    batcher::app_error,
    lock::Lock,
    projections::{apply, attempts, drop_tables, subscription_name},
    rename::{rename, rename_schema},
    service::Inlet,
};

/// How many events are read at once.
const CHUNK: usize = 1_000;
/// How often the switch is tried while others keep writing.
const TRIES: usize = 1_000;

/// A projection being rebuilt into tables of its own.
pub(crate) struct Rebuild {
    projection: Projection,
    /// Which rebuild of this projection it is; never used again, so that the names of its indexes,
    /// which stay when its tables are renamed, are in no later one's way.
    generation: i64,
    suffix: String,
    /// Statement text → the same text on the new tables. Leaked: a rebuild is rare, and a
    /// projection has a handful of statements.
    texts: HashMap<&'static str, &'static str>,
    /// Up to which position of the service's own log it is.
    own: i64,
    /// Up to which position of each partition of other services' logs it is.
    applied: BTreeMap<(String, u16), i64>,
    /// Dead letters that were left out.
    skipped: BTreeSet<(String, i64)>,
    /// Among several instances, the right to do this.
    lock: Option<Lock>,
}

/// What the old tables hold.
enum Target {
    Own(i64),
    Topics {
        positions: BTreeMap<(String, u16), i64>,
        sum: i64,
        letters: BTreeSet<(String, i64)>,
    },
}

/// Where statements go.
pub(crate) enum Sink<'a> {
    /// Between the service's other commits.
    Inlet(&'a Inlet),
    /// Directly: nothing else of this process writes.
    Store(&'a dyn Store),
}

impl Sink<'_> {
    async fn write(&self, statements: Vec<Statement>) -> Result<(), AppError> {
        match self {
            _ if statements.is_empty() => Ok(()),
            Self::Inlet(inlet) => inlet.write(statements).await,
            Self::Store(store) => {
                let batch = Batch {
                    statements,
                    ..Batch::default()
                };
                let written = store.commit(batch).await;
                written.map(drop).map_err(|e| app_error(&e))
            }
        }
    }
}

impl Rebuild {
    /// Makes the new tables.
    pub async fn begin(
        projection: &Projection,
        store: &dyn Store,
        lock: Option<Lock>,
    ) -> Result<Self, AppError> {
        let (last, leftover) = attempts(projection, store).await?;
        let generation = last + 1;
        let rebuild = Self {
            projection: projection.clone(),
            generation,
            suffix: format!("__{generation}"),
            texts: HashMap::new(),
            own: 0,
            applied: BTreeMap::new(),
            skipped: BTreeSet::new(),
            lock,
        };
        let tables: Vec<String> = rebuild.new_tables().collect();
        let ddl = drop_tables(&leftover)
            + &rename_schema(projection.schema, projection.tables, &rebuild.suffix);
        let mut batch = Batch::default();
        batch
            .statements
            .extend(rebuild.lock.as_ref().map(Lock::assert));
        let begun = system::record_rebuild(projection.name, generation, &tables.join(","));
        batch.statements.push(begun);
        store.define(ddl, batch).await.map_err(|e| app_error(&e))?;
        Ok(rebuild)
    }

    fn new_tables(&self) -> impl Iterator<Item = String> + '_ {
        let tables = self.projection.tables.iter();
        tables.map(|table| format!("{table}{}", self.suffix))
    }

    /// Takes in what the old tables hold now.
    pub async fn approach(
        &mut self,
        store: &dyn Store,
        log: &dyn Log,
        keys: &Arc<dyn KeyRing>,
        sink: &Sink<'_>,
    ) -> Result<(), AppError> {
        let target = self.target(store).await.map_err(|e| app_error(&e))?;
        self.advance(&target, store, log, keys, sink).await
    }

    /// Puts the new tables in the old ones' place, in one transaction, once nothing is missing in
    /// them.
    pub async fn switch(
        mut self,
        store: &dyn Store,
        log: &dyn Log,
        keys: &Arc<dyn KeyRing>,
    ) -> Result<(), AppError> {
        for _ in 0..TRIES {
            let target = self.target(store).await.map_err(|e| app_error(&e))?;
            self.advance(&target, store, log, keys, &Sink::Store(store))
                .await?;
            match self.try_switch(&target, store).await {
                Ok(()) => {
                    if let Some(lock) = self.lock.take() {
                        lock.release().await;
                    }
                    return Ok(());
                }
                // Somebody wrote meanwhile.
                Err(StoreError::Condition(_)) => {}
                Err(error) => return Err(app_error(&error)),
            }
        }
        let name = self.projection.name;
        Err(AppError::Unavailable(format!(
            "the read model {name} cannot be switched while so much is written; try again later"
        )))
    }

    async fn try_switch(&self, target: &Target, store: &dyn Store) -> Result<(), StoreError> {
        let mut ddl = String::new();
        for (old, new) in self.projection.tables.iter().zip(self.new_tables()) {
            ddl.push_str(&format!(
                "DROP TABLE IF EXISTS {old}; ALTER TABLE {new} RENAME TO {old};"
            ));
        }
        let (name, version) = (self.projection.name, self.projection.version);
        let mut statements = vec![match target {
            Target::Own(head) => sharing::assert_head(*head),
            Target::Topics { sum, letters, .. } => {
                let subscription = subscription_name(&self.projection);
                sharing::assert_applied(&subscription, *sum, letters.len() as i64)
            }
        }];
        statements.extend(self.lock.as_ref().map(Lock::assert));
        statements.push(system::projection_live(name, version));
        statements.push(system::record_rebuild(name, self.generation, ""));
        let batch = Batch {
            statements,
            ..Batch::default()
        };
        store.define(ddl, batch).await.map(drop)
    }

    /// What the old tables hold.
    async fn target(&self, store: &dyn Store) -> Result<Target, StoreError> {
        if self.projection.source == Source::Own {
            return Ok(Target::Own(store.head().await?.position));
        }
        let name = subscription_name(&self.projection);
        let asked = vec![sharing::all_positions(&name), sharing::letters(&name)];
        let mut found = store.query(asked).await?.into_iter();
        let positions: BTreeMap<(String, u16), i64> = found
            .next()
            .unwrap_or_default()
            .iter()
            .map(|row| {
                let partition: i64 = row.get(1);
                let partition = u16::try_from(partition).unwrap_or(PARTITIONS);
                ((row.get(0), partition), row.get(2))
            })
            .collect();
        let letters = found.next().unwrap_or_default();
        Ok(Target::Topics {
            sum: positions.values().sum(),
            positions,
            letters: letters.iter().map(|row| (row.get(0), row.get(1))).collect(),
        })
    }

    async fn advance(
        &mut self,
        target: &Target,
        store: &dyn Store,
        log: &dyn Log,
        keys: &Arc<dyn KeyRing>,
        sink: &Sink<'_>,
    ) -> Result<(), AppError> {
        let (positions, letters) = match target {
            Target::Own(head) => return self.advance_own(*head, store, keys, sink).await,
            Target::Topics {
                positions, letters, ..
            } => (positions, letters),
        };
        let Source::Topics(topics) = self.projection.source else {
            return Ok(());
        };
        self.redriven(letters, log, keys, sink).await?;
        for topic in topics {
            let of_topic = |at: &BTreeMap<(String, u16), i64>, p: u16| {
                at.get(&((*topic).to_owned(), p)).copied().unwrap_or(0)
            };
            let partitions = 0..PARTITIONS;
            let goal = |p: u16| of_topic(positions, p);
            let furthest = partitions.clone().map(goal).max().unwrap_or(0);
            let behind = partitions
                .clone()
                .filter(|p| of_topic(&self.applied, *p) < goal(*p));
            let Some(mut after) = behind.map(|p| of_topic(&self.applied, p)).min() else {
                continue;
            };
            while after < furthest {
                let events = log.read(topic, after, CHUNK).await;
                let events = events.map_err(|e| AppError::Unavailable(e.to_string()))?;
                let Some(last) = events.last() else {
                    let text = format!("{topic} cannot be read behind {after}");
                    return Err(AppError::Unavailable(text));
                };
                after = last.position;
                let mut statements = Vec::new();
                for event in &events {
                    let p = event.partition;
                    if event.position <= of_topic(&self.applied, p) || event.position > goal(p) {
                        continue;
                    }
                    let place = ((*topic).to_owned(), event.position);
                    // What is parked was not applied before either; it waits to be redriven.
                    match letters.contains(&place) {
                        true => drop(self.skipped.insert(place)),
                        false => self.apply(event, keys, &mut statements)?,
                    }
                }
                sink.write(statements).await?;
            }
            for p in partitions {
                self.applied.insert(((*topic).to_owned(), p), goal(p));
            }
        }
        Ok(())
    }

    /// Takes in what was parked and has been redriven meanwhile.
    async fn redriven(
        &mut self,
        letters: &BTreeSet<(String, i64)>,
        log: &dyn Log,
        keys: &Arc<dyn KeyRing>,
        sink: &Sink<'_>,
    ) -> Result<(), AppError> {
        let done: Vec<(String, i64)> = self.skipped.difference(letters).cloned().collect();
        for (topic, position) in done {
            let events = log.read(&topic, position - 1, 1).await;
            let events = events.map_err(|e| AppError::Unavailable(e.to_string()))?;
            let mut statements = Vec::new();
            for event in events.iter().filter(|e| e.position == position) {
                self.apply(event, keys, &mut statements)?;
            }
            sink.write(statements).await?;
            self.skipped.remove(&(topic, position));
        }
        Ok(())
    }

    async fn advance_own(
        &mut self,
        head: i64,
        store: &dyn Store,
        keys: &Arc<dyn KeyRing>,
        sink: &Sink<'_>,
    ) -> Result<(), AppError> {
        while self.own < head {
            let events = store.read_log(self.own, CHUNK, 4 << 20).await;
            let mut events = events.map_err(|e| app_error(&e))?;
            events.retain(|event| event.position <= head);
            let Some(last) = events.last().map(|event| event.position) else {
                let text = format!("the log ends before {head}");
                return Err(AppError::Internal(text));
            };
            let mut statements = Vec::new();
            for event in &events {
                self.apply(event, keys, &mut statements)?;
            }
            sink.write(statements).await?;
            self.own = last;
        }
        Ok(())
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
        Ok(())
    }
}
