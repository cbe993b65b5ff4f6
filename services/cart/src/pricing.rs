//! What a cart comes to: its lines, coupons and way of shipping, given to the pricing engine with
//! the cart's own copy of the rules. Pure.

use contracts::{
    cart::{CartItem, CartLine},
    shipping::{OrderShipping, ShippingQuote, items_text},
};
use kernel::{Money, MoneyError, Rejection, Timestamp};
use pricing_engine::{Basket, BasketLine, Destination, GivenCoupon, Priced, ShippingCharge, price};

use crate::{
    offer::{Found, Offers},
    state::CartState,
};

/// What is known of the buyer beside the cart.
#[derive(Clone, Copy, Debug, Default)]
pub struct Buyer<'a> {
    /// Where the goods go; the cart's own, coarser destination counts without it.
    pub destination: Option<Destination<'a>>,
    /// VAT number of a business.
    pub vat_number: Option<&'a str>,
}

/// Prices the cart at `now`. A way of shipping counts only while it fits (see [`quote_fits`]).
pub fn price_cart(
    cart: &CartState,
    offers: &Offers,
    buyer: &Buyer<'_>,
    now: Timestamp,
) -> Result<Priced, Rejection> {
    let terms = &offers.terms;
    let lines: Vec<BasketLine<'_>> = cart.lines.iter().map(|l| line(l, offers)).collect();
    let coupons = cart.coupons.iter().map(|code| GivenCoupon {
        code: code.clone(),
        coupon: terms.coupons.get(code).cloned().flatten(),
    });
    let coupons: Vec<GivenCoupon> = coupons.collect();
    let quote = cart.shipping.as_deref();
    let quote = quote.filter(|quote| quote_fits(cart, quote, now).is_ok());
    let own = cart.destination.as_ref().map(|place| Destination {
        country: &place.country,
        province: &place.province,
        postcode: "",
    });
    let basket = Basket {
        currency: cart.currency(),
        channel: &cart.channel,
        groups: &terms.groups,
        destination: buyer.destination.or(own),
        vat_number: buyer.vat_number,
        first_order: terms.first_order,
        coupons: &coupons,
        lines: &lines,
        shipping: quote.map(|quote| ShippingCharge {
            amount: quote.amount,
            tax_class: Some(&quote.tax_class),
        }),
        now,
    };
    price(&terms.rules, &basket).map_err(too_large)
}

/// The catalogue's word of now counts; where nobody looked, that of when the line was added.
fn line<'a>(line: &'a CartLine, offers: &'a Offers) -> BasketLine<'a> {
    let item = match offers.get(&line.sku) {
        Found::Offer(offer) => &offer.item,
        Found::Nothing | Found::NotAsked => &line.item,
    };
    basket_line(line, item)
}

fn basket_line<'a>(line: &'a CartLine, item: &'a CartItem) -> BasketLine<'a> {
    BasketLine {
        id: line.id.clone(),
        sku: &line.sku,
        product_id: &item.product_id,
        categories: &item.categories,
        tax_class: item.tax_class.as_deref(),
        quantity: line.quantity,
        unit_price: line.unit_price,
    }
}

/// What the engine refuses, for people: numbers that no order may have.
pub fn too_large(_: MoneyError) -> Rejection {
    let detail = "the cart's total is larger than any order may be";
    Rejection::unprocessable("total-too-large", detail)
}

/// What the lines come to by themselves; refuses what is too large to be an order.
pub fn check_sum<'a>(lines: impl Iterator<Item = &'a CartLine>) -> Result<(), Rejection> {
    let mut sum: Option<Money> = None;
    for line in lines {
        let part = line.unit_price.times(line.quantity).map_err(too_large)?;
        let sum = sum.get_or_insert(Money::zero(part.currency));
        *sum = sum.plus(part).map_err(too_large)?;
    }
    Ok(())
}

/// Whether a quote is for this very cart as it is, and still holds. The reason is for the shopper.
pub fn quote_fits(
    cart: &CartState,
    quote: &ShippingQuote,
    now: Timestamp,
) -> Result<(), &'static str> {
    let lines = cart.lines.iter().map(|l| (l.sku.as_str(), l.quantity));
    if cart.id.as_ref() != Some(&quote.cart_id) {
        Err("the shipping quote is for another cart")
    } else if now >= quote.expires_at {
        Err("the shipping quote has expired; get a new one")
    } else if quote.amount.currency != cart.currency() {
        Err("the shipping quote is in another currency than the cart")
    } else if web::hash_token(&items_text(lines)) != quote.items_hash {
        Err("the cart has changed since shipping was quoted; get a new quote")
    } else {
        Ok(())
    }
}

/// The shipping of a cart with its price, if it has one.
pub fn shipping(cart: &CartState, priced: &Priced) -> Option<OrderShipping> {
    let (quote, price) = (cart.shipping.as_deref()?, priced.shipping.as_ref()?);
    Some(OrderShipping {
        quote_id: quote.id.clone(),
        option_id: quote.option_id.clone(),
        label: quote.label.clone(),
        amount: price.amount,
        adjustments: price.adjustments.clone(),
        taxes: price.taxes.clone(),
        total: price.total,
        collect_from: quote.collect_from.clone(),
        min_days: quote.min_days,
        max_days: quote.max_days,
    })
}
