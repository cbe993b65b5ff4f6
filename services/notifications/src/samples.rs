//! Sample data for every kind of message: what templates are tried and shown with. Made by the
//! same functions as the real data, so that it always has the same shape.

use contracts::{
    address::{Address, Contact},
    cart::CartLine,
    notifications::{MessageKind, OrderNoted, OrderNotice},
    orders::{Adjustment, CancelReason, OrderLine, TaxLine, Totals},
    shipping::{FulfilmentLine, OrderShipping, Tracking},
};
use kernel::{Currency, Money, PersonId, Personal, Timestamp, serde_json::Value};
use serde_json::json;

use crate::content;

const PLACED: Timestamp = Timestamp(1_904_047_500_000_000);

/// What the template of a kind is filled with.
pub fn values(kind: MessageKind) -> Value {
    let mut values = data(kind);
    let shop = "https://shop.example";
    let main = match kind {
        MessageKind::AbandonedCart => format!("{shop}/cart"),
        MessageKind::BackInStock => format!("{shop}/p/tea-pot"),
        MessageKind::Welcome | MessageKind::StaffInvited => format!("{shop}/"),
        MessageKind::EmailVerification => format!("{shop}/account/verify?token=sample"),
        _ => format!("{shop}/orders/ord_sample"),
    };
    let unsubscribe = (kind.class() != contracts::notifications::MessageClass::Transactional)
        .then(|| format!("{shop}/api/notifications/unsubscribe?message=sample&signature=sample"));
    values["shop"] = json!({ "name": "Souk", "url": shop });
    values["links"] = json!({ "main": main, "unsubscribe": unsubscribe });
    values
}

fn data(kind: MessageKind) -> Value {
    let notice = match kind {
        MessageKind::AbandonedCart => return content::cart(&cart_lines()),
        MessageKind::BackInStock => {
            return content::restock("POT-1", "Tea pot – Blue", "tea-pot");
        }
        MessageKind::Welcome => return json!({}),
        MessageKind::EmailVerification => {
            return content::verification("sample", Some(PLACED.plus_seconds(86_400)));
        }
        MessageKind::StaffInvited => return content::staff("Sam Sample"),
        MessageKind::OrderConfirmed => OrderNotice::Confirmed,
        MessageKind::OrderCancelled => OrderNotice::Cancelled {
            reason: CancelReason::PaymentDeclined,
        },
        MessageKind::PaymentActionRequired => OrderNotice::ActionRequired,
        MessageKind::PaymentCaptured => OrderNotice::Captured {
            amount: eur(123_450),
            captured: eur(123_450),
        },
        MessageKind::PaymentRefunded => OrderNotice::Refunded {
            amount: eur(2_500),
            refunded: eur(5_000),
        },
        MessageKind::OrderShipped => OrderNotice::Shipped {
            fulfilment: "ful_1".into(),
            lines: items(),
            tracking: Some(Tracking {
                carrier: "souk-post".into(),
                number: "SP123456785GB".into(),
                url: Some("https://post.example/SP123456785GB".into()),
            }),
        },
        MessageKind::ReadyToCollect => OrderNotice::ReadyToCollect {
            fulfilment: "ful_1".into(),
            lines: items(),
        },
        MessageKind::OrderDelivered => OrderNotice::Delivered {
            fulfilment: "ful_1".into(),
        },
        MessageKind::ShipmentLost => OrderNotice::Lost {
            fulfilment: "ful_1".into(),
        },
        MessageKind::ShipmentReturned => OrderNotice::Returned {
            fulfilment: "ful_1".into(),
        },
    };
    match order() {
        Some((order, contact)) => content::order(&order, &contact, &notice),
        None => json!({}),
    }
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

/// An order with a discount, two rates of tax and shipping; `None` never: its ids are good.
fn order() -> Option<(OrderNoted, Contact)> {
    let person: PersonId = "per_sample".parse().ok()?;
    let contact = Contact {
        email: "sam@example.org".into(),
        shipping_address: Address {
            name: "Sam Sample".into(),
            line1: "1 High Street".into(),
            city: "Leeds".into(),
            postcode: "LS1 1AA".into(),
            country: "GB".into(),
            phone: "+44 113 496 0000".into(),
            ..Address::default()
        },
        vat_number: None,
    };
    let order = OrderNoted {
        order_id: "ord_sample".parse().ok()?,
        number: "S-SAMPLE".into(),
        cart_id: "crt_sample".parse().ok()?,
        person: person.clone(),
        customer_id: None,
        contact: Personal::new(person, contact.clone()),
        lines: vec![
            line("lin_1", "POT-1", "Tea pot – Blue", 1, 120_000, 20)?,
            line("lin_2", "TEA-1", "Tea, 250 g <loose & fine>", 2, 1_250, 5)?,
        ],
        totals: Totals {
            subtotal: eur(122_500),
            adjustments: eur(-250),
            shipping: eur(1_200),
            tax: eur(20_307),
            total: eur(123_450),
        },
        shipping: Some(OrderShipping {
            quote_id: "quo_sample".parse().ok()?,
            option_id: "sho_sample".parse().ok()?,
            label: "Standard delivery".into(),
            amount: eur(1_200),
            adjustments: vec![],
            taxes: vec![tax(20, 200)],
            total: eur(1_200),
            collect_from: None,
            min_days: Some(2),
            max_days: Some(4),
        }),
        locale: None,
        access_token_hash: "sample".into(),
        placed_at: PLACED,
    };
    Some((order, contact))
}

fn line(
    id: &str,
    sku: &str,
    title: &str,
    quantity: i64,
    price: i64,
    percent: i64,
) -> Option<OrderLine> {
    let subtotal = price * quantity;
    let off = if percent == 5 { 250 } else { 0 };
    let total = subtotal - off;
    let discount = Adjustment {
        code: "promotion:tea".into(),
        label: "10 % off tea".into(),
        amount: eur(-off),
    };
    Some(OrderLine {
        id: id.parse().ok()?,
        sku: sku.into(),
        title: title.into(),
        quantity,
        unit_price: eur(price),
        subtotal: eur(subtotal),
        adjustments: if off > 0 { vec![discount] } else { vec![] },
        taxes: vec![tax(percent, total * percent / (100 + percent))],
        requires_shipping: true,
        total: eur(total),
    })
}

fn tax(percent: i64, amount: i64) -> TaxLine {
    TaxLine {
        label: format!("VAT {percent} %"),
        rate_ppm: percent * 10_000,
        amount: eur(amount),
        included: true,
    }
}

fn items() -> Vec<FulfilmentLine> {
    let item = |id: &str, sku: &str, title: &str, quantity| {
        Some(FulfilmentLine {
            line_id: id.parse().ok()?,
            sku: sku.into(),
            title: title.into(),
            quantity,
        })
    };
    let items = [
        item("lin_1", "POT-1", "Tea pot – Blue", 1),
        item("lin_2", "TEA-1", "Tea, 250 g <loose & fine>", 2),
    ];
    items.into_iter().flatten().collect()
}

fn cart_lines() -> Vec<CartLine> {
    let line = CartLine {
        id: match "lin_1".parse() {
            Ok(id) => id,
            Err(_) => return vec![],
        },
        sku: "POT-1".into(),
        title: "Tea pot – Blue".into(),
        handle: "tea-pot".into(),
        quantity: 1,
        unit_price: eur(120_000),
        item: Default::default(),
    };
    vec![line]
}
