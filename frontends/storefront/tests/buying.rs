//! From the product to the placed order.

mod stub;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use serde_json::{Value, json};
use stub::{Got, Shop, Stub, problem};

const CART: &str = "souk_cart=crt_01ab";
const GET_CART: &str = "GET /api/carts/crt_01ab";
const LINES: &str = "POST /api/carts/crt_01ab/lines";
const CHECKOUT: &str = "POST /api/carts/crt_01ab/checkout";
const KEY: &str = "form-1904047500000000";

fn with_cart() -> Stub {
    Stub::default().on(GET_CART, 200, recorded!("cart"))
}

fn troubled(problems: Value) -> Stub {
    let mut cart = recorded!("cart");
    cart["problems"] = problems;
    Stub::default().on(GET_CART, 200, cart)
}

fn form(change: &[(&str, &str)]) -> String {
    let mut fields = vec![
        ("key", KEY),
        ("email", "ada%40example.com"),
        ("name", "Ada+Hill"),
        ("line1", "1+Bridge+Street"),
        ("city", "London"),
        ("postcode", "N1+1AA"),
        ("country", "GB"),
        ("token", "tok_abc-1"),
        ("test_card", ""),
    ];
    for (name, value) in change {
        fields.retain(|(field, _)| field != name);
        fields.push((name, value));
    }
    let pairs: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

#[track_caller]
fn leads_to(got: &Got, address: &str) {
    assert_eq!(
        (got.status, got.header("location")),
        (StatusCode::SEE_OTHER, address)
    );
}

#[tokio::test]
async fn the_first_thing_opens_a_cart_and_its_cookie_is_closed_to_scripts() {
    let stub = Stub::default()
        .on("POST /api/carts", 201, recorded!("cart"))
        .on(LINES, 201, recorded!("cart"));
    let shop = Shop::new(stub);
    let got = shop.post("/cart/lines", "", "sku=TEA-1&quantity=2").await;
    leads_to(&got, "/cart");
    assert_eq!(
        got.cookies(),
        [
            "souk_cart=crt_01ab; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax",
            "souk_count=3; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax"
        ]
    );
    assert_eq!(
        shop.asked("POST /api/carts").body,
        json!({"currency": "GBP"})
    );
    assert_eq!(
        shop.asked(LINES).body,
        json!({"sku": "TEA-1", "quantity": 2})
    );
}

#[tokio::test]
async fn a_shop_on_tls_sends_cookies_over_tls_only() {
    let shop = Shop::with(with_cart(), |config| {
        config.public_url = Some("https://shop.example".into())
    });
    let got = shop.get("/cart", CART).await;
    assert!(
        got.cookies()
            .iter()
            .all(|cookie| cookie.ends_with("; Secure")),
        "{:?}",
        got.cookies()
    );
}

#[tokio::test]
async fn an_ordered_or_expired_cart_makes_way_for_a_new_one() {
    for (status, code) in [
        (409, "cart-completed"),
        (410, "cart-expired"),
        (404, "not-found"),
    ] {
        let stub = Stub::default()
            .on(
                "POST /api/carts/crt_old/lines",
                status,
                problem(status, code),
            )
            .on("POST /api/carts", 201, recorded!("cart"))
            .on(LINES, 201, recorded!("cart"));
        let shop = Shop::new(stub);
        let got = shop
            .post("/cart/lines", "souk_cart=crt_old", "sku=TEA-1&quantity=1")
            .await;
        leads_to(&got, "/cart");
        assert!(got.cookies()[0].starts_with("souk_cart=crt_01ab;"));
    }
}

#[tokio::test]
async fn what_cannot_be_added_is_said_on_the_cart_page() {
    let shop = Shop::new(with_cart().on(LINES, 422, problem(422, "unpublished")));
    let got = shop.post("/cart/lines", CART, "sku=GONE&quantity=1").await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY);
    got.shows("This is unpublished.")
        .shows(r#"role="alert""#)
        .shows("£158.00");
    for bad in ["-1", "0", "x", "1000000", "1e3"] {
        let got = shop
            .post("/cart/lines", CART, &format!("sku=TEA-1&quantity={bad}"))
            .await;
        assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        got.shows("A quantity is a whole number");
    }
    let got = shop.post("/cart/lines", CART, "nothing=of+use").await;
    assert_eq!(got.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn lines_are_changed_and_taken_out() {
    let line = "/api/carts/crt_01ab/lines/lin_1";
    let stub = with_cart()
        .on(&format!("PATCH {line}"), 200, recorded!("cart"))
        .on(&format!("DELETE {line}"), 200, recorded!("cart"))
        .on("POST /api/carts/crt_01ab/reprice", 200, recorded!("cart"));
    let shop = Shop::new(stub);
    leads_to(
        &shop.post("/cart/lines/lin_1", CART, "quantity=5").await,
        "/cart",
    );
    assert_eq!(
        shop.asked(&format!("PATCH {line}")).body,
        json!({"quantity": 5})
    );
    leads_to(
        &shop.post("/cart/lines/lin_1", CART, "quantity=0").await,
        "/cart",
    );
    leads_to(
        &shop.post("/cart/lines/lin_1/remove", CART, "").await,
        "/cart",
    );
    leads_to(&shop.post("/cart/reprice", CART, "").await, "/cart");
    let deleted = shop
        .log()
        .iter()
        .filter(|line| line.starts_with("cart DELETE"))
        .count();
    assert_eq!(deleted, 2);
    leads_to(
        &shop
            .post("/cart/lines/..%2F..%2Forders/remove", CART, "")
            .await,
        "/cart",
    );
    assert_eq!(shop.log().len(), 4, "a line that is none asks nobody");
}

#[tokio::test]
async fn problems_are_shown_at_their_line_with_what_to_do() {
    let gbp = |amount: i64| json!({"amount": amount, "currency": "GBP"});
    let shop = Shop::new(troubled(json!([
        {"code": "price-changed", "line": "lin_1", "sku": "TEA-1", "old": gbp(3450), "new": gbp(3990)},
        {"code": "short-stock", "line": "lin_2", "sku": "RUG-S-RED", "wanted": 4, "available": 2},
    ])));
    let got = shop.get("/cart", CART).await;
    got.shows("The price changed from £34.50 to £39.90.")
        .shows(r#"action="/cart/reprice""#)
        .shows("Only 2 left. Please lower the quantity.")
        .shows("Please settle what is marked above")
        .hides(r#"href="/checkout""#);
    leads_to(&shop.get("/checkout", CART).await, "/cart");
}

#[tokio::test]
async fn short_stock_alone_warns_but_does_not_bar_the_way() {
    let shop = Shop::new(troubled(json!([
        {"code": "short-stock", "line": "lin_2", "sku": "RUG-S-RED", "wanted": 1, "available": 0},
    ])));
    let got = shop.get("/cart", CART).await;
    got.shows("Sold out at the moment")
        .shows(r#"href="/checkout""#);
    assert_eq!(shop.get("/checkout", CART).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_cart_that_became_an_order_is_empty_and_says_where_it_went() {
    let mut cart = recorded!("cart");
    cart["status"] = json!("completed");
    cart["order_id"] = json!("ord_01cd");
    cart["order_number"] = json!("S-1047");
    let shop = Shop::new(Stub::default().on(GET_CART, 200, cart));
    let got = shop.get("/cart", CART).await;
    got.shows(r#"<a href="/orders/ord_01cd">order S-1047</a>"#)
        .hides("Iron teapot");
    leads_to(&shop.get("/checkout", CART).await, "/cart");
}

#[tokio::test]
async fn without_the_cart_service_nothing_is_lost_and_the_page_says_so() {
    let shop = Shop::new(Stub::default());
    let got = shop.get("/cart", CART).await;
    assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE);
    got.shows("Nothing in your cart is lost");
    assert!(got.cookies().is_empty(), "the cart is not forgotten");
    shop.get("/cart", "").await.shows("Your cart is empty.");
}

#[tokio::test]
async fn card_numbers_have_nowhere_to_go_but_the_provider() {
    let got = Shop::new(with_cart()).get("/checkout", CART).await;
    assert_eq!(got.status, StatusCode::OK);
    assert_eq!(got.header("cache-control"), "no-store");
    got.shows(r#"data-provider="http://pay.example:9090""#);
    insta::assert_snapshot!(got.part(r#"<div id="card-form""#, "</select>"));
    for field in ["card-number", "card-expiry", "card-cvc"] {
        let input = got.part(&format!(r#"<input id="{field}""#), ">");
        assert!(!input.contains("name="), "{input}");
    }
}

#[tokio::test]
async fn a_form_has_the_key_of_the_cart_it_shows() {
    let mut changed = recorded!("cart");
    changed["updated_at"] = json!(1_904_047_600_000_000_i64);
    let shop = Shop::new(
        with_cart()
            .on(GET_CART, 200, recorded!("cart"))
            .on(GET_CART, 200, changed),
    );
    let shown = |key: &str| format!(r#"<input type="hidden" name="key" value="{key}">"#);
    shop.get("/checkout", CART).await.shows(&shown(KEY));
    shop.get("/checkout", CART).await.shows(&shown(KEY));
    shop.get("/checkout", CART)
        .await
        .shows(&shown("form-1904047600000000"));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_asked_for_again_with_the_same_key() {
    let answer = json!({"order": recorded!("order"), "access_token": "gst_s3cret"});
    let stub = with_cart()
        .on(CHECKOUT, 504, problem(504, "timeout"))
        .on(CHECKOUT, 200, answer);
    let shop = Shop::new(stub);
    leads_to(
        &shop.post("/checkout", CART, &form(&[])).await,
        "/orders/ord_01cd",
    );
    assert_eq!(shop.asked(CHECKOUT).headers["idempotency-key"], KEY);
}

#[tokio::test]
async fn a_placed_order_is_shown_to_this_browser_alone() {
    let answer = json!({"order": recorded!("order"), "access_token": "gst_s3cret"});
    let shop = Shop::new(with_cart().on(CHECKOUT, 201, answer));
    let got = shop.post("/checkout", CART, &form(&[])).await;
    leads_to(&got, "/orders/ord_01cd");
    assert_eq!(
        got.cookies()[0],
        "souk_order=gst_s3cret; Path=/orders/ord_01cd; Max-Age=7776000; HttpOnly; SameSite=Lax"
    );
    let asked = shop.asked(CHECKOUT);
    assert_eq!(asked.headers.get("idempotency-key").expect("a key"), KEY);
    assert_eq!(
        asked.body,
        json!({
            "email": "ada@example.com",
            "shipping_address": {"name": "Ada Hill", "line1": "1 Bridge Street", "city": "London", "postcode": "N1 1AA", "country": "GB"},
            "payment": {"provider": "sandbox", "token": "tok_abc-1"},
        })
    );
    // A second click: the same key, so the same order.
    leads_to(
        &shop.post("/checkout", CART, &form(&[])).await,
        "/orders/ord_01cd",
    );
    assert_eq!(
        shop.asked(CHECKOUT)
            .headers
            .get("idempotency-key")
            .expect("a key"),
        KEY
    );
}

#[tokio::test]
async fn a_picked_test_card_pays_without_a_script() {
    let answer = json!({"order": recorded!("order"), "access_token": "gst_s3cret"});
    let shop = Shop::new(with_cart().on(CHECKOUT, 201, answer));
    shop.post(
        "/checkout",
        CART,
        &form(&[("token", ""), ("test_card", "tok_3ds")]),
    )
    .await;
    assert_eq!(shop.asked(CHECKOUT).body["payment"]["token"], "tok_3ds");
}

#[tokio::test]
async fn a_key_used_for_another_form_still_finds_the_order() {
    let answer = json!({"order": recorded!("order"), "access_token": "gst_s3cret"});
    let stub = with_cart()
        .on(CHECKOUT, 409, problem(409, "idempotency-key-reused"))
        .on(CHECKOUT, 200, answer);
    let shop = Shop::new(stub);
    leads_to(
        &shop.post("/checkout", CART, &form(&[])).await,
        "/orders/ord_01cd",
    );
    assert!(!shop.asked(CHECKOUT).headers.contains_key("idempotency-key"));
}

#[tokio::test]
async fn mistakes_are_listed_and_what_was_entered_stays() {
    let shop = Shop::new(with_cart());
    let got = shop
        .post(
            "/checkout",
            CART,
            &form(&[("email", "ada"), ("city", "+"), ("name", "%3Cb%3E")]),
        )
        .await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY);
    insta::assert_snapshot!(got.part(r#"<div class="errors""#, "</div>"));
    got.shows(r#"value="&lt;b&gt;""#)
        .shows(r#"aria-invalid="true" aria-describedby="city-mistake""#)
        .shows(&format!(r#"name="key" value="{KEY}""#))
        .shows(r#"id="token" value="tok_abc-1""#);
    assert_eq!(
        shop.log(),
        [format!("cart {GET_CART}")],
        "nothing was ordered"
    );
}

#[tokio::test]
async fn refusals_are_shown_where_they_belong() {
    let refuse = |status: u16, code: &str, field: Option<&str>| {
        let mut body = problem(status, code);
        body["field"] = json!(field);
        Shop::new(with_cart().on(CHECKOUT, status, body))
    };
    let got = refuse(400, "invalid", Some("shipping_address.postcode"))
        .post("/checkout", CART, &form(&[]))
        .await;
    assert_eq!(got.status, StatusCode::BAD_REQUEST);
    got.shows(r##"<a href="#postcode">Postcode: this is invalid.</a>"##);
    for code in ["price-changed", "unpublished", "empty-cart", "short-stock"] {
        leads_to(
            &refuse(409, code, None)
                .post("/checkout", CART, &form(&[]))
                .await,
            "/cart",
        );
    }
    let got = Shop::new(with_cart())
        .post("/checkout", CART, &form(&[]))
        .await;
    assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE);
    got.shows("will not be ordered or charged twice")
        .shows(&format!(r#"value="{KEY}""#));
    leads_to(
        &Shop::new(Stub::default())
            .post("/checkout", "", &form(&[]))
            .await,
        "/cart",
    );
}

#[tokio::test]
async fn forms_of_other_sites_are_refused_and_change_nothing() {
    let shop = Shop::new(with_cart());
    let from = |name: &str, value: &str| {
        let request = Request::post("/cart/lines")
            .header(header::HOST, "shop.example")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, CART)
            .header(name, value);
        request
            .body(Body::from("sku=TEA-1&quantity=1"))
            .expect("a request")
    };
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://evil.example"),
        ("origin", "null"),
    ] {
        let got = shop.send(from(name, value)).await;
        assert_eq!(got.status, StatusCode::FORBIDDEN, "{name}: {value}");
        assert!(!got.header("content-security-policy").is_empty());
    }
    assert!(shop.log().is_empty());
}

#[tokio::test]
async fn large_forms_are_refused() {
    let shop = Shop::new(with_cart());
    let got = shop
        .post("/checkout", CART, &form(&[("name", &"x".repeat(20_000))]))
        .await;
    assert_eq!(got.status, StatusCode::BAD_REQUEST);
    assert!(shop.log().is_empty());
}
