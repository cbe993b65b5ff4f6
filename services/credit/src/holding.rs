//! Commands that orders cause: each touches the order's hold and every account of it in one commit.

use contracts::{
    credit::{CreditAccountId, CreditHeld, CreditReason, CreditRefusal, CreditRefused, CreditUse},
    identity::CustomerId,
    orders::OrderId,
};
use kernel::{Command, Currency, Decider as _, Money, Rejection, StreamId, UnitOfWork};

use crate::{
    account::Account,
    accounts::apply_change,
    change::Change,
    hold::{Hold, HoldCommand},
};

/// What is wanted of each account, uses of the same account summed, in the order they were first
/// named.
pub struct Wanted(Vec<(CreditAccountId, Result<Money, CreditRefusal>)>);

impl Wanted {
    /// Sums `uses`. What is not positive or does not sum up is kept as the refusal it leads to.
    pub fn of(uses: &[CreditUse]) -> Self {
        let mut wanted: Vec<(CreditAccountId, Result<Money, CreditRefusal>)> = Vec::new();
        for CreditUse { account_id, amount } in uses {
            let amount = match amount.amount {
                1.. => Ok(*amount),
                _ => Err(CreditRefusal::BadAmount),
            };
            match wanted.iter_mut().find(|(id, _)| id == account_id) {
                None => wanted.push((account_id.clone(), amount)),
                Some((_, sum)) => *sum = sum.and_then(|sum| add(sum, amount?)),
            }
        }
        Self(wanted)
    }

    fn accounts(&self) -> impl Iterator<Item = &CreditAccountId> {
        self.0.iter().map(|(id, _)| id)
    }
}

fn add(a: Money, b: Money) -> Result<Money, CreditRefusal> {
    use kernel::MoneyError::{CurrencyMismatch, Overflow};
    a.plus(b).map_err(|error| match error {
        CurrencyMismatch => CreditRefusal::WrongCurrency,
        Overflow => CreditRefusal::TooLittle,
        _ => CreditRefusal::BadAmount,
    })
}

/// An order was placed that is to be paid with credit: hold all of it, or record that it is refused
/// and what is in the way.
pub struct PlaceHold {
    /// The order.
    pub order_id: OrderId,
    /// The order's currency.
    pub currency: Currency,
    /// The signed-in buyer.
    pub customer_id: Option<CustomerId>,
    /// What it wants.
    pub wanted: Wanted,
}

impl Command for PlaceHold {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        let accounts = self.wanted.accounts().map(account_stream);
        std::iter::once(hold_stream(&self.order_id))
            .chain(accounts)
            .collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        if work.state::<Hold>(self.order_id.as_str())?.status.is_some() {
            return Ok(());
        }
        let order_id = self.order_id.clone();
        let command = match self.look(work)? {
            Ok(uses) => {
                move_all(work, &self.order_id, &uses, CreditReason::Held)?;
                HoldCommand::Make(CreditHeld { order_id, uses })
            }
            Err((account_id, reason)) => HoldCommand::Refuse(CreditRefused {
                order_id,
                account_id,
                reason,
            }),
        };
        work.decide::<Hold>(self.order_id.as_str(), &command)?;
        Ok(())
    }
}

impl PlaceHold {
    /// What will be held, or the first account in the way.
    fn look(
        &self,
        work: &mut UnitOfWork<'_>,
    ) -> Result<Result<Vec<CreditUse>, (CreditAccountId, CreditRefusal)>, Rejection> {
        let now = work.now();
        let mut uses = Vec::with_capacity(self.wanted.0.len());
        for (account_id, wanted) in &self.wanted.0 {
            let state = work.state::<Account>(account_id.as_str())?;
            let checked = wanted.and_then(|amount| {
                if amount.currency != self.currency {
                    return Err(CreditRefusal::WrongCurrency);
                }
                match state.refusal(amount, self.customer_id.as_ref(), now) {
                    None => Ok(amount),
                    Some(refusal) => Err(refusal),
                }
            });
            match checked {
                Ok(amount) => uses.push(CreditUse {
                    account_id: account_id.clone(),
                    amount,
                }),
                Err(refusal) => return Ok(Err((account_id.clone(), refusal))),
            }
        }
        Ok(Ok(uses))
    }
}

/// The order is confirmed: what is held is spent. No balance changes, so no account is touched.
pub struct Spend {
    /// The order.
    pub order_id: OrderId,
}

impl Command for Spend {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![hold_stream(&self.order_id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let spend = HoldCommand::Spend(self.order_id.clone());
        work.decide::<Hold>(self.order_id.as_str(), &spend)?;
        Ok(())
    }
}

/// The order is given up: what was held or spent goes back, less what was refunded before.
pub struct Release {
    /// The order.
    pub order_id: OrderId,
}

impl Command for Release {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![hold_stream(&self.order_id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let id = self.order_id.as_str();
        let back = work.state::<Hold>(id)?.to_give_back();
        load(work, back.iter().map(|used| &used.account_id))?;
        work.decide::<Hold>(id, &HoldCommand::Release(self.order_id.clone()))?;
        move_all(work, &self.order_id, &back, CreditReason::Released)
    }
}

/// Asks for every account before the first missing one ends the attempt, so that all of them are
/// loaded at once.
pub fn load<'a>(
    work: &mut UnitOfWork<'_>,
    accounts: impl Iterator<Item = &'a CreditAccountId>,
) -> Result<(), Rejection> {
    let mut loaded = Ok(());
    for id in accounts {
        let version = work.version::<Account>(id.as_str());
        loaded = loaded.and(version.map(drop));
    }
    loaded
}

/// Takes `uses` from their accounts ([`CreditReason::Held`]) or puts them back (any other reason).
pub fn move_all(
    work: &mut UnitOfWork<'_>,
    order_id: &OrderId,
    uses: &[CreditUse],
    reason: CreditReason,
) -> Result<(), Rejection> {
    let at = work.now();
    for CreditUse { account_id, amount } in uses {
        let signed = match reason {
            CreditReason::Held => -amount.amount,
            _ => amount.amount,
        };
        let change = Change {
            account_id: account_id.clone(),
            reason,
            amount: Money::new(signed, amount.currency),
            order_id: Some(order_id.clone()),
            note: None,
            at,
        };
        apply_change(work, change)?;
    }
    Ok(())
}

/// The stream of an order's hold.
pub fn hold_stream(order: &OrderId) -> StreamId {
    StreamId::new(Hold::CATEGORY, order.as_str())
}

/// The stream of an account.
pub fn account_stream(account: &CreditAccountId) -> StreamId {
    StreamId::new(Account::CATEGORY, account.as_str())
}
