//! A shopper with a real browser: from the list of products to the order's page, with cards typed
//! into the form, which talk to the payment provider directly.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{Shop, browser::Browser, order_status};

/// Puts `quantity` mugs into the cart, starting at the list of products, and goes to the checkout.
fn to_checkout(browser: &mut Browser, shop: &Shop, quantity: &str) {
    browser.go(&format!("{}/", shop.url));
    browser.click("#products a[href='/p/mug']");
    browser.fill("#quantity", quantity);
    browser.click("#add-to-cart");
    browser.until("location.pathname === '/cart'");
    browser.click("#to-checkout");
    browser.until("location.pathname === '/checkout'");
}

fn fill_in(browser: &mut Browser) {
    for (field, value) in [
        ("#email", "ann@example.org"),
        ("#name", "Ann Buyer"),
        ("#line1", "1 High Street"),
        ("#city", "Town"),
        ("#postcode", "AB1 2CD"),
    ] {
        browser.fill(field, value);
    }
}

fn pay_with(browser: &mut Browser, card: &str) {
    browser.until("document.querySelector('#card-form') !== null && !document.querySelector('#card-form').hidden");
    for (field, value) in [
        ("#card-number", card),
        ("#card-expiry", "12/39"),
        ("#card-cvc", "123"),
    ] {
        browser.fill(field, value);
    }
    browser.click("#place-order");
}

/// The id of the order whose page is shown.
fn order_id(browser: &mut Browser) -> String {
    browser.until("location.pathname.startsWith('/orders/')");
    let path = browser.look("location.pathname").unwrap();
    path.as_str()
        .unwrap()
        .trim_start_matches("/orders/")
        .to_owned()
}

fn ends(browser: &mut Browser, status: &str) {
    browser.until(&format!(
        "document.querySelector('#order-live')?.dataset.status === '{status}'"
    ));
}

async fn order(shop: &Shop, id: &str) -> Value {
    shop.staff().get(&format!("/api/orders/{id}")).await.ok()
}

#[tokio::test]
async fn a_shopper_buys_with_a_card_and_cancels() {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let mut browser = Browser::start();
    to_checkout(&mut browser, &shop, "2");
    assert!(
        browser.text("#checkout-total").contains("15.00"),
        "{}",
        browser.text("#checkout-total")
    );
    fill_in(&mut browser);
    pay_with(&mut browser, "4242 4242 4242 4242");
    let id = order_id(&mut browser);
    ends(&mut browser, "confirmed");
    assert!(browser.text("#order-total").contains("15.00"));
    let seen = order(&shop, &id).await;
    assert_eq!(
        (order_status(&seen), &seen["email"]),
        ("confirmed", &json!("ann@example.org"))
    );
    shop.stock_settles("MUG", 8).await;

    browser.click("#order-cancel");
    ends(&mut browser, "cancelled");
    assert_eq!(order_status(&order(&shop, &id).await), "cancelled");
    shop.stock_settles("MUG", 10).await;
    assert_eq!(browser.complaints, Vec::<String>::new());
}

#[tokio::test]
async fn a_declined_card_is_explained_and_another_one_works() {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let mut browser = Browser::start();
    to_checkout(&mut browser, &shop, "1");
    fill_in(&mut browser);
    // A number that no card has is refused by the provider; the form says so and stays.
    pay_with(&mut browser, "4242 4242 4242 4241");
    browser.until("document.querySelector('#card-mistake').hidden === false");
    assert!(shop.staff().all("/api/orders").await.is_empty());
    pay_with(&mut browser, "4000 0000 0000 0002");
    let id = order_id(&mut browser);
    ends(&mut browser, "cancelled");
    assert_eq!(order(&shop, &id).await["cancel_reason"], "payment_declined");
    shop.stock_settles("MUG", 10).await;

    browser.click("#order-again");
    browser.until("location.pathname === '/cart'");
    browser.click("#to-checkout");
    fill_in(&mut browser);
    pay_with(&mut browser, "5555 5555 5555 4444");
    let second = order_id(&mut browser);
    assert_ne!(second, id);
    ends(&mut browser, "confirmed");
    shop.stock_settles("MUG", 9).await;
    assert_eq!(browser.complaints, Vec::<String>::new());
}

#[tokio::test]
async fn the_cardholder_confirms_at_the_bank_and_comes_back() {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let mut browser = Browser::start();
    to_checkout(&mut browser, &shop, "1");
    fill_in(&mut browser);
    pay_with(&mut browser, "4000 0025 0000 3155");
    let id = order_id(&mut browser);
    // The page hears of it by itself: nobody reloads.
    browser.until("document.querySelector('#payment-action') !== null");
    browser.click("#payment-action");
    browser.click("button[name=decision][value=approve]");
    assert_eq!(
        order_id(&mut browser),
        id,
        "the bank sends the shopper back to the order"
    );
    ends(&mut browser, "confirmed");
    assert_eq!(order_status(&order(&shop, &id).await), "confirmed");
    assert_eq!(browser.complaints, Vec::<String>::new());
}
