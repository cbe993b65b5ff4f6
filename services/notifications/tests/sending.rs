//! From other services' events to mails in a real mail server, and back from its faults.

mod support;

use axum::http::StatusCode;
use serde_json::json;
use support::{Fulfilments, Orders, Shop, events, smtp::Fault};

const CONFIRMED: &str = "order_confirmed-ord_1";

async fn order(shop: &Shop, n: u32) {
    let app = shop.runtime.app("orders").expect("runs");
    let id = format!("ord_{n}");
    shop.say::<Orders>("orders", &id, events::placed(&app, n))
        .await;
    shop.say::<Orders>("orders", &id, events::confirmed(n))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmed_order_becomes_one_mail_however_often_it_is_told() {
    let shop = Shop::open().await;
    order(&shop, 1).await;
    shop.reaches(CONFIRMED, "sent").await;
    for _ in 0..3 {
        shop.say::<Orders>("orders", "ord_1", events::confirmed(1))
            .await;
    }
    order(&shop, 2).await;
    shop.reaches("order_confirmed-ord_2", "sent").await;
    let mails = shop.mail.mails();
    assert_eq!(mails.len(), 2);
    let mail = &mails[0];
    assert_eq!(
        (mail.from.as_str(), mail.to.as_str()),
        ("shop@shop.example", "ann.private@example.org")
    );
    assert_eq!(mail.header("Subject"), "Your order S-000001 is confirmed");
    assert_eq!(
        mail.header("To"),
        "\"Ann Private\" <ann.private@example.org>"
    );
    assert_eq!(mail.header("List-Unsubscribe"), "");
    let text = mail.text();
    let token = events::guest_token(&shop.runtime.app("orders").expect("runs"), 1);
    for part in [
        "2 x Mug: £1,234.50",
        "including VAT 20 %: £205.75",
        "Total: £1,234.50",
        "17 Secret Street",
        "LS1 1AA Leeds",
        &format!("https://shop.example/orders/ord_1?access_token={token}"),
        "text/html",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_is_down_for_an_hour_loses_nothing() {
    let mut shop = Shop::open().await;
    shop.mail.close().await;
    for n in 1..=3 {
        order(&shop, n).await;
    }
    for n in 1..=3 {
        let failed = shop
            .reaches(&format!("order_confirmed-ord_{n}"), "retrying")
            .await;
        assert_eq!(
            (&failed["attempts"], &failed["reason"]),
            (&json!(1), &json!("no_connection"))
        );
    }
    let list = shop
        .get("/api/notifications/messages?status=retrying")
        .await
        .body;
    assert_eq!(list["items"].as_array().expect("a list").len(), 3);
    // 1, 5, 15 and 30 minutes: the attempts of the first hour fail.
    for (attempt, pause) in [(2, 60), (3, 300), (4, 900)] {
        shop.later(pause);
        for n in 1..=3 {
            let path = format!("/api/notifications/messages/order_confirmed-ord_{n}");
            let tried = async || {
                let view = shop.get(&path).await.body;
                view["attempts"] == attempt && view["status"] == "retrying"
            };
            until(tried).await;
        }
    }
    assert!(shop.mail.mails().is_empty());
    shop.mail.open().await;
    shop.later(1_800);
    for n in 1..=3 {
        let sent = shop
            .reaches(&format!("order_confirmed-ord_{n}"), "sent")
            .await;
        assert_eq!(sent["attempts"], 5);
        assert!(sent["reason"].is_null());
    }
    shop.later(24 * 3_600);
    order(&shop, 4).await;
    shop.reaches("order_confirmed-ord_4", "sent").await;
    assert_eq!(shop.mail.mails().len(), 4, "each once");
    shop.close().await;
}

async fn until(mut so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !so().await {
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(support::PATIENCE, asking).await;
    assert!(done.is_ok(), "it never came to this");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_after_an_unknown_outcome_can_be_recognised() {
    let shop = Shop::open().await;
    shop.mail.fail(Fault::DropAfterData);
    order(&shop, 1).await;
    shop.reaches(CONFIRMED, "retrying").await;
    shop.mail.fail(Fault::None);
    shop.later(60);
    let sent = shop.reaches(CONFIRMED, "sent").await;
    let ids: Vec<String> = shop
        .mail
        .mails()
        .iter()
        .map(|m| m.header("Message-ID"))
        .collect();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
    assert_eq!(sent["provider_id"], ids[0].as_str());
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_for_now_is_tried_again_and_what_is_refused_for_good_waits_for_staff() {
    let shop = Shop::open().await;
    shop.mail.fail(Fault::Refuse(451));
    order(&shop, 1).await;
    let later = shop.reaches(CONFIRMED, "retrying").await;
    assert_eq!(later["reason"], "refused:451");
    shop.mail.fail(Fault::Refuse(550));
    shop.later(60);
    let failed = shop.reaches(CONFIRMED, "failed").await;
    assert_eq!(
        (&failed["reason"], &failed["attempts"]),
        (&json!("refused:550"), &json!(2))
    );
    shop.mail.fail(Fault::None);
    let path = format!("/api/notifications/messages/{CONFIRMED}/resend");
    let reader = shop.token("usr_1", &["notifications:read"]);
    let refused = shop
        .send("POST", &path, Some(&reader), Some(json!({})))
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(
        shop.post(&path, json!({})).await.status,
        StatusCode::ACCEPTED
    );
    shop.reaches(CONFIRMED, "sent").await;
    // Once more, because the buyer deleted it: another mail to them, not a repeat.
    assert_eq!(
        shop.post(&path, json!({})).await.status,
        StatusCode::ACCEPTED
    );
    let mails = shop.mail.until(2).await;
    assert_ne!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    let missing = "/api/notifications/messages/nothing/resend";
    assert_eq!(
        shop.post(missing, json!({})).await.status,
        StatusCode::NOT_FOUND
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_given_up_in_the_end_and_shown() {
    let mut shop = Shop::with(|mut config| {
        config.patience.pauses = vec![60, 120];
        config
    })
    .await;
    shop.mail.close().await;
    order(&shop, 1).await;
    shop.reaches(CONFIRMED, "retrying").await;
    shop.later(60);
    until(async || {
        let view = shop
            .get(&format!("/api/notifications/messages/{CONFIRMED}"))
            .await
            .body;
        view["attempts"] == 2
    })
    .await;
    shop.later(120);
    let failed = shop.reaches(CONFIRMED, "failed").await;
    assert_eq!(failed["attempts"], 3);
    let list = shop
        .get("/api/notifications/messages?status=failed&order=ord_1")
        .await
        .body;
    assert_eq!(list["items"][0]["id"], CONFIRMED);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shipment_that_is_heard_of_before_its_order_is_told_afterwards() {
    let shop = Shop::open().await;
    shop.say::<Fulfilments>("shipping", "ful_1", events::shipped(1))
        .await;
    order(&shop, 1).await;
    shop.reaches("order_shipped-ord_1-ful_1", "sent").await;
    let mails = shop.mail.until(2).await;
    let shipped = mails
        .iter()
        .find(|m| m.header("Subject").contains("on its way"));
    assert!(
        shipped
            .expect("sent")
            .text()
            .contains("souk-post, SP123456785GB")
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_personal_is_kept_in_clear() {
    let shop = Shop::open().await;
    shop.mail.fail(Fault::Refuse(451));
    order(&shop, 1).await;
    shop.reaches(CONFIRMED, "retrying").await;
    shop.mail.fail(Fault::None);
    shop.later(60);
    shop.reaches(CONFIRMED, "sent").await;
    let token = events::guest_token(&shop.runtime.app("orders").expect("runs"), 1);
    let secrets = [
        "ann.private",
        "Ann Private",
        "17 Secret Street",
        "LS1 1AA",
        &token,
    ];
    let mut known = false;
    for entry in std::fs::read_dir(shop.data.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        for secret in secrets {
            assert!(!holds(secret), "{} shows {secret}", path.display());
        }
        known |= path.to_string_lossy().contains("notifications") && holds(CONFIRMED);
    }
    assert!(known, "the search itself works");
    shop.close().await;
}
