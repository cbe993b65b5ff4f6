//! The API of wishlists on a real store, with the other services' events played to it.

mod support;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Shop, until};

const LISTS: &str = "/api/wishlists";

/// Customer `n` makes a list. Answers its path.
async fn list(shop: &Shop, n: u32, name: &str) -> String {
    let (status, view) = shop.post(LISTS).by(n).send(json!({"name": name})).await;
    assert_eq!(status, StatusCode::CREATED, "{view}");
    assert_eq!(view["name"], name);
    assert!(view.get("access_token").is_none());
    format!("{LISTS}/{}", view["id"].as_str().expect("an id"))
}

async fn put(shop: &Shop, list: &str, n: u32, item: Value) -> Value {
    let (status, view) = shop.post(&format!("{list}/items")).by(n).send(item).await;
    assert_eq!(status, StatusCode::OK, "{view}");
    view
}

fn skus(view: &Value) -> Vec<&str> {
    let items = view["items"].as_array().expect("items");
    items
        .iter()
        .filter_map(|item| item["sku"].as_str())
        .collect()
}

#[tokio::test]
async fn a_customer_keeps_lists_of_what_the_shop_sells() {
    let shop = Shop::open().await;
    shop.catalogue(&[("MUG", 500), ("TEA", 300)], "published", &[])
        .await;
    let path = list(&shop, 1, "Birthday").await;
    let item = json!({"sku": "MUG", "quantity": 2, "note": "The blue one."});
    put(&shop, &path, 1, item).await;
    let view = put(&shop, &path, 1, json!({"sku": "TEA", "priority": "high"})).await;
    assert_eq!(skus(&view), ["TEA", "MUG"]);
    let mug = &view["items"][1];
    assert_eq!(
        (&mug["title"], &mug["note"]),
        (&json!("Mug"), &json!("The blue one."))
    );
    assert_eq!(mug["prices"], json!([{"amount": 500, "currency": "GBP"}]));
    assert_eq!(
        (&mug["on_sale"], &mug["quantity"]),
        (&json!("yes"), &json!(2))
    );
    assert!(mug.get("bought").is_none());

    let (_, lists) = shop.get(LISTS).by(1).ask().await;
    assert_eq!(lists["items"][0]["name"], "Birthday");
    assert_eq!(lists["items"][0]["items"], 2);
    let items = format!("{path}/items/MUG");
    let change = shop.call(Method::PATCH, &items).by(1);
    let (_, view) = change.send(json!({"quantity": 5, "note": ""})).await;
    assert_eq!(view["items"][1]["quantity"], 5);
    assert!(view["items"][1].get("note").is_none());
    let (_, view) = shop.call(Method::DELETE, &items).by(1).ask().await;
    assert_eq!(skus(&view), ["TEA"]);
    let rename = shop.call(Method::PATCH, &path).by(1);
    assert_eq!(
        rename.send(json!({"name": "Easter"})).await.1["name"],
        "Easter"
    );

    for stranger in [shop.get(&path).by(2), shop.get(&path).bearer("gst_x")] {
        assert_eq!(stranger.ask().await.0, StatusCode::NOT_FOUND);
    }
    assert_eq!(shop.get(&path).ask().await.0, StatusCode::UNAUTHORIZED);
    let staff = |permissions| shop.get(&path).staff(permissions).ask();
    assert_eq!(staff(&["wishlists:read"]).await.0, StatusCode::OK);
    assert_eq!(staff(&["orders:read"]).await.0, StatusCode::FORBIDDEN);
    let delete = || shop.call(Method::DELETE, &path);
    assert_eq!(delete().by(2).ask().await.0, StatusCode::NOT_FOUND);
    assert_eq!(delete().by(1).ask().await.0, StatusCode::NO_CONTENT);
    assert_eq!(shop.get(&path).by(1).ask().await.0, StatusCode::NOT_FOUND);
    shop.close().await;
}

#[tokio::test]
async fn a_request_sent_again_makes_nothing_twice() {
    let shop = Shop::open().await;
    let make = || shop.post(LISTS).key("k1").send(json!({}));
    let (first, again) = (make().await.1, make().await.1);
    assert!(first["access_token"].is_string());
    assert_eq!(first, again);
    let other = shop.post(LISTS).key("k2").send(json!({})).await.1;
    assert_ne!(first["id"], other["id"]);
    assert_ne!(first["access_token"], other["access_token"]);
    shop.close().await;
}

