//! From an order to its delivery, with the sandbox carrier over HTTP.

mod shop;

use axum::http::StatusCode;
use serde_json::{Value, json};
use shop::{Forged, Shop, fulfilment, order};

const BOUGHT: &str = "shipping.label.bought.v1";

async fn buy(shop: &Shop, id: &str) {
    let path = format!("/api/shipping/fulfilments/{id}/labels");
    let asked = shop.post(&path, json!({})).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.body);
}

async fn show(shop: &Shop, id: &str) -> Value {
    shop.get(&format!("/api/shipping/fulfilments/{id}"))
        .await
        .body
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_confirmed_order_to_the_buyers_door() {
    let shop = Shop::open().await;
    let id = shop.packed(1, "").await;
    let sender = json!({"name": "Souk Ltd", "line1": "1 Market Street", "city": "London", "postcode": "E1 6AN", "country": "GB"});
    assert_eq!(
        shop.put("/api/shipping/sender", sender).await.status,
        StatusCode::OK
    );
    buy(&shop, &id).await;
    shop.until(&id, BOUGHT).await;
    let number = show(&shop, &id).await["labels"][0]["tracking"]["number"]
        .as_str()
        .expect("a number")
        .to_owned();
    assert!(labels::s10::is_valid(&number), "{number}");
    let base = format!("/api/shipping/fulfilments/{id}");
    let pdf = shop.get(&format!("{base}/labels/1/pdf")).await;
    assert_eq!(
        (pdf.status, pdf.kind.as_str()),
        (StatusCode::OK, "application/pdf")
    );
    assert_eq!(
        read_codes(&pdf.bytes),
        [format!("CODE-128:{number}"), format!("QR-Code:{number}")]
    );
    let zpl = shop.get(&format!("{base}/labels/1/zpl")).await;
    let zpl = String::from_utf8(zpl.bytes).expect("text");
    assert!(zpl.contains(&number) && zpl.contains("Ann Müller") && zpl.contains("Souk Ltd"));
    for sheet in ["pick-list", "packing-slip"] {
        let pdf = shop.get(&format!("{base}/{sheet}")).await;
        assert_eq!(read_codes(&pdf.bytes), [format!("QR-Code:{id}")]);
    }
    let sent = shop.post(&format!("{base}/ship"), json!({})).await;
    assert_eq!(sent.body["status"], "shipped", "{}", sent.body);
    let parcel = shop.at_carrier(&id, 1).await;
    for status in ["accepted", "in_transit", "out_for_delivery", "delivered"] {
        shop.happens(&parcel, status).await;
    }
    shop.until(&id, "shipping.fulfilment.delivered.v1").await;
    shop.until_so("all news", || {
        shop.count(&id, "shipping.tracking.recorded.v1") == 4
    })
    .await;
    let path = format!("/api/shipping/orders/{}", order(1));
    let mine = shop.send("GET", &path, Some("gst_1"), &[], "").await;
    assert_eq!(
        mine.body["shipments"][0]["status"], "delivered",
        "{}",
        mine.body
    );
    assert_eq!(
        mine.body["shipments"][0]["tracking"][0]["number"],
        number.as_str()
    );
    assert_eq!(
        mine.body["shipments"][0]["events"].as_array().map(Vec::len),
        Some(4)
    );
    let other = shop.send("GET", &path, Some("gst_2"), &[], "").await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    shop.close().await;
}

/// What an independent scanner reads on a PDF's first page.
fn read_codes(pdf: &[u8]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |program: &str, arguments: &[&str]| {
        let output = std::process::Command::new(program)
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap_or_else(|e| panic!("{program} is needed: {e}"));
        String::from_utf8(output.stdout).expect("text")
    };
    std::fs::write(folder.path().join("it.pdf"), pdf).expect("written");
    run(
        "pdftoppm",
        &["-r", "300", "-png", "-singlefile", "it.pdf", "it"],
    );
    let mut codes: Vec<String> = run("zbarimg", &["--quiet", "it.png"])
        .lines()
        .map(str::to_owned)
        .collect();
    codes.sort();
    codes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_that_answers_too_late_made_one_label_and_not_two() {
    let shop = Shop::open().await;
    let late = shop.packed(1, "sandbox:timeout-after").await;
    let never = shop.packed(2, "sandbox:timeout-before").await;
    let broken = shop.packed(3, "sandbox:error-once").await;
    for id in [&late, &never, &broken] {
        buy(&shop, id).await;
    }
    for id in [&late, &never, &broken] {
        shop.until(id, "shipping.label.unknown.v1").await;
        // Asked again while nobody knows: there may be one, so there is no second.
        buy(&shop, id).await;
        shop.until(id, BOUGHT).await;
        assert_eq!(shop.count(id, "shipping.label.requested.v1"), 1);
        assert_eq!(shop.count(id, BOUGHT), 1);
        let there = shop.at_carrier(id, 1).await;
        let here = show(&shop, id).await;
        assert_eq!(
            here["labels"][0]["tracking"]["number"],
            there["tracking_number"]
        );
        assert_eq!(here["labels"].as_array().map(Vec::len), Some(1));
    }
    let troubles = shop
        .get("/api/shipping/fulfilments?trouble=true")
        .await
        .body;
    assert_eq!(troubles["items"], json!([]), "over");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_shown_and_a_label_of_a_cancelled_order_is_taken_back() {
    let shop = Shop::open().await;
    let refused = shop.packed(1, "sandbox:refused").await;
    buy(&shop, &refused).await;
    shop.until(&refused, "shipping.label.failed.v1").await;
    let view = show(&shop, &refused).await;
    assert_eq!(view["labels"][0]["code"], "address_not_served", "{view}");
    let troubles = shop
        .get("/api/shipping/fulfilments?trouble=true&status=packed")
        .await
        .body;
    assert_eq!(troubles["items"][0]["id"], refused.as_str(), "{troubles}");
    let print = shop
        .get(&format!("/api/shipping/fulfilments/{refused}/labels/1/pdf"))
        .await;
    assert_eq!(print.body["code"], "label-state");
    let given_up = shop.packed(2, "").await;
    buy(&shop, &given_up).await;
    shop.until(&given_up, BOUGHT).await;
    shop.cancelled(2).await;
    shop.until(&given_up, "shipping.label.voided.v1").await;
    assert_eq!(shop.at_carrier(&given_up, 1).await["status"], "voided");
    assert_eq!(show(&shop, &given_up).await["status"], "cancelled");
    let sent = shop
        .post(
            &format!("/api/shipping/fulfilments/{given_up}/ship"),
            json!({"handed_over": true}),
        )
        .await;
    assert_eq!(sent.body["code"], "fulfilment-state");
    let kept = shop.packed(3, "sandbox:keep").await;
    buy(&shop, &kept).await;
    shop.until(&kept, BOUGHT).await;
    let void = shop
        .post(
            &format!("/api/shipping/fulfilments/{kept}/labels/1/void"),
            json!({}),
        )
        .await;
    assert_eq!(void.status, StatusCode::ACCEPTED);
    shop.until(&kept, "shipping.label.void_failed.v1").await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_in_two_places_are_sent_in_parts() {
    let shop = Shop::open().await;
    shop.location("loc_2", "Annexe").await;
    let lines = vec![("MUG", 3, true), ("CARD", 1, false), ("BOWL", 1, true)];
    // Inventory may be heard before orders.
    shop.allocated(
        1,
        &[
            ("MUG", &[("loc_main", 1), ("loc_2", 2)]),
            ("CARD", &[("loc_main", 1)]),
            ("BOWL", &[("loc_2", 1)]),
        ],
    )
    .await;
    shop.placed(
        1,
        Forged {
            lines,
            customer: Some("cus_1"),
            ..Forged::default()
        },
    )
    .await;
    let (main, annexe) = (fulfilment(1, 1), fulfilment(1, 2));
    shop.until(&annexe, "shipping.fulfilment.created.v1").await;
    let listed = shop
        .get("/api/shipping/fulfilments?location=loc_2")
        .await
        .body;
    assert_eq!(
        (&listed["items"][0]["id"], &listed["items"][0]["units"]),
        (&json!(annexe), &json!(3))
    );
    let split = format!("/api/shipping/fulfilments/{annexe}/split");
    let lines = json!({"lines": [{"line_id": "lin_1", "quantity": 1}]});
    let answer = shop.post(&split, lines).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let third = answer.body["split"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert_eq!(third, fulfilment(1, 3));
    for id in [&main, &annexe, &third] {
        let path = format!("/api/shipping/fulfilments/{id}/ship");
        let told = json!({"tracking": [{"carrier": "Own van", "number": "VAN0001"}]});
        assert_eq!(shop.post(&path, told).await.body["status"], "shipped");
    }
    let customer = shop.token("cus_1", &[]);
    let path = format!("/api/shipping/orders/{}", order(1));
    let mine = shop.send("GET", &path, Some(&customer), &[], "").await.body;
    let sent = mine["shipments"].as_array().expect("a list");
    let units = sent
        .iter()
        .flat_map(|s| s["lines"].as_array().cloned().unwrap_or_default());
    let units: i64 = units
        .map(|line| line["quantity"].as_i64().unwrap_or(0))
        .sum();
    assert_eq!((sent.len(), units), (3, 4), "{mine}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_collected_is_handed_over_at_the_counter() {
    let shop = Shop::open().await;
    shop.placed(
        1,
        Forged {
            collect: true,
            ..Forged::default()
        },
    )
    .await;
    shop.allocated(1, &[("MUG", &[("loc_main", 2)])]).await;
    let id = fulfilment(1, 1);
    shop.until(&id, "shipping.fulfilment.created.v1").await;
    let path = |what: &str| format!("/api/shipping/fulfilments/{id}/{what}");
    assert_eq!(
        shop.post(&path("ready"), json!({})).await.body["status"],
        "ready"
    );
    let given = shop.post(&path("ship"), json!({"handed_over": true})).await;
    assert_eq!(given.body["status"], "delivered", "{}", given.body);
    shop.close().await;
}
