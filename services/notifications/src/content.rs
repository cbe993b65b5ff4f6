//! What templates are told, as JSON: made once, when the message is queued, and kept sealed with it.
//! Addresses of the shop's own pages are added when it is written, since they may hold a right.

use contracts::{
    address::{Address, Contact},
    cart::CartLine,
    notifications::{OrderNoted, OrderNotice},
    orders::{CancelReason, OrderLine, TaxLine},
    shipping::{FulfilmentLine, Tracking},
};
use kernel::{Money, Timestamp, serde_json::Value};
use serde_json::json;

use crate::links;

/// Of an order and its news.
pub fn order(order: &OrderNoted, contact: &Contact, notice: &OrderNotice) -> Value {
    let mut data = json!({
        "name": contact.shipping_address.name,
        "order": {
            "id": order.order_id,
            "number": order.number,
            "cart_id": order.cart_id,
            "access_token_hash": order.access_token_hash,
            "placed_at": order.placed_at,
            "total": order.totals.total,
        },
    });
    let more = match notice {
        OrderNotice::Confirmed => confirmed(order, contact),
        OrderNotice::Cancelled { reason } => json!({
            "reason": reason_name(*reason), "lines": lines(&order.lines),
        }),
        OrderNotice::ActionRequired => json!({}),
        OrderNotice::Captured { amount, captured } => {
            json!({ "amount": amount, "captured": captured })
        }
        OrderNotice::Refunded { amount, refunded } => {
            json!({ "amount": amount, "refunded": refunded })
        }
        OrderNotice::Shipped {
            lines, tracking, ..
        } => json!({
            "items": items(lines), "tracking": tracking.as_ref().map(shown_tracking),
            "address": address(&contact.shipping_address),
        }),
        OrderNotice::ReadyToCollect { lines, .. } => json!({ "items": items(lines) }),
        OrderNotice::Delivered { .. } | OrderNotice::Lost { .. } | OrderNotice::Returned { .. } => {
            json!({ "address": address(&contact.shipping_address) })
        }
    };
    if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
        data.extend(more);
    }
    data
}

fn confirmed(order: &OrderNoted, contact: &Contact) -> Value {
    let shipping = order.shipping.as_ref().map(|shipping| {
        json!({
            "label": shipping.label, "total": shipping.total,
            "min_days": shipping.min_days, "max_days": shipping.max_days,
            "collect": shipping.collect_from.is_some(),
        })
    });
    json!({
        "lines": lines(&order.lines),
        "totals": order.totals,
        "taxes": taxes(order),
        "shipping": shipping,
        "address": address(&contact.shipping_address),
    })
}

fn lines(lines: &[OrderLine]) -> Value {
    lines
        .iter()
        .map(|line| {
            json!({
                "title": line.title, "sku": line.sku, "quantity": line.quantity,
                "unit_price": line.unit_price, "subtotal": line.subtotal,
                "adjustments": line.adjustments, "total": line.total,
            })
        })
        .collect()
}

/// All tax of the order, summed by label, in the order in which they first appear.
fn taxes(order: &OrderNoted) -> Value {
    let of_lines = order.lines.iter().flat_map(|line| &line.taxes);
    let of_shipping = order.shipping.iter().flat_map(|shipping| &shipping.taxes);
    let mut sums: Vec<(&str, bool, Money)> = Vec::new();
    for TaxLine {
        label,
        amount,
        included,
        ..
    } in of_lines.chain(of_shipping)
    {
        let same = |sum: &&mut (&str, bool, Money)| sum.0 == label && sum.1 == *included;
        match sums.iter_mut().find(same) {
            Some(sum) => sum.2 = sum.2.plus(*amount).unwrap_or(sum.2),
            None => sums.push((label, *included, *amount)),
        }
    }
    sums.into_iter()
        .map(|(label, included, amount)| {
            json!({ "label": label, "included": included, "amount": amount })
        })
        .collect()
}

fn items(lines: &[FulfilmentLine]) -> Value {
    lines
        .iter()
        .map(|line| json!({ "title": line.title, "sku": line.sku, "quantity": line.quantity }))
        .collect()
}

fn shown_tracking(tracking: &Tracking) -> Value {
    json!({
        "carrier": tracking.carrier, "number": tracking.number,
        "url": tracking.url.as_deref().and_then(links::outside),
    })
}

/// An address as lines on an envelope.
fn address(address: &Address) -> Value {
    let town = format!("{} {}", address.postcode, address.city);
    [
        address.name.as_str(),
        &address.company,
        &address.line1,
        &address.line2,
        town.trim(),
        &address.province,
        &address.country,
    ]
    .into_iter()
    .filter(|line| !line.is_empty())
    .collect()
}

/// As templates know it.
fn reason_name(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::SoldOut => "sold_out",
        CancelReason::PaymentDeclined => "payment_declined",
        CancelReason::Deadline => "deadline",
        CancelReason::PromotionUsedUp => "promotion_used_up",
        CancelReason::CreditRefused => "credit_refused",
        CancelReason::Customer => "customer",
        CancelReason::Staff => "staff",
    }
}

/// Of a cart that was left alone.
pub fn cart(lines: &[CartLine]) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| {
            json!({
                "title": line.title, "handle": line.handle, "quantity": line.quantity,
                "unit_price": line.unit_price,
            })
        })
        .collect();
    json!({ "lines": lines })
}

/// Of something that is back in stock.
pub fn restock(sku: &str, title: &str, handle: &str) -> Value {
    json!({ "product": { "sku": sku, "title": title, "handle": handle } })
}

/// Of an address to be verified.
pub fn verification(token: &str, expires_at: Option<Timestamp>) -> Value {
    json!({ "token": token, "expires_at": expires_at })
}

/// Of somebody who joined.
pub fn staff(name: &str) -> Value {
    json!({ "name": name })
}
