//! Statements for several instances of a service over one database: who is there, who holds which
//! lease, and the conditions that keep a late writer out. Portable.
//!
//! A condition is a statement that fails. Those of this module insert a row that cannot be (its
//! position is NULL) exactly when they do not hold, and touch nothing when they do; so adapters
//! know one error for all: NOT NULL of `positions.position` is [`Condition`](crate::StoreError).

use kernel::{Statement, Timer, sql};

/// Fails unless `token` holds the lease `name`.
pub fn assert_lease(name: &str, token: &str) -> Statement {
    sql!(
        "INSERT INTO positions (subscription, topic, partition, epoch, position) \
         SELECT 'not the holder', '', 0, 0, CAST(NULL AS BIGINT) WHERE NOT EXISTS \
         (SELECT 1 FROM leases WHERE name = $1 AND holder = $2)",
        name,
        token
    )
}

/// Fails unless `token` holds the lease `timers` and the timer stands as it is: so it fires once.
pub fn assert_timer(timer: &Timer, token: &str) -> Statement {
    sql!(
        "INSERT INTO positions (subscription, topic, partition, epoch, position) \
         SELECT 'not this timer', '', 0, 0, CAST(NULL AS BIGINT) WHERE NOT EXISTS \
         (SELECT 1 FROM leases, timers WHERE leases.name = 'timers' AND leases.holder = $3 \
          AND timers.key = $1 AND timers.due = $2)",
        &timer.key,
        timer.due,
        token
    )
}

/// Fails unless this dead letter is still there: so it is handled once.
pub fn assert_letter(subscription: &str, topic: &str, position: i64) -> Statement {
    sql!(
        "INSERT INTO positions (subscription, topic, partition, epoch, position) \
         SELECT 'not this letter', '', 0, 0, CAST(NULL AS BIGINT) WHERE NOT EXISTS \
         (SELECT 1 FROM dead_letters WHERE subscription = $1 AND topic = $2 AND position = $3)",
        subscription,
        topic,
        position
    )
}

/// Fails unless the log ends at `position`.
pub fn assert_head(position: i64) -> Statement {
    sql!(
        "INSERT INTO positions (subscription, topic, partition, epoch, position) \
         SELECT 'not the head', '', 0, 0, CAST(NULL AS BIGINT) WHERE NOT EXISTS \
         (SELECT 1 FROM log_head WHERE id = 1 AND position = $1)",
        position
    )
}

/// Fails unless the projection's live version is `version`.
pub fn assert_projection(name: &str, version: i64) -> Statement {
    sql!(
        "INSERT INTO positions (subscription, topic, partition, epoch, position) \
         SELECT 'not the live version', '', 0, 0, CAST(NULL AS BIGINT) WHERE NOT EXISTS \
         (SELECT 1 FROM projections WHERE name = $1 AND version = $2)",
        name,
        version
    )
}

/// Fails unless the subscription's positions (which only grow) come to `sum`, and it has `letters`
/// dead letters: nothing was applied since.
pub fn assert_applied(subscription: &str, sum: i64, letters: i64) -> Statement {
    sql!(
        "INSERT INTO positions (subscription, topic, partition, epoch, position) \
         SELECT 'applied more', '', 0, 0, CAST(NULL AS BIGINT) WHERE NOT EXISTS \
         (SELECT 1 FROM log_head WHERE id = 1 \
          AND (SELECT CAST(coalesce(sum(position), 0) AS BIGINT) FROM positions WHERE subscription = $1) = $2 \
          AND (SELECT count(*) FROM dead_letters WHERE subscription = $1) = $3)",
        subscription,
        sum,
        letters
    )
}

/// Moves a consumer's position in the partitions of `mask` (bit p: partition p), and fails unless
/// all of them are at `from` and `token` holds their leases.
pub fn move_partitions(
    subscription: &str,
    topic: &str,
    mask: i64,
    token: &str,
    from: i64,
    to: i64,
) -> Statement {
    #[cfg(feature = "chaos-bugs")]
    if crate::bugs::on("skip-fencing") {
        return move_unconditionally(subscription, topic, mask, to);
    }
    sql!(
        "UPDATE positions SET position = CASE WHEN position = $5 AND EXISTS \
         (SELECT 1 FROM leases WHERE name = 'partition:' || CAST(partition AS TEXT) AND holder = $4) \
         THEN CAST($6 AS BIGINT) END WHERE subscription = $1 AND topic = $2 \
         AND ((CAST($3 AS BIGINT) >> CAST(partition AS INTEGER)) & 1) = 1",
        subscription,
        topic,
        mask,
        token,
        from,
        to
    )
}

/// The same for partitions that one lease stands for: an exclusive subscription's.
pub fn move_exclusive(
    subscription: &str,
    topic: &str,
    mask: i64,
    (lease, token): (&str, &str),
    from: i64,
    to: i64,
) -> Statement {
    #[cfg(feature = "chaos-bugs")]
    if crate::bugs::on("skip-fencing") {
        return move_unconditionally(subscription, topic, mask, to);
    }
    sql!(
        "UPDATE positions SET position = CASE WHEN position = $6 AND EXISTS \
         (SELECT 1 FROM leases WHERE name = $4 AND holder = $5) \
         THEN CAST($7 AS BIGINT) END WHERE subscription = $1 AND topic = $2 \
         AND ((CAST($3 AS BIGINT) >> CAST(partition AS INTEGER)) & 1) = 1",
        subscription,
        topic,
        mask,
        lease,
        token,
        from,
        to
    )
}

