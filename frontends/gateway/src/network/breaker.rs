//! The circuit breaker (Nygard, "Release It!"): what fails again and again is left alone for a
//! while. Pure: time comes in, so that tests need not wait.
//!
//! ```text
//!            too many failures                 time has passed
//!   closed ───────────────────▶ open ─────────────────────────▶ half-open
//!      ▲                          ▲          a trial fails          │
//!      │                          └─────────────────────────────────┤
//!      └────────────────────────────────────────────────────────────┘
//!                          enough trials succeed
//! ```

use std::time::Duration;

use tokio::time::Instant;

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct BreakerSettings {
    /// Opens after so many failures without a success in between.
    pub consecutive: u32,
    /// Opens when this share (percent) of the requests of a window failed…
    pub failed_percent: u32,
    /// … if there were at least so many.
    pub at_least: u32,
    /// The length of a window.
    pub window: Duration,
    /// How long it stays open the first time; longer each time it opens again without having been
    /// closed for long.
    pub open_for: Duration,
    /// The longest it stays open.
    pub open_at_most: Duration,
    /// So many trials must succeed before it closes; as many are let through at once.
    pub trials: u32,
}

/// What a breaker does with requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// All pass.
    Closed,
    /// A few pass, to see whether things are better.
    HalfOpen,
    /// None pass.
    Open,
}

/// A breaker. A request asks [`admit`](Self::admit) and then tells how it ended, by
/// [`succeeded`](Self::succeeded), [`failed`](Self::failed) or [`forget`](Self::forget).
#[derive(Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    phase: Phase,
    /// Times it opened without staying closed for long in between.
    reopened: u32,
    closed_since: Instant,
}

#[derive(Debug)]
enum Phase {
    Closed {
        consecutive: u32,
        window: Window,
        before: Window,
        began: Instant,
    },
    Open {
        until: Instant,
    },
    HalfOpen {
        under_way: u32,
        succeeded: u32,
        /// Trials whose end is never told must not keep it half open for ever.
        since: Instant,
    },
}

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    requests: u32,
    failures: u32,
}

impl Breaker {
    /// A closed one.
    pub fn new(settings: BreakerSettings, now: Instant) -> Self {
        Self {
            settings,
            phase: Phase::closed(now),
            reopened: 0,
            closed_since: now,
        }
    }

    /// What it does now.
    pub fn state(&self, now: Instant) -> State {
        match &self.phase {
            Phase::Closed { .. } => State::Closed,
            Phase::HalfOpen { .. } => State::HalfOpen,
            Phase::Open { until } if now >= *until => State::HalfOpen,
            Phase::Open { .. } => State::Open,
        }
    }

    /// Whether a request would pass now.
    pub fn would_admit(&self, now: Instant) -> bool {
        match &self.phase {
            Phase::Closed { .. } => true,
            Phase::Open { until } => now >= *until,
            Phase::HalfOpen {
                under_way, since, ..
            } => *under_way < self.settings.trials || now >= *since + self.settings.open_at_most,
        }
    }

