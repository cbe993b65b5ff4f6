//! One service at a time is in trouble, in every way there is: what needs it says so kindly, and
//! everything else works.

mod stub;

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use stub::{Got, Shop, Stub, Trouble, problem};
use tokio::time::Instant;

const CART: &str = "souk_cart=crt_01ab";
const CART_AND_ORDER: &str = "souk_cart=crt_01ab; souk_order=gst_s3cret";
/// How long the gateway waits for a page.
const GATEWAY: Duration = Duration::from_secs(30);

const TROUBLES: [Trouble; 4] = [
    Trouble::Answers(502),
    Trouble::Answers(503),
    Trouble::Answers(504),
    Trouble::Hangs,
];

/// A shop where everything works but one service.
fn shop(service: &'static str, trouble: Trouble) -> Shop {
    let mut order = recorded!("order");
    order["status"] = json!("stock_reserved");
    let list = "GET /api/catalog/products?limit=24";
    let placed = json!({"order": order, "access_token": "gst_s3cret"});
    let level = |sku: &str| format!("GET /api/inventory/levels/{sku}");
    let stub = Stub::default()
        .on(list, 200, recorded!("products"))
        .on(&format!("{list}&q=tea"), 200, recorded!("products"))
        .on(&format!("{list}&category=home"), 200, recorded!("products"))
        .on(
            "GET /api/catalog/categories?limit=200",
            200,
            recorded!("categories"),
        )
        .on(
            "GET /api/catalog/products/wool-rug",
            200,
            recorded!("product"),
        )
        .on(
            &level("RUG-S-RED"),
            200,
            json!({"sku": "RUG-S-RED", "available": 3}),
        )
        .on(
            &level("RUG-L-SAND"),
            200,
            json!({"sku": "RUG-L-SAND", "available": 9}),
        )
        .on("GET /api/carts/crt_01ab", 200, recorded!("cart"))
        .on("POST /api/carts", 201, recorded!("cart"))
        .on("POST /api/carts/crt_01ab/lines", 201, recorded!("cart"))
        .on("POST /api/carts/crt_01ab/checkout", 201, placed)
        .on("GET /api/orders/ord_01cd", 200, order)
        .on("GET /api/orders/ord_02cd", 404, problem(404, "not-found"))
        .on("POST /api/orders/ord_01cd/cancel", 200, json!({}));
    Shop::new(stub.trouble(service, trouble))
}

const FORM: &str = "key=form-1&email=ada%40example.com&name=Ada&line1=1+Bridge+Street&city=London&postcode=N1+1AA&country=GB&token=tok_abc-1&test_card=";

/// `("GET /", cookies, form)`
async fn visit(shop: &Shop, page: (&str, &str, &str)) -> Got {
    let (line, cookie, form) = page;
    let (method, address) = line.split_once(' ').expect("METHOD /address");
    let began = Instant::now();
    let got = match method {
        "GET" => shop.get(address, cookie).await,
        _ => shop.post(address, cookie, form).await,
    };
    assert!(began.elapsed() < GATEWAY, "{line}: {:?}", began.elapsed());
    got
}

const SHELVES: [(&str, &str, &str); 4] = [
    ("GET /", "", ""),
    ("GET /?q=tea", "", ""),
    ("GET /c/home", "", ""),
    ("GET /p/wool-rug", "", ""),
];
const CARTS: [(&str, &str, &str); 4] = [
    ("GET /cart", CART, ""),
    ("POST /cart/lines", CART, "sku=RUG-S-RED&quantity=1"),
    ("POST /cart/lines", "", "sku=RUG-S-RED&quantity=1"),
    ("GET /checkout", CART, ""),
];
const PLACE: (&str, &str, &str) = ("POST /checkout", CART, FORM);
const ORDERS: [(&str, &str, &str); 2] = [
    ("GET /orders/ord_01cd", CART_AND_ORDER, ""),
    ("POST /orders/ord_01cd/cancel", CART_AND_ORDER, ""),
];
const ALWAYS: [(&str, &str, &str); 2] = [("GET /cart", "", ""), ("GET /nothing", "", "")];

