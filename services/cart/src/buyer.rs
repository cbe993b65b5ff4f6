//! What a checkout says about the buyer: checked, and made ready for the event.

use std::sync::Arc;

use contracts::{
    address::{Contact, is_email},
    cart::{CartId, CheckoutPayment, CheckoutRequest, PaymentMethod},
    identity::CustomerId,
    orders::OrderId,
};
use kernel::{App, PersonId, Personal, Rejection};
use web::{Caller, Principal, hash_token};

use crate::{checkout::Checkout, offer::Offers};

/// The first thing wrong with a checkout request. What it says never quotes a value.
pub(crate) fn check(request: &CheckoutRequest) -> Result<(), Rejection> {
    if !is_email(&request.email) {
        let detail = "must be an e-mail address, such as ann@example.org";
        return Err(Rejection::invalid("email", detail));
    }
    if let Some((field, detail)) = request.shipping_address.problem() {
        return Err(Rejection::invalid(
            format!("shipping_address.{field}"),
            detail,
        ));
    }
    check_payment(&request.payment)
}

fn check_payment(payment: &CheckoutPayment) -> Result<(), Rejection> {
    let provider = payment.provider.as_bytes();
    if provider.is_empty() || provider.len() > 40 || !provider.iter().all(is_name_byte) {
        let detail = "must be the name of a payment provider, such as sandbox";
        return Err(Rejection::invalid("payment.provider", detail));
    }
    let token = payment.token.as_bytes();
    if token.is_empty() || token.len() > 255 || !token.iter().all(u8::is_ascii_graphic) {
        let detail = "must be the provider's token: 1 to 255 visible ASCII characters";
        return Err(Rejection::invalid("payment.token", detail));
    }
    if looks_like_a_card(&payment.token) {
        let detail = "must be a token; card numbers go to the payment provider, never here";
        return Err(Rejection::invalid("payment.token", detail));
    }
    Ok(())
}

fn is_name_byte(byte: &u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-' || *byte == b'_'
}

/// Whether it is 12 to 19 digits (ISO/IEC 7812), however they are grouped, with a good Luhn sum.
fn looks_like_a_card(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let only_digits = text
        .chars()
        .all(|c| c.is_ascii_digit() || c == '-' || c == '.');
    let luhn = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, digit)| match i % 2 {
            0 => *digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        });
    only_digits && (12..=19).contains(&digits.len()) && luhn.sum::<u32>() % 10 == 0
}

/// The access token of the order a cart becomes. It is derived, not drawn: so it need not be kept,
/// and whoever completes the same cart again is given the same token.
pub(crate) fn access_token(app: &App, cart: &CartId) -> String {
    format!("gst_{}", app.keys().blind("guest-token", cart.as_str()))
}

/// A customer's id as the token says it.
pub(crate) fn customer_id(id: &str) -> Result<CustomerId, Rejection> {
    let refused = |_| Rejection::forbidden("the access token names no customer of this shop");
    id.parse().map_err(refused)
}

/// The command for `request`, with fresh ids.
pub(crate) fn checkout(
    app: &App,
    caller: &Caller,
    request: CheckoutRequest,
    access_token: &str,
    offers: Arc<Offers>,
) -> Result<Checkout, Rejection> {
    let (customer, person) = match &caller.principal {
        Principal::Customer { id, person } => (Some(customer_id(id)?), person.clone()),
        _ => (None, None),
    };
    // A guest is a person of their own for each checkout: nothing ties two of them together.
    let person = person.unwrap_or_else(|| PersonId::generate(app.ids()));
    let contact = Contact {
        email: request.email,
        shipping_address: request.shipping_address,
        vat_number: None,
    };
    Ok(Checkout {
        order_id: OrderId::generate(app.ids()),
        customer,
        contact: Personal::new(person.clone(), contact),
        payment: PaymentMethod {
            provider: request.payment.provider,
            token: Personal::new(person.clone(), request.payment.token),
        },
        person,
        access_token_hash: hash_token(access_token),
        offers,
    })
}
