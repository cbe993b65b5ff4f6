//! What stands in the way of buying a line: machine-readable, for shoppers and for agents.

use contracts::cart::{CartLine, CartProblem};
use kernel::{Rejection, Timestamp};
use pricing_engine::Priced;
use serde_json::json;

use crate::{
    offer::{Found, Offers, Selling},
    pricing::quote_fits,
    state::CartState,
};

/// Everything the offers say against `lines`. Lines nobody looked up are passed over.
pub fn problems<'a>(
    selling: &Selling<'_>,
    lines: impl IntoIterator<Item = &'a CartLine>,
    offers: &Offers,
) -> Vec<CartProblem> {
    let mut found = Vec::new();
    for line in lines {
        let (id, sku) = (line.id.clone(), line.sku.clone());
        let offer = match offers.get(&line.sku) {
            Found::NotAsked => continue,
            Found::Nothing => {
                found.push(CartProblem::UnknownSku { line: id, sku });
                continue;
            }
            Found::Offer(offer) => offer,
        };
        if !offer.published {
            found.push(CartProblem::Unpublished { line: id, sku });
            continue;
        }
        let currency = selling.currency;
        let price = offers.price(offer, line.quantity, selling);
        match price.map(|price| price.price) {
            None => found.push(CartProblem::NoPrice {
                line: id.clone(),
                sku: sku.clone(),
                currency,
            }),
            Some(new) if new != line.unit_price => found.push(CartProblem::PriceChanged {
                line: id.clone(),
                sku: sku.clone(),
                old: line.unit_price,
                new,
            }),
            Some(_) => {}
        }
        if let Some(available) = offer.sellable.filter(|units| *units < line.quantity) {
            found.push(CartProblem::ShortStock {
                line: id,
                sku,
                wanted: line.quantity,
                available,
            });
        }
    }
    found
}

/// What stands in the way of the cart as a whole: codes that take nothing off, and no way of
/// shipping that fits.
pub fn of_the_whole(
    cart: &CartState,
    priced: &Priced,
    offers: &Offers,
    now: Timestamp,
) -> Vec<CartProblem> {
    let useless = priced.coupons.iter().filter(|coupon| !coupon.applied);
    let useless = useless.map(|coupon| CartProblem::CouponNotApplied {
        coupon: coupon.code.clone(),
        detail: coupon.detail.clone(),
    });
    let shipped = cart.lines.iter().any(|line| line.item.requires_shipping);
    let unshipped = match cart.shipping.as_deref() {
        Some(quote) => quote_fits(cart, quote, now).err(),
        None if offers.terms.ships && shipped => Some("choose a way of shipping"),
        None => None,
    };
    let unshipped = unshipped.map(|detail| CartProblem::ShippingNotChosen {
        detail: detail.into(),
    });
    useless.chain(unshipped).collect()
}

/// The refusal of a checkout, if one of `problems` stands in its way: the gravest names it, all of
/// them are its `problems` member.
pub fn refusal(problems: &[CartProblem], refuse_short_stock: bool) -> Option<Rejection> {
    let gravest = problems
        .iter()
        .filter(|problem| refuse_short_stock || !matches!(problem, CartProblem::ShortStock { .. }))
        .min_by_key(|problem| described(problem).0)?;
    let (_, code, detail) = described(gravest);
    let members = json!({ "problems": problems });
    Some(Rejection::conflict(code, detail).extra(members))
}

/// Rank (lowest first), code, and what to do about it.
fn described(problem: &CartProblem) -> (u8, &'static str, String) {
    match problem {
        CartProblem::UnknownSku { sku, .. } => (
            0,
            "unknown-sku",
            format!("{sku} is not in the catalogue any more; remove its line"),
        ),
        CartProblem::Unpublished { sku, .. } => (
            1,
            "unpublished",
            format!("{sku} is not on sale any more; remove its line"),
        ),
        CartProblem::NoPrice { sku, currency, .. } => (
            2,
            "no-price",
            format!("{sku} has no price in {currency}; remove its line"),
        ),
        CartProblem::PriceChanged { sku, old, new, .. } => (
            3,
            "price-changed",
            format!(
                "{sku} costs {new} now instead of {old}; POST …/reprice accepts the new prices"
            ),
        ),
        CartProblem::CouponNotApplied { coupon, detail } => (
            4,
            "coupon-not-applied",
            format!("the code {coupon} takes nothing off, take it out first: {detail}"),
        ),
        CartProblem::ShippingNotChosen { detail } => (5, "shipping-not-chosen", detail.clone()),
        CartProblem::ShortStock {
            sku,
            wanted,
            available,
            ..
        } => (
            6,
            "short-stock",
            format!("{wanted} of {sku} are wanted and {available} are left"),
        ),
    }
}
