//! Looking around: lists, products, and what protects every page.

mod stub;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use serde_json::json;
use stub::{Shop, Stub, problem};

const LIST: &str = "GET /api/catalog/products?limit=24";
const CATEGORIES: &str = "GET /api/catalog/categories?limit=200";

fn catalog() -> Stub {
    Stub::default()
        .on(LIST, 200, recorded!("products"))
        .on(CATEGORIES, 200, recorded!("categories"))
        .on(
            "GET /api/catalog/products/wool-rug",
            200,
            recorded!("product"),
        )
        .on("GET /api/catalog/products/prd_2", 200, recorded!("product"))
}

#[tokio::test]
async fn the_start_page_lists_products_with_pictures_prices_and_categories() {
    let got = Shop::new(catalog()).get("/", "").await;
    assert_eq!(got.status, StatusCode::OK);
    got.shows(r#"<a href="/p/iron-teapot">"#)
        .shows(r#"src="/media/teapot.svg" alt="A round black teapot""#)
        .shows("£34.50")
        .shows(r#"<s><span class="unseen">was </span>£42.00</s>"#)
        .shows(r#"<span class="small">from</span> £89.00"#)
        .shows("Not for sale at the moment")
        .shows(r#"<a href="/c/kitchen">Kitchen</a>"#)
        .shows(r#"href="/?cursor=bGFtcA""#)
        .hides("/c/kitchen/tea");
}

#[tokio::test]
async fn hostile_titles_and_addresses_are_text() {
    let got = Shop::new(catalog()).get("/", "").await;
    got.hides("<script>alert")
        .shows("Wool rug &lt;script&gt;alert")
        .hides("javascript:")
        .shows("Souk &lt;Test&gt;");
}

#[tokio::test]
async fn a_product_shows_its_variants_and_a_clean_description() {
    let got = Shop::new(catalog()).get("/p/wool-rug", "").await;
    assert_eq!(got.status, StatusCode::OK);
    insta::assert_snapshot!(got.part("<article", "</article>"));
    got.hides("RUG-EUR").hides("onclick").hides("<script>alert");
}

#[tokio::test]
async fn what_is_left_is_told_when_the_inventory_answers() {
    let level = |sku: &str| format!("GET /api/inventory/levels/{sku}");
    let stock = |sku: &str, available: i64| json!({"sku": sku, "available": available});
    let with = |small: i64, large: i64| {
        let stub = catalog()
            .on(&level("RUG-S-RED"), 200, stock("RUG-S-RED", small))
            .on(&level("RUG-L-SAND"), 200, stock("RUG-L-SAND", large));
        Shop::new(stub)
    };
    let got = with(3, 0).get("/p/wool-rug", "").await;
    got.shows(r#"<option value="RUG-S-RED">Small / Red — £89.00 (only 3 left)</option>"#)
        .shows(r#"<option value="RUG-L-SAND" disabled>"#);
    let got = with(0, 0).get("/p/wool-rug", "").await;
    got.shows("Sold out at the moment. Please come back later.")
        .hides("add-to-cart");
}

#[tokio::test]
async fn a_product_has_one_address() {
    let got = Shop::new(catalog()).get("/p/prd_2", "").await;
    assert_eq!(
        (got.status, got.header("location")),
        (StatusCode::SEE_OTHER, "/p/wool-rug")
    );
}

#[tokio::test]
async fn searches_and_categories_reach_the_catalogue_and_keep_their_place() {
    let search = "GET /api/catalog/products?limit=24&category=home%2Frugs&q=red%20%26%20soft";
    let shop = Shop::new(catalog().on(search, 200, recorded!("products")));
    let got = shop.get("/c/home/rugs?q=+red+%26+soft+", "").await;
    got.shows("Search: “red &amp; soft”")
        .shows(r#"value="red &amp; soft""#)
        .shows(r#"href="/c/home/rugs?q=red%20%26%20soft&amp;cursor=bGFtcA""#)
        .shows("Rugs &amp; carpets");
    let empty = "GET /api/catalog/products?limit=24&q=%3Cb%3E";
    let shop = Shop::new(catalog().on(empty, 200, json!({"items": []})));
    shop.get("/?q=%3Cb%3E", "")
        .await
        .shows("Nothing found for “&lt;b&gt;”")
        .hides("<b>");
}

#[tokio::test]
async fn a_stale_cursor_begins_the_list_again() {
    let stale = "GET /api/catalog/products?limit=24&category=home&cursor=old";
    let shop = Shop::new(catalog().on(stale, 400, problem(400, "invalid")));
    let got = shop.get("/c/home?cursor=old", "").await;
    assert_eq!(
        (got.status, got.header("location")),
        (StatusCode::SEE_OTHER, "/c/home")
    );
}

#[tokio::test]
async fn what_is_not_there_is_said_kindly() {
    let missing = catalog().on(
        "GET /api/catalog/products/a%2F..%2Fb",
        404,
        problem(404, "not-found"),
    );
    let shop = Shop::new(missing);
    let got = shop.get("/p/a%2F..%2Fb", "").await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
    got.shows("We do not have this product (any more)");
    let got = shop.get("/nowhere", "").await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
    got.shows("There is no such page");
    let got = shop.get("/cart/lines", "").await;
    assert_eq!(got.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn without_the_catalogue_the_shop_says_so_and_the_cart_works() {
    let shop = Shop::new(Stub::default().on("GET /api/carts/crt_01ab", 200, recorded!("cart")));
    for address in ["/", "/c/home", "/p/wool-rug", "/?q=tea"] {
        let got = shop.get(address, "").await;
        assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE, "{address}");
        assert_eq!(got.header("retry-after"), "5");
        got.shows("Our shelves are out of reach")
            .shows(r#"href="/cart""#);
    }
    let got = shop.get("/cart", "souk_cart=crt_01ab").await;
    assert_eq!(got.status, StatusCode::OK);
    got.shows("£158.00");
}

#[tokio::test]
async fn categories_are_asked_for_once_in_a_while() {
    let shop = Shop::new(catalog());
    for _ in 0..3 {
        shop.get("/", "").await.shows("Kitchen");
    }
    let asked = shop
        .log()
        .iter()
        .filter(|line| line.contains("categories"))
        .count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn an_unchanged_page_is_not_sent_again() {
    let shop = Shop::new(catalog());
    let got = shop.get("/", "").await;
    let tag = got.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    assert_eq!(got.header("cache-control"), "private, no-cache");
    let again = |cookie: &str| {
        let request = Request::get("/").header(header::IF_NONE_MATCH, &tag);
        request
            .header(header::COOKIE, cookie)
            .body(Body::empty())
            .expect("a request")
    };
    let same = shop.send(again("")).await;
    assert_eq!(
        (same.status, same.text.as_str()),
        (StatusCode::NOT_MODIFIED, "")
    );
    let with_cart = shop.send(again("souk_count=3")).await;
    assert_eq!(with_cart.status, StatusCode::OK);
    with_cart.shows(r#"id="cart-count">3<"#);
}

#[tokio::test]
async fn every_page_forbids_foreign_scripts_and_holds_none() {
    let shop = Shop::new(catalog().on("GET /api/carts/crt_01ab", 200, recorded!("cart")));
    for address in [
        "/",
        "/p/wool-rug",
        "/cart",
        "/checkout",
        "/nowhere",
        "/assets/0/souk.css",
    ] {
        let got = shop.get(address, "souk_cart=crt_01ab").await;
        let policy = got.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{address}: {policy}"
        );
        assert!(
            policy.contains("connect-src 'self' http://pay.example:9090;"),
            "{policy}"
        );
        assert_eq!(got.header("x-content-type-options"), "nosniff");
        got.hides("<style")
            .hides(" style=")
            .hides("<script>")
            .hides(" onclick=");
        if address.starts_with("/assets") {
            continue;
        }
        for landmark in [
            "<html lang=\"en\">",
            "<main ",
            "<header ",
            "<footer ",
            "Skip to content",
        ] {
            got.shows(landmark);
        }
    }
}

#[tokio::test]
async fn files_are_kept_for_ever_under_the_name_of_their_content() {
    let shop = Shop::new(catalog());
    let page = shop.get("/", "").await;
    let address = page.part("/assets/", ".css").to_owned();
    let file = shop.get(&address, "").await;
    assert_eq!(file.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(
        file.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert!(file.text.len() <= 15 * 1024, "the style sheet stays small");
    let old = shop.get("/assets/0000000000000000/souk.css", "").await;
    assert_eq!(old.header("cache-control"), "no-cache");
    let none = shop
        .get("/assets/0000000000000000/..%2FCargo.toml", "")
        .await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_shop_may_bring_its_own_templates() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("message.html"),
        "Own: {{ page.title }} {{ shop_name }}",
    )
    .expect("written");
    let shop = Shop::with(catalog(), |config| {
        config.templates = Some(folder.path().into())
    });
    let own = shop.get("/nowhere", "").await;
    assert_eq!(own.text, "Own: There is no such page Souk &lt;Test&gt;");
    shop.get("/", "").await.shows("Iron teapot");
}
