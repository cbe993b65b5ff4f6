//! The types of credit's API.

use kernel::{Currency, Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CreditAccountId, CreditKind, CreditReason, CreditUse};
use crate::{identity::CustomerId, orders::OrderId};

/// New gift cards, all with the same amount.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueGiftCards {
    /// What each is worth: positive, at most a thousand million minor units.
    pub amount: Money,
    /// First moment they pay no more; they never end unless it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// How many: 1 (unless given) to 500.
    #[serde(default = "one")]
    pub count: i64,
    /// A remark, up to 500 characters. Not for personal data: it is kept for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

fn one() -> i64 {
    1
}

/// A gift card that was just issued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IssuedGiftCard {
    /// Its account.
    pub account_id: CreditAccountId,
    /// What its holder types. Shown here and never again: it is not kept.
    pub code: String,
}

/// Gift cards that were just issued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IssuedGiftCards {
    /// The cards.
    pub cards: Vec<IssuedGiftCard>,
    /// What each is worth.
    pub amount: Money,
    /// First moment they pay no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A gift card's code, as somebody typed it.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiftCardQuestion {
    /// In any case, with or without spaces and dashes.
    pub code: String,
}

/// What a gift card can pay now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GiftCardBalance {
    /// Absent when it can pay nothing: it is empty, expired or blocked, or no card has this code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Money>,
    /// First moment it pays no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Store credit for a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantCredit {
    /// To whom.
    pub customer_id: CustomerId,
    /// How much: positive.
    pub amount: Money,
    /// Why, 1 to 500 characters. Not for personal data: it is kept for ever.
    pub reason: String,
}

/// A correction of a balance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdjustCredit {
    /// How much comes (positive) or goes (negative), in the account's currency.
    pub amount: Money,
    /// Why, 1 to 500 characters. Not for personal data: it is kept for ever.
    pub reason: String,
}

/// Blocks an account or lets it pay again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockCredit {
    /// Why, 1 to 500 characters. Not for personal data: it is kept for ever.
    pub reason: String,
}

/// Moves the end of an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetCreditExpiry {
    /// First moment it pays no more, in the future; absent: it never ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// An account as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreditAccount {
    /// Its id.
    pub id: CreditAccountId,
    /// What it is.
    pub kind: CreditKind,
    /// Whose it is, of store credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// What may be spent.
    pub balance: Money,
    /// First moment it pays no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether staff blocked it.
    pub disabled: bool,
    /// When it was opened.
    pub opened_at: Timestamp,
}

/// The signed-in customer's store credit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MyCredit {
    /// One account per currency.
    pub accounts: Vec<CreditAccount>,
}

/// One change of a balance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreditMovement {
    /// Its number in the account, from 1; numbers may be left out.
    pub number: i64,
    /// Why.
    pub reason: CreditReason,
    /// How much came (positive) or went (negative).
    pub amount: Money,
    /// What might be spent afterwards.
    pub balance: Money,
    /// The order, when one was the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// A remark. Shown to staff only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Where an order's hold stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditHoldStatus {
    /// Held until the order is confirmed or given up.
    Held,
    /// Refused; nothing was touched.
    Refused,
    /// Spent: the order was confirmed.
    Spent,
    /// Given back: the order was given up.
    Released,
}

impl CreditHoldStatus {
    /// As in JSON and in the read model.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Refused => "refused",
            Self::Spent => "spent",
            Self::Released => "released",
        }
    }
}

/// What an order has to do with credit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreditOfOrder {
    /// The order.
    pub order_id: OrderId,
    /// Where its hold stands; absent when it was not to be paid with credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<CreditHoldStatus>,
    /// What is held, or was spent, or came back.
    pub uses: Vec<CreditUse>,
    /// What of it went back to these accounts by refunds.
    pub refunded: Vec<CreditUse>,
}

/// A hold that waits for its order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WaitingCredit {
    /// The order.
    pub order_id: OrderId,
    /// What is held for it.
    pub amount: Money,
    /// Since when.
    pub since: Timestamp,
}

/// One line of the credit ledger. The lines of one `posting` sum to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreditLedgerLine {
    /// Its place in the ledger, from 1.
    pub number: i64,
    /// What was booked: the stream and the number of its event, such as `hold-ord_…/2`.
    pub posting: String,
    /// The ledger account, such as `liability:gift_cards`.
    pub account: String,
    /// Positive is a debit, negative a credit.
    pub amount: Money,
    /// The gift card or store credit, where one is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<CreditAccountId>,
    /// The order, where one is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// When.
    pub at: Timestamp,
}

/// The sum of one ledger account in one currency, in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreditBook {
    /// The ledger account.
    pub account: String,
    /// Its currency.
    #[schema(value_type = String, example = "GBP")]
    pub currency: Currency,
    /// Sum of its debits.
    pub debit: i64,
    /// Sum of its credits, as a positive number.
    pub credit: i64,
    /// Debits minus credits.
    pub balance: i64,
}

/// The sums of all ledger accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreditTrialBalance {
    /// By currency and name.
    pub accounts: Vec<CreditBook>,
    /// Whether debits equal credits in every currency, and the liabilities equal what the accounts
    /// hold; anything else is a defect.
    pub balanced: bool,
}

/// What the shop owes to holders of gift cards and store credit, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreditLiability {
    /// The currency.
    #[schema(value_type = String, example = "GBP")]
    pub currency: Currency,
    /// What may be spent of gift cards, minor units.
    pub gift_cards: i64,
    /// What may be spent of store credit, minor units.
    pub store_credit: i64,
    /// What is held for orders that are not confirmed yet, minor units.
    pub held: i64,
    /// All of it, minor units.
    pub total: i64,
    /// How many accounts have something on them.
    pub accounts: i64,
}

/// What the shop owes, by currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreditLiabilities {
    /// One for each currency.
    pub items: Vec<CreditLiability>,
}
