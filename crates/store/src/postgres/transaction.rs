//! A batch as statements: the head first, then who writes, versions, events, and what belongs to
//! them. The positions are not known when it is sent; the server fills them in.

use std::{collections::HashMap, sync::Arc};

use kernel::{PARTITIONS, Recorded, Rows, StreamId, partition_of};

use super::{
    failure::Failure,
    session::{Broken, Run, Step},
    values::Arg,
};
use crate::{Batch, Committed, StoreError};

/// Takes the head: the lock of the log, and the positions.
pub(super) const TAKE_HEAD: &str =
    "UPDATE log_head SET position = position + $1 WHERE id = 1 RETURNING position";

/// Records that this writer's batch is being written, and fails (NOT NULL) if it was before: what
/// is sent again after a lost answer is written once, whatever became of the first try.
const RECORD: &str = "INSERT INTO writers (writer, batch, position, at) \
    VALUES ($1, $2, (SELECT position FROM log_head WHERE id = 1), CAST(extract(epoch FROM now()) * 1000000 AS BIGINT)) \
    ON CONFLICT (writer) DO UPDATE SET batch = CASE WHEN writers.batch < excluded.batch THEN excluded.batch END, \
    position = excluded.position, at = excluded.at";

/// Fails (division by zero) unless every stream is at its version.
const VERSIONS: &str = "SELECT 1 / (CASE WHEN EXISTS (SELECT 1 \
    FROM unnest(CAST($1 AS text[]), CAST($2 AS bigint[])) AS wanted (stream, version) \
    WHERE wanted.version <> coalesce((SELECT max(e.version) FROM events e WHERE e.stream = wanted.stream), 0)) \
    THEN 0 ELSE 1 END)";

/// Appends the events and moves the partitions' heads, all at once; answers where those were. An
/// event's `prev` is counted within the batch, 0 standing for the partition's head before it.
const APPEND: &str = "WITH head AS (SELECT position FROM log_head WHERE id = 1), \
    earlier AS (SELECT partition, head FROM log_partitions), \
    appended AS (INSERT INTO events (position, prev, partition, stream, version, type, data, meta, at) \
        SELECT head.position - $1 + t.ord, \
            CASE WHEN t.prev = 0 THEN coalesce(earlier.head, 0) ELSE head.position - $1 + t.prev END, \
            t.partition, t.stream, t.version, t.type, t.data, t.meta, t.at \
        FROM unnest(CAST($2 AS bigint[]), CAST($3 AS bigint[]), CAST($4 AS text[]), CAST($5 AS bigint[]), \
                CAST($6 AS text[]), CAST($7 AS text[]), CAST($8 AS text[]), CAST($9 AS bigint[])) \
            WITH ORDINALITY AS t (prev, partition, stream, version, type, data, meta, at, ord) \
        CROSS JOIN head LEFT JOIN earlier ON earlier.partition = t.partition), \
    moved AS (INSERT INTO log_partitions (partition, head) \
        SELECT l.partition, head.position - $1 + l.ord \
        FROM unnest(CAST($10 AS bigint[]), CAST($11 AS bigint[])) AS l (partition, ord) CROSS JOIN head \
        ON CONFLICT (partition) DO UPDATE SET head = excluded.head) \
    SELECT partition, head FROM earlier";

/// Uses up a batch's number, unless it was used: a position that is none tells the two apart.
const USE_UP: &str = "INSERT INTO writers (writer, batch, position, at) \
    VALUES ($1, $2, -1, CAST(extract(epoch FROM now()) * 1000000 AS BIGINT)) \
    ON CONFLICT (writer) DO UPDATE SET batch = excluded.batch, position = excluded.position, at = excluded.at \
    WHERE writers.batch < excluded.batch";

const LAST_OF: &str = "SELECT batch, position FROM writers WHERE writer = $1";

/// Where the events of a batch that was written before have come to lie.
pub(super) const WRITTEN: &str =
    "SELECT position, prev FROM events WHERE position > $1 AND position <= $2 ORDER BY position";

/// What each of the leading statements is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    Record,
    Versions,
    Append,
}

/// The leading statements of a batch.
pub(super) struct Parts(Vec<Part>);

