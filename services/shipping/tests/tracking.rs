//! News of parcels: by webhook and by API.

mod shop;

use axum::http::StatusCode;
use serde_json::json;
use shop::Shop;

const TRACKED: &str = "shipping.tracking.recorded.v1";

/// A parcel with its label: the fulfilment and the carrier's view of it.
async fn labelled(shop: &Shop, n: u32, line2: &'static str) -> (String, serde_json::Value) {
    let id = shop.packed(n, line2).await;
    shop.post(&format!("/api/shipping/fulfilments/{id}/labels"), json!({}))
        .await;
    shop.until(&id, "shipping.label.bought.v1").await;
    let parcel = shop.at_carrier(&id, 1).await;
    (id, parcel)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_carriers_word_counts_once_however_often_it_comes() {
    let shop = Shop::open().await;
    let (id, parcel) = labelled(&shop, 1, "sandbox:webhook-storm").await;
    // Nobody here said that it was sent: the carrier has it, so it was.
    shop.happens(&parcel, "accepted").await;
    shop.until(&id, "shipping.fulfilment.shipped.v1").await;
    shop.happens(&parcel, "lost").await;
    shop.until(&id, "shipping.fulfilment.lost.v1").await;
    shop.happens(&parcel, "returned_to_sender").await;
    shop.until(&id, "shipping.fulfilment.returned.v1").await;
    assert_eq!(shop.count(&id, TRACKED), 3);
    let view = shop
        .get(&format!("/api/shipping/fulfilments/{id}"))
        .await
        .body;
    assert_eq!(view["status"], "returned", "{view}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_speaks_for_the_carrier() {
    let shop = Shop::open().await;
    let (id, parcel) = labelled(&shop, 1, "").await;
    let number = parcel["tracking_number"].as_str().expect("a number");
    let event = |number: &str, reference: &str| {
        json!({"id": "evt_1", "reference": reference, "tracking_number": number,
            "status": "delivered", "happened_at": 0})
        .to_string()
    };
    let path = "/api/shipping/webhooks/sandbox";
    let signed = |body: &str, secret: &str| {
        sandbox::signature::sign(secret.as_bytes(), shop.app.now().seconds(), body.as_bytes())
    };
    let body = event(number, &format!("{id}-1"));
    for (header, body, status) in [
        (String::new(), body.clone(), StatusCode::UNAUTHORIZED),
        (
            signed(&body, "other"),
            body.clone(),
            StatusCode::UNAUTHORIZED,
        ),
        (
            signed(&body, "whsec_test"),
            format!("{body} "),
            StatusCode::UNAUTHORIZED,
        ),
        (
            signed("{}", "whsec_test"),
            "{}".into(),
            StatusCode::BAD_REQUEST,
        ),
    ] {
        let answer = shop
            .send(
                "POST",
                path,
                None,
                &[("souk-sandbox-signature", &header)],
                &body,
            )
            .await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    for (body, status) in [
        (event(number, "ful_nobody-1"), StatusCode::OK),
        (
            event("SP000000011GB", &format!("{id}-1")),
            StatusCode::BAD_REQUEST,
        ),
        (
            event("SP999999995GB", &format!("{id}-1")),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ] {
        let header = signed(&body, "whsec_test");
        let answer = shop
            .send(
                "POST",
                path,
                None,
                &[("souk-sandbox-signature", &header)],
                &body,
            )
            .await;
        assert_eq!(answer.status, status, "{body} {}", answer.body);
    }
    assert_eq!(shop.count(&id, TRACKED), 0);
    let unknown = shop
        .send("POST", "/api/shipping/webhooks/nobody", None, &[], "{}")
        .await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_tell_where_a_parcel_is() {
    let shop = Shop::open().await;
    let id = shop.to_send(1, "").await;
    let path = |what: &str| format!("/api/shipping/fulfilments/{id}/{what}");
    let mistyped = json!({"tracking": [{"carrier": "Royal Mail", "number": "RB473124820US"}]});
    let refused = shop.post(&path("ship"), mistyped).await;
    assert_eq!(
        refused.body["field"], "tracking[0].number",
        "{}",
        refused.body
    );
    let told = json!({"tracking": [{"carrier": "Royal Mail", "number": "RB473124829US"}]});
    assert_eq!(
        shop.post(&path("ship"), told).await.body["status"],
        "shipped"
    );
    let news = json!({"event_id": "1", "status": "delivered", "place": "Leeds"});
    for _ in 0..2 {
        let answer = shop.post(&path("tracking"), news.clone()).await;
        assert_eq!(answer.body["status"], "delivered", "{}", answer.body);
    }
    assert_eq!(shop.count(&id, TRACKED), 1);
    let foreign = json!({"event_id": "2", "status": "lost", "number": "ABC123"});
    assert_eq!(
        shop.post(&path("tracking"), foreign).await.body["code"],
        "unknown-parcel"
    );
    shop.close().await;
}