#[track_caller]
fn works(got: &Got, page: (&str, &str, &str), trouble: Trouble) {
    let fine = [StatusCode::OK, StatusCode::SEE_OTHER, StatusCode::NOT_FOUND];
    assert!(
        fine.contains(&got.status),
        "{page:?}, {trouble:?}: {}",
        got.status
    );
}

/// The page says what is the matter, is a page, and may be tried again.
#[track_caller]
fn says(got: &Got, text: &str, page: (&str, &str, &str), trouble: Trouble) {
    let status = got.status;
    assert_eq!(
        status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{page:?}, {trouble:?}"
    );
    assert!(
        got.header("content-type").starts_with("text/html"),
        "{page:?}"
    );
    got.shows(text);
}

#[tokio::test(start_paused = true)]
async fn without_the_catalogue_people_still_buy_what_is_in_their_carts() {
    for trouble in TROUBLES {
        let shop = shop("catalog", trouble);
        for page in SHELVES {
            let got = visit(&shop, page).await;
            says(&got, "Our shelves are out of reach", page, trouble);
            got.shows(r#"href="/cart""#);
        }
        for page in CARTS.into_iter().chain([PLACE]).chain(ORDERS).chain(ALWAYS) {
            works(&visit(&shop, page).await, page, trouble);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_inventory_people_browse_and_buy() {
    for trouble in TROUBLES {
        let shop = shop("inventory", trouble);
        let everything = SHELVES.into_iter().chain(CARTS).chain([PLACE]);
        for page in everything.chain(ORDERS).chain(ALWAYS) {
            works(&visit(&shop, page).await, page, trouble);
        }
        // Nothing is known about the stock: the page says nothing, and sells.
        let began = Instant::now();
        let got = shop.get("/p/wool-rug", "").await;
        assert!(began.elapsed() < Duration::from_secs(1));
        got.shows("add-to-cart").hides("sold out").hides("disabled");
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_cart_people_browse_and_lose_nothing() {
    for trouble in TROUBLES {
        let shop = shop("cart", trouble);
        for page in CARTS {
            let got = visit(&shop, page).await;
            says(&got, "Nothing in your cart is lost", page, trouble);
            assert!(got.cookies().is_empty(), "the cart is not forgotten");
        }
        let got = visit(&shop, PLACE).await;
        let text = "We could not tell whether your order went through";
        says(&got, text, PLACE, trouble);
        for page in SHELVES.into_iter().chain(ORDERS).chain(ALWAYS) {
            works(&visit(&shop, page).await, page, trouble);
        }
        // An order that orders has not heard of may be one that only the cart knows yet.
        let new = ("GET /orders/ord_02cd", "souk_order=gst_s3cret", "");
        let got = visit(&shop, new).await;
        says(&got, "Orders that were placed are safe", new, trouble);
    }
}

#[tokio::test(start_paused = true)]
async fn without_orders_people_browse_and_order() {
    for trouble in TROUBLES {
        let shop = shop("orders", trouble);
        for page in ORDERS {
            let got = visit(&shop, page).await;
            says(&got, "Orders that were placed are safe", page, trouble);
        }
        for page in SHELVES
            .into_iter()
            .chain(CARTS)
            .chain([PLACE])
            .chain(ALWAYS)
        {
            works(&visit(&shop, page).await, page, trouble);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_payments_or_identity_or_search_no_page_fails() {
    for service in ["payments", "identity", "search"] {
        for trouble in TROUBLES {
            let shop = shop(service, trouble);
            let everything = SHELVES.into_iter().chain(CARTS).chain([PLACE]);
            for page in everything.chain(ORDERS).chain(ALWAYS) {
                works(&visit(&shop, page).await, page, trouble);
            }
            // The order waits for its payment, and its page says that nobody need wait with it.
            let got = shop.get("/orders/ord_01cd", CART_AND_ORDER).await;
            got.shows("We are asking for your payment.")
                .shows("you are not charged twice");
        }
    }
}
