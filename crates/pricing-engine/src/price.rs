//! The calculation: subtotals, then promotions, then tax, then sums.

use contracts::orders::{Adjustment, TaxLine, Totals};
use kernel::{Currency, Money, MoneyError};

use crate::{
    basket::{Basket, BasketLine},
    priced::{Priced, PricedLine, PricedShipping},
    promote,
    rules::Rules,
    tax,
};

/// What a basket comes to by these rules.
///
/// # Errors
/// [`MoneyError::CurrencyMismatch`] if a price is not in the basket's currency,
/// [`MoneyError::BadAmount`] if a price or quantity is negative, [`MoneyError::Overflow`] if a sum
/// does not fit in 64 bits. Amounts of rules never are an error: a promotion in another currency
/// does not apply.
pub fn price(rules: &Rules, basket: &Basket<'_>) -> Result<Priced, MoneyError> {
    let mut bill = Bill::new(basket)?;
    let outcome = promote::promote(rules, basket, &mut bill);
    let tax = tax::tax(rules, basket, &mut bill)?;
    let totals = bill.totals()?;
    let (lines, shipping) = bill.into_priced()?;
    Ok(Priced {
        lines,
        shipping,
        totals,
        promotions: outcome.applied,
        uses: outcome.uses,
        coupons: outcome.coupons,
        tax,
    })
}

/// What is charged for a line or for shipping, while it is being worked out.
#[derive(Clone, Debug)]
pub(crate) struct Charge {
    /// Before adjustments.
    pub(crate) full: Money,
    pub(crate) adjustments: Vec<Adjustment>,
    pub(crate) taxes: Vec<TaxLine>,
    /// What the adjustments left of it, in minor units.
    pub(crate) left: i64,
}

impl Charge {
    fn new(full: Money) -> Self {
        Self {
            full,
            adjustments: Vec::new(),
            taxes: Vec::new(),
            left: full.amount,
        }
    }

    /// Takes off so many minor units: at most what is left, so that nothing falls below zero.
    pub(crate) fn take_off(&mut self, code: &str, label: &str, amount: i64) {
        let amount = amount.min(self.left);
        if amount > 0 {
            self.left -= amount;
            self.adjustments.push(Adjustment {
                code: code.to_owned(),
                label: label.to_owned(),
                amount: Money::new(-amount, self.full.currency),
            });
        }
    }

    /// What it comes to: with the taxes that the price does not include.
    fn total(&self) -> Result<Money, MoneyError> {
        let left = Money::new(self.left, self.full.currency);
        let added = self.taxes.iter().filter(|tax| !tax.included);
        added.map(|tax| tax.amount).try_fold(left, Money::plus)
    }
}

/// A line of the basket with what is charged for it.
pub(crate) struct Item<'a> {
    pub(crate) line: &'a BasketLine<'a>,
    pub(crate) charge: Charge,
    /// Its place in the basket.
    at: usize,
}

/// All that is charged for.
pub(crate) struct Bill<'a> {
    pub(crate) currency: Currency,
    /// In the order that counts, whatever order they were added in.
    pub(crate) items: Vec<Item<'a>>,
    pub(crate) shipping: Option<Charge>,
}

impl<'a> Bill<'a> {
    fn new(basket: &'a Basket<'a>) -> Result<Self, MoneyError> {
        let item = |(at, line): (usize, &'a BasketLine<'a>)| {
            let one = checked(line.unit_price, basket.currency)?;
            if line.quantity < 0 {
                return Err(MoneyError::BadAmount);
            }
            let charge = Charge::new(one.times(line.quantity)?);
            Ok(Item { line, charge, at })
        };
        let lines = basket.lines.iter().enumerate();
        let mut items = lines.map(item).collect::<Result<Vec<_>, _>>()?;
        items.sort_by(|a, b| place(a.line).cmp(&place(b.line)));
        let shipping = basket.shipping.as_ref();
        let shipping = shipping.map(|s| checked(s.amount, basket.currency).map(Charge::new));
        let bill = Self {
            currency: basket.currency,
            items,
            shipping: shipping.transpose()?,
        };
        // From here on the sum of any charges fits.
        bill.sum(|charge| charge.full.amount)?;
        Ok(bill)
    }

    /// Of the lines, then of shipping.
    pub(crate) fn charges(&self) -> impl Iterator<Item = &Charge> {
        let lines = self.items.iter().map(|item| &item.charge);
        lines.chain(&self.shipping)
    }

    /// In the same order.
    pub(crate) fn charges_mut(&mut self) -> impl Iterator<Item = &mut Charge> {
        let lines = self.items.iter_mut().map(|item| &mut item.charge);
        lines.chain(&mut self.shipping)
    }

    fn sum(&self, of: impl Fn(&Charge) -> i64) -> Result<Money, MoneyError> {
        let sum = self.charges().map(of).try_fold(0i64, i64::checked_add);
        sum.map(|sum| Money::new(sum, self.currency))
            .ok_or(MoneyError::Overflow)
    }

    fn totals(&self) -> Result<Totals, MoneyError> {
        let zero = Money::zero(self.currency);
        let shipping = self.shipping.as_ref().map_or(zero, |s| s.full);
        let taxes = self.charges().flat_map(|charge| &charge.taxes);
        let totals = self.charges().map(Charge::total);
        Ok(Totals {
            subtotal: self.sum(|charge| charge.full.amount)?.minus(shipping)?,
            adjustments: self.sum(|charge| charge.left - charge.full.amount)?,
            shipping,
            tax: taxes.map(|tax| tax.amount).try_fold(zero, Money::plus)?,
            total: totals
                .into_iter()
                .try_fold(zero, |sum, total| sum.plus(total?))?,
        })
    }

    fn into_priced(mut self) -> Result<(Vec<PricedLine>, Option<PricedShipping>), MoneyError> {
        self.items.sort_by_key(|item| item.at);
        let line = |item: Item<'_>| {
            Ok(PricedLine {
                id: item.line.id.clone(),
                subtotal: item.charge.full,
                total: item.charge.total()?,
                adjustments: item.charge.adjustments,
                taxes: item.charge.taxes,
            })
        };
        let shipping = |charge: Charge| {
            Ok(PricedShipping {
                amount: charge.full,
                total: charge.total()?,
                adjustments: charge.adjustments,
                taxes: charge.taxes,
            })
        };
        let lines = self.items.into_iter().map(line).collect::<Result<_, _>>()?;
        Ok((lines, self.shipping.map(shipping).transpose()?))
    }
}

/// What decides the order of lines: nothing that depends on when they were added, but for the id,
/// which tells lines apart that are equal in everything that has a price.
fn place<'a>(line: &'a BasketLine<'_>) -> impl Ord + use<'a> {
    let price = (line.unit_price.amount, line.quantity);
    let kind = (line.tax_class, line.product_id, line.categories);
    (line.sku, price, kind, line.id.as_str())
}

fn checked(money: Money, currency: Currency) -> Result<Money, MoneyError> {
    match money {
        money if money.currency != currency => Err(MoneyError::CurrencyMismatch),
        money if money.amount < 0 => Err(MoneyError::BadAmount),
        money => Ok(money),
    }
}
