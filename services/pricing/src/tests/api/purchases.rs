//! Orders that use scarce promotions.

use contracts::pricing::PromotionUse;
use futures_util::future::join_all;

use super::super::{
    orders::{cancelled, placed},
    samples::{a_use, gbp},
};
use super::*;

fn used(promotion: &str, code: Option<&str>, amount: i64) -> Vec<PromotionUse> {
    vec![a_use(promotion, code, amount)]
}

async fn with_coupon(shop: &Shop, more: Value, limit: Option<i64>) -> String {
    let id = promotion(shop, more).await;
    let path = format!("/api/pricing/promotions/{id}/coupons");
    let body = json!({"code": "summer-10", "limit": limit});
    shop.done(Method::POST, &path, body).await;
    id
}

#[tokio::test]
async fn of_200_parallel_orders_on_a_coupon_with_50_uses_exactly_50_have_it() {
    let shop = Shop::open().await;
    let id = with_coupon(&shop, json!({"needs_coupon": true}), Some(50)).await;
    let orders: Vec<String> = (0..200).map(|i| format!("ord_{i}")).collect();
    let publish = orders.iter().map(|order| {
        let uses = used(&id, Some("SUMMER-10"), 100);
        shop.publish(order, placed(order, &format!("buyer{order}"), uses))
    });
    join_all(publish).await;
    let mut made = Vec::new();
    let mut refused = 0;
    for _ in 0..200 {
        match shop.hear().await {
            said if said.ends_with(" coupon_used_up") => refused += 1,
            said => made.push(said.strip_prefix("made ").expect("made").to_owned()),
        }
    }
    assert_eq!((made.len(), refused), (50, 150));
    let coupon = shop.get("/api/pricing/coupons/summer-10").await;
    assert_eq!(
        (&coupon["uses"], &coupon["limit"]),
        (&json!(50), &json!(50))
    );
    let shown = shop.get(&format!("/api/pricing/promotions/{id}")).await;
    assert_eq!(shown["uses"], json!(50));
    assert_eq!(
        shown["spent"],
        json!([{"amount": 5_000, "currency": "GBP"}])
    );

    // Two of them are cancelled: two more may have it, and no third one.
    for order in &made[..2] {
        shop.publish(order, cancelled(order)).await;
        assert_eq!(shop.hear().await, format!("released {order}"));
    }
    let mut outcomes = Vec::new();
    for order in ["ord_a", "ord_b", "ord_c"] {
        let uses = used(&id, Some("SUMMER-10"), 100);
        shop.publish(order, placed(order, "late", uses)).await;
        outcomes.push(shop.hear().await);
    }
    assert_eq!(
        outcomes,
        ["made ord_a", "made ord_b", "refused ord_c coupon_used_up"]
    );
    shop.rebuild().await;
    let list = shop
        .get(&format!("/api/pricing/promotions/{id}/coupons"))
        .await;
    assert_eq!(list["items"][0]["uses"], json!(50));
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn a_campaign_shows_what_was_used_of_its_budget() {
    let shop = Shop::open().await;
    let budget =
        json!({"name": "Summer", "uses": 10, "spend": {"amount": 1_000, "currency": "GBP"}});
    let campaign = shop
        .done(Method::POST, "/api/pricing/campaigns", budget)
        .await;
    let campaign = campaign["id"].as_str().unwrap();
    let id = promotion(&shop, json!({"campaign": campaign, "limit_per_buyer": 2})).await;
    for (order, buyer, amount, said) in [
        ("ord_1", "ann", 600, "made ord_1"),
        ("ord_2", "ann", 401, "refused ord_2 budget_spent"),
        ("ord_3", "ann", 400, "made ord_3"),
        ("ord_4", "ann", 0, "refused ord_4 buyer_limit"),
    ] {
        shop.publish(order, placed(order, buyer, used(&id, None, amount)))
            .await;
        assert_eq!(shop.hear().await, said);
    }
    let path = format!("/api/pricing/campaigns/{campaign}");
    let shown = shop.get(&path).await;
    assert_eq!(
        (&shown["used"], &shown["promotions"]),
        (&json!(2), &json!([id]))
    );
    assert_eq!(shown["spent"], json!([gbp(1_000)]));
    let redemption = shop.get("/api/pricing/redemptions/ord_2").await;
    assert_eq!(
        (&redemption["status"], &redemption["reason"]),
        (&json!("refused"), &json!("budget_spent"))
    );
    let redemption = shop.get("/api/pricing/redemptions/ord_1").await;
    assert_eq!(redemption["uses"][0]["campaign"], json!(campaign));

    let in_use = shop.staff(Method::DELETE, &path, json!({})).await;
    assert_eq!(refusal(&in_use), (409, "campaign-in-use", ""));
    let promotion = format!("/api/pricing/promotions/{id}");
    shop.done(Method::DELETE, &promotion, json!({})).await;
    shop.done(Method::DELETE, &path, json!({})).await;
    // What the removed promotion took off is given back all the same.
    shop.publish("ord_1", cancelled("ord_1")).await;
    assert_eq!(shop.hear().await, "released ord_1");
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn orders_that_use_nothing_scarce_leave_no_trace_and_bad_ones_are_parked() {
    let shop = Shop::open().await;
    let id = promotion(&shop, json!({"limit": 5})).await;
    shop.publish("ord_1", placed("ord_1", "ann", vec![])).await;
    shop.publish("ord_1", cancelled("ord_1")).await;
    shop.publish("ord_2", placed("ord_2", "ann", used(&id, None, -5)))
        .await;
    shop.publish("ord_3", placed("ord_3", "ann", used(&id, None, 5)))
        .await;
    assert_eq!(shop.hear().await, "made ord_3");
    while shop.dead_letters().await == 0 {
        tokio::task::yield_now().await;
    }
    let read = Some("pricing:read");
    for order in ["ord_1", "ord_2"] {
        let path = format!("/api/pricing/redemptions/{order}");
        let (status, _) = shop.json(Method::GET, &path, None, read, None).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
    assert_eq!(shop.dead_letters().await, 1);
}
