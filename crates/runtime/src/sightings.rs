//! Who lives, judged by beats that others raise and this process's own monotonic clock. No wall
//! clock is asked: a jump of one steals nothing.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

/// What was seen of one instance.
struct Sighting {
    beat: i64,
    /// How long the beat has stood still while it was being looked at.
    still: Duration,
}

/// What this instance has seen of the others.
pub(crate) struct Sightings {
    timeout: Duration,
    /// Time between two looks that counts at most: when this process or the database stood still
    /// itself, others may be as lively as ever.
    longest: Duration,
    last: Option<Instant>,
    seen: HashMap<String, Sighting>,
}

impl Sightings {
    /// For looks about every `interval`; an instance whose beat stands still for `timeout` is dead.
    pub fn new(timeout: Duration, interval: Duration) -> Self {
        Self {
            timeout,
            longest: interval * 2,
            last: None,
            seen: HashMap::new(),
        }
    }

    /// Takes in what was seen now: ids and beats of everybody.
    pub fn look<'a>(&mut self, found: impl Iterator<Item = (&'a str, i64)>, now: Instant) {
        let passed = self.last.map_or(Duration::ZERO, |last| now - last);
        let counts = passed.min(self.longest);
        self.last = Some(now);
        let mut before = std::mem::take(&mut self.seen);
        for (id, beat) in found {
            let still = match before.remove(id) {
                Some(was) if was.beat == beat => was.still + counts,
                _ => Duration::ZERO,
            };
            self.seen.insert(id.to_owned(), Sighting { beat, still });
        }
    }

    /// Whether the instance is there and not dead.
    pub fn lives(&self, id: &str) -> bool {
        self.seen.get(id).is_some_and(|s| s.still < self.timeout)
    }

    /// For how long nothing was seen of it.
    pub fn still(&self, id: &str) -> Duration {
        self.seen.get(id).map_or(Duration::ZERO, |s| s.still)
    }

    /// Instances that are dead, with the beat they stopped at.
    pub fn dead(&self) -> impl Iterator<Item = (&str, i64)> {
        let dead = self.seen.iter().filter(|(_, s)| s.still >= self.timeout);
        dead.map(|(id, s)| (id.as_str(), s.beat))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn look(sightings: &mut Sightings, beats: &[(&str, i64)]) {
        sightings.look(beats.iter().copied(), Instant::now());
    }

    #[tokio::test(start_paused = true)]
    async fn a_beat_that_stands_still_for_the_timeout_is_death() {
        let mut seen = Sightings::new(5 * SECOND, SECOND);
        for second in 0..5 {
            look(&mut seen, &[("a", second), ("b", 7)]);
            assert!(seen.lives("a") && seen.lives("b"), "after {second} s");
            tokio::time::advance(SECOND).await;
        }
        look(&mut seen, &[("a", 5), ("b", 7)]);
        assert!(seen.lives("a") && !seen.lives("b"));
        assert_eq!(seen.dead().collect::<Vec<_>>(), [("b", 7)]);
        // A dead one that beats again lives.
        look(&mut seen, &[("a", 5), ("b", 8)]);
        assert!(seen.lives("b"));
        // Whoever is gone from the table does not live, however lively it was.
        look(&mut seen, &[("b", 9)]);
        assert!(!seen.lives("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn who_stood_still_itself_does_not_declare_the_others_dead() {
        let mut seen = Sightings::new(5 * SECOND, SECOND);
        look(&mut seen, &[("a", 1)]);
        // The database was away, or this process was stopped: nobody could beat or be seen to.
        tokio::time::advance(60 * SECOND).await;
        look(&mut seen, &[("a", 1)]);
        assert!(seen.lives("a"));
        for _ in 0..3 {
            tokio::time::advance(SECOND).await;
            look(&mut seen, &[("a", 1)]);
        }
        assert!(!seen.lives("a"));
    }
}
