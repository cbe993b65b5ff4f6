//! What every store adapter must hold to, run on each of them. An adapter is a [`Place`] and a
//! line in `adapters!`.

mod postgres;
mod proxy;
mod shared;
mod sqlite;
mod suite;

use kernel::BoxFuture;
use std::sync::Arc;
use store::Store;

/// A database that can be opened again after it was closed.
pub trait Place: Send + Sync {
    /// Opens it, or makes it the first time.
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>>;
}

/// One test per promise and adapter.
macro_rules! adapters {
    ($($adapter:ident => $place:expr),+ $(,)?) => { $(
        mod $adapter {
            use crate::suite;
            adapters!(@ $place;
                positions_have_no_gaps_and_follow_the_order_of_commits,
                each_partition_is_a_chain,
                a_version_that_exists_is_a_conflict_and_writes_nothing,
                a_gap_below_a_version_is_a_conflict,
                what_was_only_read_is_asserted_too,
                a_statement_that_fails_undoes_everything,
                a_position_moves_only_from_where_it_is_and_in_its_epoch,
                a_query_cannot_write,
                placeholders_are_bound_by_number,
                a_query_sees_one_moment,
                migrations_go_forward_and_never_change,
                a_migration_that_fails_leaves_nothing,
                streams_are_loaded_with_and_without_snapshots,
                the_log_is_read_in_pieces,
                everything_is_there_after_reopening,
                tables_are_swapped_in_one_step,
                a_table_swap_that_fails_changes_nothing,
                text_with_a_nul_is_refused,
                huge_and_odd_values_come_back_as_they_were,
                a_closed_store_is_unavailable,
                scrubbing_keeps_what_is_there,
                writers_meet_in_one_order,
                a_held_head_keeps_others_out_until_it_commits,
                a_held_head_that_is_dropped_writes_nothing,
                a_held_head_asserts_versions_like_any_commit,
                sums_and_minima_are_numbers,
                a_lease_is_taken_once_and_from_whom_it_was_seen_with,
                positions_move_under_their_leases_only,
                other_conditions_fail_when_they_do_not_hold,
                instances_come_beat_and_go,
                a_request_answered_elsewhere_is_a_conflict,
            );
        }
    )+ };
    (@ $place:expr; $($promise:ident),+ $(,)?) => { $(
        #[tokio::test(flavor = "multi_thread")]
        async fn $promise() {
            suite::$promise(&$place).await;
        }
    )+ };
}

adapters!(
    sqlite_adapter => crate::sqlite::Folder::default(),
    postgres_adapter => crate::postgres::Database::new().await,
);
