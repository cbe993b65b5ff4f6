//! The read side: typed look-ups over the service's own tables.

use std::collections::HashSet;

use contracts::{
    cart::{CartId, CartItem},
    credit::CreditAccountId,
    identity::CustomerId,
    orders::OrderId,
};
use kernel::{App, AppError, Currency, Money, Row, Rows, Statement, Timestamp, sql};

use crate::{
    offer::{Offer, Offers, sellable},
    rules::RulesCache,
};

/// What a look-up is for.
#[derive(Clone, Debug, Default)]
pub struct LookUp<'a> {
    /// SKUs.
    pub skus: Vec<&'a str>,
    /// Coupon codes, as pricing writes them.
    pub coupons: &'a [String],
    /// The buyer, when signed in.
    pub customer: Option<&'a CustomerId>,
    /// The buyer's keyed hash, if it is known who buys.
    pub buyer_key: Option<String>,
}

/// The offers of SKUs and the terms of the sale: in one trip, unless pricing's rules have changed
/// since the last one.
pub async fn look_up(
    app: &App,
    cache: &RulesCache,
    wanted: &LookUp<'_>,
) -> Result<Offers, AppError> {
    let mut seen = HashSet::new();
    let skus = wanted.skus.iter().copied();
    let skus: Vec<&str> = skus.filter(|sku| seen.insert(*sku)).collect();
    let with_lists = cache.held().has_lists;
    let mut statements = vec![RulesCache::revision(), ships()];
    statements.extend(skus.iter().map(|sku| offer_of(sku)));
    statements.extend(wanted.coupons.iter().map(|code| coupon_of(code)));
    statements.extend(wanted.customer.map(groups_of));
    statements.extend(wanted.buyer_key.as_deref().map(orders_of));
    if with_lists {
        statements.extend(skus.iter().map(|sku| listed(sku)));
    }
    let mut answers = app.query_all(statements).await?.into_iter();
    let mut next = || answers.next().unwrap_or_default();

    let mut offers = Offers::default();
    let revision = next();
    offers.terms.ships = !next().is_empty();
    let found: Vec<Option<Offer>> = skus
        .iter()
        .map(|_| next().first().map(read_offer))
        .collect();
    for code in wanted.coupons {
        let coupon = next();
        offers.terms.coupons.insert(code.clone(), json(&coupon));
    }
    if wanted.customer.is_some() {
        offers.terms.groups = json(&next()).unwrap_or_default();
    }
    if wanted.buyer_key.is_some() {
        offers.terms.first_order = Some(next().is_empty());
    }
    let current = cache.current(app, &revision).await?;
    offers.terms.rules = current.rules.clone();
    let lists: Vec<Rows> = match (with_lists, current.has_lists) {
        (true, _) => skus.iter().map(|_| next()).collect(),
        // Lists have come since: asked for in a trip of their own, once.
        (false, true) => {
            app.query_all(skus.iter().map(|sku| listed(sku)).collect())
                .await?
        }
        (false, false) => Vec::new(),
    };
    let mut lists = lists.into_iter();
    for (sku, mut offer) in skus.iter().zip(found) {
        let listed = lists.next().unwrap_or_default();
        if let Some(offer) = &mut offer {
            let prices = listed.iter().map(|row| row.get::<String>(0));
            offer.listed = prices
                .filter_map(|p| serde_json::from_str(&p).ok())
                .collect();
        }
        offers.insert((*sku).to_owned(), offer);
    }
    Ok(offers)
}

fn ships() -> Statement {
    sql!("SELECT option_id FROM shipping_options LIMIT 1")
}

fn offer_of(sku: &str) -> Statement {
    // A SKU on its way from one product to another may have two rows: the one on sale counts.
    sql!(
        "SELECT o.title, o.handle, o.prices, o.published, a.sku, a.available, a.backorder,
           o.compare_at, o.item
         FROM offers o LEFT JOIN availability a ON a.sku = o.sku
         WHERE o.sku = $1 ORDER BY o.published DESC, o.product_id DESC LIMIT 1",
        sku
    )
}

fn listed(sku: &str) -> Statement {
    sql!("SELECT body FROM list_prices WHERE sku = $1", sku)
}

fn coupon_of(code: &str) -> Statement {
    sql!("SELECT body FROM coupons WHERE code = $1", code)
}

fn groups_of(customer: &CustomerId) -> Statement {
    sql!(
        "SELECT groups FROM customer_groups WHERE customer_id = $1",
        customer
    )
}

fn orders_of(buyer: &str) -> Statement {
    sql!("SELECT buyer_key FROM buyers WHERE buyer_key = $1", buyer)
}

/// The JSON in the first column of the first row, if it is there and whole.
fn json<T: serde::de::DeserializeOwned>(rows: &Rows) -> Option<T> {
    let text = rows.first()?.get::<String>(0);
    serde_json::from_str(&text).ok()
}

fn read_offer(row: &Row) -> Offer {
    let stock_known = row.get::<Option<String>>(4).is_some();
    let prices = |text: String| serde_json::from_str(&text).unwrap_or_default();
    Offer {
        title: row.get(0),
        handle: row.get(1),
        prices: prices(row.get(2)),
        compare_at: prices(row.get(7)),
        listed: Vec::new(),
        item: serde_json::from_str::<CartItem>(&row.get::<String>(8)).unwrap_or_default(),
        published: row.get(3),
        sellable: stock_known
            .then(|| sellable(row.get(5), row.get(6)))
            .flatten(),
    }
}

/// What may be spent of each account at `now`, as far as it is known here; `None`: nothing is known
/// of it, or it ended.
pub async fn balances(
    app: &App,
    accounts: &[CreditAccountId],
    now: Timestamp,
) -> Result<Vec<Option<Money>>, AppError> {
    let statements = accounts.iter().map(|account| {
        sql!(
            "SELECT balance, currency FROM credit_accounts
             WHERE account_id = $1 AND blocked = 0 AND (expires_at IS NULL OR expires_at > $2)",
            account,
            now
        )
    });
    let answers = app.query_all(statements.collect()).await?;
    let balance = |rows: &Rows| {
        let row = rows.first()?;
        let currency: Currency = row.get::<String>(1).parse().ok()?;
        Some(Money::new(row.get(0), currency))
    };
    Ok(answers.iter().map(balance).collect())
}

/// The cart an order came from.
pub async fn cart_of(app: &App, order: &OrderId) -> Result<Option<CartId>, AppError> {
    let statement = sql!("SELECT cart_id FROM checkouts WHERE order_id = $1", order);
    let rows = app.query(statement).await?;
    Ok(rows
        .first()
        .and_then(|row| row.get::<String>(0).parse().ok()))
}
