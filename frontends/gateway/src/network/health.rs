//! What is known about a process: from its probes, from requests, from itself. Pure.

use tokio::time::Instant;

use super::{breaker::Breaker, settings::NetworkSettings};

/// How a process is, for choosing and for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Requests go there.
    Well,
    /// It is left alone after failures; otherwise well.
    Ejected,
    /// It is not ready, or does not answer.
    Unwell,
    /// It is about to stop.
    Draining,
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It takes requests.
    Ready,
    /// It says itself that it does not.
    NotReady,
    /// It says that it is about to stop.
    Draining,
    /// It says nothing.
    Silent,
}

/// What changed by a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// It is well again.
    Recovered,
    /// It is not well any more.
    Failed,
    /// It is about to stop.
    Leaving,
}

/// What is known about a process. A new one is well until something says otherwise.
#[derive(Debug)]
pub struct Health {
    /// What its probes say.
    up: bool,
    /// Whether it is about to stop.
    draining: bool,
    /// Probes in a row that say otherwise than `up`.
    otherwise: u32,
    /// Whether the last attempt to connect succeeded.
    pub reachable: bool,
    /// What requests say.
    pub breaker: Breaker,
}

impl Health {
    /// Nothing bad is known.
    pub fn new(settings: &NetworkSettings, now: Instant) -> Self {
        Self {
            up: true,
            draining: false,
            otherwise: 0,
            reachable: true,
            breaker: Breaker::new(settings.endpoint_breaker, now),
        }
    }

    /// How it is.
    pub fn condition(&self, now: Instant) -> Condition {
        match (self.draining, self.up, self.breaker.would_admit(now)) {
            (true, ..) => Condition::Draining,
            (_, false, _) => Condition::Unwell,
            (.., false) => Condition::Ejected,
            _ => Condition::Well,
        }
    }

    /// It says that it is about to stop. True when that is news.
    pub fn drain(&mut self) -> bool {
        !std::mem::replace(&mut self.draining, true)
    }

    /// Takes notice of what a probe found.
    pub fn learn(&mut self, probe: Probe, settings: &NetworkSettings, now: Instant) -> Change {
        if probe == Probe::Draining {
            return match self.drain() {
                true => Change::Leaving,
                false => Change::None,
            };
        }
        let ready = probe == Probe::Ready;
        if ready && std::mem::take(&mut self.draining) {
            // Another process at the same address.
            self.breaker.reset(now);
        }
        if self.up == ready {
            self.otherwise = 0;
            return Change::None;
        }
        self.otherwise += 1;
        let enough = match probe {
            Probe::Ready => settings.probe_successes,
            Probe::Silent => settings.probe_failures,
            // It should know.
            Probe::NotReady | Probe::Draining => 1,
        };
        if self.otherwise < enough {
            return Change::None;
        }
        self.up = ready;
        self.otherwise = 0;
        if !ready {
            return Change::Failed;
        }
        // It came back: what it did before is another story.
        self.breaker.reset(now);
        Change::Recovered
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn health() -> (Health, NetworkSettings, Instant) {
        let (settings, now) = (NetworkSettings::default(), Instant::now());
        (Health::new(&settings, now), settings, now)
    }

    #[test]
    fn silence_counts_the_second_time_and_words_at_once() {
        let (mut health, settings, now) = health();
        assert_eq!(health.learn(Probe::Silent, &settings, now), Change::None);
        assert_eq!(health.condition(now), Condition::Well);
        // One good probe in between begins anew.
        assert_eq!(health.learn(Probe::Ready, &settings, now), Change::None);
        assert_eq!(health.learn(Probe::Silent, &settings, now), Change::None);
        assert_eq!(health.learn(Probe::Silent, &settings, now), Change::Failed);
        assert_eq!(health.condition(now), Condition::Unwell);
        let back = health.learn(Probe::Ready, &settings, now);
        assert_eq!(back, Change::Recovered);
        let words = health.learn(Probe::NotReady, &settings, now);
        assert_eq!(words, Change::Failed);
    }

    #[test]
    fn who_comes_back_begins_with_a_clean_slate() {
        let (mut health, settings, now) = health();
        for _ in 0..settings.endpoint_breaker.consecutive {
            health.breaker.failed(now);
        }
        assert_eq!(health.condition(now), Condition::Ejected);
        // It was ready all the time: what requests say holds.
        health.learn(Probe::Ready, &settings, now);
        assert_eq!(health.condition(now), Condition::Ejected);
        health.learn(Probe::NotReady, &settings, now);
        health.learn(Probe::Ready, &settings, now);
        assert_eq!(health.condition(now), Condition::Well);
    }

    #[test]
    fn who_leaves_is_not_asked_until_another_takes_the_place() {
        let (mut health, settings, now) = health();
        assert!(health.drain());
        assert!(!health.drain());
        for probe in [Probe::Silent, Probe::NotReady, Probe::Draining] {
            health.learn(probe, &settings, now);
            assert_eq!(health.condition(now), Condition::Draining);
        }
        health.learn(Probe::Ready, &settings, now);
        assert_eq!(health.condition(now), Condition::Well);
    }

    fn probe() -> impl Strategy<Value = Probe> {
        prop_oneof![
            Just(Probe::Ready),
            Just(Probe::NotReady),
            Just(Probe::Draining),
            Just(Probe::Silent),
        ]
    }

    proptest! {
        #[test]
        fn whatever_was_before_a_ready_process_gets_requests(
            probes in proptest::collection::vec(probe(), 0..50), failures in 0_u32..5,
        ) {
            let (mut health, settings, now) = health();
            for probe in probes { health.learn(probe, &settings, now); }
            for _ in 0..failures { health.breaker.failed(now); }
            health.learn(Probe::NotReady, &settings, now);
            health.learn(Probe::Ready, &settings, now);
            prop_assert_eq!(health.condition(now), Condition::Well);
        }
    }
}
