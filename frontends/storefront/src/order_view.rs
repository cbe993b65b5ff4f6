//! An order in words: where it stands, what happened, what to do. Pure.

use contracts::orders::{CancelReason, OrderStatus, OrderView, TimelineEntry};
use serde::Serialize;

use crate::{countries::COUNTRIES, dates::Moment, links, money, navigation::title_of};

/// An order, for `order.html`.
#[derive(Debug, Serialize)]
pub struct View {
    number: String,
    /// As in the API, such as `stock_reserved`.
    status: &'static str,
    /// Nothing more will happen by itself.
    settled: bool,
    headline: &'static str,
    text: String,
    steps: Vec<Step>,
    /// Where the buyer must go to confirm the payment.
    action: Option<String>,
    may_cancel: bool,
    may_repeat: bool,
    timeline: Vec<Entry>,
    lines: Vec<Line>,
    sums: Vec<(&'static str, String)>,
    total: String,
    placed: Moment,
    email: Option<String>,
    address: Vec<String>,
}

/// A step on the way to a confirmed order.
#[derive(Debug, PartialEq, Serialize)]
struct Step {
    label: &'static str,
    /// `done`, `now`, `next`, or `failed`.
    state: &'static str,
}

#[derive(Debug, Serialize)]
struct Entry {
    at: Moment,
    what: String,
    who: &'static str,
    note: Option<String>,
}

#[derive(Debug, Serialize)]
struct Line {
    title: String,
    sku: String,
    quantity: i64,
    unit_price: String,
    total: String,
}

impl View {
    /// `provider` is the sandbox provider's address and `back` this page's: its confirmation page
    /// is told where to send the buyer afterwards.
    pub fn of(order: &OrderView, provider: &str, back: Option<&str>) -> Self {
        let (headline, text) = words(order);
        let open = !matches!(
            order.status,
            OrderStatus::Confirmed | OrderStatus::Cancelled
        );
        Self {
            number: order.number.clone(),
            status: order.status.as_str(),
            settled: !open,
            headline,
            text,
            steps: steps(order.status, order.cancel_reason),
            action: action(order, provider, back),
            may_cancel: order.status != OrderStatus::Cancelled && order.captured.amount == 0,
            may_repeat: order.status == OrderStatus::Cancelled,
            timeline: order.timeline.iter().map(entry).collect(),
            lines: order.lines.iter().map(line).collect(),
            sums: sums(order),
            total: money::show(order.totals.total),
            placed: Moment::of(order.placed_at),
            email: order.email.clone(),
            address: address(order),
        }
    }
}

/// A heading and a sentence: where the order stands and what that means for the buyer.
fn words(order: &OrderView) -> (&'static str, String) {
    match order.status {
        OrderStatus::Placed => (
            "Thank you! We have your order.",
            "We are setting your things aside. This takes a moment; if it takes longer, you need not wait here.".into(),
        ),
        OrderStatus::StockReserved => (
            "Your things are set aside.",
            "We are asking for your payment. This takes a moment; if it takes longer, you need not wait here: your things stay set aside, and you are not charged twice.".into(),
        ),
        OrderStatus::PaymentActionRequired => (
            "Please confirm your payment.",
            "Your bank wants to be sure that it is you. Your things stay set aside meanwhile."
                .into(),
        ),
        OrderStatus::Confirmed => (
            "Your order is confirmed.",
            "Your payment is approved and everything is set aside for you. We will send it soon."
                .into(),
        ),
        OrderStatus::Cancelled => ("This order was cancelled.", cancelled(order)),
    }
}

fn cancelled(order: &OrderView) -> String {
    match order.cancel_reason {
        Some(CancelReason::SoldOut) => {
            let short: Vec<String> = order.shortages.iter().map(|short| shortage(order, short)).collect();
            let what = match short.is_empty() {
                true => String::new(),
                false => format!(" {}", short.join(" ")),
            };
            format!("Something sold out before we could set it aside.{what} You were not charged.")
        }
        Some(CancelReason::PaymentDeclined) => {
            "Your card was declined, so nothing was charged. You can order again with another card.".into()
        }
        Some(CancelReason::Deadline) => {
            "The payment was not confirmed in time, so we gave your things free again. You are not charged.".into()
        }
        Some(CancelReason::PromotionUsedUp) => {
            "A coupon you used was used up before we could count yours, so we did not charge you another price. You can order again without it.".into()
        }
        Some(CancelReason::CreditRefused) => {
            "Your gift card or store credit had less on it than you wanted to pay with it. You were not charged.".into()
        }
        Some(CancelReason::Customer) => "You cancelled it. You are not charged.".into(),
        Some(CancelReason::Staff) | None => "We had to cancel it. You are not charged.".into(),
    }
}

fn shortage(order: &OrderView, short: &contracts::inventory::Shortage) -> String {
    let line = order.lines.iter().find(|line| line.sku == short.sku);
    let title = line.map_or(short.sku.as_str(), |line| line.title.as_str());
    match short.available {
        ..=0 => format!("“{title}” is gone."),
        left => format!(
            "Of “{title}” {left} were left and you wanted {}.",
            short.wanted
        ),
    }
}

fn steps(status: OrderStatus, reason: Option<CancelReason>) -> Vec<Step> {
    let labels = ["Ordered", "Set aside", "Payment", "Confirmed"];
    // How many steps are done, and whether the next one failed.
    let (done, failed) = match (status, reason) {
        (OrderStatus::Placed, _) => (1, false),
        (OrderStatus::StockReserved | OrderStatus::PaymentActionRequired, _) => (2, false),
        (OrderStatus::Confirmed, _) => (4, false),
        (OrderStatus::Cancelled, Some(CancelReason::PaymentDeclined)) => (2, true),
        (OrderStatus::Cancelled, _) => (1, true),
    };
    let state = |place: usize| match (place.cmp(&done), failed) {
        (std::cmp::Ordering::Less, _) => "done",
        (std::cmp::Ordering::Equal, true) => "failed",
        (std::cmp::Ordering::Equal, false) => "now",
        (std::cmp::Ordering::Greater, _) => "next",
    };
    let steps = labels.into_iter().enumerate();
    steps
        .map(|(place, label)| Step {
            label,
            state: state(place),
        })
        .collect()
}

/// Where to confirm the payment. Only the sandbox provider takes `return_url`; another provider's
/// address is used as it is.
fn action(order: &OrderView, provider: &str, back: Option<&str>) -> Option<String> {
    if order.status != OrderStatus::PaymentActionRequired {
        return None;
    }
    let url = order.payment_action_url.as_deref()?;
    let web = url.starts_with("https://") || url.starts_with("http://");
    let sandbox = url
        .strip_prefix(provider)
        .is_some_and(|rest| rest.starts_with('/'));
    match (web, sandbox && !url.contains('?')) {
        (false, _) => None,
        (true, false) => Some(url.to_owned()),
        (true, true) => Some(links::with_query(url, &[("return_url", back)])),
    }
}

fn entry(entry: &TimelineEntry) -> Entry {
    let what = match entry.what.as_str() {
        "placed" => "Order placed".into(),
        "stock_reserved" => "Everything set aside".into(),
        "payment_requested" => "Payment asked for".into(),
        "payment_action_required" => "Bank asks for confirmation".into(),
        "payment_authorised" => "Payment authorised".into(),
        "confirmed" => "Order confirmed".into(),
        "cancelled" => "Order cancelled".into(),
        "payment_captured" => "Payment taken".into(),
        "payment_refunded" => "Money given back".into(),
        other => title_of(other),
    };
    let who = match entry.who.split(':').next() {
        Some("customer" | "guest") => "you",
        Some("staff") => "the shop",
        _ => "",
    };
    Entry {
        at: Moment::of(entry.at),
        what,
        who,
        note: entry.note.clone(),
    }
}

fn line(line: &contracts::orders::OrderLine) -> Line {
    Line {
        title: line.title.clone(),
        sku: line.sku.clone(),
        quantity: line.quantity,
        unit_price: money::show(line.unit_price),
        total: money::show(line.total),
    }
}

/// The sums that are not nothing, above the total.
fn sums(order: &OrderView) -> Vec<(&'static str, String)> {
    let totals = &order.totals;
    let all = [
        ("Goods", totals.subtotal),
        ("Discounts", totals.adjustments),
        ("Shipping", totals.shipping),
        ("Tax", totals.tax),
        ("Paid so far", order.captured),
        ("Given back", order.refunded),
    ];
    let kept = all.into_iter().filter(|(_, sum)| sum.amount != 0);
    kept.map(|(label, sum)| (label, money::show(sum))).collect()
}

fn address(order: &OrderView) -> Vec<String> {
    let Some(address) = &order.shipping_address else {
        return Vec::new();
    };
    let town = format!("{} {}", address.postcode, address.city);
    let known = COUNTRIES.iter().find(|(code, _)| *code == address.country);
    let country = known.map_or(address.country.as_str(), |(_, name)| name);
    let parts = [
        &address.name,
        &address.line1,
        &address.line2,
        &town,
        &address.province,
    ];
    let parts = parts.into_iter().map(String::as_str).chain([country]);
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}
