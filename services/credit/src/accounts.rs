//! Commands of staff and of time on accounts.

use contracts::credit::{CreditAccountId, CreditAccountOpened, CreditKind, CreditReason};
use kernel::{
    AnyCommand, Command, Money, Poison, Rejection, StreamId, Timer, Timestamp, UnitOfWork,
};

use crate::{
    account::{Account, AccountCommand, AccountState, check_expiry},
    change::Change,
    holding::account_stream,
};

/// The kind of the timers that end accounts; their data is the account's id.
pub const EXPIRY: &str = "expiry";

/// A gift card to be issued.
pub struct NewCard {
    /// Its account, named after its code's hash.
    pub account_id: CreditAccountId,
    /// Keyed hash of its code.
    pub code_hash: String,
}

/// Issues gift cards, all or none.
pub struct IssueCards {
    /// The cards.
    pub cards: Vec<NewCard>,
    /// What each is worth.
    pub amount: Money,
    /// First moment they pay no more.
    pub expires_at: Option<Timestamp>,
    /// A remark.
    pub note: Option<String>,
}

impl Command for IssueCards {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        let ids = self.cards.iter().map(|card| &card.account_id);
        ids.map(account_stream).collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let at = work.now();
        check_expiry(self.expires_at, at)?;
        for card in &self.cards {
            let id = card.account_id.as_str();
            let open = AccountCommand::Open(CreditAccountOpened {
                account_id: card.account_id.clone(),
                kind: CreditKind::GiftCard,
                customer_id: None,
                balance: Money::zero(self.amount.currency),
                code_hash: Some(card.code_hash.clone()),
                expires_at: self.expires_at,
                at,
            });
            work.decide::<Account>(id, &open)?;
            let issue = Change {
                account_id: card.account_id.clone(),
                reason: CreditReason::Issued,
                amount: self.amount,
                order_id: None,
                note: self.note.clone(),
                at,
            };
            work.decide::<Account>(id, &AccountCommand::Change(issue))?;
            keep_time(work, &card.account_id, None, self.expires_at);
        }
        Ok(())
    }
}

/// Changes the balance of an account; store credit is opened if it is given.
pub struct ChangeBalance {
    /// The account, to be opened first if it is not there.
    pub open: Option<CreditAccountOpened>,
    /// The change; its time is the decision's.
    pub change: Change,
}

impl Command for ChangeBalance {
    type Output = AccountState;

    fn streams(&self) -> Vec<StreamId> {
        vec![account_stream(&self.change.account_id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<AccountState, Rejection> {
        let at = work.now();
        let id = self.change.account_id.as_str();
        if let Some(open) = &self.open
            && work.state::<Account>(id)?.opened.is_none()
        {
            let open = CreditAccountOpened { at, ..open.clone() };
            work.decide::<Account>(id, &AccountCommand::Open(open))?;
        }
        let change = Change {
            at,
            ..self.change.clone()
        };
        apply_change(work, change)?;
        Ok(work.state::<Account>(id)?.clone())
    }
}

/// Blocks an account or lets it pay again.
pub struct Block {
    /// Which.
    pub account_id: CreditAccountId,
    /// Whether it is to be blocked.
    pub blocked: bool,
    /// Why.
    pub note: String,
}

impl Command for Block {
    type Output = AccountState;

    fn streams(&self) -> Vec<StreamId> {
        vec![account_stream(&self.account_id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<AccountState, Rejection> {
        let id = self.account_id.as_str();
        let block = AccountCommand::Block {
            account_id: self.account_id.clone(),
            blocked: self.blocked,
            note: self.note.clone(),
            at: work.now(),
        };
        work.decide::<Account>(id, &block)?;
        Ok(work.state::<Account>(id)?.clone())
    }
}

/// Moves the end of an account.
pub struct SetExpiry {
    /// Which.
    pub account_id: CreditAccountId,
    /// First moment it pays no more.
    pub expires_at: Option<Timestamp>,
}

impl Command for SetExpiry {
    type Output = AccountState;

    fn streams(&self) -> Vec<StreamId> {
        vec![account_stream(&self.account_id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<AccountState, Rejection> {
        let id = self.account_id.as_str();
        let before = work.state::<Account>(id)?.expires_at;
        let set = AccountCommand::SetExpiry {
            account_id: self.account_id.clone(),
            expires_at: self.expires_at,
            at: work.now(),
        };
        work.decide::<Account>(id, &set)?;
        keep_time(work, &self.account_id, before, self.expires_at);
        Ok(work.state::<Account>(id)?.clone())
    }
}

/// The time of an account may be over: what is left on it is gone.
pub struct Expire {
    /// Which.
    pub account_id: CreditAccountId,
}

impl Command for Expire {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![account_stream(&self.account_id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let id = self.account_id.as_str();
        if work.state::<Account>(id)?.opened.is_some() {
            let expire = AccountCommand::Expire {
                account_id: self.account_id.clone(),
                at: work.now(),
            };
            work.decide::<Account>(id, &expire)?;
        }
        Ok(())
    }
}

/// An account's time is up.
pub fn on_expiry(timer: &Timer) -> Result<Box<dyn AnyCommand>, Poison> {
    let account_id = serde_json::from_str(&timer.data).map_err(|e| Poison(e.to_string()))?;
    Ok(Box::new(Expire { account_id }))
}

/// Lets the account decide a change, and keeps the timer of its end where its end is.
pub fn apply_change(work: &mut UnitOfWork<'_>, change: Change) -> Result<(), Rejection> {
    let account_id = change.account_id.clone();
    let before = work.state::<Account>(account_id.as_str())?.expires_at;
    work.decide::<Account>(account_id.as_str(), &AccountCommand::Change(change))?;
    let after = work.state::<Account>(account_id.as_str())?.expires_at;
    keep_time(work, &account_id, before, after);
    Ok(())
}

fn keep_time(
    work: &mut UnitOfWork<'_>,
    account_id: &CreditAccountId,
    before: Option<Timestamp>,
    after: Option<Timestamp>,
) {
    let key = format!("{EXPIRY}:{account_id}");
    match after {
        _ if before == after => {}
        None => work.cancel_timer(key),
        Some(due) => work.set_timer(Timer {
            key,
            due,
            kind: EXPIRY.into(),
            data: serde_json::json!(account_id).to_string(),
        }),
    }
}
