//! Rules are pure: no floats, no clock, no randomness in the domain crates.

use super::{
    Finding,
    source::{Source, has_word},
};

/// Crates whose code must be the same at every run: kernel, contracts, the calculation of prices and
/// the services.
fn is_domain(path: &str) -> bool {
    path.starts_with("crates/kernel/")
        || path.starts_with("crates/contracts/")
        || path.starts_with("crates/pricing-engine/")
        || path.starts_with("services/")
}

/// Floating point numbers: money is integer minor units, and a sum must not depend on its order.
/// A line marked `// lint: float <reason>` is excepted.
pub fn floats(source: &Source) -> Vec<Finding> {
    if !is_domain(&source.path) {
        return Vec::new();
    }
    let found = source.shipped().filter_map(|(number, line)| {
        let word = ["f32", "f64"].into_iter().find(|word| has_word(&line.code, word))?;
        let marked = line.comment.split_once("lint: float ");
        if marked.is_some_and(|(_, reason)| reason.trim().len() >= 10) {
            return None;
        }
        let message = format!(
            "`{word}` in domain code: count in integers (minor units, millionths), or end the line with `// lint: float <reason>`"
        );
        Some(Finding::new("float", &source.path, number, message))
    });
    found.collect()
}

/// Direct reads of a clock or of randomness, which a simulation could not replay.
const IMPURE: &[&str] = &[
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "Uuid::now_v7",
    "Uuid::new_v4",
    "thread_rng",
    "rand::rng",
    "rand::random",
    "OsRng",
    "SystemRandom",
    "getrandom",
];

/// Time and ids come from the kernel's `Clock` and `Ids`.
pub fn clock(source: &Source) -> Vec<Finding> {
    if !is_domain(&source.path) {
        return Vec::new();
    }
    let found = source.shipped().filter_map(|(number, line)| {
        let call = IMPURE.iter().find(|call| has_word(&line.code, call))?;
        let message = format!(
            "`{call}` outside the runtime: take time from `app.now()` or `work.now()`, ids and secrets from `app.ids()`"
        );
        Some(Finding::new("clock", &source.path, number, message))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
        let found = rule(&Source::scan(path, text));
        found.into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_float_in_the_domain_is_a_finding() {
        let text = "fn rate() -> i64 { 1 }\nfn tax(x: f64) {}\nlet y = 1f32;\nlet z = x as f32;\n// f64 in words\n";
        assert_eq!(lines(floats, "services/orders/src/order.rs", text), [2, 4]);
        assert_eq!(lines(floats, "crates/kernel/src/money.rs", text), [2, 4]);
        assert!(lines(floats, "crates/runtime/src/metrics.rs", text).is_empty());
    }

    #[test]
    fn a_marked_float_needs_its_reason() {
        let path = "services/orders/src/order.rs";
        assert!(
            lines(
                floats,
                path,
                "let x: f64 = 1.0; // lint: float only shown on a chart\n"
            )
            .is_empty()
        );
        assert_eq!(
            lines(floats, path, "let x: f64 = 1.0; // lint: float\n"),
            [1]
        );
    }

    #[test]
    fn a_clock_or_randomness_in_the_domain_is_a_finding() {
        let text = "let t = std::time::SystemTime::now();\nlet i = Instant::now();\nlet r = rand::thread_rng();\nlet ok = work.now();\n#[cfg(test)]\nmod tests { fn x() { Instant::now(); } }\n";
        assert_eq!(lines(clock, "services/cart/src/cart.rs", text), [1, 2, 3]);
        assert!(lines(clock, "crates/runtime/src/clock.rs", text).is_empty());
        assert!(lines(clock, "services/cart/tests/flow.rs", text).is_empty());
    }
}