#[tokio::test]
async fn a_list_follows_prices_and_says_what_cannot_be_bought() {
    let shop = Shop::open().await;
    shop.catalogue(&[("MUG", 500), ("TEA", 300)], "published", &[])
        .await;
    let path = list(&shop, 1, "Birthday").await;
    put(&shop, &path, 1, json!({"sku": "MUG"})).await;
    put(&shop, &path, 1, json!({"sku": "TEA"})).await;
    let mug = async || {
        let (_, view) = shop.get(&path).by(1).ask().await;
        let items = view["items"].as_array().expect("items").clone();
        let mug = items.into_iter().find(|item| item["sku"] == "MUG");
        mug.expect("it stays on the list")
    };
    shop.catalogue(&[("MUG", 400)], "published", &["TEA"]).await;
    assert_eq!(mug().await["prices"][0]["amount"], 400);
    assert_eq!(mug().await["prices_when_added"][0]["amount"], 500);
    shop.catalogue(&[("MUG", 400)], "draft", &[]).await;
    assert_eq!(mug().await["on_sale"], "not_now");
    shop.catalogue(&[("MUG", 450)], "published", &[]).await;
    assert_eq!(mug().await["on_sale"], "yes");
    shop.deleted(&["MUG"]).await;
    let gone = mug().await;
    assert_eq!(
        (&gone["on_sale"], &gone["title"]),
        (&json!("gone"), &json!("Mug"))
    );

    let add = |sku: &str| {
        let call = shop.post(&format!("{path}/items")).by(1);
        call.send(json!({ "sku": sku }))
    };
    for sku in ["TEA", "MUG", "NONE"] {
        let (status, problem) = add(sku).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{sku}");
        assert_eq!(problem["field"], "sku");
    }
    shop.close().await;
}