    /// Lets a request pass, or says how long to stay away.
    pub fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        if !self.would_admit(now) {
            return Err(match &self.phase {
                Phase::Open { until } => *until - now,
                _ => self.settings.open_for,
            });
        }
        match &mut self.phase {
            Phase::Closed { .. } => {}
            Phase::HalfOpen {
                under_way, since, ..
            } if *under_way < self.settings.trials => {
                *under_way += 1;
                *since = now;
            }
            Phase::HalfOpen { .. } | Phase::Open { .. } => {
                self.phase = Phase::HalfOpen {
                    under_way: 1,
                    succeeded: 0,
                    since: now,
                };
            }
        }
        Ok(())
    }

    /// A request that was let through had a good end.
    pub fn succeeded(&mut self, now: Instant) {
        let settings = self.settings;
        match &mut self.phase {
            Phase::Closed { consecutive, .. } => {
                *consecutive = 0;
                self.count(now, false);
            }
            Phase::HalfOpen {
                under_way,
                succeeded,
                ..
            } => {
                *under_way = under_way.saturating_sub(1);
                *succeeded += 1;
                if *succeeded >= settings.trials {
                    self.phase = Phase::closed(now);
                    self.closed_since = now;
                }
            }
            // One that began before it opened.
            Phase::Open { .. } => {}
        }
    }

    /// A request that was let through failed. True when this opened the breaker.
    pub fn failed(&mut self, now: Instant) -> bool {
        let opens = match &mut self.phase {
            Phase::Closed { consecutive, .. } => {
                *consecutive += 1;
                let enough = *consecutive >= self.settings.consecutive;
                self.count(now, true);
                enough || self.too_many()
            }
            Phase::HalfOpen { .. } => true,
            Phase::Open { .. } => false,
        };
        if opens {
            self.open(now);
        }
        opens
    }

    /// A request that was let through ended in a way that says nothing.
    pub fn forget(&mut self) {
        if let Phase::HalfOpen { under_way, .. } = &mut self.phase {
            *under_way = under_way.saturating_sub(1);
        }
    }

    /// Begins anew: what failed was replaced.
    pub fn reset(&mut self, now: Instant) {
        *self = Self::new(self.settings, now);
    }

    fn open(&mut self, now: Instant) {
        // Closed for long: what was before is another story.
        let calm = self.settings.open_at_most;
        let was_calm =
            matches!(self.phase, Phase::Closed { .. }) && now >= self.closed_since + calm;
        self.reopened = if was_calm { 0 } else { self.reopened };
        let longer = self.settings.open_for * 2_u32.saturating_pow(self.reopened.min(16));
        self.reopened += 1;
        self.phase = Phase::Open {
            until: now + longer.min(self.settings.open_at_most),
        };
    }

    fn count(&mut self, now: Instant, failure: bool) {
        let length = self.settings.window;
        if let Phase::Closed {
            window,
            before,
            began,
            ..
        } = &mut self.phase
        {
            if now >= *began + length {
                let recent = now < *began + length * 2;
                *before = if recent { *window } else { Window::default() };
                *window = Window::default();
                *began = now;
            }
            window.requests += 1;
            window.failures += u32::from(failure);
        }
    }

    fn too_many(&self) -> bool {
        let Phase::Closed { window, before, .. } = &self.phase else {
            return false;
        };
        let requests = u64::from(window.requests + before.requests);
        let failures = u64::from(window.failures + before.failures);
        requests >= u64::from(self.settings.at_least)
            && failures * 100 >= requests * u64::from(self.settings.failed_percent)
    }
}

