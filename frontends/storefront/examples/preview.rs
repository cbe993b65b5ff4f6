//! The shop's pages with recorded answers instead of services, to look at while changing templates
//! and styles: `cargo run -p storefront --example preview -- 127.0.0.1:8099`, then open `/`,
//! `/p/wool-rug`, `/cart`, `/checkout`, `/orders/ord_01cd` (or `ord_placed`, `ord_bank`,
//! `ord_declined`).

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, Request},
    http::{HeaderValue, Response, header},
    middleware::{Next, from_fn},
    routing::get,
};
use kernel::{BoxFuture, Currency};
use serde_json::{Value, json};
use storefront::Config;
use web::Upstream;

struct Recorded;

impl Upstream for Recorded {
    fn call(
        &self,
        _: &str,
        request: axum::http::Request<Body>,
    ) -> BoxFuture<'static, Response<Body>> {
        let path = request.uri().path().to_owned();
        let found = answer(path.trim_start_matches("/api/"));
        let (status, body) = match found {
            Some(body) => (200, body.to_string()),
            None => (404, "{}".into()),
        };
        Box::pin(async move {
            let answer = Response::builder().status(status);
            answer.body(Body::from(body)).unwrap_or_default()
        })
    }

    fn services(&self) -> Vec<String> {
        Vec::new()
    }
}

fn answer(path: &str) -> Option<Value> {
    let read = |text| serde_json::from_str::<Value>(text).ok();
    let order = || read(include_str!("../tests/answers/order.json"));
    let changed = |status: &str, name: &str, value: Value| {
        let mut order = order()?;
        order["status"] = json!(status);
        order[name] = value;
        Some(order)
    };
    match path {
        "catalog/products" => {
            let mut list = read(include_str!("../tests/answers/products.json"))?;
            let items = list["items"].as_array()?.clone();
            list["items"] = items.iter().cycle().take(13).cloned().collect();
            Some(list)
        }
        "catalog/categories" => read(include_str!("../tests/answers/categories.json")),
        path if path.starts_with("catalog/products/") => {
            read(include_str!("../tests/answers/product.json"))
        }
        path if path.ends_with("/checkout") => {
            Some(json!({"order": order()?, "access_token": "gst_x"}))
        }
        path if path.starts_with("carts/crt_trouble") => {
            let mut cart = read(include_str!("../tests/answers/cart.json"))?;
            cart["problems"] = json!([
                {"code": "price-changed", "line": "lin_1", "sku": "TEA-1", "old": {"amount": 3450, "currency": "GBP"}, "new": {"amount": 3990, "currency": "GBP"}},
                {"code": "short-stock", "line": "lin_2", "sku": "RUG-S-RED", "wanted": 4, "available": 2},
            ]);
            Some(cart)
        }
        path if path.starts_with("carts/") => read(include_str!("../tests/answers/cart.json")),
        "orders/ord_placed" => changed(
            "placed",
            "timeline",
            json!([{"at": 1904047500000000i64, "what": "placed", "who": "guest"}]),
        ),
        "orders/ord_bank" => changed(
            "payment_action_required",
            "payment_action_url",
            json!("http://127.0.0.1:9090/3ds/1"),
        ),
        "orders/ord_declined" => changed("cancelled", "cancel_reason", json!("payment_declined")),
        path if path.starts_with("orders/") => order(),
        _ => None,
    }
}

/// A coloured shape, so that pages have pictures.
async fn picture(Path(name): Path<String>) -> ([(header::HeaderName, &'static str); 1], String) {
    let hue = name.bytes().map(u32::from).sum::<u32>() * 7 % 360;
    let svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><rect width="100" height="100" fill="hsl({hue} 40% 88%)"/><circle cx="50" cy="52" r="27" fill="hsl({hue} 45% 45%)"/></svg>"#
    );
    ([(header::CONTENT_TYPE, "image/svg+xml")], svg)
}

/// Gives every visitor the cookies that the pages need.
async fn cookies(mut request: Request, next: Next) -> axum::response::Response {
    let cart = match request.uri().query() {
        Some(query) if query.contains("trouble") => {
            "souk_cart=crt_trouble; souk_count=3; souk_order=gst_x"
        }
        _ => "souk_cart=crt_01ab; souk_count=3; souk_order=gst_x",
    };
    let headers = request.headers_mut();
    headers.insert(header::COOKIE, HeaderValue::from_static(cart));
    next.run(request).await
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8099".into());
    let config = Config::new("The Corner Souk", Currency::GBP, "http://127.0.0.1:9090");
    let app = Router::new()
        .route("/media/{name}", get(picture))
        .merge(storefront::router(config, Arc::new(Recorded)))
        .layer(from_fn(cookies));
    axum::serve(tokio::net::TcpListener::bind(address).await?, app).await
}
