//! How many of a product can be had: a hint for the product's page. Stock is decided when an order
//! is placed, so a page without the hint is better than a page that waits for it.

use std::time::Duration;

use contracts::inventory::StockView;
use futures_util::future::join_all;

use crate::{links, visit::Visit};

/// How long a page waits for its hints.
const PATIENCE: Duration = Duration::from_millis(500);
/// Variants asked about; a product with more is shown without hints for the rest.
const MOST: usize = 40;
/// Up to here the number left is told.
const FEW: i64 = 5;

/// What is known about a variant's stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Nothing.
    Unknown,
    /// None can be bought now.
    SoldOut,
    /// A few can.
    Few(i64),
    /// Enough can.
    InStock,
}

impl Availability {
    fn of(available: i64) -> Self {
        match available {
            ..=0 => Self::SoldOut,
            1..=FEW => Self::Few(available),
            _ => Self::InStock,
        }
    }

    /// In words, or nothing.
    pub fn words(self) -> String {
        match self {
            Self::Unknown => String::new(),
            Self::SoldOut => "sold out".into(),
            Self::Few(left) => format!("only {left} left"),
            Self::InStock => "in stock".into(),
        }
    }
}

/// The availability of each SKU, in their order.
pub async fn of(visit: &Visit, skus: &[&str]) -> Vec<Availability> {
    let ask = async |sku: &&str| {
        let address = format!("/api/inventory/levels/{}", links::encode(sku));
        let asked = visit.get("inventory", address).within(PATIENCE);
        let stock = asked.read::<StockView>().await;
        stock.map_or(Availability::Unknown, |stock| {
            Availability::of(stock.available)
        })
    };
    let mut known = join_all(skus.iter().take(MOST).map(ask)).await;
    known.resize(skus.len(), Availability::Unknown);
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_when_they_are_few() {
        let words = |available| Availability::of(available).words();
        assert_eq!(words(-3), "sold out");
        assert_eq!(words(0), "sold out");
        assert_eq!(words(5), "only 5 left");
        assert_eq!(words(100), "in stock");
    }
}
