//! What lines come to: the seam that promotions, shipping and tax rules will fill. Pure.
//!
//! Adjustments and taxes are kept apart from the lines' own sums from the start, so that whoever
//! computes them later changes this file and nothing that reads its result.

use contracts::orders::{Adjustment, TaxLine, Totals};
use kernel::{Currency, Money, MoneyError};

/// A line to be priced: `quantity` units at `unit_price` each.
#[derive(Clone, Copy, Debug)]
pub struct PriceLine {
    /// How many.
    pub quantity: i64,
    /// Price of one.
    pub unit_price: Money,
}

/// A priced line.
#[derive(Clone, Debug, PartialEq)]
pub struct PricedLine {
    /// Unit price × quantity.
    pub subtotal: Money,
    /// Discounts and surcharges on this line.
    pub adjustments: Vec<Adjustment>,
    /// Taxes on this line.
    pub taxes: Vec<TaxLine>,
    /// What it comes to.
    pub total: Money,
}

/// All lines, in the order given, and their sums.
#[derive(Clone, Debug, PartialEq)]
pub struct Priced {
    /// One per line.
    pub lines: Vec<PricedLine>,
    /// The sums.
    pub totals: Totals,
}

/// Prices `lines` in `currency`. Refuses to mix currencies or to overflow; never rounds.
pub fn price(
    currency: Currency,
    lines: impl IntoIterator<Item = PriceLine>,
) -> Result<Priced, MoneyError> {
    let zero = Money::zero(currency);
    let mut subtotal = zero;
    let mut priced = Vec::new();
    for line in lines {
        let sum = line.unit_price.times(line.quantity)?;
        subtotal = subtotal.plus(sum)?;
        priced.push(PricedLine {
            subtotal: sum,
            adjustments: Vec::new(),
            taxes: Vec::new(),
            total: sum,
        });
    }
    let totals = Totals {
        subtotal,
        adjustments: zero,
        shipping: zero,
        tax: zero,
        total: subtotal,
    };
    Ok(Priced {
        lines: priced,
        totals,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(quantity: i64, amount: i64) -> PriceLine {
        let unit_price = Money::new(amount, Currency::GBP);
        PriceLine {
            quantity,
            unit_price,
        }
    }

    /// So large that a few lines overflow, and a sum of eight products still fits 128 bits.
    const HUGE: i64 = 1 << 61;

    proptest! {
        #[test]
        fn the_total_is_the_sum_of_the_lines_and_of_its_own_parts(
            lines in proptest::collection::vec((1i64..100_000, 0i64..10_000_000), 0..60),
        ) {
            let expected: i64 = lines.iter().map(|(quantity, amount)| quantity * amount).sum();
            let priced = price(Currency::GBP, lines.iter().map(|(q, a)| line(*q, *a)));
            let Priced { lines: parts, totals } = priced.expect("no overflow at these sizes");
            prop_assert_eq!(parts.iter().map(|l| l.total.amount).sum::<i64>(), expected);
            prop_assert_eq!(totals.subtotal.amount, expected);
            let sum = totals.subtotal.amount + totals.adjustments.amount + totals.shipping.amount;
            prop_assert_eq!(totals.total.amount, sum);
            prop_assert_eq!(parts.len(), lines.len());
        }

        #[test]
        fn whatever_the_numbers_it_is_exact_or_refused(
            lines in proptest::collection::vec((-HUGE..HUGE, -HUGE..HUGE), 0..8),
        ) {
            let exact: i128 = lines.iter().map(|(q, a)| i128::from(*q) * i128::from(*a)).sum();
            match price(Currency::GBP, lines.iter().map(|(q, a)| line(*q, *a))) {
                Ok(priced) => prop_assert_eq!(i128::from(priced.totals.total.amount), exact),
                Err(error) => prop_assert_eq!(error, MoneyError::Overflow),
            }
        }
    }

    #[test]
    fn nothing_costs_nothing_and_currencies_do_not_mix() {
        let empty = price(Currency::EUR, []).expect("priced");
        assert_eq!(empty.totals.total, Money::zero(Currency::EUR));
        assert_eq!(
            price(Currency::EUR, [line(1, 1)]),
            Err(MoneyError::CurrencyMismatch)
        );
    }
}
