//! What one order has to do with credit: held or refused, then spent, or given back; and what of it
//! was refunded as credit. Every step may be asked for again; a repeat changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{
    credit::{
        CreditAccountId, CreditHeld, CreditHoldEvent, CreditHoldStatus, CreditRefundMade,
        CreditRefundRefused, CreditRefused, CreditReleased, CreditSpent, CreditUse,
    },
    orders::OrderId,
};
use kernel::{Decider, Money, Rejection};
use serde::{Deserialize, Serialize};

/// The rules; the stream's id is the order's.
pub struct Hold;

/// Where an order's hold stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HoldState {
    /// `None` when the order was not to be paid with credit (or not placed yet).
    pub status: Option<CreditHoldStatus>,
    /// What is held, or was spent, one for each account.
    pub uses: Vec<CreditUse>,
    /// Minor units of it that went back to the accounts by refunds.
    pub refunded: BTreeMap<CreditAccountId, i64>,
    /// Refunds that were answered, made or refused.
    pub refunds: BTreeSet<String>,
}

impl HoldState {
    /// What was spent of `account` and did not go back, minor units.
    pub fn still_spent(&self, account: &CreditAccountId) -> i64 {
        let uses = match self.status {
            Some(CreditHoldStatus::Spent) => self.uses.as_slice(),
            _ => &[],
        };
        let spent: i64 = uses
            .iter()
            .filter(|used| used.account_id == *account)
            .map(|used| used.amount.amount)
            .sum();
        spent - self.refunded.get(account).copied().unwrap_or(0)
    }

    /// What comes back when the order is given up.
    pub fn to_give_back(&self) -> Vec<CreditUse> {
        match self.status {
            Some(CreditHoldStatus::Held) => self.uses.clone(),
            Some(CreditHoldStatus::Spent) => {
                let left = self.uses.iter().map(|used| CreditUse {
                    account_id: used.account_id.clone(),
                    amount: Money::new(self.still_spent(&used.account_id), used.amount.currency),
                });
                left.filter(|used| used.amount.amount > 0).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What can be asked of an order's hold.
pub enum HoldCommand {
    /// The accounts were charged.
    Make(CreditHeld),
    /// One of them was in the way.
    Refuse(CreditRefused),
    /// The order is confirmed.
    Spend(OrderId),
    /// The order is given up.
    Release(OrderId),
    /// Money was given back as credit.
    Refund(CreditRefundMade),
    /// It cannot be.
    RefuseRefund(CreditRefundRefused),
}

impl Decider for Hold {
    const CATEGORY: &'static str = "hold";
    type State = HoldState;
    type Command = HoldCommand;
    type Event = CreditHoldEvent;

    fn decide(state: &HoldState, command: &HoldCommand) -> Result<Vec<CreditHoldEvent>, Rejection> {
        use CreditHoldStatus::{Held, Refused, Released, Spent};
        Ok(match command {
            HoldCommand::Make(_) | HoldCommand::Refuse(_) if state.status.is_some() => vec![],
            HoldCommand::Make(held) => vec![held.clone().into()],
            HoldCommand::Refuse(refused) => vec![refused.clone().into()],
            HoldCommand::Spend(order_id) => match state.status {
                Some(Held) => vec![
                    CreditSpent {
                        order_id: order_id.clone(),
                        uses: state.uses.clone(),
                    }
                    .into(),
                ],
                // No status: the order is paid without credit.
                None | Some(Spent | Released) => vec![],
                // A defect elsewhere, not a refusal: never to be passed over in silence.
                Some(Refused) => {
                    return Err(Rejection::conflict(
                        "not-held",
                        "the order was confirmed although credit refused to pay its part",
                    ));
                }
            },
            HoldCommand::Release(order_id) => match state.status {
                Some(Held | Spent) => vec![
                    CreditReleased {
                        order_id: order_id.clone(),
                        uses: state.to_give_back(),
                        spent: state.status == Some(Spent),
                    }
                    .into(),
                ],
                None | Some(Refused | Released) => vec![],
            },
            HoldCommand::Refund(made) => match state.refunds.contains(&made.refund_id) {
                true => vec![],
                false => vec![made.clone().into()],
            },
            HoldCommand::RefuseRefund(refused) => {
                match state.refunds.contains(&refused.refund_id) {
                    true => vec![],
                    false => vec![refused.clone().into()],
                }
            }
        })
    }

    fn evolve(state: &mut HoldState, event: &CreditHoldEvent) {
        match event {
            CreditHoldEvent::Held(e) => {
                state.status = Some(CreditHoldStatus::Held);
                state.uses = e.uses.clone();
            }
            CreditHoldEvent::Refused(_) => state.status = Some(CreditHoldStatus::Refused),
            CreditHoldEvent::Spent(_) => state.status = Some(CreditHoldStatus::Spent),
            CreditHoldEvent::Released(_) => state.status = Some(CreditHoldStatus::Released),
            CreditHoldEvent::RefundMade(e) => {
                state.refunds.insert(e.refund_id.clone());
                for used in e.uses.iter().filter(|_| e.to_payers) {
                    let refunded = state.refunded.entry(used.account_id.clone()).or_insert(0);
                    *refunded += used.amount.amount;
                }
            }
            CreditHoldEvent::RefundRefused(e) => {
                state.refunds.insert(e.refund_id.clone());
            }
        }
    }
}
