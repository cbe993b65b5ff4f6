//! From zones and options to signed quotes.

mod shop;

use axum::http::StatusCode;
use contracts::{
    address::Address,
    shipping::{ShippingQuote, destination_text, items_text},
};
use kernel::Timestamp;
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};
use shop::{Answered, Shop, variant};
use web::{hash_token, signed::SignedError};

const CART: &str = "crt_0190aa";

async fn ask(shop: &Shop, items: Value, destination: Value) -> Answered {
    let body =
        json!({"cart_id": CART, "currency": "GBP", "items": items, "destination": destination});
    let body = body.to_string();
    shop.send("POST", "/api/shipping/quotes", None, &[], &body)
        .await
}

fn gb() -> Value {
    json!({"country": "GB", "postcode": "ls1 1aa"})
}

fn flat(amount: i64) -> Value {
    json!([{"profile_id": "spf_general", "currency": "GBP", "price": {"kind": "flat", "amount": amount}}])
}

/// A catalogue of a mug, a sofa and a gift card; a zone; two options.
async fn stocked() -> Shop {
    let shop = Shop::open().await;
    shop.product("prd_1", &["kitchen"], vec![variant("MUG")])
        .await;
    let mut sofa = variant("SOFA");
    sofa.weight_grams = Some(40_000);
    shop.product("prd_2", &["furniture/sofas"], vec![sofa])
        .await;
    let mut card = variant("GIFT-CARD");
    card.requires_shipping = false;
    shop.product("prd_3", &[], vec![card]).await;
    let zone = shop
        .post(
            "/api/shipping/zones",
            json!({"name": "GB", "places": [{"country": "GB"}]}),
        )
        .await;
    assert_eq!(zone.status, StatusCode::CREATED, "{}", zone.body);
    let zone = &zone.body["id"];
    let bulky = json!({"name": "Bulky", "categories": ["furniture"]});
    let bulky = shop.post("/api/shipping/profiles", bulky).await.body["id"].clone();
    let mut rates = flat(495).as_array().expect("rates").clone();
    rates.push(json!({"profile_id": bulky, "currency": "GBP",
        "price": {"kind": "weight", "steps": [{"from": 0, "amount": 2_000}, {"from": 50_000, "amount": 5_000}]}}));
    for option in [
        json!({"label": "Standard", "zone_id": zone, "rates": rates, "min_days": 2, "max_days": 4,
            "free_over": [{"amount": 5_000, "currency": "GBP"}]}),
        json!({"label": "Express", "zone_id": zone, "rates": flat(995), "position": 1}),
        json!({"label": "Collect", "rates": flat(0), "collect_from": "loc_main", "position": 2}),
    ] {
        let added = shop.post("/api/shipping/options", option).await;
        assert_eq!(added.status, StatusCode::CREATED, "{}", added.body);
    }
    shop.asking("the catalogue is known", async || {
        let items = json!([{"sku": "MUG", "quantity": 1}, {"sku": "SOFA", "quantity": 1}, {"sku": "GIFT-CARD", "quantity": 1}]);
        ask(&shop, items, gb()).await.status == StatusCode::OK
    })
    .await;
    shop
}

