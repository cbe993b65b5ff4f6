//! What is known of a cart, and what follows from it at a given moment.

use std::sync::Arc;

use contracts::{
    cart::{CartCheckedOut, CartDestination, CartId, CartLine, CartStatus, LineId},
    identity::CustomerId,
    shipping::ShippingQuote,
};
use kernel::{Currency, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

use crate::offer::Selling;

/// What is known of a cart.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CartState {
    /// Its id; none before it was created.
    pub id: Option<CartId>,
    /// Open, completed or closed.
    pub status: CartStatus,
    /// Whose, when it was opened by a customer.
    pub customer: Option<CustomerId>,
    /// Of all its prices.
    pub currency: Option<Currency>,
    /// In the order they were added, which is the order of their numbers. Empty once checked out:
    /// the lines are then the order's.
    pub lines: Arc<Vec<CartLine>>,
    /// Code of the channel it was opened in.
    #[serde(default = "contracts::cart::web")]
    pub channel: String,
    /// Where the goods are to go, as far as it is known.
    #[serde(default)]
    pub destination: Option<CartDestination>,
    /// Coupon codes that were entered, as pricing writes them.
    #[serde(default)]
    pub coupons: Vec<String>,
    /// The way of shipping that was chosen.
    #[serde(default)]
    pub shipping: Option<Arc<ShippingQuote>>,
    /// The number the last new line got.
    pub last_line: u32,
    /// When it was opened.
    pub created: Timestamp,
    /// When it last changed.
    pub changed: Timestamp,
    /// Whether it was reported as left alone since it last changed.
    pub abandoned: bool,
    /// The order it became.
    pub checkout: Option<Arc<CartCheckedOut>>,
}

/// How long things take; part of the shop's configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// An open cart without a change for this long is reported as abandoned, seconds.
    pub abandoned_after: i64,
    /// An open cart without a change for this long is closed, seconds.
    pub expires_after: i64,
    /// An order must be confirmed this long after checkout, seconds.
    pub confirm_within: i64,
    /// Whether a checkout is refused when the cart's copy of the stock is too low. Otherwise that
    /// is only a warning and inventory decides.
    pub refuse_short_stock: bool,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Who {
    /// Somebody who knows the cart's id.
    Anyone,
    /// A signed-in customer.
    Customer(CustomerId),
    /// Staff with the permission for it.
    Staff,
    /// The shop itself, by a timer.
    System,
}

impl CartState {
    /// Whether `who` may see and change this cart: a customer's cart is theirs and staff's, any
    /// other belongs to whoever knows its id.
    pub fn is_open_to(&self, who: &Who) -> bool {
        match (&self.customer, who) {
            (None, _) | (_, Who::Staff | Who::System) => true,
            (Some(owner), Who::Customer(customer)) => owner == customer,
            (Some(_), Who::Anyone) => false,
        }
    }

    /// The status at `at`: an open cart that nobody touched for too long is closed even before
    /// the timer says so.
    pub fn status_at(&self, at: Timestamp, rules: &Rules) -> CartStatus {
        match self.status {
            CartStatus::Open if at >= self.expires(rules) => CartStatus::Expired,
            status => status,
        }
    }

    /// When it closes if nothing changes.
    pub fn expires(&self, rules: &Rules) -> Timestamp {
        self.changed.plus_seconds(rules.expires_after)
    }

    /// When the shop should look at it again, while it is open.
    pub fn next_look(&self, rules: &Rules) -> Timestamp {
        match self.abandoned || self.lines.is_empty() {
            true => self.expires(rules),
            false => self.changed.plus_seconds(rules.abandoned_after),
        }
    }

    /// Its currency; a cart always has one.
    pub fn currency(&self) -> Currency {
        self.currency.unwrap_or(Currency::GBP)
    }

    /// In which currency and channel it sells, at `now`.
    pub fn selling(&self, now: Timestamp) -> Selling<'_> {
        Selling {
            currency: self.currency(),
            channel: &self.channel,
            now,
        }
    }

    /// Where the line stands.
    pub(crate) fn position(&self, line: &LineId) -> Option<usize> {
        let found = self
            .lines
            .binary_search_by_key(&ordinal(line), |known| ordinal(&known.id));
        found.ok().filter(|index| self.lines[*index].id == *line)
    }

    /// The line, or a refusal that says it is not there.
    pub(crate) fn line(&self, id: &LineId) -> Result<&CartLine, Rejection> {
        let index = self.position(id);
        let line = index.and_then(|index| self.lines.get(index));
        line.ok_or_else(|| Rejection::not_found("line in this cart"))
    }
}

/// The number of a line within its cart: `lin_12` → 12.
pub(crate) fn ordinal(line: &LineId) -> u32 {
    let digits = line.as_str().strip_prefix("lin_").unwrap_or_default();
    digits.parse().unwrap_or(u32::MAX)
}
