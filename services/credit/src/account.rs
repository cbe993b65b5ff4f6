//! The rules of one account: a gift card, or a customer's store credit in one currency. A balance
//! changes here and nowhere else, so no number of orders can spend it twice.

use contracts::{
    credit::{
        CreditAccountDisabled, CreditAccountEnabled, CreditAccountEvent, CreditAccountId,
        CreditAccountOpened, CreditExpirySet, CreditKind, CreditReason, CreditRefusal,
    },
    identity::CustomerId,
};
use kernel::{Decider, Money, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

use crate::change::{Change, change};

/// The rules; the stream's id is the account's.
pub struct Account;

/// What the rules need to know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AccountState {
    /// As it was opened; `None` before.
    pub opened: Option<CreditAccountOpened>,
    /// What may be spent, minor units; never negative.
    pub balance: i64,
    /// First moment it pays no more.
    pub expires_at: Option<Timestamp>,
    /// Whether staff blocked it.
    pub disabled: bool,
}

impl AccountState {
    /// What may be spent; `None` before it was opened.
    pub fn balance(&self) -> Option<Money> {
        let opened = self.opened.as_ref()?;
        Some(Money::new(self.balance, opened.balance.currency))
    }

    /// Whether its time is over at `now`.
    pub fn expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Why it does not pay `amount` for an order of `buyer` at `now`, if it does not.
    pub fn refusal(
        &self,
        amount: Money,
        buyer: Option<&CustomerId>,
        now: Timestamp,
    ) -> Option<CreditRefusal> {
        let Some(opened) = &self.opened else {
            return Some(CreditRefusal::Unknown);
        };
        let theirs = opened.kind == CreditKind::GiftCard
            || buyer.is_some() && opened.customer_id.as_ref() == buyer;
        match () {
            () if amount.amount <= 0 => Some(CreditRefusal::BadAmount),
            () if !theirs => Some(CreditRefusal::NotTheirs),
            () if amount.currency != opened.balance.currency => Some(CreditRefusal::WrongCurrency),
            () if self.disabled => Some(CreditRefusal::Disabled),
            () if self.expired(now) => Some(CreditRefusal::Expired),
            () if self.balance < amount.amount => Some(CreditRefusal::TooLittle),
            () => None,
        }
    }
}

/// What can be asked of an account.
pub enum AccountCommand {
    /// Open it, empty.
    Open(CreditAccountOpened),
    /// Change its balance.
    Change(Change),
    /// Block it, or let it pay again.
    Block {
        /// The stream's id.
        account_id: CreditAccountId,
        /// Whether it is to be blocked.
        blocked: bool,
        /// Why.
        note: String,
        /// When.
        at: Timestamp,
    },
    /// Move its end.
    SetExpiry {
        /// The stream's id.
        account_id: CreditAccountId,
        /// First moment it pays no more.
        expires_at: Option<Timestamp>,
        /// When.
        at: Timestamp,
    },
    /// Its time may be over: then what is left on it is gone.
    Expire {
        /// The stream's id.
        account_id: CreditAccountId,
        /// When.
        at: Timestamp,
    },
}

impl Decider for Account {
    const CATEGORY: &'static str = "account";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type State = AccountState;
    type Command = AccountCommand;
    type Event = CreditAccountEvent;

    fn decide(
        state: &AccountState,
        command: &AccountCommand,
    ) -> Result<Vec<CreditAccountEvent>, Rejection> {
        let opened = match (command, &state.opened) {
            (AccountCommand::Open(open), None) => return Ok(vec![open.clone().into()]),
            (AccountCommand::Open(_), Some(_)) => return Err(opened_before()),
            (_, None) => return Err(Rejection::not_found("credit account")),
            (_, Some(opened)) => opened,
        };
        match command {
            AccountCommand::Open(_) => Ok(vec![]),
            AccountCommand::Change(wanted) => change(state, opened, wanted),
            AccountCommand::Block { blocked, .. } if *blocked == state.disabled => Ok(vec![]),
            AccountCommand::Block {
                account_id,
                blocked,
                note,
                at,
            } => Ok(vec![block(account_id, *blocked, note, *at)]),
            AccountCommand::SetExpiry {
                account_id,
                expires_at,
                at,
            } => set_expiry(state, account_id, *expires_at, *at),
            AccountCommand::Expire { at, .. } if state.balance == 0 || !state.expired(*at) => {
                Ok(vec![])
            }
            AccountCommand::Expire { account_id, at } => {
                let gone = Change {
                    account_id: account_id.clone(),
                    reason: CreditReason::Expired,
                    amount: Money::new(-state.balance, opened.balance.currency),
                    order_id: None,
                    note: None,
                    at: *at,
                };
                change(state, opened, &gone)
            }
        }
    }

    fn evolve(state: &mut AccountState, event: &CreditAccountEvent) {
        match event {
            CreditAccountEvent::Opened(e) => {
                state.balance = e.balance.amount;
                state.expires_at = e.expires_at;
                state.opened = Some(e.clone());
            }
            CreditAccountEvent::Changed(e) => state.balance = e.balance.amount,
            CreditAccountEvent::Disabled(_) => state.disabled = true,
            CreditAccountEvent::Enabled(_) => state.disabled = false,
            CreditAccountEvent::ExpirySet(e) => state.expires_at = e.expires_at,
        }
    }
}

fn block(id: &CreditAccountId, blocked: bool, note: &str, at: Timestamp) -> CreditAccountEvent {
    let (account_id, note) = (id.clone(), note.to_owned());
    match blocked {
        true => CreditAccountDisabled {
            account_id,
            note,
            at,
        }
        .into(),
        false => CreditAccountEnabled {
            account_id,
            note,
            at,
        }
        .into(),
    }
}

fn set_expiry(
    state: &AccountState,
    account_id: &CreditAccountId,
    expires_at: Option<Timestamp>,
    at: Timestamp,
) -> Result<Vec<CreditAccountEvent>, Rejection> {
    check_expiry(expires_at, at)?;
    Ok(match state.expires_at == expires_at {
        true => vec![],
        false => vec![
            CreditExpirySet {
                account_id: account_id.clone(),
                expires_at,
                at,
            }
            .into(),
        ],
    })
}

/// An end lies in the future, and within a hundred years.
pub fn check_expiry(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), Rejection> {
    const CENTURY: i64 = 100 * 366 * 24 * 60 * 60;
    match expires_at {
        Some(end) if end <= now || end > now.plus_seconds(CENTURY) => Err(Rejection::invalid(
            "expires_at",
            "must be in the future, microseconds UTC",
        )),
        _ => Ok(()),
    }
}

fn opened_before() -> Rejection {
    Rejection::conflict(
        "opened-before",
        "this was issued before, with the same Idempotency-Key; use a new key to issue more",
    )
    .field("Idempotency-Key")
}