#[tokio::test]
async fn visitors_with_the_link_see_the_list_and_mark_what_they_bought() {
    let shop = Shop::open().await;
    shop.catalogue(&[("MUG", 500)], "published", &[]).await;
    let path = list(&shop, 1, "Ann turns 40").await;
    let item = json!({"sku": "MUG", "quantity": 2, "note": "For the office."});
    put(&shop, &path, 1, item).await;
    let share = async |body: Value| {
        let call = shop.call(Method::PUT, &format!("{path}/share")).by(1);
        let (status, answer) = call.send(body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let token = answer["token"].as_str().expect("a token").to_owned();
        assert!(token.starts_with("wsh_") && token.len() == 68);
        format!("{LISTS}/shared/{token}")
    };
    let link = share(json!({"display_name": "Ann B."})).await;
    let (status, view) = shop.get(&link).ask().await;
    assert_eq!((status, &view["owner"]), (StatusCode::OK, &json!("Ann B.")));
    assert_eq!(view["items"][0]["bought"], 0);
    let text = view.to_string();
    for private in ["Ann turns 40", "office", "cus_1", "per_1", "wis_"] {
        assert!(!text.contains(private), "{private}");
    }
    let bought = format!("{link}/bought");
    let mark = |key: &str, quantity: i64| {
        let call = shop.post(&bought).key(key);
        call.send(json!({"sku": "MUG", "quantity": quantity}))
    };
    assert_eq!(mark("a", 1).await.1["items"][0]["bought"], 1);
    assert_eq!(mark("a", 1).await.1["items"][0]["bought"], 1);
    let (status, problem) = mark("b", 2).await;
    assert_eq!(
        (status, &problem["left"]),
        (StatusCode::CONFLICT, &json!(1))
    );
    assert_eq!(mark("c", 0).await.0, StatusCode::BAD_REQUEST);
    // The owner is to be surprised, unless they would rather know.
    let (_, own) = shop.get(&path).by(1).ask().await;
    assert!(own["items"][0].get("bought").is_none());
    let second = share(json!({"show_bought": true})).await;
    let (_, own) = shop.get(&path).by(1).ask().await;
    assert_eq!(own["items"][0]["bought"], 1);
    assert_eq!(shop.get(&link).ask().await.0, StatusCode::NOT_FOUND);
    assert_eq!(mark("d", 1).await.0, StatusCode::NOT_FOUND);
    let undo = shop.post(&format!("{second}/unbought"));
    let (_, view) = undo.send(json!({"sku": "MUG"})).await;
    assert_eq!(view["items"][0]["bought"], 0);
    assert!(view.get("owner").is_none());

    let unshare = shop.call(Method::DELETE, &format!("{path}/share")).by(1);
    assert_eq!(unshare.ask().await.0, StatusCode::NO_CONTENT);
    assert_eq!(shop.get(&second).ask().await.0, StatusCode::NOT_FOUND);
    shop.close().await;
}

/// A guest's list with a mug on it: its path and access token.
async fn guest_list(shop: &Shop) -> (String, String) {
    let (status, view) = shop.post(LISTS).send(json!({})).await;
    assert_eq!(status, StatusCode::CREATED, "{view}");
    let token = view["access_token"].as_str().expect("a token").to_owned();
    let path = format!("{LISTS}/{}", view["id"].as_str().expect("an id"));
    let add = shop.post(&format!("{path}/items")).bearer(&token);
    let (status, view) = add.send(json!({"sku": "MUG"})).await;
    assert_eq!(status, StatusCode::OK, "{view}");
    assert!(view.get("access_token").is_none());
    (path, token)
}

#[tokio::test]
async fn a_guest_s_list_is_taken_into_the_account() {
    let shop = Shop::open().await;
    shop.catalogue(&[("MUG", 500)], "published", &[]).await;
    let named = shop.post(LISTS).send(json!({"name": "Mine"})).await;
    assert_eq!(named.1["field"], "name");
    let (path, token) = guest_list(&shop).await;
    assert_eq!(shop.get(&path).bearer(&token).ask().await.0, StatusCode::OK);
    assert_eq!(shop.get(&path).by(1).ask().await.0, StatusCode::NOT_FOUND);
    let note = shop.post(&format!("{path}/items")).bearer(&token);
    let (status, problem) = note.send(json!({"sku": "MUG", "note": "For Bob."})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["type"], "urn:souk:problem:sign-in-first");

    let claim = |n, token: &str, into: Option<&str>| {
        let call = shop.post(&format!("{path}/claim")).by(n);
        call.send(json!({"access_token": token, "into": into}))
    };
    assert_eq!(claim(1, "gst_x", None).await.0, StatusCode::NOT_FOUND);
    let own = list(&shop, 1, "Birthday").await;
    let id = own.rsplit('/').next();
    assert_eq!(claim(2, &token, id).await.0, StatusCode::NOT_FOUND);
    let (status, view) = claim(1, &token, id).await;
    assert_eq!(
        (status, &view["name"]),
        (StatusCode::OK, &json!("Birthday"))
    );
    assert_eq!(skus(&view), ["MUG"]);
    let gone = shop.get(&path).bearer(&token).ask().await;
    assert_eq!(gone.0, StatusCode::NOT_FOUND);

    let (path, token) = guest_list(&shop).await;
    let call = shop.post(&format!("{path}/claim")).by(1);
    let (status, view) = call.send(json!({ "access_token": token })).await;
    assert_eq!((status, skus(&view)), (StatusCode::OK, vec!["MUG"]));
    let (_, lists) = shop.get(LISTS).by(1).ask().await;
    assert_eq!(lists["items"].as_array().map(Vec::len), Some(2));
    shop.close().await;
}

#[tokio::test]
async fn a_guest_s_list_that_nobody_uses_is_deleted() {
    let shop = Shop::open().await;
    shop.catalogue(&[("MUG", 500)], "published", &[]).await;
    let (path, token) = guest_list(&shop).await;
    let kept = list(&shop, 1, "Birthday").await;
    shop.clock.advance(90 * 24 * 60 * 60 * 1_000_000);
    until("the guest's list is gone", async || {
        let answer = shop.get(&path).bearer(&token).ask().await;
        answer.0 == StatusCode::NOT_FOUND
    })
    .await;
    assert_eq!(shop.get(&kept).by(1).ask().await.0, StatusCode::OK);
    shop.close().await;
}

#[tokio::test]
async fn bad_input_names_the_field() {
    let shop = Shop::open().await;
    shop.catalogue(&[("MUG", 500)], "published", &[]).await;
    let path = list(&shop, 1, "Birthday").await;
    let (items, share) = (format!("{path}/items"), format!("{path}/share"));
    let long = "x".repeat(501);
    for (method, path, body, field) in [
        (
            Method::POST,
            LISTS,
            json!({"name": "x".repeat(101)}),
            "name",
        ),
        (Method::POST, LISTS, json!({"name": "a\nb"}), "name"),
        (Method::POST, &items, json!({"sku": ""}), "sku"),
        (
            Method::POST,
            &items,
            json!({"sku": "MUG", "quantity": 0}),
            "quantity",
        ),
        (
            Method::POST,
            &items,
            json!({"sku": "MUG", "quantity": 10_000}),
            "quantity",
        ),
        (
            Method::POST,
            &items,
            json!({"sku": "MUG", "note": long}),
            "note",
        ),
        (
            Method::POST,
            &items,
            json!({"sku": "MUG", "priority": "urgent"}),
            "priority",
        ),
        (
            Method::PUT,
            &share,
            json!({"display_name": "\u{202e}nnA"}),
            "display_name",
        ),
    ] {
        let (status, problem) = shop.call(method, path).by(1).send(body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
        assert_eq!(problem["field"], field);
    }
    shop.close().await;
}

#[tokio::test]
async fn an_erased_person_s_lists_are_gone() {
    let shop = Shop::open().await;
    shop.catalogue(&[("MUG", 500)], "published", &[]).await;
    let path = list(&shop, 1, "Birthday").await;
    put(&shop, &path, 1, json!({"sku": "MUG"})).await;
    let other = list(&shop, 2, "Easter").await;
    shop.erased(1).await;
    until("the list is gone", async || {
        shop.get(&path).by(1).ask().await.0 == StatusCode::NOT_FOUND
    })
    .await;
    let (_, lists) = shop.get(LISTS).by(1).ask().await;
    assert_eq!(lists["items"], json!([]));
    assert_eq!(shop.get(&other).by(2).ask().await.0, StatusCode::OK);
    let late = shop.post(LISTS).by(1).send(json!({})).await;
    assert_eq!(late.0, StatusCode::GONE);
    shop.close().await;
}
