//! What a checkout says about the buyer: checked, and made ready for the event.

use std::sync::Arc;

use contracts::{
    address::{Contact, is_email},
    cart::{CartId, CheckoutPayment, CheckoutRequest, PaymentMethod},
    credit::{
        CreditAccountId, GIFT_CARD_CODES, GiftCardCode, account_of_customer, account_of_hash,
    },
    identity::CustomerId,
    orders::OrderId,
    shipping::ShippingQuote,
};
use kernel::{App, Currency, Money, PersonId, Personal, Rejection};
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
    if let Some(number) = &request.vat_number
        && !pricing_engine::vat_number_format(number)
    {
        let detail = "must be a VAT number with its country, such as DE123456789";
        return Err(Rejection::invalid("vat_number", detail));
    }
    if request.gift_cards.len() > MAX_GIFT_CARDS {
        let detail = format!("must be at most {MAX_GIFT_CARDS} codes");
        return Err(Rejection::invalid("gift_cards", detail));
    }
    if let Some(locale) = &request.locale
        && !is_language(locale)
    {
        let detail = "must be a language, such as de or pt-BR";
        return Err(Rejection::invalid("locale", detail));
    }
    request.payment.as_ref().map_or(Ok(()), check_payment)
}

/// Whether it looks like a language tag (BCP 47): letters and digits with dashes between.
fn is_language(text: &str) -> bool {
    let part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    text.len() <= 35 && text.split('-').all(part)
}

/// Most gift cards of one checkout.
const MAX_GIFT_CARDS: usize = 10;

/// Equal for the same buyer, and nobody without the key ring can tell whose it is.
pub(crate) fn buyer_key(app: &App, customer: Option<&CustomerId>, email: &str) -> String {
    let email = email.trim().to_lowercase();
    let who = customer.map_or(email.as_str(), |customer| customer.as_str());
    app.keys().blind("buyer", who)
}

/// The accounts that pay first, in order: store credit, then gift cards.
pub(crate) fn accounts(
    app: &App,
    request: &CheckoutRequest,
    customer: Option<&CustomerId>,
    currency: Currency,
) -> Result<Vec<CreditAccountId>, Rejection> {
    let mut accounts = Vec::new();
    if request.use_store_credit {
        let customer = customer.ok_or_else(|| {
            Rejection::invalid("use_store_credit", "needs a customer who is signed in")
        })?;
        let account = account_of_customer(customer, currency);
        accounts.push(account.map_err(|why| Rejection::invalid("use_store_credit", why))?);
    }
    for (index, typed) in request.gift_cards.iter().enumerate() {
        let code = GiftCardCode::parse(typed)
            .map_err(|why| Rejection::invalid(format!("gift_cards[{index}]"), why.to_string()))?;
        let account = account_of_hash(&app.keys().blind(GIFT_CARD_CODES, code.secret()));
        if !accounts.contains(&account) {
            accounts.push(account);
        }
    }
    Ok(accounts)
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

/// What a checkout was looked up to have beside the request.
pub(crate) struct Brought {
    /// The right to see the order.
    pub access_token: String,
    /// See [`buyer_key`].
    pub buyer_key: String,
    /// The accounts that pay first, with what may be spent of each.
    pub credits: Vec<(CreditAccountId, Money)>,
    /// The quote it names, its signature good.
    pub quote: Option<ShippingQuote>,
    /// Offers of all lines, and the terms.
    pub offers: Arc<Offers>,
}

/// The command for `request`, with fresh ids.
pub(crate) fn checkout(
    app: &App,
    caller: &Caller,
    request: CheckoutRequest,
    brought: Brought,
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
        vat_number: request.vat_number,
    };
    let payment = request.payment.map(|payment| PaymentMethod {
        provider: payment.provider,
        token: Personal::new(person.clone(), payment.token),
    });
    Ok(Checkout {
        order_id: OrderId::generate(app.ids()),
        customer,
        contact: Personal::new(person.clone(), contact),
        payment,
        person,
        access_token_hash: hash_token(&brought.access_token),
        buyer_key: brought.buyer_key,
        quote: brought.quote.map(Box::new),
        credits: brought.credits,
        expected_total: request.expected_total,
        locale: request.locale,
        offers: brought.offers,
    })
}
