//! The tables every service's database has beside its own, and the statements on them. Portable.

use kernel::{Statement, Timer, Timestamp, sql};

/// The schema, first of every database's migrations.
pub const SCHEMA: &[&str] = &["
CREATE TABLE log_head (id BIGINT PRIMARY KEY, position BIGINT NOT NULL, incarnation TEXT NOT NULL, partitions BIGINT NOT NULL);
CREATE TABLE log_partitions (partition BIGINT PRIMARY KEY, head BIGINT NOT NULL);
CREATE TABLE events (
    position BIGINT PRIMARY KEY, prev BIGINT NOT NULL, partition BIGINT NOT NULL, stream TEXT NOT NULL, version BIGINT NOT NULL,
    type TEXT NOT NULL, data TEXT NOT NULL, meta TEXT NOT NULL, at BIGINT NOT NULL, UNIQUE (stream, version));
CREATE TABLE snapshots (stream TEXT PRIMARY KEY, version BIGINT NOT NULL, shape BIGINT NOT NULL, state TEXT NOT NULL);
CREATE TABLE positions (
    subscription TEXT NOT NULL, topic TEXT NOT NULL, partition BIGINT NOT NULL, epoch BIGINT NOT NULL, position BIGINT NOT NULL,
    PRIMARY KEY (subscription, topic, partition));
CREATE TABLE topics_seen (topic TEXT PRIMARY KEY, incarnation TEXT NOT NULL);
CREATE TABLE timers (key TEXT PRIMARY KEY, due BIGINT NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX timers_due ON timers (due);
CREATE TABLE idempotency (scope TEXT PRIMARY KEY, body TEXT NOT NULL, response BYTEA NOT NULL, expires BIGINT NOT NULL);
CREATE INDEX idempotency_expires ON idempotency (expires);
CREATE TABLE dead_letters (
    subscription TEXT NOT NULL, topic TEXT NOT NULL, position BIGINT NOT NULL, stream TEXT NOT NULL, type TEXT NOT NULL,
    reason TEXT NOT NULL, parked_at BIGINT NOT NULL, PRIMARY KEY (subscription, topic, position));
CREATE TABLE projections (name TEXT PRIMARY KEY, version BIGINT NOT NULL);
CREATE TABLE rebuilds (projection TEXT PRIMARY KEY, generation BIGINT NOT NULL, tables TEXT NOT NULL);
",
"
CREATE TABLE instances (id TEXT PRIMARY KEY, slot TEXT NOT NULL, beat BIGINT NOT NULL);
CREATE TABLE leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL, epoch BIGINT NOT NULL);
CREATE TABLE writers (writer TEXT PRIMARY KEY, batch BIGINT NOT NULL, position BIGINT NOT NULL, at BIGINT NOT NULL);
"];

/// The longest reason that is kept of a dead letter, in characters.
const LONGEST_REASON: usize = 1_000;

/// Moves a consumer's position in all partitions of a topic, and fails unless it is still at `from`
/// in `epoch`: a condition is a statement that fails, here on NOT NULL.
pub fn move_positions(
    subscription: &str,
    topic: &str,
    epoch: i64,
    from: i64,
    to: i64,
) -> Statement {
    sql!(
        "UPDATE positions SET position = CASE WHEN epoch = $3 AND position = $4 THEN CAST($5 AS BIGINT) END \
         WHERE subscription = $1 AND topic = $2",
        subscription,
        topic,
        epoch,
        from,
        to
    )
}

/// Makes the position row of a new subscription.
pub fn create_position(
    subscription: &str,
    topic: &str,
    partition: u16,
    position: i64,
) -> Statement {
    sql!(
        "INSERT INTO positions (subscription, topic, partition, epoch, position) VALUES ($1, $2, $3, 0, $4) \
         ON CONFLICT (subscription, topic, partition) DO NOTHING",
        subscription,
        topic,
        partition,
        position
    )
}

/// Forgets a subscription's positions, so that it begins again.
pub fn delete_positions(subscription: &str) -> Statement {
    sql!(
        "DELETE FROM positions WHERE subscription = $1",
        subscription
    )
}

/// Positions of a subscription on a topic: partition, epoch, position.
pub fn positions(subscription: &str, topic: &str) -> Statement {
    sql!(
        "SELECT partition, epoch, position FROM positions WHERE subscription = $1 AND topic = $2",
        subscription,
        topic
    )
}

/// Sets or moves a timer.
pub fn set_timer(timer: &Timer) -> Statement {
    sql!(
        "INSERT INTO timers (key, due, kind, data) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (key) DO UPDATE SET due = excluded.due, kind = excluded.kind, data = excluded.data",
        &timer.key,
        timer.due,
        &timer.kind,
        &timer.data
    )
}

/// Removes a timer.
pub fn delete_timer(key: &str) -> Statement {
    sql!("DELETE FROM timers WHERE key = $1", key)
}

/// When a timer falls due, if it is (still) set.
pub fn timer_due(key: &str) -> Statement {
    sql!("SELECT due FROM timers WHERE key = $1", key)
}

/// Makes a timer due at `due`: never again when it is parked, now when it is redriven.
pub fn postpone_timer(key: &str, due: Timestamp) -> Statement {
    sql!("UPDATE timers SET due = $2 WHERE key = $1", key, due)
}

/// Timers due at `now`, the earliest first.
pub fn due_timers(now: Timestamp, limit: i64) -> Statement {
    sql!(
        "SELECT key, due, kind, data FROM timers WHERE due <= $1 ORDER BY due LIMIT $2",
        now,
        limit
    )
}

/// When the next timer falls due (NULL when there is none).
pub fn next_timer() -> Statement {
    sql!("SELECT min(due) FROM timers")
}

/// Records an answer for repeats of its request.
pub fn remember_answer(
    scope: &str,
    body: &str,
    response: Vec<u8>,
    expires: Timestamp,
) -> Statement {
    sql!(
        "INSERT INTO idempotency (scope, body, response, expires) VALUES ($1, $2, $3, $4)",
        scope,
        body,
        response,
        expires
    )
}

/// The record of a request: body hash, sealed response.
pub fn recall_answer(scope: &str) -> Statement {
    sql!(
        "SELECT body, response FROM idempotency WHERE scope = $1",
        scope
    )
}

/// Drops records that have expired.
pub fn forget_answers(now: Timestamp) -> Statement {
    sql!("DELETE FROM idempotency WHERE expires < $1", now)
}

/// Keeps a snapshot.
pub fn save_snapshot(stream: &str, version: i64, shape: i64, state: String) -> Statement {
    sql!(
        "INSERT INTO snapshots (stream, version, shape, state) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (stream) DO UPDATE SET version = excluded.version, shape = excluded.shape, state = excluded.state",
        stream,
        version,
        shape,
        state
    )
}

/// Parks an event that could not be handled.
pub fn park(
    subscription: &str,
    topic: &str,
    position: i64,
    stream: &str,
    kind: &str,
    reason: &str,
    at: Timestamp,
) -> Statement {
    // Whatever an error says, parking must not fail on it.
    let reason: String = reason
        .chars()
        .filter(|c| *c != '\0')
        .take(LONGEST_REASON)
        .collect();
    sql!(
        "INSERT INTO dead_letters (subscription, topic, position, stream, type, reason, parked_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (subscription, topic, position) DO UPDATE SET reason = excluded.reason, parked_at = excluded.parked_at",
        subscription,
        topic,
        position,
        stream,
        kind,
        reason,
        at
    )
}

/// Takes a dead letter away once it was handled.
pub fn unpark(subscription: &str, topic: &str, position: i64) -> Statement {
    sql!(
        "DELETE FROM dead_letters WHERE subscription = $1 AND topic = $2 AND position = $3",
        subscription,
        topic,
        position
    )
}

/// All dead letters, oldest first: subscription, topic, position, stream, type, reason, parked_at.
pub fn dead_letters() -> Statement {
    sql!(
        "SELECT subscription, topic, position, stream, type, reason, parked_at FROM dead_letters \
         ORDER BY subscription, topic, position LIMIT 1000"
    )
}

/// Positions of a consumer's dead letters behind `after`, oldest first.
pub fn parked_positions(subscription: &str, topic: &str, after: i64, limit: i64) -> Statement {
    sql!(
        "SELECT position FROM dead_letters WHERE subscription = $1 AND topic = $2 AND position > $3 \
         ORDER BY position LIMIT $4",
        subscription,
        topic,
        after,
        limit
    )
}

/// Dead letters of one subscription or worker: topic, position, stream.
pub fn letters_of(subscription: &str) -> Statement {
    sql!(
        "SELECT topic, position, stream FROM dead_letters WHERE subscription = $1 \
         ORDER BY topic, position LIMIT 1000",
        subscription
    )
}

/// Forgets a subscription's dead letters, because it begins again.
pub fn forget_letters(subscription: &str) -> Statement {
    sql!(
        "DELETE FROM dead_letters WHERE subscription = $1",
        subscription
    )
}

/// How often a projection was rebuilt, and the tables (with commas between) of a rebuild that has
/// not ended.
pub fn rebuild(projection: &str) -> Statement {
    sql!(
        "SELECT generation, tables FROM rebuilds WHERE projection = $1",
        projection
    )
}

/// Records that a rebuild has begun, or with no tables that it has ended.
pub fn record_rebuild(projection: &str, generation: i64, tables: &str) -> Statement {
    sql!(
        "INSERT INTO rebuilds (projection, generation, tables) VALUES ($1, $2, $3) \
         ON CONFLICT (projection) DO UPDATE SET generation = excluded.generation, tables = excluded.tables",
        projection,
        generation,
        tables
    )
}

/// Streams with dead letters: subscription, topic, stream.
pub fn parked_streams(subscription: &str, topic: &str) -> Statement {
    sql!(
        "SELECT DISTINCT stream FROM dead_letters WHERE subscription = $1 AND topic = $2",
        subscription,
        topic
    )
}

/// The version of a projection whose tables exist.
pub fn projection_version(name: &str) -> Statement {
    sql!("SELECT version FROM projections WHERE name = $1", name)
}

/// Records the version of a projection that is live from this commit on.
pub fn projection_live(name: &str, version: i64) -> Statement {
    sql!(
        "INSERT INTO projections (name, version) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET version = excluded.version",
        name,
        version
    )
}
