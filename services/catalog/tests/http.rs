//! The catalogue's API on a real store.

mod support;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use support::{As, Shop, product};

const PRODUCTS: &str = "/api/catalog/products";

fn handles(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().expect("items");
    items
        .iter()
        .filter_map(|item| item["handle"].as_str())
        .collect()
}

#[tokio::test]
async fn a_product_is_made_read_changed_and_deleted() {
    let shop = Shop::open().await;
    let mut lamp = product("lamp", "L-1", 1_999);
    lamp["description"] = json!("<p onclick='x()'>Warm light<script>no</script>");
    let (status, made) = shop.post(PRODUCTS, lamp.clone()).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(made["description"], "<p>Warm light</p>");
    let id = made["id"].as_str().expect("an id").to_owned();

    for path in [format!("{PRODUCTS}/lamp"), format!("{PRODUCTS}/{id}")] {
        let (status, read) = shop.get(As::Anyone, &path).await;
        assert_eq!((status, &read), (StatusCode::OK, &made), "{path}");
    }

    let mut dearer = product("lantern", "L-1", 2_499);
    dearer["title"] = json!("Lantern");
    let path = format!("{PRODUCTS}/lamp");
    let (status, changed) = shop.call(As::Staff, Method::PUT, &path, Some(dearer)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(changed["id"], made["id"]);
    assert_eq!(changed["variants"][0]["id"], made["variants"][0]["id"]);
    // Read again at once, though both addresses were just served from memory.
    assert_eq!(shop.get(As::Anyone, &path).await.0, StatusCode::NOT_FOUND);
    for path in [format!("{PRODUCTS}/lantern"), format!("{PRODUCTS}/{id}")] {
        assert_eq!(shop.get(As::Anyone, &path).await.1, changed, "{path}");
    }

    let (status, _) = shop
        .call(As::Staff, Method::DELETE, &format!("{PRODUCTS}/{id}"), None)
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    for path in [format!("{PRODUCTS}/lantern"), format!("{PRODUCTS}/{id}")] {
        assert_eq!(
            shop.get(As::Anyone, &path).await.0,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let (status, _) = shop.post(PRODUCTS, lamp).await;
    assert_eq!(status, StatusCode::CREATED, "handle and SKU are free again");
    shop.close().await;
}

#[tokio::test]
async fn drafts_are_for_staff() {
    let shop = Shop::open().await;
    shop.post(PRODUCTS, product("seen", "S", 1)).await;
    let mut hidden = product("hidden", "H", 1);
    hidden["status"] = json!("draft");
    shop.post(PRODUCTS, hidden).await;
    let path = format!("{PRODUCTS}/hidden");

    assert_eq!(handles(&shop.get(As::Anyone, PRODUCTS).await.1), ["seen"]);
    assert_eq!(
        handles(&shop.get(As::Staff, PRODUCTS).await.1),
        ["seen", "hidden"]
    );
    let (_, drafts) = shop
        .get(As::Staff, &format!("{PRODUCTS}?status=draft"))
        .await;
    assert_eq!(handles(&drafts), ["hidden"]);
    let (status, problem) = shop
        .get(As::Anyone, &format!("{PRODUCTS}?status=draft"))
        .await;
    assert_eq!(
        (status, &problem["field"]),
        (StatusCode::FORBIDDEN, &json!("status"))
    );
    assert_eq!(shop.get(As::Staff, &path).await.0, StatusCode::OK);
    assert_eq!(shop.get(As::Anyone, &path).await.0, StatusCode::NOT_FOUND);

    let (status, _) = shop
        .call(As::Staff, Method::POST, &format!("{path}/publish"), None)
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(shop.get(As::Anyone, &path).await.0, StatusCode::OK);
    shop.call(As::Staff, Method::POST, &format!("{path}/unpublish"), None)
        .await;
    assert_eq!(shop.get(As::Anyone, &path).await.0, StatusCode::NOT_FOUND);
    shop.close().await;
}

#[tokio::test]
async fn who_may_not_write_is_refused() {
    let shop = Shop::open().await;
    let calls = [
        (Method::POST, PRODUCTS.to_owned()),
        (Method::POST, format!("{PRODUCTS}/bulk")),
        (Method::PUT, format!("{PRODUCTS}/x")),
        (Method::DELETE, format!("{PRODUCTS}/x")),
        (Method::POST, format!("{PRODUCTS}/x/publish")),
        (Method::POST, "/api/catalog/categories".to_owned()),
    ];
    for (method, path) in calls {
        let (status, _) = shop.call(As::Anyone, method, &path, Some(json!({}))).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
    }
    shop.close().await;
}

#[tokio::test]
async fn bad_products_get_a_problem_that_names_the_field() {
    let shop = Shop::open().await;
    shop.post(PRODUCTS, product("lamp", "L-1", 1)).await;
    let change = |key: &str, value: Value| {
        let mut given = product("new", "N-1", 1);
        given[key] = value;
        given
    };
    let cases = [
        (change("title", json!("")), 400, "title"),
        (change("title", json!(7)), 400, "title"),
        (change("colour", json!("red")), 400, "colour"),
        (change("handle", json!("lamp")), 409, "handle"),
        (change("handle", json!("No Handle")), 400, "handle"),
        (change("variants", json!([])), 400, "variants"),
        (
            change(
                "variants",
                json!([{"sku": "L-1", "prices": [{"amount": 1, "currency": "GBP"}]}]),
            ),
            409,
            "variants[0].sku",
        ),
        (
            change(
                "variants",
                json!([{"sku": "N", "prices": [{"amount": 1, "currency": "pounds"}]}]),
            ),
            400,
            "variants[0].prices[0].currency",
        ),
        (
            change(
                "variants",
                json!([{"sku": "N", "prices": [{"amount": -1, "currency": "GBP"}]}]),
            ),
            400,
            "variants[0].prices[0].amount",
        ),
        (
            change("variants", json!([{"sku": "N"}])),
            400,
            "variants[0].prices",
        ),
        (
            change("media", json!([{"url": "javascript:x"}])),
            400,
            "media[0].url",
        ),
        (change("categories", json!(["a > "])), 400, "categories[0]"),
    ];
    for (given, wanted, field) in cases {
        let (status, problem) = shop.post(PRODUCTS, given).await;
        assert_eq!(
            (status.as_u16(), problem["field"].as_str()),
            (wanted, Some(field)),
            "{problem}"
        );
    }
    let (_, list) = shop.get(As::Staff, PRODUCTS).await;
    assert_eq!(handles(&list), ["lamp"], "nothing of them was kept");
    shop.close().await;
}

#[tokio::test]
async fn lists_page_search_and_narrow_by_category() {
    let shop = Shop::open().await;
    let mut products = Vec::new();
    for i in 0..5 {
        let mut one = product(&format!("p{i}"), &format!("SKU-{i}_X"), 100);
        one["tags"] = json!([if i % 2 == 0 { "Even" } else { "Odd" }]);
        one["vendor"] = json!("Tâche & Söhne");
        one["categories"] = json!([if i < 2 {
            "home/lamps"
        } else {
            "Home > Rugs > 100%"
        }]);
        products.push(one);
    }
    let (_, answer) = shop
        .post(&format!("{PRODUCTS}/bulk"), json!({"products": products}))
        .await;
    let results = answer["results"].as_array().expect("results");
    assert!(results.iter().all(|r| r["status"] == "created"), "{answer}");

    let (mut cursor, mut seen) = (String::new(), Vec::new());
    for _ in 0..3 {
        let (_, page) = shop
            .get(As::Anyone, &format!("{PRODUCTS}?limit=2&cursor={cursor}"))
            .await;
        seen.extend(handles(&page).into_iter().map(str::to_owned));
        cursor = page["next_cursor"].as_str().unwrap_or_default().to_owned();
    }
    assert_eq!(seen, ["p0", "p1", "p2", "p3", "p4"]);
    assert_eq!(cursor, "", "the last page has no cursor");

    for (query, wanted) in [
        ("category=home", vec!["p0", "p1", "p2", "p3", "p4"]),
        ("category=home/lamps", vec!["p0", "p1"]),
        ("category=home/rugs/100", vec!["p2", "p3", "p4"]),
        ("category=hom", vec![]),
        ("q=even", vec!["p0", "p2", "p4"]),
        ("q=EVEN%20the", vec!["p0", "p2", "p4"]),
        ("q=sku-3", vec!["p3"]),
        ("q=4_x", vec!["p4"]),
        ("q=s%C3%96hne&limit=1", vec!["p0"]),
        ("q=%25", vec![]),
        ("q=odd&category=home/lamps", vec!["p1"]),
    ] {
        let (status, list) = shop.get(As::Anyone, &format!("{PRODUCTS}?{query}")).await;
        assert_eq!(
            (status, handles(&list)),
            (StatusCode::OK, wanted),
            "{query}"
        );
    }
    for bad in ["limit=0", "limit=x", "cursor=%00", "status=gone"] {
        let (status, _) = shop.get(As::Anyone, &format!("{PRODUCTS}?{bad}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{bad}");
    }
    shop.close().await;
}

#[tokio::test]
async fn a_bulk_call_answers_row_by_row_and_a_second_one_changes_nothing() {
    let shop = Shop::open().await;
    shop.post(PRODUCTS, product("old", "O-1", 1)).await;
    let call = json!({"mode": "upsert", "products": [
        product("old", "O-1", 2),
        product("new", "N-1", 1),
        {"handle": "broken"},
        product("thief", "O-1", 1),
        product("new", "N-2", 1),
    ]});
    let path = format!("{PRODUCTS}/bulk");
    let (status, answer) = shop.post(&path, call.clone()).await;
    assert_eq!(status, StatusCode::OK);
    let row = |answer: &Value, i: usize| {
        answer["results"][i]["status"]
            .as_str()
            .unwrap_or("")
            .to_owned()
    };
    let rows = |answer: &Value| (0..5).map(|i| row(answer, i)).collect::<Vec<_>>();
    assert_eq!(
        rows(&answer),
        ["updated", "created", "rejected", "rejected", "rejected"]
    );
    assert_eq!(answer["results"][3]["problem"]["code"], "sku-taken");
    assert_eq!(answer["results"][4]["problem"]["code"], "repeated-handle");
    assert!(
        answer["results"][0]["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("prd_"))
    );

    let (_, again) = shop.post(&path, call).await;
    assert_eq!(rows(&again)[..2], ["unchanged", "unchanged"]);

    let many: Vec<Value> = (0..501)
        .map(|i| product(&format!("m{i}"), &format!("M{i}"), 1))
        .collect();
    let (status, problem) = shop.post(&path, json!({"products": many})).await;
    assert_eq!(
        (status, &problem["field"]),
        (StatusCode::BAD_REQUEST, &json!("products"))
    );
    shop.close().await;
}

#[tokio::test]
async fn many_callers_at_once_never_share_a_sku() {
    let shop = Shop::open().await;
    let calls = (0..20).map(|i| shop.post(PRODUCTS, product(&format!("p{i}"), "SAME", 1)));
    let answers = futures_util::future::join_all(calls).await;
    let made = answers
        .iter()
        .filter(|(status, _)| *status == StatusCode::CREATED)
        .count();
    let refused = answers
        .iter()
        .filter(|(_, body)| body["code"] == "sku-taken")
        .count();
    assert_eq!((made, refused), (1, 19));
    shop.close().await;
}

#[tokio::test]
async fn categories_are_made_renamed_and_counted() {
    let shop = Shop::open().await;
    let path = "/api/catalog/categories";
    let mut lamp = product("lamp", "L", 1);
    lamp["categories"] = json!(["Home > Table Lamps"]);
    shop.post(PRODUCTS, lamp).await;
    let (status, made) = shop
        .post(path, json!({"path": "home/rugs", "name": "Rugs & kilims"}))
        .await;
    assert_eq!(
        (status, &made["path"]),
        (StatusCode::CREATED, &json!("home/rugs"))
    );
    let (status, problem) = shop
        .post(path, json!({"path": "home/rugs", "name": "Again"}))
        .await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("category-exists"))
    );
    let (status, problem) = shop
        .post(path, json!({"path": "Home/Rugs", "name": "x"}))
        .await;
    assert_eq!(
        (status, &problem["field"]),
        (StatusCode::BAD_REQUEST, &json!("path"))
    );

    let rename = Some(json!({"name": "Lamps for tables"}));
    let renamed = format!("{path}/home%2Ftable-lamps");
    let (status, _) = shop
        .call(As::Staff, Method::PUT, &renamed, rename.clone())
        .await;
    assert_eq!(status, StatusCode::OK);
    let nothing = format!("{path}/home%2Fnothing");
    let (status, _) = shop.call(As::Staff, Method::PUT, &nothing, rename).await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    let (_, list) = shop.get(As::Anyone, path).await;
    let listed: Vec<(&str, &str, i64)> = list["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|c| {
            (
                c["path"].as_str().unwrap_or(""),
                c["name"].as_str().unwrap_or(""),
                c["products"].as_i64().unwrap_or(-1),
            )
        })
        .collect();
    assert_eq!(
        listed,
        [
            ("home", "Home", 1),
            ("home/rugs", "Rugs & kilims", 0),
            ("home/table-lamps", "Lamps for tables", 1),
        ]
    );
    assert_eq!(list["items"][1]["parent"], "home");
    shop.close().await;
}
