//! Bugs that are built in on purpose: a chaos suite that finds none of them finds nothing. Only with
//! the feature `chaos-bugs`, and only the one that the environment names.

use std::sync::OnceLock;

/// Names the bug.
const VARIABLE: &str = "SOUK_CHAOS_BUG";

/// Whether this bug is switched on: `skip-fencing`, `ack-before-commit` or `no-dedup`.
pub fn on(bug: &str) -> bool {
    static SWITCHED_ON: OnceLock<String> = OnceLock::new();
    SWITCHED_ON.get_or_init(|| std::env::var(VARIABLE).unwrap_or_default()) == bug
}
