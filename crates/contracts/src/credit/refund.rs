//! Money of an order that goes back as credit.

use kernel::{Money, event_set};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::CreditUse;
use crate::orders::{OrderId, OrderRefundToCreditRequested};

/// Where money of an order goes that is given back as credit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditRefundTo {
    /// Back to accounts that paid for the order, at most what was spent of each.
    Accounts(Vec<CreditUse>),
    /// To the customer's store credit in the currency of the amount, which is opened if need be.
    StoreCredit,
}

/// Money of an order was given back as credit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreditRefundMade {
    /// Which order.
    pub order_id: OrderId,
    /// The refund's own id, as in the request.
    pub refund_id: String,
    /// How much, in all.
    pub amount: Money,
    /// Which accounts it went to.
    pub uses: Vec<CreditUse>,
    /// Whether it went back to accounts that had paid for the order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub to_payers: bool,
}

/// Why money cannot be given back as credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditRefundRefusal {
    /// Not positive, too much for an account to hold, or the parts do not add up to it.
    BadAmount,
    /// The buyer is a guest: there is nobody to whom store credit could belong.
    NoCustomer,
    /// There is no such account.
    UnknownAccount,
    /// An account is in another currency.
    WrongCurrency,
    /// More than the account paid for the order, less what went back before.
    MoreThanSpent,
}

/// Money of an order was not given back as credit: whoever asked finds another way, such as the
/// original payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreditRefundRefused {
    /// Which order.
    pub order_id: OrderId,
    /// The refund's own id, as in the request.
    pub refund_id: String,
    /// How much was asked for.
    pub amount: Money,
    /// Why.
    pub reason: CreditRefundRefusal,
}

event_set! {
    /// What orders asks of credit beside the life of an order. The event belongs to orders.
    pub enum CreditRefundRequest {
        /// Give money back as credit.
        Requested(OrderRefundToCreditRequested) = "orders.order.credit_refund_requested.v1",
    }
}
