//! What is asked of the log and the streams, each in one statement, so that one trip suffices.

use std::sync::{Arc, OnceLock};

use kernel::{Recorded, Row, Rows, StreamId, Timestamp};

use super::{session::Step, values::Arg};
use crate::{LoadStream, LoadedStream, LogHead, StoreError};

/// Snapshots (type is NULL) and the events behind them, stream by stream. Looked up stream by
/// stream as well (LATERAL with an order): the planner must not read the whole table for them.
const LOAD: &str = "WITH wanted AS (SELECT * \
        FROM unnest(CAST($1 AS text[]), CAST($2 AS bigint[])) WITH ORDINALITY AS t (stream, shape, ord)), \
    usable AS (SELECT wanted.ord, wanted.stream, s.version, s.state \
        FROM wanted LEFT JOIN snapshots s ON s.stream = wanted.stream AND s.shape = wanted.shape) \
    SELECT ord, version, NULL, state FROM usable WHERE version IS NOT NULL \
    UNION ALL \
    SELECT usable.ord, found.version, found.type, found.data FROM usable CROSS JOIN LATERAL ( \
        SELECT e.version, e.type, e.data FROM events e \
        WHERE e.stream = usable.stream AND e.version > coalesce(usable.version, 0) ORDER BY e.version) found \
    ORDER BY 1, 2";

/// The log behind `$1`: at most `$2` events, each of which has less than `$3` bytes before it.
const LOG: &str = "SELECT position, prev, partition, stream, version, type, data, meta, at FROM ( \
        SELECT e.*, sum(octet_length(data)) OVER (ORDER BY position ROWS UNBOUNDED PRECEDING) \
            - octet_length(data) AS bytes \
        FROM events e WHERE position > $1 ORDER BY position LIMIT $2) counted \
    WHERE bytes < $3 OR bytes = 0 ORDER BY position";

const HEAD: &str = "SELECT position, incarnation FROM log_head WHERE id = 1";

/// No shape of a snapshot: shapes count from 0.
const NO_SHAPE: i64 = -1;

pub(super) fn load(streams: &[LoadStream]) -> Step<'_> {
    let names = streams.iter().map(|wanted| wanted.stream.as_str());
    let shapes = streams
        .iter()
        .map(|wanted| wanted.shape.unwrap_or(NO_SHAPE));
    let args = vec![Arg::Texts(names.collect()), Arg::Ints(shapes.collect())];
    Step::new(LOAD, args)
}

pub(super) fn loaded(streams: Vec<LoadStream>, rows: Rows) -> Vec<LoadedStream> {
    let empty = |wanted: LoadStream| LoadedStream {
        stream: wanted.stream,
        snapshot: None,
        events: Vec::new(),
    };
    let mut loaded: Vec<LoadedStream> = streams.into_iter().map(empty).collect();
    for row in rows {
        let Some(stream) = loaded.get_mut(row.get::<i64>(0) as usize - 1) else {
            continue;
        };
        match row.get::<Option<String>>(2) {
            Some(kind) => stream.events.push((kind, row.get(3))),
            None => stream.snapshot = Some((row.get(1), row.get(3))),
        }
    }
    loaded
}

pub(super) fn log(after: i64, limit: usize, max_bytes: usize) -> Step<'static> {
    let count = |n: usize| Arg::Int(i64::try_from(n).unwrap_or(i64::MAX));
    Step::new(LOG, vec![Arg::Int(after), count(limit), count(max_bytes)])
}

pub(super) fn recorded(rows: &Rows, topic: &Arc<str>) -> Vec<Recorded> {
    let recorded = |row: &Row| Recorded {
        topic: topic.clone(),
        position: row.get(0),
        prev: row.get(1),
        partition: row.get::<i64>(2) as u16,
        stream: StreamId::from_name(&row.get::<String>(3)),
        version: row.get(4),
        kind: row.get::<String>(5).into(),
        data: row.get::<String>(6).into(),
        meta: serde_json::from_str(&row.get::<String>(7)).unwrap_or_default(),
        at: Timestamp(row.get(8)),
        typed: OnceLock::new(),
    };
    rows.iter().map(recorded).collect()
}

pub(super) fn head() -> Step<'static> {
    Step::new(HEAD, Vec::new())
}

pub(super) fn head_of(rows: &Rows) -> Result<LogHead, StoreError> {
    let row = rows.first();
    let row = row.ok_or_else(|| StoreError::Unavailable("the log has no head".into()))?;
    Ok(LogHead {
        position: row.get(0),
        incarnation: row.get(1),
    })
}
