//! What an order claims from its owners before a card is charged: stock from inventory, scarce
//! promotions from pricing, gift cards and store credit from credit. All are asked at once, by
//! `placed`; the money is asked for when the last has answered yes. The first no ends the order, and
//! its cancellation gives back what the others had given.

use contracts::orders::{
    CancelReason, OrderCreditHeld, OrderEvent, OrderPromotionsRedeemed, OrderStatus,
    OrderStockReserved,
};
use kernel::{Money, Rejection};

use crate::{order::Step, transitions::Known};

impl Step {
    /// Whether it answers a claim (other than the stock being short, which says more).
    pub(crate) fn is_a_claim(&self) -> bool {
        matches!(
            self,
            Self::PromotionsRedeemed
                | Self::PromotionsRefused
                | Self::CreditHeld
                | Self::CreditRefused
        )
    }
}

/// The claims that were granted.
struct Granted {
    stock: bool,
    promotions: bool,
    credit: bool,
}

impl Known<'_> {
    /// What credit pays for.
    fn credit(&self) -> Result<Money, Rejection> {
        let nothing = Money::zero(self.placed.totals.total.currency);
        let uses = self.placed.credits.iter().map(|used| used.amount);
        let sum = uses.into_iter().try_fold(nothing, Money::plus);
        sum.map_err(|error| Rejection::unprocessable("bad-credit", error.to_string()))
    }

    /// What is left to be paid by other means; never negative.
    pub fn due(&self) -> Result<Money, Rejection> {
        let total = self.placed.totals.total;
        let left = total.minus(self.credit()?);
        let left = left.map_err(|e| Rejection::unprocessable("bad-credit", e.to_string()))?;
        Ok(Money::new(left.amount.max(0), left.currency))
    }

    /// An owner answered. Said twice, or of what was never claimed, it changes nothing.
    pub fn claimed(&self, answer: &Step) -> Result<Vec<OrderEvent>, Rejection> {
        let mut granted = Granted {
            stock: self.state.status == OrderStatus::StockReserved,
            promotions: self.placed.redemptions.is_empty() || self.state.redeemed,
            credit: self.placed.credits.is_empty() || self.state.credit_held,
        };
        let (order_id, at) = (self.id(), self.at);
        let event: OrderEvent = match answer {
            Step::StockReserved if !granted.stock => {
                granted.stock = true;
                OrderStockReserved { order_id, at }.into()
            }
            Step::PromotionsRedeemed if !granted.promotions => {
                granted.promotions = true;
                OrderPromotionsRedeemed { order_id, at }.into()
            }
            Step::CreditHeld if !granted.credit => {
                granted.credit = true;
                let amount = self.credit()?;
                OrderCreditHeld {
                    order_id,
                    amount,
                    at,
                }
                .into()
            }
            Step::PromotionsRefused if !granted.promotions => {
                return Ok(self.cancelled(CancelReason::PromotionUsedUp, None, vec![]));
            }
            Step::CreditRefused if !granted.credit => {
                return Ok(self.cancelled(CancelReason::CreditRefused, None, vec![]));
            }
            _ => return Ok(vec![]),
        };
        let mut events = vec![event];
        if granted.stock && granted.promotions && granted.credit {
            events.extend(self.payment()?);
        }
        Ok(events)
    }
}
