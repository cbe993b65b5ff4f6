//! The order's page.

mod stub;

use axum::http::StatusCode;
use serde_json::{Value, json};
use stub::{Shop, Stub, problem};

const COOKIE: &str = "souk_order=gst_s3cret";
const ORDER: &str = "GET /api/orders/ord_01cd";
const PAGE: &str = "/orders/ord_01cd";

fn order(status: &str, change: Value) -> Value {
    let mut order = recorded!("order");
    order["status"] = json!(status);
    for (name, value) in change.as_object().expect("an object") {
        order[name] = value.clone();
    }
    order
}

fn with(status: &str, change: Value) -> Shop {
    Shop::new(Stub::default().on(ORDER, 200, order(status, change)))
}

#[tokio::test]
async fn a_confirmed_order_shows_what_happened_and_what_it_cost() {
    let shop = with("confirmed", json!({}));
    let got = shop.get(PAGE, COOKIE).await;
    assert_eq!(got.status, StatusCode::OK);
    assert_eq!(got.header("cache-control"), "no-store");
    assert_eq!(
        shop.asked(ORDER).headers["authorization"],
        "Bearer gst_s3cret"
    );
    insta::assert_snapshot!(got.part(r#"<div id="order-live""#, "</section>"));
    insta::assert_snapshot!(got.part(r#"<tfoot>"#, "</tfoot>"));
    got.shows("Ada Hill<br>1 Bridge Street<br>N1 1AA London<br>United Kingdom")
        .shows(r#"data-settled="yes""#)
        .hides("http-equiv");
}

#[tokio::test]
async fn a_link_in_a_message_lets_its_reader_in_and_its_token_leaves_the_address() {
    let shop = with("confirmed", json!({}));
    let got = shop
        .get(&format!("{PAGE}?access_token=gst_s3cret"), "")
        .await;
    assert_eq!(got.status, StatusCode::SEE_OTHER);
    assert_eq!(got.header("location"), PAGE);
    let cookie = got.header("set-cookie");
    assert!(
        cookie.starts_with("souk_order=gst_s3cret; Path=/orders/ord_01cd;"),
        "{cookie}"
    );
}

#[tokio::test]
async fn an_order_on_its_way_is_followed_with_and_without_a_script() {
    let got = with("placed", json!({})).get(PAGE, COOKIE).await;
    got.shows(r#"<noscript><meta http-equiv="refresh" content="4"></noscript>"#)
        .shows(r#"data-events="/api/orders/ord_01cd/events?access_token=gst_s3cret""#)
        .shows(r#"data-settled="no""#)
        .shows("/order.js\" defer></script>");
}

#[tokio::test]
async fn the_buyer_is_sent_to_the_bank_and_back() {
    let action = |url: &str| {
        with(
            "payment_action_required",
            json!({"payment_action_url": url}),
        )
    };
    let got = action("http://pay.example:9090/3ds/pay_1")
        .get(PAGE, COOKIE)
        .await;
    let back = "http%3A%2F%2Fshop.example%2Forders%2Ford_01cd";
    got.shows(&format!(
        r#"href="http://pay.example:9090/3ds/pay_1?return_url={back}""#
    ));
    let got = action("https://other.example/3ds").get(PAGE, COOKIE).await;
    got.shows(r#"href="https://other.example/3ds""#);
    let got = action("javascript:alert(1)").get(PAGE, COOKIE).await;
    got.hides("javascript:");
}

#[tokio::test]
async fn a_cancelled_order_says_why_and_offers_another_try() {
    let declined = with("cancelled", json!({"cancel_reason": "payment_declined"}));
    let got = declined.get(PAGE, COOKIE).await;
    got.shows("Your card was declined, so nothing was charged.")
        .shows(r#"action="/orders/ord_01cd/again""#)
        .hides(r#"action="/orders/ord_01cd/cancel""#);
    let short = json!([{"sku": "TEA-1", "wanted": 2, "available": 1}, {"sku": "RUG-S-RED", "wanted": 1, "available": 0}]);
    let sold_out = with(
        "cancelled",
        json!({"cancel_reason": "sold_out", "shortages": short}),
    );
    sold_out
        .get(PAGE, COOKIE)
        .await
        .shows("Of “Iron teapot” 1 were left and you wanted 2.")
        .shows("“Wool rug “Atlas”, Small / Red” is gone.")
        .shows("You were not charged.");
}

#[tokio::test]
async fn ordering_again_fills_a_new_cart() {
    let stub = Stub::default()
        .on(
            ORDER,
            200,
            order("cancelled", json!({"cancel_reason": "payment_declined"})),
        )
        .on(
            "POST /api/carts/crt_01ab/lines",
            409,
            problem(409, "cart-completed"),
        )
        .on("POST /api/carts", 201, json_cart("crt_02"))
        .on("POST /api/carts/crt_02/lines", 201, json_cart("crt_02"));
    let shop = Shop::new(stub);
    let got = shop
        .post(
            "/orders/ord_01cd/again",
            "souk_order=gst_s3cret; souk_cart=crt_01ab",
            "",
        )
        .await;
    assert_eq!(
        (got.status, got.header("location")),
        (StatusCode::SEE_OTHER, "/cart")
    );
    let lines =
        json!({"lines": [{"sku": "TEA-1", "quantity": 2}, {"sku": "RUG-S-RED", "quantity": 1}]});
    assert_eq!(shop.asked("POST /api/carts/crt_02/lines").body, lines);
    assert!(got.cookies()[0].starts_with("souk_cart=crt_02;"));
}

fn json_cart(id: &str) -> Value {
    let mut cart = recorded!("cart");
    cart["id"] = json!(id);
    cart
}

#[tokio::test]
async fn an_order_nobody_heard_of_yet_is_shown_as_its_checkout_recorded_it() {
    let stub = Stub::default()
        .on(ORDER, 404, problem(404, "not-found"))
        .on(
            "GET /api/carts/checkouts/ord_01cd",
            200,
            order("placed", json!({})),
        );
    let shop = Shop::new(stub);
    let got = shop.get(PAGE, COOKIE).await;
    assert_eq!(got.status, StatusCode::OK);
    got.shows("Thank you! We have your order.");
    let asked = shop.asked("GET /api/carts/checkouts/ord_01cd");
    assert_eq!(
        (asked.service.as_str(), &asked.headers["authorization"]),
        ("cart", &"Bearer gst_s3cret".parse().expect("a value"))
    );
}

#[tokio::test]
async fn orders_are_not_shown_to_others_and_failures_are_explained() {
    let answers = |status: u16| Shop::new(Stub::default().on(ORDER, status, problem(status, "no")));
    let got = answers(401).get(PAGE, "").await;
    assert_eq!(got.status, StatusCode::FORBIDDEN);
    got.shows("We cannot show this order here")
        .hides("Iron teapot");
    assert_eq!(
        answers(404).get(PAGE, "").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        answers(404).get("/orders/nonsense", "").await.status,
        StatusCode::NOT_FOUND
    );
    let got = answers(500).get(PAGE, COOKIE).await;
    assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE);
    got.shows("Orders that were placed are safe.");
}

#[tokio::test]
async fn an_order_is_cancelled_by_its_buyer() {
    let cancel = "POST /api/orders/ord_01cd/cancel";
    let shop = Shop::new(Stub::default().on(cancel, 200, order("cancelled", json!({}))));
    let got = shop.post("/orders/ord_01cd/cancel", COOKIE, "").await;
    assert_eq!(
        (got.status, got.header("location")),
        (StatusCode::SEE_OTHER, PAGE)
    );
    assert_eq!(
        shop.asked(cancel).headers["authorization"],
        "Bearer gst_s3cret"
    );
    let shop = Shop::new(Stub::default().on(cancel, 409, problem(409, "too-late")));
    let got = shop.post("/orders/ord_01cd/cancel", COOKIE, "").await;
    assert_eq!(got.status, StatusCode::CONFLICT);
    got.shows("This is too-late.")
        .shows(r#"href="/orders/ord_01cd""#);
}
