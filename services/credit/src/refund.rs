//! Money of an order goes back as credit, once per refund id. What cannot be done is an event:
//! whoever asked finds another way.

use contracts::{
    credit::{
        CreditAccountOpened, CreditKind, CreditReason, CreditRefundMade, CreditRefundRefusal,
        CreditRefundRefused, CreditRefundTo, CreditUse, account_of_customer,
    },
    orders::OrderRefundToCreditRequested,
};
use kernel::{Command, Money, Rejection, StreamId, UnitOfWork};

use crate::{
    account::{Account, AccountCommand},
    change::MAX_BALANCE,
    hold::{Hold, HoldCommand},
    holding::{account_stream, hold_stream, move_all},
};

/// Gives money back as credit.
pub struct Refund {
    asked: OrderRefundToCreditRequested,
    /// Where it goes, one for each account; or why it cannot, as far as the request tells.
    plan: Result<Vec<CreditUse>, CreditRefundRefusal>,
}

impl Refund {
    /// What was asked for.
    pub fn of(asked: &OrderRefundToCreditRequested) -> Self {
        Self {
            plan: plan(asked),
            asked: asked.clone(),
        }
    }
}

impl Command for Refund {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        let planned = self.plan.as_deref().unwrap_or_default();
        let accounts = planned.iter().map(|used| account_stream(&used.account_id));
        std::iter::once(hold_stream(&self.asked.order_id))
            .chain(accounts)
            .collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let OrderRefundToCreditRequested {
            order_id,
            refund_id,
            amount,
            to,
            ..
        } = &self.asked;
        let id = order_id.as_str();
        if work.state::<Hold>(id)?.refunds.contains(refund_id) {
            return Ok(());
        }
        let (order_id, refund_id, amount) = (order_id.clone(), refund_id.clone(), *amount);
        let command = match self.look(work)? {
            Ok(uses) => {
                if let CreditRefundTo::StoreCredit = to {
                    self.open(work, &uses)?;
                }
                move_all(work, &order_id, &uses, CreditReason::Refunded)?;
                HoldCommand::Refund(CreditRefundMade {
                    order_id,
                    refund_id,
                    amount,
                    uses,
                    to_payers: matches!(to, CreditRefundTo::Accounts(_)),
                })
            }
            Err(reason) => HoldCommand::RefuseRefund(CreditRefundRefused {
                order_id,
                refund_id,
                amount,
                reason,
            }),
        };
        work.decide::<Hold>(id, &command)?;
        Ok(())
    }
}

impl Refund {
    /// Checks the plan against the order and the accounts.
    fn look(
        &self,
        work: &mut UnitOfWork<'_>,
    ) -> Result<Result<Vec<CreditUse>, CreditRefundRefusal>, Rejection> {
        let uses = match &self.plan {
            Ok(uses) => uses,
            Err(refusal) => return Ok(Err(*refusal)),
        };
        for used in uses {
            let account = work.state::<Account>(used.account_id.as_str())?.clone();
            let hold = work.state::<Hold>(self.asked.order_id.as_str())?;
            let amount = used.amount.amount;
            let refusal = match (&self.asked.to, &account.opened) {
                (CreditRefundTo::Accounts(_), None) => Some(CreditRefundRefusal::UnknownAccount),
                (_, Some(opened)) if opened.balance.currency != used.amount.currency => {
                    Some(CreditRefundRefusal::WrongCurrency)
                }
                (CreditRefundTo::Accounts(_), _) if hold.still_spent(&used.account_id) < amount => {
                    Some(CreditRefundRefusal::MoreThanSpent)
                }
                _ if account.balance.saturating_add(amount) > MAX_BALANCE => {
                    Some(CreditRefundRefusal::BadAmount)
                }
                _ => None,
            };
            if let Some(refusal) = refusal {
                return Ok(Err(refusal));
            }
        }
        Ok(Ok(uses.clone()))
    }

    /// Opens the customer's store credit unless it is there.
    fn open(&self, work: &mut UnitOfWork<'_>, uses: &[CreditUse]) -> Result<(), Rejection> {
        for used in uses {
            let id = used.account_id.as_str();
            if work.state::<Account>(id)?.opened.is_none() {
                let opened = CreditAccountOpened {
                    account_id: used.account_id.clone(),
                    kind: CreditKind::StoreCredit,
                    customer_id: self.asked.customer_id.clone(),
                    balance: Money::zero(used.amount.currency),
                    code_hash: None,
                    expires_at: None,
                    at: work.now(),
                };
                work.decide::<Account>(id, &AccountCommand::Open(opened))?;
            }
        }
        Ok(())
    }
}

fn plan(asked: &OrderRefundToCreditRequested) -> Result<Vec<CreditUse>, CreditRefundRefusal> {
    if asked.amount.amount <= 0 {
        return Err(CreditRefundRefusal::BadAmount);
    }
    match &asked.to {
        CreditRefundTo::StoreCredit => {
            let customer = asked.customer_id.as_ref();
            let customer = customer.ok_or(CreditRefundRefusal::NoCustomer)?;
            let account_id = account_of_customer(customer, asked.amount.currency)
                .map_err(|_| CreditRefundRefusal::NoCustomer)?;
            let amount = asked.amount;
            Ok(vec![CreditUse { account_id, amount }])
        }
        CreditRefundTo::Accounts(parts) => summed(parts, asked.amount),
    }
}

/// The parts, one for each account, if they add up to `amount`.
fn summed(parts: &[CreditUse], amount: Money) -> Result<Vec<CreditUse>, CreditRefundRefusal> {
    let mut uses: Vec<CreditUse> = Vec::new();
    let mut total = Money::zero(amount.currency);
    for part in parts {
        if part.amount.amount <= 0 {
            return Err(CreditRefundRefusal::BadAmount);
        }
        total = add(total, part.amount)?;
        let same = |used: &&mut CreditUse| used.account_id == part.account_id;
        match uses.iter_mut().find(same) {
            Some(used) => used.amount = add(used.amount, part.amount)?,
            None => uses.push(part.clone()),
        }
    }
    match total == amount {
        true => Ok(uses),
        false => Err(CreditRefundRefusal::BadAmount),
    }
}

fn add(a: Money, b: Money) -> Result<Money, CreditRefundRefusal> {
    a.plus(b).map_err(|error| match error {
        kernel::MoneyError::CurrencyMismatch => CreditRefundRefusal::WrongCurrency,
        _ => CreditRefundRefusal::BadAmount,
    })
}
