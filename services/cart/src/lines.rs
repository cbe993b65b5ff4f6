//! Decisions about lines: adding, changing, and accepting new prices.

use std::collections::HashMap;

use contracts::cart::{
    CartEvent, CartLine, CartLineChanged, CartLinesAdded, CartRepriced, LineId, NewLine,
};
use kernel::{Money, Rejection, Timestamp};

use crate::{
    cart::{MAX_LINES, MAX_QUANTITY},
    offer::{Found, Offer, Offers, Selling},
    pricing::check_sum,
    state::CartState,
};

fn quantity_problem(quantity: i64, field: impl FnOnce() -> String) -> Result<(), Rejection> {
    match (1..=MAX_QUANTITY).contains(&quantity) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            field(),
            format!("must be from 1 to {MAX_QUANTITY}"),
        )),
    }
}

/// Adds `wanted`, all or none; the same SKU ends up in one line.
pub(crate) fn add_lines(
    state: &CartState,
    wanted: &[NewLine],
    single: bool,
    offers: &Offers,
    at: Timestamp,
) -> Result<Vec<CartEvent>, Rejection> {
    let field = |index: usize, name: &str| match single {
        true => name.to_owned(),
        false => format!("lines[{index}].{name}"),
    };
    if wanted.is_empty() || wanted.len() > MAX_LINES {
        let detail = format!("must hold from 1 to {MAX_LINES} lines");
        return Err(Rejection::invalid("lines", detail));
    }
    let known: HashMap<&str, &CartLine> = state
        .lines
        .iter()
        .map(|line| (line.sku.as_str(), line))
        .collect();
    let mut touched: Vec<CartLine> = Vec::with_capacity(wanted.len());
    let mut places: HashMap<&str, usize> = HashMap::with_capacity(wanted.len());
    let mut last_line = state.last_line;
    let selling = state.selling(at);
    for (index, item) in wanted.iter().enumerate() {
        quantity_problem(item.quantity, || field(index, "quantity"))?;
        let place = match places.get(item.sku.as_str()) {
            Some(place) => *place,
            None => {
                let (offer, price) = on_offer(&selling, item, offers)
                    .map_err(|refused| refused.field(field(index, "sku")))?;
                let line = match known.get(item.sku.as_str()) {
                    // The agreed price stays; a new one shows as a problem until it is accepted.
                    Some(line) => (*line).clone(),
                    None => {
                        last_line += 1;
                        CartLine {
                            id: line_id(last_line)?,
                            sku: item.sku.clone(),
                            title: offer.title.clone(),
                            handle: offer.handle.clone(),
                            quantity: 0,
                            unit_price: price,
                            item: offer.item.clone(),
                        }
                    }
                };
                touched.push(line);
                places.insert(&item.sku, touched.len() - 1);
                touched.len() - 1
            }
        };
        let line = &mut touched[place];
        line.quantity += item.quantity;
        quantity_problem(line.quantity, || field(index, "quantity"))?;
    }
    let fresh = touched
        .iter()
        .filter(|line| !known.contains_key(line.sku.as_str()));
    if state.lines.len() + fresh.count() > MAX_LINES {
        let detail = format!("a cart holds at most {MAX_LINES} lines");
        return Err(Rejection::unprocessable("too-many-lines", detail).field("lines"));
    }
    for line in &mut touched {
        let before = known.get(line.sku.as_str()).map_or(0, |line| line.quantity);
        line.unit_price = agreed(line, before, &selling, offers);
    }
    let untouched = state
        .lines
        .iter()
        .filter(|line| !places.contains_key(line.sku.as_str()));
    check_sum(untouched.chain(&touched))?;
    Ok(vec![CartEvent::LinesAdded(CartLinesAdded {
        lines: touched,
        at,
    })])
}

/// The price of one after the quantity has changed from `before`: by the tiers of the price lists,
/// unless the price is another by itself since it was agreed. Then the agreed one stays, and the new
/// one shows as a problem until it is accepted.
fn agreed(line: &CartLine, before: i64, selling: &Selling<'_>, offers: &Offers) -> Money {
    let Found::Offer(offer) = offers.get(&line.sku) else {
        return line.unit_price;
    };
    let price = |quantity| offers.price(offer, quantity, selling).map(|p| p.price);
    let unchanged = before == 0 || price(before) == Some(line.unit_price);
    let now = price(line.quantity).filter(|_| unchanged);
    now.unwrap_or(line.unit_price)
}

fn line_id(number: u32) -> Result<LineId, Rejection> {
    let id = format!("lin_{number}").parse();
    id.map_err(|_| Rejection::conflict("too-many-lines", "the cart has no line numbers left"))
}

/// The offer of a SKU that may be put into a cart of this currency, and its price.
fn on_offer<'a>(
    selling: &Selling<'_>,
    item: &NewLine,
    offers: &'a Offers,
) -> Result<(&'a Offer, Money), Rejection> {
    let sku = &item.sku;
    let offer = match offers.get(sku) {
        Found::Offer(offer) => offer,
        Found::Nothing | Found::NotAsked => {
            let detail = format!("there is no {sku} in the catalogue");
            return Err(Rejection::unprocessable("unknown-sku", detail));
        }
    };
    if !offer.published {
        let detail = format!("{sku} is not on sale");
        return Err(Rejection::unprocessable("unpublished", detail));
    }
    let price = offers.price(offer, item.quantity, selling);
    let price = price.map(|price| price.price).ok_or_else(|| {
        let currency = selling.currency;
        let detail = format!("{sku} has no price in {currency}, the cart's currency");
        Rejection::unprocessable("no-price", detail)
            .extra(serde_json::json!({ "sku": sku, "currency": currency }))
    })?;
    Ok((offer, price))
}

/// Sets the quantity of one line.
pub(crate) fn change_line(
    state: &CartState,
    id: &LineId,
    quantity: i64,
    offers: &Offers,
    at: Timestamp,
) -> Result<Vec<CartEvent>, Rejection> {
    quantity_problem(quantity, || "quantity".into())?;
    let line = state.line(id)?;
    if line.quantity == quantity {
        return Ok(vec![]);
    }
    let mut changed = CartLine {
        quantity,
        ..line.clone()
    };
    changed.unit_price = agreed(&changed, line.quantity, &state.selling(at), offers);
    let others = state.lines.iter().filter(|other| other.id != *id);
    check_sum(others.chain([&changed]))?;
    let price = (changed.unit_price != line.unit_price).then_some(changed.unit_price);
    let line = changed.id;
    let mut events = vec![CartEvent::LineChanged(CartLineChanged {
        line: line.clone(),
        quantity,
        at,
    })];
    events.extend(price.map(|price| {
        let prices = vec![(line, price)];
        CartEvent::Repriced(CartRepriced { prices, at })
    }));
    Ok(events)
}

/// Takes over the present price of every line that has one.
pub(crate) fn reprice(
    state: &CartState,
    offers: &Offers,
    at: Timestamp,
) -> Result<Vec<CartEvent>, Rejection> {
    let mut lines = Vec::clone(&state.lines);
    let mut prices = Vec::new();
    let selling = state.selling(at);
    for line in &mut lines {
        if let Found::Offer(offer) = offers.get(&line.sku)
            && let Some(now) = offers.price(offer, line.quantity, &selling)
            && now.price != line.unit_price
        {
            line.unit_price = now.price;
            prices.push((line.id.clone(), now.price));
        }
    }
    if prices.is_empty() {
        return Ok(vec![]);
    }
    check_sum(lines.iter())?;
    Ok(vec![CartEvent::Repriced(CartRepriced { prices, at })])
}
