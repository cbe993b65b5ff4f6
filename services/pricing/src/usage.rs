//! Counters of uses: the only writers of how often something scarce was used, and so the places
//! that keep its limits. Their states are a number and a few sums, however often it is used.

use contracts::{
    orders::OrderId,
    pricing::{UsageCounted, UsageEvent, UsageGivenBack, UsageSubject},
};
use kernel::{Currency, Decider, Money, Rejection, StreamId};
use serde::{Deserialize, Serialize};

/// The rules of one counter; the stream's id is the subject.
pub struct Usage;

/// How often something was used, and what it took off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UsageState {
    /// How many orders use it.
    pub uses: i64,
    /// What it takes off them: one sum per currency, none of them zero, by currency.
    pub spent: Vec<Money>,
}

/// How far something may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// By how many orders.
    pub uses: Option<i64>,
    /// What it may take off them. Another currency has no budget at all.
    pub spend: Option<Money>,
}

impl UsageState {
    /// What it takes off the orders of a currency.
    pub fn spent_in(&self, currency: Currency) -> i64 {
        let sum = self.spent.iter().find(|sum| sum.currency == currency);
        sum.map_or(0, |sum| sum.amount)
    }

    /// Whether one more order that takes `amount` off stays within `bounds`.
    pub fn has_room(&self, bounds: &Bounds, amount: Money) -> bool {
        // A sum that cannot be written fits no budget.
        let spent = self.spent_in(amount.currency).checked_add(amount.amount);
        let within = spent.is_some_and(|spent| {
            bounds
                .spend
                .is_none_or(|most| most.currency == amount.currency && spent <= most.amount)
        });
        within && bounds.uses.is_none_or(|most| self.uses < most)
    }

    fn set(&mut self, uses: i64, sum: Money) {
        self.uses = uses;
        self.spent.retain(|old| old.currency != sum.currency);
        if sum.amount != 0 {
            let after = |old: &Money| old.currency < sum.currency;
            self.spent.insert(self.spent.partition_point(after), sum);
        }
    }
}

/// What can be asked of a counter.
pub enum UsageCommand {
    /// One order more.
    Count {
        /// The stream's id.
        subject: UsageSubject,
        /// Which order.
        order_id: OrderId,
        /// What it takes off, not negative.
        amount: Money,
        /// How far it may go.
        bounds: Bounds,
    },
    /// One order less.
    GiveBack {
        /// The stream's id.
        subject: UsageSubject,
        /// Which order.
        order_id: OrderId,
        /// What it took off.
        amount: Money,
    },
}

impl Decider for Usage {
    const CATEGORY: &'static str = "usage";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type State = UsageState;
    type Command = UsageCommand;
    type Event = UsageEvent;

    fn decide(state: &UsageState, command: &UsageCommand) -> Result<Vec<UsageEvent>, Rejection> {
        match command {
            UsageCommand::Count {
                subject,
                order_id,
                amount,
                bounds,
            } => {
                if amount.amount < 0 || !state.has_room(bounds, *amount) {
                    let detail = "it was used as often, or spent as much, as it may be";
                    return Err(Rejection::conflict("used-up", detail));
                }
                Ok(vec![
                    UsageCounted {
                        subject: subject.clone(),
                        order_id: order_id.clone(),
                        uses: state.uses + 1,
                        amount: *amount,
                        spent: sum(state, *amount, 1),
                    }
                    .into(),
                ])
            }
            UsageCommand::GiveBack {
                subject,
                order_id,
                amount,
            } => {
                let spent = sum(state, *amount, -1);
                // An order gives back what it took; anything else is a defect that must not free
                // what others use.
                if state.uses < 1 || amount.amount < 0 || spent.amount < 0 {
                    let detail = "more was to be given back than is used";
                    return Err(Rejection::conflict("not-used", detail));
                }
                Ok(vec![
                    UsageGivenBack {
                        subject: subject.clone(),
                        order_id: order_id.clone(),
                        uses: state.uses - 1,
                        amount: *amount,
                        spent,
                    }
                    .into(),
                ])
            }
        }
    }

    fn evolve(state: &mut UsageState, event: &UsageEvent) {
        match event {
            UsageEvent::Counted(e) => state.set(e.uses, e.spent),
            UsageEvent::GivenBack(e) => state.set(e.uses, e.spent),
        }
    }
}

/// What it takes off all orders after `amount` more, or less.
fn sum(state: &UsageState, amount: Money, sign: i64) -> Money {
    let before = state.spent_in(amount.currency);
    Money::new(before + sign * amount.amount, amount.currency)
}

/// The stream of a counter.
pub fn usage_stream(subject: &UsageSubject) -> StreamId {
    StreamId::new(Usage::CATEGORY, &subject.to_string())
}
