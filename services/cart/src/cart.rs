//! The cart's rules: what may be done with it, and what it is afterwards.

use std::sync::Arc;

use contracts::{
    cart::{
        CartAbandoned, CartCouponAdded, CartCouponRemoved, CartCreated, CartDestination,
        CartDestinationSet, CartEvent, CartExpired, CartId, CartLineRemoved, CartShippingChosen,
        CartStatus, LineId, NewLine,
    },
    shipping::ShippingQuote,
};
use kernel::{Currency, Decider, Rejection, RejectionKind, Timestamp};

use crate::{
    checkout::{Checkout, check_out},
    lines::{add_lines, change_line, reprice},
    offer::Offers,
    pricing::quote_fits,
    state::{CartState, Rules, Who, ordinal},
};

/// Most lines a cart holds.
pub const MAX_LINES: usize = 2_000;
/// Most coupon codes of a cart.
pub const MAX_COUPONS: usize = 20;
/// Most units of one line.
pub const MAX_QUANTITY: i64 = 100_000;

/// The rules of a cart.
pub struct Cart;

/// Something asked of a cart.
#[derive(Clone, Debug)]
pub struct CartCommand {
    /// By whom.
    pub by: Who,
    /// When.
    pub at: Timestamp,
    /// Under which rules.
    pub rules: Rules,
    /// What; shared, because a command may be decided more than once.
    pub ask: Arc<Ask>,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Open the cart: its id, currency, channel, and where it is to go.
    Create(CartId, Currency, String, Option<CartDestination>),
    /// Add lines, all or none. With one line given by itself, problems name `quantity` instead of
    /// `lines[0].quantity`.
    AddLines {
        /// What and how many.
        lines: Vec<NewLine>,
        /// Whether the request named one line by itself.
        single: bool,
        /// Looked up for all their SKUs.
        offers: Arc<Offers>,
    },
    /// Set a line's quantity; its SKU was looked up.
    ChangeLine(LineId, i64, Arc<Offers>),
    /// Say where the goods are to go.
    SetDestination(CartDestination),
    /// Enter a coupon code, as pricing writes it.
    AddCoupon(String),
    /// Take a coupon code out.
    RemoveCoupon(String),
    /// Choose a way of shipping; the quote's signature was good.
    ChooseShipping(Box<ShippingQuote>),
    /// Take a line out.
    RemoveLine(LineId),
    /// Accept the present prices.
    Reprice(Arc<Offers>),
    /// Become an order.
    CheckOut(Box<Checkout>),
    /// Some time has passed.
    Idle,
}

impl Decider for Cart {
    const CATEGORY: &'static str = "cart";
    const SNAPSHOT_EVERY: Option<i64> = Some(100);
    const SNAPSHOT_VERSION: i64 = 2;
    type State = CartState;
    type Command = CartCommand;
    type Event = CartEvent;

    fn decide(state: &CartState, command: &CartCommand) -> Result<Vec<CartEvent>, Rejection> {
        let at = command.at;
        if let Ask::Create(cart_id, currency, channel, destination) = &*command.ask {
            let customer_id = match &command.by {
                Who::Customer(customer) => Some(customer.clone()),
                _ => None,
            };
            if state.id.is_some() {
                return Ok(vec![]);
            }
            let created = CartEvent::Created(CartCreated {
                cart_id: cart_id.clone(),
                currency: *currency,
                customer_id,
                channel: channel.clone(),
                at,
            });
            let going = destination.iter().map(|place| going_to(place, at));
            return Ok([created].into_iter().chain(going).collect());
        }
        let Some(cart_id) = state.id.as_ref().filter(|_| state.is_open_to(&command.by)) else {
            return Err(Rejection::not_found("cart"));
        };
        if let Ask::Idle = *command.ask {
            return Ok(idle(state, cart_id, command));
        }
        match (state.status_at(at, &command.rules), &*command.ask) {
            // Completing a completed cart again gives the same order.
            (CartStatus::Completed, Ask::CheckOut(_)) => return Ok(vec![]),
            (CartStatus::Completed, _) => {
                let detail = "the cart was checked out; start a new one";
                return Err(Rejection::conflict("cart-completed", detail));
            }
            (CartStatus::Expired, _) => {
                let detail = "the cart was left alone too long; start a new one";
                return Err(Rejection::new(RejectionKind::Gone, "cart-expired", detail));
            }
            (CartStatus::Open, _) => {}
        }
        match &*command.ask {
            Ask::Create(..) | Ask::Idle => Ok(vec![]),
            Ask::SetDestination(place) if state.destination.as_ref() == Some(place) => Ok(vec![]),
            Ask::SetDestination(place) => Ok(vec![going_to(place, at)]),
            Ask::AddCoupon(code) => add_coupon(state, code, at),
            Ask::RemoveCoupon(code) if !state.coupons.contains(code) => {
                Err(Rejection::not_found("coupon in this cart"))
            }
            Ask::RemoveCoupon(code) => {
                let code = code.clone();
                Ok(vec![CartEvent::CouponRemoved(CartCouponRemoved {
                    code,
                    at,
                })])
            }
            Ask::ChooseShipping(quote) => choose_shipping(state, quote, at),
            Ask::AddLines {
                lines,
                single,
                offers,
            } => add_lines(state, lines, *single, offers, at),
            Ask::ChangeLine(line, quantity, offers) => {
                change_line(state, line, *quantity, offers, at)
            }
            Ask::RemoveLine(line) => {
                let line = state.line(line)?.id.clone();
                Ok(vec![CartEvent::LineRemoved(CartLineRemoved { line, at })])
            }
            Ask::Reprice(offers) => reprice(state, offers, at),
            Ask::CheckOut(checkout) => check_out(state, cart_id, checkout, command),
        }
    }

