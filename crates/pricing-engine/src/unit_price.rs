//! The price of one: from the price lists in force, else from the catalogue.

use std::cmp::Reverse;

use contracts::pricing::{ListedPrice, PriceList, PriceListId};
use kernel::{Currency, Money, Timestamp};

use crate::rules::{Rules, in_force};

/// Whose price of what is asked for.
#[derive(Clone, Copy, Debug)]
pub struct PriceQuery<'a> {
    /// All prices of the SKU in lists; those of lists that do not hold here are passed over.
    pub listed: &'a [ListedPrice],
    /// The catalogue's price in the currency, if it has one.
    pub catalogue: Option<Money>,
    /// The price the catalogue compares its own with.
    pub compare_at: Option<Money>,
    /// How many are bought.
    pub quantity: i64,
    /// Of the price.
    pub currency: Currency,
    /// Code of the channel.
    pub channel: &'a str,
    /// Codes of the buyer's customer groups.
    pub groups: &'a [String],
    /// When.
    pub now: Timestamp,
}

/// What one costs.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitPrice {
    /// Price of one.
    pub price: Money,
    /// What it is compared with ("was"), if that is more. Of where the price is from: a list's price
    /// is never compared with the catalogue's.
    pub compare_at: Option<Money>,
    /// The list it is from; `None`: the catalogue.
    pub list: Option<PriceListId>,
}

/// The price of one. Of the lists that hold (active, in time, of this currency, channel and one of
/// the groups) and have a tier for the quantity, the one with the highest priority counts, then the
/// lowest price, then the older list. A list whose first tier is not reached has no price. `None`:
/// there is no price in the currency at all.
pub fn unit_price(rules: &Rules, query: &PriceQuery<'_>) -> Option<UnitPrice> {
    let best = query
        .listed
        .iter()
        .filter_map(|listed| {
            let list = rules.price_list(&listed.list_id)?;
            let price = tier(listed, query).filter(|_| holds(list, query))?;
            Some((list, listed, price))
        })
        .min_by_key(|(list, _, price)| (Reverse(list.priority), price.amount, &list.id));
    let (price, compare_at, list) = match best {
        Some((list, listed, price)) => (price, listed.compare_at, Some(list.id.clone())),
        None => (usable(query.catalogue?, query)?, query.compare_at, None),
    };
    let more = |was: &Money| was.currency == price.currency && was.amount > price.amount;
    Some(UnitPrice {
        price,
        compare_at: compare_at.filter(more),
        list,
    })
}

fn holds(list: &PriceList, query: &PriceQuery<'_>) -> bool {
    let groups = &list.groups;
    list.active
        && list.currency == query.currency
        && in_force(list.starts_at, list.ends_at, query.now)
        && (list.channels.is_empty() || list.channels.iter().any(|c| c == query.channel))
        && (groups.is_empty() || query.groups.iter().any(|g| groups.contains(g)))
}

/// The price of the highest tier that the quantity reaches.
fn tier(listed: &ListedPrice, query: &PriceQuery<'_>) -> Option<Money> {
    let reached = listed
        .tiers
        .iter()
        .filter(|tier| tier.from_quantity <= query.quantity);
    usable(reached.max_by_key(|t| t.from_quantity)?.price, query)
}

fn usable(price: Money, query: &PriceQuery<'_>) -> Option<Money> {
    (price.currency == query.currency && price.amount >= 0).then_some(price)
}