/// The bug: wherever they are, whoever holds them.
#[cfg(feature = "chaos-bugs")]
fn move_unconditionally(subscription: &str, topic: &str, mask: i64, to: i64) -> Statement {
    sql!(
        "UPDATE positions SET position = $4 WHERE subscription = $1 AND topic = $2 \
         AND ((CAST($3 AS BIGINT) >> CAST(partition AS INTEGER)) & 1) = 1",
        subscription,
        topic,
        mask,
        to
    )
}

/// The same without a lease: for a process that owns the database alone.
pub fn move_alone(subscription: &str, topic: &str, mask: i64, from: i64, to: i64) -> Statement {
    sql!(
        "UPDATE positions SET position = CASE WHEN position = $4 THEN CAST($5 AS BIGINT) END \
         WHERE subscription = $1 AND topic = $2 \
         AND ((CAST($3 AS BIGINT) >> CAST(partition AS INTEGER)) & 1) = 1",
        subscription,
        topic,
        mask,
        from,
        to
    )
}

/// Begins a subscription again; an instance that does not know is not where it thinks.
pub fn reset_positions(subscription: &str) -> Statement {
    sql!(
        "UPDATE positions SET position = 0 WHERE subscription = $1",
        subscription
    )
}

/// Positions of a subscription in all its topics: topic, partition, position.
pub fn all_positions(subscription: &str) -> Statement {
    sql!(
        "SELECT topic, partition, position FROM positions WHERE subscription = $1",
        subscription
    )
}

/// The furthest that any consumer is in a topic; NULL without one.
pub fn furthest(topic: &str) -> Statement {
    sql!(
        "SELECT max(position) FROM positions WHERE topic = $1",
        topic
    )
}

/// The incarnation of a topic that was last seen.
pub fn seen_incarnation(topic: &str) -> Statement {
    sql!(
        "SELECT incarnation FROM topics_seen WHERE topic = $1",
        topic
    )
}

/// Notes the incarnation of a topic.
pub fn see_incarnation(topic: &str, incarnation: &str) -> Statement {
    sql!(
        "INSERT INTO topics_seen (topic, incarnation) VALUES ($1, $2) \
         ON CONFLICT (topic) DO UPDATE SET incarnation = excluded.incarnation",
        topic,
        incarnation
    )
}

/// Events of a stream behind `version`: version, type, data.
pub fn newer_events(stream: &str, version: i64) -> Statement {
    sql!(
        "SELECT version, type, data FROM events WHERE stream = $1 AND version > $2 ORDER BY version",
        stream,
        version
    )
}

/// Everybody who is or was there: id, slot, beat.
pub fn instances() -> Statement {
    sql!("SELECT id, slot, beat FROM instances")
}

/// All leases: name, holder (empty: nobody), epoch.
pub fn leases() -> Statement {
    sql!("SELECT name, holder, epoch FROM leases")
}

/// An instance arrives.
pub fn arrive(id: &str, slot: &str) -> Statement {
    sql!(
        "INSERT INTO instances (id, slot, beat) VALUES ($1, $2, 0) ON CONFLICT (id) DO NOTHING",
        id,
        slot
    )
}

/// Whoever was in the slot before is not there any more.
pub fn supersede(id: &str, slot: &str) -> Statement {
    sql!(
        "DELETE FROM instances WHERE slot = $2 AND id <> $1",
        id,
        slot
    )
}

/// A sign of life. Does nothing for an instance that was declared dead.
pub fn beat(id: &str) -> Statement {
    sql!("UPDATE instances SET beat = beat + 1 WHERE id = $1", id)
}

/// Forgets an instance that leaves.
pub fn depart(id: &str) -> Statement {
    sql!("DELETE FROM instances WHERE id = $1", id)
}

/// Forgets an instance that gave no sign of life since `beat`.
pub fn bury(id: &str, beat: i64) -> Statement {
    sql!(
        "DELETE FROM instances WHERE id = $1 AND beat = $2",
        id,
        beat
    )
}

/// Makes a lease that nobody holds.
pub fn create_lease(name: &str) -> Statement {
    sql!(
        "INSERT INTO leases (name, holder, epoch) VALUES ($1, '', 0) ON CONFLICT (name) DO NOTHING",
        name
    )
}

/// Takes a lease that is still `holder`'s in `epoch`; fails otherwise.
pub fn take_lease(name: &str, token: &str, holder: &str, epoch: i64) -> [Statement; 2] {
    [
        sql!(
            "INSERT INTO positions (subscription, topic, partition, epoch, position) \
             SELECT 'taken', '', 0, 0, CAST(NULL AS BIGINT) WHERE NOT EXISTS \
             (SELECT 1 FROM leases WHERE name = $1 AND holder = $2 AND epoch = $3)",
            name,
            holder,
            epoch
        ),
        sql!(
            "UPDATE leases SET holder = $2, epoch = epoch + 1 WHERE name = $1",
            name,
            token
        ),
    ]
}

/// Gives a lease back, if it is still `token`'s.
pub fn release_lease(name: &str, token: &str) -> Statement {
    sql!(
        "UPDATE leases SET holder = '' WHERE name = $1 AND holder = $2",
        name,
        token
    )
}

/// A sign of life of a lease's holder who is no instance (yet): raises the epoch.
pub fn renew_lease(name: &str, token: &str) -> Statement {
    sql!(
        "UPDATE leases SET epoch = epoch + 1 WHERE name = $1 AND holder = $2",
        name,
        token
    )
}

/// All dead letters of a subscription: topic, position.
pub fn letters(subscription: &str) -> Statement {
    sql!(
        "SELECT topic, position FROM dead_letters WHERE subscription = $1",
        subscription
    )
}
