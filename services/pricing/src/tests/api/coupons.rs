//! Coupons over the API.

use std::collections::BTreeSet;

use super::super::engine::Call;
use super::*;

#[tokio::test]
async fn a_code_is_one_however_it_is_typed() {
    let shop = Shop::open().await;
    let id = promotion(&shop, json!({"needs_coupon": true})).await;
    let path = format!("/api/pricing/promotions/{id}/coupons");
    let made = shop
        .done(Method::POST, &path, json!({"code": " summer\u{2013}10 "}))
        .await;
    assert_eq!(made["code"], json!("SUMMER-10"));
    for same in ["SUMMER-10", "Summer-10", "Ｓｕｍｍｅｒ－１０"] {
        let taken = shop.staff(Method::POST, &path, json!({"code": same})).await;
        assert_eq!(refusal(&taken), (409, "coupon-taken", "code"), "{same}");
    }
    for bad in ["", "a b", "a\u{301}", "x\u{0}", &"x".repeat(65)] {
        let refused = shop.staff(Method::POST, &path, json!({"code": bad})).await;
        assert_eq!(refusal(&refused), (400, "invalid", "code"), "{bad}");
    }
    let refused = shop
        .staff(Method::POST, &path, json!({"code": "A", "limit": 0}))
        .await;
    assert_eq!(refusal(&refused), (400, "invalid", "limit"));
    let found = shop.get("/api/pricing/coupons/summer-10").await;
    assert_eq!(
        found,
        json!({"code": "SUMMER-10", "promotion_id": id, "active": true, "uses": 0})
    );

    let one = format!("{path}/summer-10");
    let change = json!({"limit": 7, "active": true});
    let changed = shop.done(Method::PUT, &one, change.clone()).await;
    assert_eq!(changed["limit"], json!(7));
    shop.done(Method::DELETE, &one, json!({})).await;
    let list = shop.get(&path).await;
    assert_eq!(list["items"][0]["active"], json!(false));
    let other = promotion(&shop, json!({"needs_coupon": true})).await;
    let elsewhere = format!("/api/pricing/promotions/{other}/coupons/SUMMER-10");
    let refused = shop.staff(Method::PUT, &elsewhere, change).await;
    assert_eq!(refusal(&refused), (404, "not-found", ""));
    let needless = promotion(&shop, json!({})).await;
    let path = format!("/api/pricing/promotions/{needless}/coupons");
    let refused = shop.staff(Method::POST, &path, json!({"code": "B"})).await;
    assert_eq!(refusal(&refused), (409, "no-coupon-needed", ""));
}

#[tokio::test]
async fn many_codes_are_generated_once_and_listed_page_by_page() {
    let shop = Shop::open().await;
    let id = promotion(&shop, json!({"needs_coupon": true})).await;
    let path = format!("/api/pricing/promotions/{id}/coupons/generate");
    let body = json!({"count": 1_000, "prefix": "vip"});
    let write = Some("pricing:write");
    let ask = async |path: &str| {
        let (status, answer) = shop
            .json(Method::POST, path, Some(body.clone()), write, Some("k1"))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer
    };
    let made = ask(&path).await;
    let codes: BTreeSet<&str> = made["codes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code.as_str().unwrap())
        .collect();
    assert_eq!(codes.len(), 1_000);
    assert!(codes.iter().all(|code| code.starts_with("VIP-")));
    assert_eq!(ask(&path).await, made, "the same key, the same codes");

    // A repeat may ask for the other form.
    let call = Call {
        method: Method::POST,
        path: &format!("{path}?format=csv"),
        permissions: write,
        key: Some("k1"),
        kind: "application/json",
        body: Some(body.to_string()),
    };
    let (status, csv) = shop.call(call).await;
    assert_eq!(status, StatusCode::CREATED);
    let lines: BTreeSet<&str> = csv.lines().skip(1).collect();
    assert_eq!((csv.lines().next(), &lines), (Some("code"), &codes));

    let mut listed = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/pricing/promotions/{id}/coupons?limit=200&cursor={cursor}");
        let page = shop.get(&path).await;
        listed.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(listed.len(), 1_000);
    assert!(listed.iter().all(|c| c["limit"] == json!(1)));

    let path = format!("/api/pricing/promotions/{id}/coupons/generate");
    for (field, body) in [
        ("count", json!({"count": 1_001})),
        ("count", json!({"count": 0})),
        ("prefix", json!({"count": 1, "prefix": "a b"})),
        ("limit", json!({"count": 1, "limit": 0})),
        ("size", json!({"count": 1, "size": 3})),
    ] {
        let refused = shop.staff(Method::POST, &path, body).await;
        assert_eq!(refusal(&refused), (400, "invalid", field));
    }
    let path = format!("{path}?format=xml");
    let refused = shop.staff(Method::POST, &path, json!({"count": 1})).await;
    assert_eq!(refusal(&refused), (400, "invalid", "format"));
}