    fn evolve(state: &mut CartState, event: &CartEvent) {
        let touched = match event {
            CartEvent::Created(created) => {
                state.id = Some(created.cart_id.clone());
                state.currency = Some(created.currency);
                state.customer = created.customer_id.clone();
                state.channel = created.channel.clone();
                state.created = created.at;
                created.at
            }
            CartEvent::DestinationSet(set) => {
                state.destination = Some(set.destination.clone());
                set.at
            }
            CartEvent::CouponAdded(added) => {
                state.coupons.push(added.code.clone());
                added.at
            }
            CartEvent::CouponRemoved(removed) => {
                state.coupons.retain(|code| *code != removed.code);
                removed.at
            }
            CartEvent::ShippingChosen(chosen) => {
                state.shipping = Some(Arc::new(chosen.quote.clone()));
                chosen.at
            }
            CartEvent::LinesAdded(added) => {
                let lines = Arc::make_mut(&mut state.lines);
                for line in &added.lines {
                    let number = ordinal(&line.id);
                    match lines.binary_search_by_key(&number, |known| ordinal(&known.id)) {
                        Ok(index) => lines[index] = line.clone(),
                        Err(index) => lines.insert(index, line.clone()),
                    }
                    state.last_line = state.last_line.max(number);
                }
                added.at
            }
            CartEvent::LineChanged(change) => {
                if let Some(index) = state.position(&change.line) {
                    Arc::make_mut(&mut state.lines)[index].quantity = change.quantity;
                }
                change.at
            }
            CartEvent::LineRemoved(removed) => {
                if let Some(index) = state.position(&removed.line) {
                    Arc::make_mut(&mut state.lines).remove(index);
                }
                removed.at
            }
            CartEvent::Repriced(repriced) => {
                for (line, price) in &repriced.prices {
                    if let Some(index) = state.position(line) {
                        Arc::make_mut(&mut state.lines)[index].unit_price = *price;
                    }
                }
                repriced.at
            }
            CartEvent::CheckedOut(checked_out) => {
                state.status = CartStatus::Completed;
                state.lines = Arc::default();
                state.checkout = Some(Arc::new(checked_out.clone()));
                checked_out.at
            }
            CartEvent::Abandoned(_) => {
                state.abandoned = true;
                return;
            }
            CartEvent::Expired(_) => {
                state.status = CartStatus::Expired;
                return;
            }
        };
        state.changed = touched;
        state.abandoned = false;
    }
}

fn going_to(place: &CartDestination, at: Timestamp) -> CartEvent {
    CartEvent::DestinationSet(CartDestinationSet {
        destination: place.clone(),
        at,
    })
}

fn add_coupon(state: &CartState, code: &str, at: Timestamp) -> Result<Vec<CartEvent>, Rejection> {
    if state.coupons.iter().any(|known| known == code) {
        return Ok(vec![]);
    }
    if state.coupons.len() >= MAX_COUPONS {
        let detail = format!("a cart holds at most {MAX_COUPONS} coupon codes");
        return Err(Rejection::unprocessable("too-many-coupons", detail).field("code"));
    }
    let code = code.to_owned();
    Ok(vec![CartEvent::CouponAdded(CartCouponAdded { code, at })])
}

fn choose_shipping(
    state: &CartState,
    quote: &ShippingQuote,
    at: Timestamp,
) -> Result<Vec<CartEvent>, Rejection> {
    if state.shipping.as_deref() == Some(quote) {
        return Ok(vec![]);
    }
    quote_fits(state, quote, at)
        .map_err(|why| Rejection::unprocessable("bad-quote", why).field("quote"))?;
    let quote = quote.clone();
    Ok(vec![CartEvent::ShippingChosen(CartShippingChosen {
        quote,
        at,
    })])
}

fn idle(state: &CartState, cart_id: &CartId, command: &CartCommand) -> Vec<CartEvent> {
    let (at, rules) = (command.at, &command.rules);
    let cart_id = cart_id.clone();
    if state.status != CartStatus::Open {
        vec![]
    } else if at >= state.expires(rules) {
        vec![CartEvent::Expired(CartExpired { cart_id, at })]
    } else if at >= state.next_look(rules) {
        vec![CartEvent::Abandoned(CartAbandoned {
            cart_id,
            customer_id: state.customer.clone(),
            lines: Vec::clone(&state.lines),
            at,
        })]
    } else {
        vec![]
    }
}
