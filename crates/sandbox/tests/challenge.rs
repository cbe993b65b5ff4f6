//! 3-D Secure: the page, its form, and the same for programs.

mod support;

use http::Method;
use sandbox::Config;
use serde_json::{Value, json};
use support::{Receiver, Reply, Shop, payment, quick, start};

async fn waiting(shop: &Shop, reference: &str, capture: bool) -> (String, String) {
    let mut body = payment("tok_3ds", reference);
    body["capture"] = json!(capture);
    let opened = shop.post("/v1/payments", reference, &body).await;
    assert_eq!(
        (opened.status.as_u16(), &opened.json["status"]),
        (201, &json!("requires_action"))
    );
    let url = opened.json["action_url"].as_str().expect("an action_url");
    let path = url
        .find("/3ds/")
        .map(|at| url[at..].to_owned())
        .expect("a 3-D Secure address");
    (opened.id(), path)
}

async fn submit(shop: &Shop, path: &str, form: &str) -> Reply {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    shop.send(Method::POST, path, &headers, form.to_owned())
        .await
}

async fn visit(shop: &Shop, path: &str) -> Reply {
    shop.send(Method::GET, path, &[], String::new()).await
}

#[tokio::test]
async fn a_cardholder_approves_on_the_page_and_returns() {
    let mut receiver = Receiver::start(&[], None).await;
    let config = Config {
        webhook_url: Some(receiver.url.clone()),
        ..quick()
    };
    let (sandbox, shop) = start(config).await;
    let (id, path) = waiting(&shop, "<b>order</b>", false).await;
    assert_eq!(receiver.next().await["type"], "payment.requires_action");

    let page = visit(
        &shop,
        &format!("{path}?return_url=http%3A%2F%2Fshop.example%2Forders%3Fa%3D1%26b%3D2"),
    )
    .await;
    assert_eq!(page.status, 200);
    assert!(
        page.text.contains("10.00 GBP") && page.text.contains("3155"),
        "{}",
        page.text
    );
    assert!(page.text.contains("&lt;b&gt;order&lt;/b&gt;") && !page.text.contains("<b>order"));
    assert!(
        page.text
            .contains("value=\"http://shop.example/orders?a=1&amp;b=2\"")
    );
    assert!(page.text.contains("value=\"approve\"") && page.text.contains("value=\"refuse\""));
    assert!(page.text.contains("width=device-width"));
    assert!(
        page.headers["content-security-policy"]
            .to_str()
            .is_ok_and(|p| p.contains("frame-ancestors 'none'"))
    );

    let form = "decision=approve&return_url=http%3A%2F%2Fshop.example%2Forders%3Fa%3D1%26b%3D2";
    let back = submit(&shop, &path, form).await;
    assert_eq!(back.status, 303);
    assert_eq!(
        back.headers["location"],
        "http://shop.example/orders?a=1&b=2"
    );
    let told: Vec<Value> = receiver.so_far();
    assert_eq!(
        (told.len(), &told[0]["type"]),
        (1, &json!("payment.authorised")),
        "told before the way back"
    );
    let paid = shop.get(&format!("/v1/payments/{id}")).await.json;
    assert_eq!(
        (&paid["status"], &paid["action_url"]),
        (&json!("authorised"), &Value::Null)
    );

    // A second click changes nothing and leads back as well.
    assert_eq!(
        submit(&shop, &path, &form.replace("approve", "refuse"))
            .await
            .status,
        303
    );
    assert_eq!(
        shop.get(&format!("/v1/payments/{id}")).await.json["status"],
        "authorised"
    );
    assert!(visit(&shop, &path).await.text.contains("Payment approved"));
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_refusal_is_a_decline() {
    let (sandbox, shop) = start(quick()).await;
    let (id, path) = waiting(&shop, "refused", true).await;
    let page = submit(&shop, &path, "decision=refuse").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Payment refused"));
    let refused = shop.get(&format!("/v1/payments/{id}")).await.json;
    assert_eq!(
        (&refused["status"], &refused["captured"]),
        (&json!("declined"), &json!(0))
    );
    assert_eq!(refused["decline_code"], "authentication_failed");
    sandbox.shutdown().await;
}

#[tokio::test]
async fn programs_decide_with_json() {
    let mut receiver = Receiver::start(&[], None).await;
    let config = Config {
        webhook_url: Some(receiver.url.clone()),
        ..quick()
    };
    let (sandbox, shop) = start(config).await;
    let (id, path) = waiting(&shop, "json", true).await;
    receiver.next().await;
    let json_body = [("content-type", "application/json")];
    let vague = shop
        .send(Method::POST, &path, &json_body, "{}".to_owned())
        .await;
    vague.assert_problem(422, "invalid_field", Some("approve"));
    let approved = shop
        .send(
            Method::POST,
            &path,
            &json_body,
            json!({"approve": true}).to_string(),
        )
        .await;
    assert_eq!(
        (approved.status.as_u16(), &approved.json["type"]),
        (200, &json!("approve"))
    );
    assert_eq!(
        approved.json["payment"]["status"], "captured",
        "capture was asked for at once"
    );
    let kinds: Vec<_> = receiver
        .so_far()
        .iter()
        .map(|event| event["type"].clone())
        .collect();
    assert_eq!(kinds, ["payment.authorised", "payment.captured"]);
    let again = shop
        .send(
            Method::POST,
            &path,
            &json_body,
            json!({"approve": false}).to_string(),
        )
        .await;
    again.assert_problem(409, "wrong_state", None);
    assert_eq!(
        shop.get(&format!("/v1/payments/{id}")).await.json["captured"],
        1000
    );
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_waiting_payment_can_be_withdrawn_but_not_captured() {
    let (sandbox, shop) = start(quick()).await;
    let (id, path) = waiting(&shop, "withdrawn", false).await;
    let early = shop
        .post(&format!("/v1/payments/{id}/capture"), "c", &json!({}))
        .await;
    early.assert_problem(409, "wrong_state", None);
    shop.post(&format!("/v1/payments/{id}/void"), "v", &json!({}))
        .await;
    assert!(
        submit(&shop, &path, "decision=approve")
            .await
            .text
            .contains("Payment withdrawn")
    );
    assert_eq!(
        shop.get(&format!("/v1/payments/{id}")).await.json["status"],
        "voided"
    );
    sandbox.shutdown().await;
}

#[tokio::test]
async fn only_web_addresses_and_known_payments() {
    let (sandbox, shop) = start(quick()).await;
    let (id, path) = waiting(&shop, "strict", false).await;
    for bad in [
        "javascript:alert(1)",
        "//evil.example",
        "/relative",
        "data:text/html,hi",
    ] {
        assert_eq!(
            visit(&shop, &format!("{path}?return_url={bad}"))
                .await
                .status,
            400,
            "{bad}"
        );
        assert_eq!(
            submit(&shop, &path, &format!("decision=approve&return_url={bad}"))
                .await
                .status,
            400,
            "{bad}"
        );
    }
    assert_eq!(submit(&shop, &path, "decision=perhaps").await.status, 422);
    assert_eq!(submit(&shop, &path, "nonsense").await.status, 400);
    assert_eq!(
        shop.get(&format!("/v1/payments/{id}")).await.json["status"],
        "requires_action"
    );
    assert_eq!(
        visit(&shop, "/3ds/spay_0000000001aaaaaaaaaaaaaaaa")
            .await
            .status,
        404
    );
    assert_eq!(
        submit(&shop, "/3ds/nothing", "decision=approve")
            .await
            .status,
        404
    );
    sandbox.shutdown().await;
}