impl Phase {
    fn closed(now: Instant) -> Self {
        Self::Closed {
            consecutive: 0,
            window: Window::default(),
            before: Window::default(),
            began: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SETTINGS: BreakerSettings = BreakerSettings {
        consecutive: 5,
        failed_percent: 50,
        at_least: 20,
        window: Duration::from_secs(5),
        open_for: Duration::from_secs(1),
        open_at_most: Duration::from_secs(8),
        trials: 2,
    };

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    #[test]
    fn it_opens_tries_and_closes() {
        let start = Instant::now();
        let mut breaker = Breaker::new(SETTINGS, start);
        for nth in 1..=5 {
            assert_eq!(breaker.admit(start), Ok(()));
            assert_eq!(breaker.failed(start), nth == 5);
        }
        assert_eq!(breaker.state(start), State::Open);
        assert_eq!(breaker.admit(start), Err(seconds(1)));
        let later = start + seconds(1);
        assert_eq!(breaker.state(later), State::HalfOpen);
        assert_eq!(breaker.admit(later), Ok(()));
        assert_eq!(breaker.admit(later), Ok(()));
        assert!(breaker.admit(later).is_err(), "two trials at a time");
        breaker.succeeded(later);
        assert_eq!(breaker.state(later), State::HalfOpen);
        breaker.succeeded(later);
        assert_eq!(breaker.state(later), State::Closed);
    }

    #[test]
    fn a_failed_trial_opens_it_for_longer() {
        let mut now = Instant::now();
        let mut breaker = Breaker::new(SETTINGS, now);
        for _ in 0..5 {
            breaker.failed(now);
        }
        for wait in [1, 2, 4, 8, 8] {
            assert_eq!(breaker.admit(now), Err(seconds(wait)));
            now += seconds(wait);
            assert_eq!(breaker.admit(now), Ok(()));
            assert!(breaker.failed(now));
        }
    }

    #[test]
    fn after_long_calm_it_begins_with_short_times_again() {
        let mut now = Instant::now();
        let mut breaker = Breaker::new(SETTINGS, now);
        for _ in 0..3 {
            for _ in 0..5 {
                breaker.failed(now);
            }
            now += seconds(8);
            for _ in 0..2 {
                assert_eq!(breaker.admit(now), Ok(()));
                breaker.succeeded(now);
            }
        }
        now += seconds(8);
        for _ in 0..5 {
            breaker.failed(now);
        }
        assert_eq!(breaker.admit(now), Err(seconds(1)));
    }

    #[test]
    fn a_share_of_failures_opens_it_though_some_succeed() {
        let now = Instant::now();
        let mut breaker = Breaker::new(SETTINGS, now);
        for _ in 0..9 {
            breaker.succeeded(now);
            assert!(!breaker.failed(now));
        }
        breaker.succeeded(now);
        assert!(breaker.failed(now), "ten of twenty");
    }

    #[test]
    fn old_failures_are_forgotten() {
        let mut now = Instant::now();
        let mut breaker = Breaker::new(SETTINGS, now);
        for _ in 0..200 {
            breaker.succeeded(now);
            breaker.succeeded(now);
            breaker.succeeded(now);
            assert!(!breaker.failed(now));
            now += seconds(1);
        }
    }

    #[test]
    fn trials_that_never_end_do_not_block_it_for_ever() {
        let mut now = Instant::now();
        let mut breaker = Breaker::new(SETTINGS, now);
        for _ in 0..5 {
            breaker.failed(now);
        }
        now += seconds(1);
        assert!(breaker.admit(now).is_ok() && breaker.admit(now).is_ok());
        assert!(breaker.admit(now).is_err());
        now += seconds(8);
        assert!(breaker.admit(now).is_ok());
    }

    #[derive(Clone, Debug)]
    enum Step {
        Ask,
        Succeed,
        Fail,
        Forget,
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => Just(Step::Ask),
            2 => Just(Step::Succeed),
            2 => Just(Step::Fail),
            1 => Just(Step::Forget),
            1 => (0_u64..20_000).prop_map(Step::Wait),
        ]
    }

    proptest! {
        #[test]
        fn whatever_happens_it_lets_requests_through_again(
            steps in proptest::collection::vec(step(), 0..200),
        ) {
            let mut now = Instant::now();
            let mut breaker = Breaker::new(SETTINGS, now);
            for step in steps {
                let before = breaker.state(now);
                match step {
                    Step::Ask => {
                        let would = breaker.would_admit(now);
                        let answer = breaker.admit(now);
                        prop_assert_eq!(would, answer.is_ok());
                        if let Err(wait) = answer {
                            prop_assert!(wait > Duration::ZERO && wait <= SETTINGS.open_at_most);
                        }
                        if before == State::Open { prop_assert!(answer.is_err()); }
                    }
                    Step::Succeed => {
                        breaker.succeeded(now);
                        // A success never opens it.
                        prop_assert!(before == State::Open || breaker.state(now) != State::Open);
                    }
                    Step::Fail => {
                        let opened = breaker.failed(now);
                        if opened { prop_assert_eq!(breaker.state(now), State::Open); }
                    }
                    Step::Forget => breaker.forget(),
                    Step::Wait(milliseconds) => now += Duration::from_millis(milliseconds),
                }
            }
            now += SETTINGS.open_at_most;
            prop_assert!(breaker.admit(now).is_ok());
            for _ in 0..2 * SETTINGS.trials { breaker.succeeded(now); }
            prop_assert_eq!(breaker.state(now), State::Closed);
        }
    }
}
