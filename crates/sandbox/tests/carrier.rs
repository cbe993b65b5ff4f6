//! The carrier: labels once, taken back, parcels told about, misbehaviours.

mod support;

use sandbox::Config;
use serde_json::{Value, json};
use support::{Receiver, Shop, quick, start};

const SHIPMENTS: &str = "/carrier/v1/shipments";

fn parcel(reference: &str, line2: &str) -> Value {
    json!({
        "reference": reference, "weight_grams": 1_250,
        "sender": {"name": "Souk", "country": "GB"},
        "recipient": {"name": "Ann", "line2": line2, "country": "DE"},
    })
}

async fn of(shop: &Shop, reference: &str) -> Vec<Value> {
    let list = shop
        .get(&format!("{SHIPMENTS}?reference={reference}"))
        .await;
    list.json["items"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn a_label_is_made_once_and_survives_a_restart() {
    let data = tempfile::tempdir().expect("a folder");
    let config = || Config {
        data: Some(data.path().to_owned()),
        ..quick()
    };
    let (sandbox, shop) = start(config()).await;
    let first = shop.post(SHIPMENTS, "a", &parcel("a", "")).await;
    assert_eq!(first.status, 201, "{}", first.text);
    assert_eq!(first.json["tracking_number"], "SP000000014GB");
    let again = shop.post(SHIPMENTS, "a", &parcel("a", "")).await;
    assert_eq!((again.status.as_u16(), &again.json), (200, &first.json));
    let other = shop.post(SHIPMENTS, "a", &parcel("a", "elsewhere")).await;
    other.assert_problem(409, "reference_reused", None);
    sandbox.shutdown().await;
    let (sandbox, shop) = start(config()).await;
    assert_eq!(of(&shop, "a").await, vec![first.json.clone()]);
    let next = shop.post(SHIPMENTS, "b", &parcel("b", "")).await;
    assert_eq!(next.json["tracking_number"], "SP000000028GB");
    sandbox.shutdown().await;
}

#[tokio::test]
async fn it_misbehaves_as_it_is_told() {
    let (sandbox, shop) = start(quick()).await;
    let lost = shop
        .try_post(SHIPMENTS, "a", &parcel("a", "sandbox:timeout-after"))
        .await;
    assert!(lost.is_none(), "no answer");
    assert_eq!(of(&shop, "a").await.len(), 1, "but a label");
    let before = parcel("b", "sandbox:timeout-before");
    assert!(shop.try_post(SHIPMENTS, "b", &before).await.is_none());
    assert!(of(&shop, "b").await.is_empty(), "nothing was made");
    assert_eq!(shop.post(SHIPMENTS, "b", &before).await.status, 201);
    let once = parcel("c", "sandbox:error-once");
    let broken = shop.post(SHIPMENTS, "c", &once).await;
    broken.assert_problem(500, "broken", None);
    assert_eq!(shop.post(SHIPMENTS, "c", &once).await.status, 201);
    let refused = parcel("d", "sandbox:refused");
    let refused = shop.post(SHIPMENTS, "d", &refused).await;
    refused.assert_problem(422, "address_not_served", None);
    let kept = shop
        .post(SHIPMENTS, "e", &parcel("e", "sandbox:keep"))
        .await;
    let path = format!("{SHIPMENTS}/{}/void", kept.id());
    let kept = shop.post(&path, "v", &json!({})).await;
    kept.assert_problem(409, "already_processed", None);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn news_are_posted_until_they_are_taken_and_a_void_label_has_none() {
    let mut receiver = Receiver::start(&[503, 500], None).await;
    let config = Config {
        carrier_webhook_url: Some(receiver.url.clone()),
        ..quick()
    };
    let (sandbox, shop) = start(config).await;
    let label = shop.post(SHIPMENTS, "a", &parcel("a", "")).await;
    let events = format!("{SHIPMENTS}/{}/events", label.id());
    let told = shop
        .post(
            &events,
            "-",
            &json!({"status": "in_transit", "place": "Leeds"}),
        )
        .await;
    assert_eq!(told.status, 201, "{}", told.text);
    for answered in [503, 500, 200] {
        let event = receiver.next().await;
        assert_eq!(event["answered"], answered);
        assert_eq!(event["reference"], "a");
        assert_eq!(event["tracking_number"], "SP000000014GB");
        assert_eq!(
            (&event["status"], &event["place"]),
            (&json!("in_transit"), &json!("Leeds"))
        );
    }
    let odd = shop.post(&events, "-", &json!({"status": "eaten"})).await;
    odd.assert_problem(422, "invalid_field", Some("status"));
    let used = shop
        .post(&format!("{SHIPMENTS}/{}/void", label.id()), "v", &json!({}))
        .await;
    used.assert_problem(409, "already_processed", None);
    let other = shop.post(SHIPMENTS, "b", &parcel("b", "")).await;
    for _ in 0..2 {
        let void = shop
            .post(&format!("{SHIPMENTS}/{}/void", other.id()), "v", &json!({}))
            .await;
        assert_eq!(void.json["status"], "voided");
    }
    let events = format!("{SHIPMENTS}/{}/events", other.id());
    let refused = shop
        .post(&events, "-", &json!({"status": "accepted"}))
        .await;
    refused.assert_problem(409, "voided", None);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn strangers_and_nonsense_are_refused() {
    let (sandbox, shop) = start(quick()).await;
    let nobody = shop
        .send(
            http::Method::GET,
            &format!("{SHIPMENTS}/shp_1"),
            &[],
            String::new(),
        )
        .await;
    assert_eq!(nobody.status, 401);
    let unknown = shop.get(&format!("{SHIPMENTS}/shp_0000000001")).await;
    unknown.assert_problem(404, "not_found", None);
    let mut light = parcel("a", "");
    light["weight_grams"] = json!(0);
    let mut odd = parcel("a b", "");
    odd["size_mm"] = json!([1, 2, 3]);
    let mut far = parcel("a", "");
    far["recipient"]["country"] = json!("Germany");
    for (body, field) in [
        (light, "weight_grams"),
        (odd, "reference"),
        (far, "recipient"),
    ] {
        let refused = shop.post(SHIPMENTS, "k", &body).await;
        refused.assert_problem(422, "invalid_field", Some(field));
    }
    sandbox.shutdown().await;
}