fn shown(answer: &Answered) -> Vec<(String, i64)> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let offers = answer.body["offers"].as_array().expect("a list");
    let show = |o: &Value| {
        (
            o["label"].as_str().expect("text").to_owned(),
            o["amount"]["amount"].as_i64().expect("a number"),
        )
    };
    offers.iter().map(show).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_is_offered_and_signed_for_this_cart_and_place() {
    let shop = stocked().await;
    let mugs = json!([{"sku": "MUG", "quantity": 1}, {"sku": "MUG", "quantity": 1}]);
    let answer = ask(&shop, mugs, gb()).await;
    assert_eq!(
        shown(&answer),
        [
            ("Standard".into(), 495),
            ("Express".into(), 995),
            ("Collect".into(), 0)
        ]
    );
    let token = answer.body["offers"][0]["token"].as_str().expect("a token");
    shop.asking("the key is known", async || {
        shop.quote_keys.verify::<ShippingQuote>(token).is_ok()
    })
    .await;
    let quote: ShippingQuote = shop.quote_keys.verify(token).expect("genuine");
    assert_eq!(quote.cart_id.as_str(), CART);
    assert_eq!(quote.items_hash, hash_token(&items_text([("MUG", 2)])));
    let address = Address {
        country: "GB".into(),
        postcode: "LS11AA".into(),
        ..Address::default()
    };
    assert_eq!(
        quote.destination_hash,
        hash_token(&destination_text(&address))
    );
    assert_eq!(
        (quote.amount.amount, quote.min_days, quote.max_days),
        (495, Some(2), Some(4))
    );
    let left = quote.expires_at.seconds() - shop.app.now().seconds();
    assert!((1_700..=1_800).contains(&left), "half an hour: {left}");
    let last = shop
        .quote_keys
        .quote(token, Timestamp(quote.expires_at.0 - 1));
    assert_eq!(last, Ok(quote.clone()));
    let expired = shop.quote_keys.quote(token, quote.expires_at);
    assert_eq!(expired, Err(SignedError::Expired));
    let (kid, own) = (
        "forger",
        Ed25519KeyPair::from_seed_unchecked(&[9; 32]).expect("a seed"),
    );
    let forged = web::signed::sign(kid, &own, &quote).expect("signed");
    let refused = shop.quote_keys.quote(&forged, shop.app.now());
    assert_eq!(refused, Err(SignedError::UnknownKey));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_price_follows_from_what_the_catalogue_says() {
    let shop = stocked().await;
    let items = |list: &[(&str, i64)]| {
        let item = |(sku, quantity): &(&str, i64)| json!({"sku": sku, "quantity": quantity});
        Value::from(list.iter().map(item).collect::<Vec<_>>())
    };
    let both = ask(
        &shop,
        items(&[("MUG", 1), ("SOFA", 1), ("GIFT-CARD", 1)]),
        gb(),
    )
    .await;
    assert_eq!(
        shown(&both),
        [("Standard".into(), 2_495)],
        "the others have no price for sofas"
    );
    let heavy = ask(&shop, items(&[("SOFA", 2)]), gb()).await;
    assert_eq!(shown(&heavy), [("Standard".into(), 5_000)]);
    let free = ask(&shop, items(&[("MUG", 5)]), gb()).await;
    assert_eq!(shown(&free)[0], ("Standard".into(), 0));
    let abroad = ask(&shop, items(&[("MUG", 1)]), json!({"country": "FR"})).await;
    assert_eq!(shown(&abroad), [("Collect".into(), 0)]);
    let card = ask(&shop, items(&[("GIFT-CARD", 1)]), gb()).await;
    assert_eq!(
        (card.status, &card.body["requires_shipping"]),
        (StatusCode::OK, &json!(false))
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_questions_are_told_where_they_are_wrong() {
    let shop = stocked().await;
    let mug = || json!([{"sku": "MUG", "quantity": 1}]);
    for (items, destination, status, field) in [
        (json!([]), gb(), 400, "items"),
        (
            json!([{"sku": "MUG", "quantity": 0}]),
            gb(),
            400,
            "items[0].quantity",
        ),
        (
            json!([{"sku": "MUG", "quantity": 1}, {"sku": "NO", "quantity": 1}]),
            gb(),
            422,
            "items[1].sku",
        ),
        (
            json!([{"sku": "MUG", "quantity": 1, "price": 0}]),
            gb(),
            400,
            "items[0].price",
        ),
        (mug(), json!({"country": "gb"}), 400, "destination.country"),
        (
            mug(),
            json!({"country": "GB", "postcode": "x".repeat(201)}),
            400,
            "destination.postcode",
        ),
    ] {
        let answer = ask(&shop, items, destination).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
        assert_eq!(answer.body["field"], field, "{}", answer.body);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_is_kept_by_staff_and_refuses_what_makes_no_sense() {
    let shop = stocked().await;
    let zones = shop.get("/api/shipping/zones").await.body;
    let zone = zones["items"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/shipping/zones/{zone}");
    assert_eq!(shop.delete(&path).await.body["code"], "in-use");
    let changed = json!({"name": "UK", "places": [{"country": "GB", "postcodes": ["LS*"]}]});
    assert_eq!(shop.put(&path, changed).await.status, StatusCode::OK);
    assert_eq!(shop.get(&path).await.body["name"], "UK");
    let option = |rates: Value| json!({"label": "Odd", "zone_id": zone, "rates": rates});
    let steps = |steps: Value| json!([{"profile_id": "spf_general", "currency": "GBP", "price": {"kind": "price", "steps": steps}}]);
    for (body, field) in [
        (
            json!({"name": "X", "places": [{"country": "GB", "postcodes": ["9..1"]}]}),
            "places[0].postcodes[0]",
        ),
        (
            json!({"name": "X", "places": [{"country": "Britain"}]}),
            "places[0].country",
        ),
    ] {
        assert_eq!(
            shop.post("/api/shipping/zones", body).await.body["field"],
            field
        );
    }
    for (body, field) in [
        (json!({"label": "X", "rates": flat(1)}), "zone_id"),
        (option(json!([])), "rates"),
        (
            option(steps(
                json!([{"from": 5, "amount": 1}, {"from": 5, "amount": 2}]),
            )),
            "rates[0].price.steps[1].from",
        ),
        (
            option(
                json!([{"profile_id": "spf_9", "currency": "GBP", "price": {"kind": "flat", "amount": 1}}]),
            ),
            "rates[0].profile_id",
        ),
        (
            json!({"label": "X", "rates": flat(1), "collect_from": "loc_9"}),
            "collect_from",
        ),
        (
            json!({"label": "X", "rates": flat(-1), "collect_from": "loc_main"}),
            "rates[0].price.amount",
        ),
        (
            json!({"label": "X", "rates": flat(1), "collect_from": "loc_main", "min_days": 3, "max_days": 2}),
            "max_days",
        ),
    ] {
        let refused = shop.post("/api/shipping/options", body).await;
        assert_eq!(refused.body["field"], field, "{}", refused.body);
    }
    let nobody = shop.send("GET", "/api/shipping/zones", None, &[], "").await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    let reader = shop.token("usr_2", &["shipping:read"]);
    let refused = shop.send("DELETE", &path, Some(&reader), &[], "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    shop.close().await;
}
