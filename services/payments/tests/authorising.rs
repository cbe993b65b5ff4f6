//! From an order's request to an outcome, through everything the sandbox can do wrong.

mod shop;

use std::time::Duration;

use contracts::payments::PaymentEvent;
use shop::{Options, Shop};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_card_is_authorised_once() {
    let shop = Shop::open().await;
    let payment = shop.ask("tok_visa").await;
    shop.until(&payment, "authorised").await;
    shop.until_webhooks(1).await;
    assert_eq!(shop.history(&payment), ["intended", "authorised"]);
    let balance = shop.balance().await;
    assert_eq!(balance["currencies"][0]["authorised"], 1_000);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_card_is_declined_with_the_banks_reason() {
    let shop = Shop::open().await;
    for (token, code) in [
        ("tok_declined", "card_declined"),
        ("tok_insufficient_funds", "insufficient_funds"),
        ("tok_nonsense", "invalid_token"),
        ("4242424242424242", "card_number_refused"),
    ] {
        let payment = shop.ask(token).await;
        shop.until(&payment, "declined").await;
        let events = shop.events(&payment, "declined");
        let PaymentEvent::Declined(declined) = &*events[0] else {
            panic!("declined");
        };
        assert_eq!(declined.code, code);
    }
    assert_eq!(
        shop.balance().await["payments"],
        2,
        "no card number got there"
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_charge_without_an_answer_is_found_and_not_repeated() {
    let options = Options {
        provider_timeout: Duration::from_millis(200),
        webhooks: false,
        ..Options::default()
    };
    let shop = Shop::with(options).await;
    let payment = shop.ask("tok_timeout_after_charge").await;
    shop.until(&payment, "authorised").await;
    assert_eq!(
        shop.history(&payment)[..3],
        ["intended", "operation_unknown", "inquiry_requested"]
    );
    assert_eq!(shop.count(&payment, "authorised"), 1);
    assert_eq!(shop.balance().await["payments"], 1);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_never_happened_is_tried_until_the_order_is_cancelled() {
    let options = Options {
        provider_timeout: Duration::from_millis(100),
        ..Options::default()
    };
    let shop = Shop::with(options).await;
    let payment = shop.ask("tok_timeout_before_charge").await;
    shop.until_so("two asks", || {
        shop.count(&payment, "inquiry_requested") >= 2
    })
    .await;
    assert_eq!(shop.count(&payment, "declined"), 0, "unknown is not failed");
    shop.cancel(&payment).await;
    shop.until(&payment, "declined").await;
    assert_eq!(shop.balance().await["payments"], 0);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_of_the_provider_is_asked_about_and_tried_again() {
    let shop = Shop::open().await;
    let payment = shop.ask("tok_error_500_then_ok").await;
    shop.until(&payment, "authorised").await;
    assert_eq!(shop.history(&payment)[1], "operation_unknown");
    assert_eq!(shop.balance().await["payments"], 1);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_webhooks_at_once_and_one_before_the_answer_authorise_once() {
    let shop = Shop::open().await;
    let storm = shop.ask("tok_webhook_storm").await;
    shop.until(&storm, "authorised").await;
    shop.until_webhooks(5).await;
    assert_eq!(shop.history(&storm), ["intended", "authorised"]);
    let first = shop.ask("tok_webhook_first").await;
    shop.until(&first, "authorised").await;
    shop.until_webhooks(6).await;
    let late = shop.ask("tok_webhook_late").await;
    shop.until(&late, "authorised").await;
    shop.until_webhooks(7).await;
    for payment in [&first, &late] {
        assert_eq!(shop.history(payment), ["intended", "authorised"]);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_buyer_approves_and_the_webhook_tells() {
    let shop = Shop::open().await;
    let approved = shop.ask("tok_3ds").await;
    let refused = shop.ask("tok_3ds").await;
    for (payment, approve) in [(&approved, true), (&refused, false)] {
        shop.until(payment, "action_required").await;
        act(&shop, payment, approve).await;
    }
    shop.until(&approved, "authorised").await;
    shop.until(&refused, "declined").await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_webhooks_the_buyers_answer_is_asked_for() {
    let options = Options {
        webhooks: false,
        ..Options::default()
    };
    let shop = Shop::with(options).await;
    let payment = shop.ask("tok_3ds").await;
    shop.until(&payment, "inquiry_requested").await;
    act(&shop, &payment, true).await;
    shop.until(&payment, "authorised").await;
    assert_eq!(shop.count(&payment, "action_required"), 1);
    shop.close().await;
}

async fn act(shop: &Shop, payment: &contracts::payments::PaymentId, approve: bool) {
    let events = shop.events(payment, "action_required");
    let PaymentEvent::ActionRequired(action) = &*events[0] else {
        panic!("action required");
    };
    assert!(
        action
            .url
            .ends_with(&format!("/3ds/{}", action.provider_reference))
    );
    let path = format!("/3ds/{}", action.provider_reference);
    let body = format!(r#"{{"approve": {approve}}}"#);
    shop.ask_provider("POST", &path, &body).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_order_holds_nothing_whenever_it_comes() {
    let shop = Shop::open().await;
    let held = shop.authorised().await;
    shop.cancel(&held).await;
    let waiting = shop.ask("tok_3ds").await;
    shop.until(&waiting, "action_required").await;
    shop.cancel(&waiting).await;
    let racing = shop.ask("tok_visa").await;
    shop.cancel(&racing).await;
    for payment in [&held, &waiting] {
        shop.until(payment, "voided").await;
    }
    // Either it was voided, or the cancellation came before it was ever asked for.
    shop.until_so("the race is over", || {
        shop.count(&racing, "voided") == 1 || shop.history(&racing) == ["abandoned"]
    })
    .await;
    let balance = shop.balance().await;
    assert_eq!(balance["currencies"][0]["authorised"], 0, "{balance}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_waited_out_and_visible() {
    let options = Options {
        provider_timeout: Duration::from_millis(300),
        ..Options::default()
    };
    let mut shop = Shop::with(options).await;
    let held = shop.authorised().await;
    shop.until_webhooks(1).await;
    shop.stop_sandbox().await;
    let new = shop.ask("tok_visa").await;
    shop.cancel(&held).await;
    shop.until(&new, "operation_unknown").await;
    shop.until(&held, "operation_unknown").await;
    let troubles = shop.get("/api/payments/troubles").await.body;
    assert_eq!(troubles["items"][0]["payment_id"], held.as_str());
    assert_eq!(troubles["items"][0]["problem"], "unknown");
    let unknown = shop.get("/api/payments?status=unknown").await.body;
    assert_eq!(unknown["items"][0]["id"], new.as_str());
    shop.start_sandbox_again().await;
    shop.until(&new, "authorised").await;
    shop.until(&held, "voided").await;
    let troubles = shop.get("/api/payments/troubles").await.body;
    assert_eq!(troubles["items"], serde_json::json!([]));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_under_way_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        data: Some(folder.path().to_owned()),
        provider_timeout: Duration::from_millis(300),
        ..Options::default()
    };
    let mut shop = Shop::with(options.clone()).await;
    let held = shop.authorised().await;
    shop.until_webhooks(1).await;
    shop.stop_sandbox().await;
    let new = shop.ask("tok_visa").await;
    let unwanted = shop.ask("tok_visa").await;
    shop.cancel(&held).await;
    for payment in [&new, &unwanted, &held] {
        shop.until(payment, "operation_unknown").await;
    }
    shop.cancel(&unwanted).await;
    shop.until(&unwanted, "abandoned").await;
    shop.close().await;

    let shop = Shop::with(options).await;
    shop.until(&new, "authorised").await;
    shop.until(&held, "voided").await;
    shop.until(&unwanted, "declined").await;
    assert_eq!(shop.balance().await["payments"], 2);
    assert_eq!(shop.count(&new, "authorised"), 1);
    shop.close().await;
}
