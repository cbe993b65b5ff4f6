//! What goes wrong, and when: a pure function of the seed.

use std::fmt;

use crate::random::Random;

/// The services, as the shop lists them.
pub const SERVICES: [&str; 6] = [
    "identity",
    "catalog",
    "inventory",
    "cart",
    "orders",
    "payments",
];
/// The services that take part in a purchase: most faults go to them.
pub const BUSY: [&str; 4] = ["cart", "orders", "inventory", "payments"];
/// The public port's own name among the services.
pub const GATEWAY: &str = "gateway";
/// Processes of each service, and of the gateway.
pub const INSTANCES: u8 = 2;

/// The place of a process, such as `orders-1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// The service, or the gateway.
    pub service: &'static str,
    /// From 1.
    pub number: u8,
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.service, self.number)
    }
}

impl Slot {
    /// Every process of the shop.
    pub fn all() -> Vec<Self> {
        let names = SERVICES.into_iter().chain([GATEWAY]);
        names
            .flat_map(|service| (1..=INSTANCES).map(move |number| Self { service, number }))
            .collect()
    }
}

/// A connection between two processes that can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Link {
    /// From a process to PostgreSQL.
    Database(Slot),
    /// From a process to NATS.
    Broker(Slot),
    /// From the gateways to a process; to a gateway, from the public.
    Route(Slot),
    /// From other services to a process's history.
    Feed(Slot),
    /// From payments to the payment provider.
    Provider,
    /// From the payment provider to the shop.
    Webhooks,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(slot) => write!(f, "{slot} → PostgreSQL"),
            Self::Broker(slot) => write!(f, "{slot} → NATS"),
            Self::Route(slot) => write!(f, "gateways → {slot}"),
            Self::Feed(slot) => write!(f, "services → history of {slot}"),
            Self::Provider => f.write_str("payments → provider"),
            Self::Webhooks => f.write_str("provider → shop"),
        }
    }
}

/// How a link is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Connections are closed and new ones refused.
    Cut,
    /// Connections stand, and nothing arrives.
    Hang,
    /// Everything arrives, late and slowly.
    Slow {
        /// Milliseconds each way.
        latency: u64,
        /// Milliseconds more, at random.
        jitter: u64,
        /// Bytes per second.
        rate: u64,
    },
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => f.write_str("cut"),
            Self::Hang => f.write_str("hangs"),
            Self::Slow {
                latency,
                jitter,
                rate,
            } => write!(f, "slow ({latency}+{jitter} ms, {} kB/s)", rate / 1000),
        }
    }
}

/// Something that goes wrong. Times are milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL; started again in the same place after a while.
    Kill(Slot, u64),
    /// SIGSTOP, then SIGCONT.
    Pause(Slot, u64),
    /// A link is broken for a while.
    Break(Link, How, u64),
    /// NATS is killed, and started again after a while.
    BrokerKill(u64),
    /// PostgreSQL is killed with all its processes, and recovers after a while.
    DatabaseKill(u64),
    /// The primary is lost with its disk; after a while its standby is promoted.
    PrimaryLoss(u64),
    /// The disk under one service's database is full for a while.
    FullDisk(&'static str, u64),
    /// A process's wall clock jumps by so much and stays there.
    ClockJump(Slot, i64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(slot, down) => write!(f, "{slot} killed, back after {down} ms"),
            Self::Pause(slot, ms) => write!(f, "{slot} stopped for {ms} ms"),
            Self::Break(link, how, ms) => write!(f, "{link} {how} for {ms} ms"),
            Self::BrokerKill(down) => write!(f, "NATS killed, back after {down} ms"),
            Self::DatabaseKill(down) => write!(f, "PostgreSQL killed, back after {down} ms"),
            Self::PrimaryLoss(after) => {
                write!(
                    f,
                    "PostgreSQL primary lost, standby promoted after {after} ms"
                )
            }
            Self::FullDisk(service, ms) => write!(f, "disk of {service} full for {ms} ms"),
            Self::ClockJump(slot, by) => write!(f, "clock of {slot} jumps by {by} ms"),
        }
    }
}

