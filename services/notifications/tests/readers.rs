//! Readers' leave: consent, unsubscribing, bounces; and who may see what.

mod support;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use serde_json::{Value, json};
use support::{Carts, Consents, Customers, Orders, Products, Shop, Stock, events};

async fn customer(shop: &Shop, customer: &str) {
    let registered = events::registered(customer);
    shop.say::<Customers>("identity", customer, registered)
        .await;
    shop.reaches(&format!("welcome-{customer}"), "sent").await;
}

async fn abandoned(shop: &Shop, cart: &str, customer: &str) {
    let event = events::abandoned(cart, customer);
    shop.say::<Carts>("cart", cart, event).await;
}

/// Waits until the service knows of the consent: between services nothing comes in order.
async fn consent(shop: &Shop, customer: &str) {
    let app = shop.runtime.app("notifications").expect("runs");
    let granted = events::consent(customer, true);
    shop.say::<Consents>("customers", customer, granted).await;
    let known = async {
        let statement = kernel::sql!(
            "SELECT data FROM events WHERE stream = $1 ORDER BY version DESC LIMIT 1",
            format!("reader-{customer}")
        );
        loop {
            let rows = app.query(statement.clone()).await.expect("readable");
            let last = rows.first().map(|row| row.get::<String>(0));
            if last.is_some_and(|data| data.contains("\"granted\":true")) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(support::PATIENCE, known).await;
    assert!(done.is_ok(), "the consent was never heard");
}

/// A cart of Eve's, who always agrees: once she is told, so are all who were before her.
async fn all_carts_heard(shop: &Shop, cart: &str) {
    abandoned(shop, cart, "cus_2").await;
    shop.reaches(&format!("abandoned_cart-{cart}"), "sent")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn marketing_goes_with_consent_and_ends_with_one_click() {
    let shop = Shop::open().await;
    customer(&shop, "cus_1").await;
    customer(&shop, "cus_2").await;
    consent(&shop, "cus_2").await;
    abandoned(&shop, "crt_1", "cus_1").await;
    all_carts_heard(&shop, "crt_e1").await;
    consent(&shop, "cus_1").await;
    abandoned(&shop, "crt_2", "cus_1").await;
    shop.reaches("abandoned_cart-crt_2", "sent").await;
    let mails = shop.mail.mails();
    let mail = mails.last().expect("the reminder");
    assert_eq!(mail.to, "bob.private@example.org");
    assert_eq!(
        mail.header("List-Unsubscribe-Post"),
        "List-Unsubscribe=One-Click"
    );
    let link = mail.header("List-Unsubscribe");
    let link = link.trim_matches(['<', '>']).to_owned();
    let path = link
        .strip_prefix("https://shop.example")
        .expect("our own")
        .to_owned();
    assert!(mail.text().contains("Unsubscribe from messages like this"));

    // A program that looks at the link changes nothing.
    let page = shop.send("GET", &path, None, None).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.text.contains("<button>Unsubscribe</button>"),
        "{}",
        page.text
    );
    abandoned(&shop, "crt_3", "cus_1").await;
    shop.reaches("abandoned_cart-crt_3", "sent").await;

    let forged = path.replace("abandoned_cart-crt_2", "abandoned_cart-crt_3");
    assert_ne!(forged, path);
    let refused = shop.send("POST", &forged, None, None).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let one_click = Request::post(&path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("List-Unsubscribe=One-Click"));
    let done = shop.answer(one_click.expect("a request")).await;
    assert_eq!(done.status, StatusCode::OK);
    assert!(done.text.contains("no more messages like this"));
    abandoned(&shop, "crt_4", "cus_1").await;
    all_carts_heard(&shop, "crt_e2").await;
    let list = shop
        .get("/api/notifications/messages?kind=abandoned_cart")
        .await
        .body;
    let items = list["items"].as_array().expect("a list").iter();
    let of_bob = items
        .filter(|m| m["customer_id"] == "cus_1")
        .map(|m| m["id"].clone());
    let mut of_bob: Vec<Value> = of_bob.collect();
    of_bob.sort_by_key(ToString::to_string);
    assert_eq!(of_bob, ["abandoned_cart-crt_2", "abandoned_cart-crt_3"]);
    shop.close().await;
}

async fn wish(shop: &Shop, token: Option<&str>, body: Value) -> support::Answered {
    let path = "/api/notifications/back-in-stock";
    shop.send("POST", path, token, Some(body)).await
}

/// A shop that sells mugs, and has none.
async fn without_mugs() -> Shop {
    let shop = Shop::open().await;
    shop.say::<Products>("catalog", "prd_1", events::mug())
        .await;
    let known = async {
        let body = json!({"sku": "MUG", "email": "first@example.org"});
        while wish(&shop, None, body.clone()).await.status != StatusCode::ACCEPTED {
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(support::PATIENCE, known).await;
    assert!(done.is_ok(), "the product was never heard of");
    shop
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asked_hears_once_that_it_is_back() {
    let shop = without_mugs().await;
    customer(&shop, "cus_1").await;
    let again = wish(
        &shop,
        None,
        json!({"sku": "MUG", "email": "First@example.org"}),
    )
    .await;
    assert_eq!(
        again.status,
        StatusCode::ACCEPTED,
        "asking twice is asking once"
    );
    let bob = shop.token("cus_1", &[]);
    let own = wish(&shop, Some(&bob), json!({"sku": "MUG", "locale": "de"})).await;
    assert_eq!(own.status, StatusCode::ACCEPTED);
    for (field, body) in [
        ("email", json!({"sku": "MUG"})),
        ("email", json!({"sku": "MUG", "email": "nobody"})),
        ("sku", json!({"sku": "", "email": "a@b.cd"})),
        (
            "locale",
            json!({"sku": "MUG", "email": "a@b.cd", "locale": "../x"}),
        ),
    ] {
        let refused = wish(&shop, None, body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert_eq!(refused.body["field"], field);
    }
    let unknown = wish(&shop, None, json!({"sku": "HAT", "email": "a@b.cd"})).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    for available in [5, 4, 0, 9] {
        shop.say::<Stock>("inventory", "MUG", events::stock(available))
            .await;
    }
    let mails = shop.mail.until(3).await;
    let about: Vec<_> = mails
        .iter()
        .filter(|m| m.text().contains("/p/mug"))
        .collect();
    let mut to: Vec<(&str, String)> = about
        .iter()
        .map(|m| (m.to.as_str(), m.header("Subject")))
        .collect();
    to.sort();
    assert_eq!(
        to,
        [
            ("bob.private@example.org", "Mug ist wieder da".to_owned()),
            ("first@example.org", "Mug is back in stock".to_owned()),
        ]
    );
    let there = wish(
        &shop,
        None,
        json!({"sku": "MUG", "email": "late@example.org"}),
    )
    .await;
    assert_eq!(
        (there.status, &there.body["code"]),
        (StatusCode::CONFLICT, &json!("in-stock"))
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_sends_mail_back_gets_only_what_is_due() {
    let shop = without_mugs().await;
    let app = shop.runtime.app("orders").expect("runs");
    shop.say::<Orders>("orders", "ord_1", events::placed(&app, 1))
        .await;
    shop.say::<Orders>("orders", "ord_1", events::confirmed(1))
        .await;
    shop.reaches("order_confirmed-ord_1", "sent").await;
    let bounces = "/api/notifications/bounces";
    let report = json!({"message_id": "order_confirmed-ord_1", "permanent": true, "code": "5.1.1"});
    let reader = shop.token("usr_1", &["notifications:read"]);
    let refused = shop
        .send("POST", bounces, Some(&reader), Some(report.clone()))
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(
        shop.post(bounces, report).await.status,
        StatusCode::NO_CONTENT
    );
    let bounced = shop.reaches("order_confirmed-ord_1", "bounced").await;
    assert_eq!(bounced["reason"], "5.1.1");
    let asked = json!({"sku": "MUG", "email": "ANN.private@example.org"});
    assert_eq!(wish(&shop, None, asked).await.status, StatusCode::ACCEPTED);
    shop.say::<Stock>("inventory", "MUG", events::stock(5))
        .await;
    // The other one who waits is told, this one is not.
    let path = "/api/notifications/messages?kind=back_in_stock";
    let settled = async {
        loop {
            let list = shop.get(path).await.body;
            let items = list["items"].as_array().cloned().unwrap_or_default();
            let mut ends: Vec<String> = items
                .iter()
                .map(|m| format!("{} {}", m["status"], m["reason"]))
                .collect();
            ends.sort();
            if ends == ["\"sent\" null", "\"suppressed\" \"bounced\""] {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(support::PATIENCE, settled).await;
    assert!(done.is_ok(), "it never came to this");
    // Its next order is confirmed to it all the same.
    shop.say::<Orders>("orders", "ord_2", events::placed(&app, 2))
        .await;
    shop.say::<Orders>("orders", "ord_2", events::confirmed(2))
        .await;
    shop.reaches("order_confirmed-ord_2", "sent").await;
    for bad in [
        json!({"permanent": true}),
        json!({"permanent": true, "email": "a@b.cd", "message_id": "x"}),
        json!({"permanent": true, "email": "nobody"}),
        json!({"permanent": true, "email": "a@b.cd", "code": "ann@example.org"}),
    ] {
        assert_eq!(
            shop.post(bounces, bad).await.status,
            StatusCode::BAD_REQUEST
        );
    }
    let by_address = json!({"permanent": false, "email": "a@b.cd"});
    assert_eq!(
        shop.post(bounces, by_address).await.status,
        StatusCode::NO_CONTENT
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_for_staff_and_lists_name_nobody() {
    let shop = Shop::with(|mut config| {
        config.drivers = notifications::Drivers::default();
        config.dev_mail = true;
        config
    })
    .await;
    let app = shop.runtime.app("orders").expect("runs");
    for n in 1..=3 {
        let order = format!("ord_{n}");
        shop.say::<Orders>("orders", &order, events::placed(&app, n))
            .await;
        shop.say::<Orders>("orders", &order, events::confirmed(n))
            .await;
        shop.reaches(&format!("order_confirmed-{order}"), "sent")
            .await;
    }
    let path = "/api/notifications/messages";
    for who in [
        None,
        Some(shop.token("usr_1", &["orders:read"])),
        Some(shop.token("cus_1", &[])),
    ] {
        let refused = shop.send("GET", path, who.as_deref(), None).await;
        assert!(refused.status.is_client_error(), "{}", refused.status);
    }
    let mut seen = Vec::new();
    let mut next = String::new();
    loop {
        let page = shop.get(&format!("{path}?limit=2&cursor={next}")).await;
        assert!(!page.text.contains("private"), "{}", page.text);
        let items = page.body["items"].as_array().expect("a list");
        seen.extend(
            items
                .iter()
                .map(|m| m["id"].as_str().expect("an id").to_owned()),
        );
        match page.body["next_cursor"].as_str() {
            Some(cursor) => next = cursor.to_owned(),
            None => break,
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3);
    let one = shop.get(&format!("{path}/order_confirmed-ord_1")).await;
    assert_eq!(one.body["to"], "ann.private@example.org");
    assert_eq!(one.body["provider"], "outbox");
    let html = one.body["rendered"]["html"].as_str().expect("HTML");
    assert!(html.contains("£1,234.50") && html.contains("Ann Private"));
    for bad in ["status=x", "kind=x", "order=x", "limit=0"] {
        let refused = shop.get(&format!("{path}?{bad}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{bad}");
    }
    assert_eq!(
        shop.get(&format!("{path}/nothing")).await.status,
        StatusCode::NOT_FOUND
    );
    dev_mail(&shop).await;
    shop.close().await;
}

async fn dev_mail(shop: &Shop) {
    let ask = async |path: &str, host: &str| {
        let request = Request::get(path).header("host", host).body(Body::empty());
        shop.answer(request.expect("a request")).await
    };
    let list = ask("/dev/mail", "127.0.0.1:8080").await;
    assert_eq!(list.status, StatusCode::OK);
    assert!(list.text.contains("Your order S-000001 is confirmed"));
    let one = ask("/dev/mail/order_confirmed-ord_1", "localhost:8080").await;
    assert!(
        one.text.contains("srcdoc=\"&lt;!doctype html&gt;"),
        "{}",
        one.text
    );
    let elsewhere = ask("/dev/mail", "shop.example").await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn templates_can_be_looked_at_and_dev_mail_is_off_unless_switched_on() {
    let shop = Shop::open().await;
    let kinds = shop.get("/api/notifications/templates").await.body;
    assert_eq!(kinds.as_array().expect("a list").len(), 15);
    assert_eq!(kinds[0]["locales"], json!(["de", "en"]));
    let path = "/api/notifications/templates/payment_refunded/preview";
    let preview = shop.post(path, json!({"locale": "de-CH"})).await.body;
    assert_eq!(preview["locale"], "de");
    let text = preview["rendered"]["text"].as_str().expect("text");
    assert!(text.contains("25,00\u{a0}€"), "{text}");
    let nothing = shop
        .post("/api/notifications/templates/x/preview", json!({}))
        .await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    let dev = Request::get("/dev/mail")
        .header("host", "localhost")
        .body(Body::empty());
    let off = shop.answer(dev.expect("a request")).await;
    assert_eq!(off.status, StatusCode::NOT_FOUND);
    shop.close().await;
}
