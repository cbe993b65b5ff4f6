//! The short form of the chaos suite: a few seeds that between them know every kind of fault. The
//! long form is `cargo xtask chaos --seeds 200`; what both check is said in docs/adr/0015.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use chaos::{Config, Load, Suite};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_left_over_whatever_breaks() {
    let lease_ms = 1_500;
    let keep = Path::new(env!("CARGO_TARGET_TMPDIR")).join("chaos");
    let suite = Suite {
        config: Config {
            souk: PathBuf::from(env!("CARGO_BIN_EXE_souk")),
            lease_ms,
            bug: None,
            log: "warn".into(),
        },
        load: Load {
            buyers: 4,
            length: 7_000,
            rebuilds: 4,
            lease_ms,
        },
        seeds: vec![338, 384, 11],
        per_world: 3,
        keep: keep.clone(),
        stop_at_first: true,
    };
    let results = chaos::suite(&suite).await.unwrap();
    for (seed, outcome) in results {
        assert!(
            outcome.violations.is_empty(),
            "seed {seed}, see {}: {:#?}",
            keep.display(),
            outcome.violations
        );
        assert!(
            outcome.acknowledged > 0,
            "seed {seed}: nobody bought anything"
        );
    }
}