/// A fault at its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Milliseconds after the beginning.
    pub at: u64,
    /// What happens.
    pub fault: Fault,
}

/// Everything that goes wrong in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// What it was made from.
    pub seed: u64,
    /// In order of time.
    pub steps: Vec<Step>,
    /// Milliseconds after which everything is healed.
    pub length: u64,
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "schedule of seed {}, {} ms:", self.seed, self.length)?;
        self.steps
            .iter()
            .try_for_each(|step| writeln!(f, "  {:5} ms  {}", step.at, step.fault))
    }
}

impl Schedule {
    /// The schedule of a seed over so many milliseconds, given the time after which a silent
    /// instance is taken for dead.
    pub fn of(seed: u64, length: u64, lease_ms: u64) -> Self {
        let mut draw = Draw {
            random: Random::of(seed, 1),
            length,
            lease_ms,
            steps: Vec::new(),
        };
        let count = draw.random.between(length / 1_600, length / 900);
        for _ in 0..count {
            draw.one();
        }
        draw.database();
        let mut steps = draw.steps;
        steps.sort_by_key(|step| step.at);
        Self {
            seed,
            steps,
            length,
        }
    }
}

struct Draw {
    random: Random,
    length: u64,
    lease_ms: u64,
    steps: Vec<Step>,
}

impl Draw {
    fn one(&mut self) {
        // Not in the last moment: what is broken should be broken for a while under load.
        let at = self.random.between(300, self.length - 800);
        let busy = self.busy();
        let fault = match self.random.below(100) {
            0..24 => Fault::Kill(self.anyone(), self.random.between(0, 1_500)),
            24..42 => Fault::Pause(busy, self.pause()),
            42..54 => self.broken(How::Cut, 200, 2_500),
            54..62 => self.broken(How::Hang, 300, 3_000),
            62..72 => self.slow(),
            72..80 => Fault::BrokerKill(self.random.between(0, 1_500)),
            80..86 => Fault::FullDisk(busy.service, self.random.between(500, 2_500)),
            86..94 => Fault::ClockJump(busy, self.jump()),
            _ => return self.silence_then_death(at, busy),
        };
        self.steps.push(Step { at, fault });
    }

    /// What was answered and not yet written is lost with the process, should there be such a thing.
    fn silence_then_death(&mut self, at: u64, slot: Slot) {
        let link = Link::Database(slot);
        let ms = self.random.between(300, 1_500);
        self.steps.push(Step {
            at,
            fault: Fault::Break(link, How::Hang, ms),
        });
        self.steps.push(Step {
            at: at + self.random.between(50, ms),
            fault: Fault::Kill(slot, self.random.between(0, 800)),
        });
    }

    /// The database itself: restarted, or lost, or neither. Never lost soon after a restart, when
    /// its standby may not have caught up: no operator would promote it then.
    fn database(&mut self) {
        let first = self.random.between(500, self.length / 3);
        let second = self
            .random
            .between(self.length / 2 + 1_000, self.length - 1_500);
        let down = self.random.between(0, 800);
        let after = self.random.between(0, 800);
        let (restarted, lost) = match self.random.below(100) {
            0..30 => (true, false),
            30..50 => (false, true),
            50..60 => (true, true),
            _ => return,
        };
        if restarted {
            self.steps.push(Step {
                at: first,
                fault: Fault::DatabaseKill(down),
            });
        }
        if lost {
            self.steps.push(Step {
                at: second,
                fault: Fault::PrimaryLoss(after),
            });
        }
    }

    fn busy(&mut self) -> Slot {
        Slot {
            service: self.random.pick::<&str>(&BUSY),
            number: self.number(),
        }
    }

