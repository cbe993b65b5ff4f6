//! What a promotion takes off.

use contracts::pricing::{Benefit, CouponProblem, LineFilter};
use kernel::Money;

use super::units::{self, Units};
use crate::{
    filter::meant,
    price::{Bill, Item},
};

/// What a promotion would take off, in minor units; something, and never more than there is.
pub(super) struct Cut {
    /// Of each line of the bill.
    pub(super) lines: Vec<i64>,
    /// Of shipping.
    pub(super) shipping: i64,
}

impl Cut {
    /// All of it. It fits: it is no more than the bill comes to.
    pub(super) fn sum(&self) -> i64 {
        self.lines.iter().sum::<i64>() + self.shipping
    }
}

/// What a benefit would take off now. Its amounts are in the bill's currency.
pub(super) fn cut(benefit: &Benefit, bill: &Bill<'_>) -> Result<Cut, CouponProblem> {
    let cut = match benefit {
        Benefit::PercentOff { ppm, of } => {
            each(bill, of, |item| units::share(item.charge.left, *ppm))
        }
        Benefit::AmountOff { amount, of } => together(bill, of, *amount),
        Benefit::AmountOffEach { amount, of } => each(bill, of, |item| {
            capped(product(*amount, item), item.charge.left)
        }),
        Benefit::FixedPrice { price, of } => each(bill, of, |item| {
            let left = item.charge.left;
            capped(i128::from(left) - product(*price, item), left)
        }),
        Benefit::BuyGet {
            buy,
            buy_quantity,
            get,
            get_quantity,
            ppm,
            at_most,
        } => {
            let sizes = (*buy_quantity, *get_quantity, at_most.unwrap_or(i64::MAX));
            let got = units::bought_and_got(&units(bill), sizes, |at| {
                let line = bill.items[at].line;
                (meant(buy, line), meant(get, line))
            });
            reduced(bill, got, *ppm)
        }
        Benefit::CheapestFree { of_every, of } => {
            let mut meant_units = units(bill);
            meant_units.retain(|one| meant(of, bill.items[one.at].line));
            reduced(
                bill,
                units::last_of_every(meant_units, *of_every),
                units::ALL,
            )
        }
        Benefit::ShippingOff { ppm, up_to } => return shipping(bill, *ppm, *up_to),
    };
    match cut.sum() {
        0 => Err(CouponProblem::NothingToReduce),
        _ => Ok(cut),
    }
}

/// A cut of each line meant by itself.
fn each(bill: &Bill<'_>, of: &LineFilter, off: impl Fn(&Item<'_>) -> i64) -> Cut {
    let one = |item: &Item<'_>| match meant(of, item.line) {
        true => off(item),
        false => 0,
    };
    Cut {
        lines: bill.items.iter().map(one).collect(),
        shipping: 0,
    }
}

/// An amount off all lines meant, shared out by what is left of each (largest remainder).
fn together(bill: &Bill<'_>, of: &LineFilter, amount: Money) -> Cut {
    let weights = each(bill, of, |item| item.charge.left).lines;
    let amount = amount.amount.clamp(0, weights.iter().sum());
    let weights: Vec<u64> = weights.iter().map(|w| w.unsigned_abs()).collect();
    let parts = Money::new(amount, bill.currency).allocate(&weights);
    Cut {
        lines: parts.iter().map(|part| part.amount).collect(),
        shipping: 0,
    }
}

fn shipping(bill: &Bill<'_>, ppm: i64, up_to: Option<Money>) -> Result<Cut, CouponProblem> {
    let charge = bill
        .shipping
        .as_ref()
        .ok_or(CouponProblem::ShippingUnknown)?;
    if let Some(up_to) = up_to.filter(|up_to| charge.full.amount > up_to.amount) {
        return Err(CouponProblem::ShippingTooDear { up_to });
    }
    match units::share(charge.left, ppm) {
        0 => Err(CouponProblem::NothingToReduce),
        off => Ok(Cut {
            lines: vec![0; bill.items.len()],
            shipping: off,
        }),
    }
}

/// A share off some units of lines: (line, how many).
fn reduced(bill: &Bill<'_>, got: Vec<(usize, i64)>, ppm: i64) -> Cut {
    let mut lines = vec![0; bill.items.len()];
    for (at, count) in got {
        let item = &bill.items[at];
        let worth = units::portion(item.charge.left, count, item.line.quantity);
        lines[at] = units::share(worth, ppm);
    }
    Cut { lines, shipping: 0 }
}

fn units(bill: &Bill<'_>) -> Vec<Units> {
    let items = bill.items.iter().enumerate();
    let units = items.map(|(at, item)| Units {
        at,
        count: item.line.quantity,
        worth: item.charge.left,
    });
    units.filter(|units| units.count > 0).collect()
}

fn product(one: Money, item: &Item<'_>) -> i128 {
    i128::from(one.amount) * i128::from(item.line.quantity)
}

/// An amount as far as it is neither negative nor more than there is.
fn capped(amount: i128, most: i64) -> i64 {
    i64::try_from(amount.max(0)).map_or(most, |amount| amount.min(most))
}

/// A benefit in words for shoppers.
pub(super) fn describe(benefit: &Benefit) -> String {
    let percent = |ppm: &i64| crate::tax::percent(*ppm);
    match benefit {
        Benefit::PercentOff { ppm, .. } => format!("{} off", percent(ppm)),
        Benefit::AmountOff { amount, .. } => format!("{amount} off"),
        Benefit::AmountOffEach { amount, .. } => format!("{amount} off each"),
        Benefit::FixedPrice { price, .. } => format!("{price} each"),
        Benefit::BuyGet {
            buy_quantity,
            get_quantity,
            ppm,
            ..
        } => format!(
            "{} off {get_quantity} for every {buy_quantity} bought",
            percent(ppm)
        ),
        Benefit::CheapestFree { of_every, .. } => {
            format!("the cheapest of every {of_every} is free")
        }
        Benefit::ShippingOff { ppm, .. } => format!("{} off shipping", percent(ppm)),
    }
}