impl Parts {
    /// Statements of `batch`, the `number`th of `writer`, but for its own.
    pub fn of<'a>(
        batch: &'a Batch,
        writer: &'a str,
        number: i64,
    ) -> Result<(Self, Vec<Step<'a>>), StoreError> {
        let count = batch.events.len() as i64;
        let mut parts = vec![Part::Head, Part::Record];
        let mut steps = vec![
            Step::new(TAKE_HEAD, vec![Arg::Int(count)]),
            Step::new(RECORD, vec![Arg::Text(writer), Arg::Int(number)]),
        ];
        let (streams, versions) = expected(batch)?;
        if !streams.is_empty() {
            parts.push(Part::Versions);
            let args = vec![Arg::Texts(streams), Arg::Ints(versions)];
            steps.push(Step::new(VERSIONS, args));
        }
        if count > 0 {
            parts.push(Part::Append);
            steps.push(append(&batch.events)?);
        }
        Ok((Self(parts), steps))
    }

    /// What a failure means, now that it is known where it happened.
    pub fn judge(&self, broken: Broken) -> Broken {
        let part = broken.step.and_then(|step| self.0.get(step));
        let failure = match (broken.failure, part) {
            (Failure::Asserted, Some(Part::Versions)) => StoreError::Conflict.into(),
            (Failure::Asserted, Some(Part::Record)) => Failure::Asserted,
            (Failure::Asserted, _) => StoreError::Data("a statement divided by zero".into()).into(),
            (failure, _) => failure,
        };
        Broken { failure, ..broken }
    }

    /// The events with the positions they got, from the answers of the leading statements.
    pub fn committed(&self, batch: Batch, topic: &Arc<str>, answers: &[Rows]) -> Committed {
        let answer = |wanted| {
            let at = self.0.iter().position(|part| *part == wanted)?;
            answers.get(at)
        };
        let last: i64 = answer(Part::Head)
            .and_then(|rows| rows.first())
            .map_or(0, |row| row.get(0));
        let mut heads = [0; PARTITIONS as usize];
        for row in answer(Part::Append).into_iter().flatten() {
            if let Some(head) = heads.get_mut(row.get::<i64>(0) as usize) {
                *head = row.get(1);
            }
        }
        let mut position = last - batch.events.len() as i64;
        let events = batch.events.into_iter().map(|mut event| {
            position += 1;
            event.partition = partition_of(event.stream.as_str());
            let head = &mut heads[usize::from(event.partition)];
            (event.position, event.prev) = (position, std::mem::replace(head, position));
            event.topic = topic.clone();
            Arc::new(event)
        });
        Committed {
            events: events.collect(),
        }
    }
}

/// Asks what became of a writer's batch; if it was not written, it cannot be any more.
pub(super) fn what_became_of(writer: &str, number: i64) -> Run<'_> {
    let steps = vec![
        Step::new(TAKE_HEAD, vec![Arg::Int(0)]),
        Step::new(LAST_OF, vec![Arg::Text(writer)]),
        Step::new(USE_UP, vec![Arg::Text(writer), Arg::Int(number)]),
    ];
    Run {
        begin: Some("BEGIN"),
        steps,
        end: Some("COMMIT"),
    }
}

/// The answer: the last position of the batch, if it was written.
pub(super) fn became(answers: &[Rows], number: i64) -> Option<i64> {
    let row = answers.get(1)?.first()?;
    let written = row.get::<i64>(0) == number && row.get::<i64>(1) >= 0;
    written.then(|| row.get(1))
}

/// The same for a batch that was found to be written: `rows` are position and prev.
pub(super) fn found(batch: Batch, topic: &Arc<str>, rows: &Rows) -> Committed {
    let events = batch.events.into_iter().zip(rows).map(|(mut event, row)| {
        event.partition = partition_of(event.stream.as_str());
        (event.position, event.prev) = (row.get(0), row.get(1));
        event.topic = topic.clone();
        Arc::new(event)
    });
    Committed {
        events: events.collect(),
    }
}

/// The versions at which streams must be before the batch.
fn expected(batch: &Batch) -> Result<(Vec<&str>, Vec<i64>), StoreError> {
    let asserted = batch.asserted.iter();
    let mut streams: Vec<&str> = Vec::new();
    let mut versions: Vec<i64> = Vec::new();
    for (stream, version) in asserted {
        streams.push(stream.as_str());
        versions.push(*version);
    }
    let mut last: HashMap<&StreamId, i64, foldhash::fast::RandomState> = HashMap::default();
    for event in &batch.events {
        match last.insert(&event.stream, event.version) {
            None => {
                streams.push(event.stream.as_str());
                versions.push(event.version - 1);
            }
            Some(before) if before + 1 == event.version => {}
            Some(_) => return Err(StoreError::Conflict),
        }
    }
    Ok((streams, versions))
}

fn append(events: &[Recorded]) -> Result<Step<'_>, StoreError> {
    let mut last = [0; PARTITIONS as usize];
    let (mut prevs, mut partitions) = (Vec::new(), Vec::new());
    let mut metas = Vec::new();
    for (event, ord) in events.iter().zip(1..) {
        let partition = partition_of(event.stream.as_str());
        let head = &mut last[usize::from(partition)];
        prevs.push(std::mem::replace(head, ord));
        partitions.push(i64::from(partition));
        metas
            .push(serde_json::to_string(&event.meta).map_err(|e| StoreError::Data(e.to_string()))?);
    }
    let touched = || (0..).zip(last).filter(|(_, ord)| *ord > 0);
    let texts = |of: fn(&Recorded) -> &str| Arg::Texts(events.iter().map(of).collect());
    let numbers = |of: fn(&Recorded) -> i64| Arg::Ints(events.iter().map(of).collect());
    let args = vec![
        Arg::Int(events.len() as i64),
        Arg::Ints(prevs),
        Arg::Ints(partitions),
        texts(|event| event.stream.as_str()),
        numbers(|event| event.version),
        texts(|event| &event.kind),
        texts(|event| &event.data),
        Arg::Owned(metas),
        numbers(|event| event.at.0),
        Arg::Ints(touched().map(|(partition, _)| partition).collect()),
        Arg::Ints(touched().map(|(_, ord)| ord).collect()),
    ];
    Ok(Step::new(APPEND, args))
}