    fn anyone(&mut self) -> Slot {
        match self.random.below(10) {
            0 => Slot {
                service: GATEWAY,
                number: self.number(),
            },
            1 => Slot {
                service: self.random.pick::<&str>(&SERVICES),
                number: self.number(),
            },
            _ => self.busy(),
        }
    }

    fn number(&mut self) -> u8 {
        1 + u8::try_from(self.random.below(u64::from(INSTANCES))).unwrap_or(0)
    }

    /// Half of them longer than a silent instance keeps its leases.
    fn pause(&mut self) -> u64 {
        match self.random.percent(50) {
            true => self.random.between(100, self.lease_ms),
            false => self.random.between(self.lease_ms + 300, self.lease_ms * 3),
        }
    }

    /// Seconds, back or ahead: far more than clocks of one cluster differ by, and short enough that
    /// an order whose deadline was set by a wrong clock still ends while we look on.
    fn jump(&mut self) -> i64 {
        let by = i64::try_from(self.random.between(500, 5_000)).unwrap_or(0);
        if self.random.percent(50) { by } else { -by }
    }

    fn link(&mut self) -> Link {
        let slot = self.busy();
        match self.random.below(10) {
            0..3 => Link::Database(slot),
            3..5 => Link::Broker(slot),
            5..7 => Link::Route(slot),
            7 => Link::Feed(slot),
            8 => Link::Provider,
            _ => Link::Webhooks,
        }
    }

    fn broken(&mut self, how: How, shortest: u64, longest: u64) -> Fault {
        let link = self.link();
        Fault::Break(link, how, self.random.between(shortest, longest))
    }

    fn slow(&mut self) -> Fault {
        let how = How::Slow {
            latency: self.random.between(5, 120),
            jitter: self.random.between(0, 80),
            rate: self.random.between(20_000, 500_000),
        };
        self.broken(how, 1_000, 4_000)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_seed_has_one_schedule() {
        for seed in 0..200 {
            let schedule = Schedule::of(seed, 8_000, 1_500);
            assert_eq!(schedule, Schedule::of(seed, 8_000, 1_500));
            assert!(schedule.steps.is_sorted_by_key(|step| step.at));
            assert!(schedule.steps.len() >= 5, "{schedule}");
        }
        assert_ne!(
            Schedule::of(1, 8_000, 1_500).steps,
            Schedule::of(2, 8_000, 1_500).steps
        );
    }

    #[test]
    fn two_hundred_seeds_know_every_kind_of_fault() {
        let steps = (0..200).flat_map(|seed| Schedule::of(seed, 8_000, 1_500).steps);
        let kinds: HashSet<String> = steps
            .map(|step| match step.fault {
                Fault::Break(link, how, _) => {
                    let link = format!("{link:?}");
                    let how = format!("{how:?}");
                    let word = |text: &str| text.split(['(', ' ']).next().map(str::to_owned);
                    format!("{:?} {:?}", word(&link), word(&how))
                }
                Fault::Pause(_, ms) => format!("Pause {}", ms > 1_500),
                other => format!("{other:?}").split('(').take(1).collect(),
            })
            .collect();
        // Six links broken in three ways, short and long pauses, six further kinds.
        assert_eq!(kinds.len(), 6 * 3 + 2 + 6, "{kinds:?}");
    }

    #[test]
    fn a_primary_is_never_lost_soon_after_its_restart() {
        for seed in 0..2_000 {
            let schedule = Schedule::of(seed, 8_000, 1_500);
            let at = |wanted: fn(&Fault) -> bool| {
                let mut found = schedule.steps.iter().filter(|step| wanted(&step.fault));
                let first = found.next().map(|step| step.at);
                assert!(found.next().is_none(), "{schedule}");
                first
            };
            let restart = at(|fault| matches!(fault, Fault::DatabaseKill(_)));
            let loss = at(|fault| matches!(fault, Fault::PrimaryLoss(_)));
            if let (Some(restart), Some(loss)) = (restart, loss) {
                assert!(loss > restart + 1_500, "{schedule}");
            }
        }
    }
}
