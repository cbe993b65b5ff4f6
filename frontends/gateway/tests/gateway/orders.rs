//! Waiting for a checkout's outcome, and orders that orders does not know yet.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::support::{Front, body, json_answer, plain};
use axum::http::StatusCode;
use contracts::orders::{OrderCancelled, OrderConfirmed, OrderEvent, OrderPaymentActionRequired};
use gateway::{Config, Outcomes};
use serde_json::{Value, json};

fn order(status: &str) -> Value {
    let gbp = |amount: i64| json!({"amount": amount, "currency": "GBP"});
    json!({
        "id": "ord_1", "number": "1", "status": status, "cart_id": "crt_1", "placed_at": 1,
        "lines": [], "captured": gbp(0), "refunded": gbp(0), "timeline": [],
        "totals": {
            "subtotal": gbp(5), "adjustments": gbp(0), "shipping": gbp(0), "tax": gbp(0), "total": gbp(5),
        },
    })
}

fn placed() -> Value {
    json!({"order": order("placed"), "access_token": "gst_1"})
}

fn confirmed() -> OrderEvent {
    OrderConfirmed {
        order_id: "ord_1".parse().expect("an id"),
        number: "1".into(),
        payment_id: "pay_1".parse().expect("an id"),
        total: kernel::Money::new(5, kernel::Currency::GBP),
        at: crate::support::NOW,
    }
    .into()
}

fn publish(outcomes: &Outcomes, event: OrderEvent) {
    use kernel::Event as _;
    let recorded = kernel::Recorded {
        topic: "orders".into(),
        position: 1,
        prev: 0,
        partition: 0,
        stream: kernel::StreamId::from_name("order-ord_1"),
        version: 4,
        kind: event.wire_name().into(),
        data: event.encode().expect("plain data").into(),
        at: crate::support::NOW,
        meta: kernel::EventMeta::default(),
        typed: std::sync::OnceLock::new(),
    };
    (outcomes.broadcast().listen)(&Arc::new(recorded));
}

/// A shop whose cart accepts, and whose orders are at `status`.
fn shop(status: &'static str) -> Front {
    Front::new(Config::default(), move |seen| {
        let answer = match seen.service.as_str() {
            "cart" => json_answer(StatusCode::CREATED, &placed()),
            _ => json_answer(StatusCode::OK, &order(status)),
        };
        Box::pin(std::future::ready(answer))
    })
}

const CHECKOUT: &str = "POST /api/carts/crt_1/checkout";
const WAIT: [(&str, &str); 1] = [("prefer", "wait=5")];

#[tokio::test(start_paused = true)]
async fn a_checkout_is_answered_when_its_order_is_confirmed() {
    let front = shop("placed");
    let told = async {
        // Whoever waits has asked orders once by then, and goes on waiting.
        while !front.paths().iter().any(|path| path.starts_with("orders")) {
            tokio::task::yield_now().await;
            tokio::time::advance(std::time::Duration::from_millis(10)).await;
        }
        publish(&front.outcomes, confirmed());
    };
    let (answer, ()) = tokio::join!(front.call(CHECKOUT, &WAIT, "{}"), told);
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(answer.headers()["preference-applied"], "wait=5");
    let answer = body(answer).await;
    assert_eq!(answer["order"]["status"], "confirmed");
    assert_eq!(answer["order"]["payment_id"], "pay_1");
    assert_eq!(answer["access_token"], "gst_1");
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_comes_before_the_checkouts_answer_is_not_missed() {
    for (event, status, field, value) in [
        (confirmed(), "confirmed", "payment_id", json!("pay_1")),
        (
            OrderCancelled {
                order_id: "ord_1".parse().expect("an id"),
                number: "1".into(),
                reason: contracts::orders::CancelReason::SoldOut,
                shortages: Vec::new(),
                payment_id: None,
                by: None,
                at: crate::support::NOW,
            }
            .into(),
            "cancelled",
            "cancel_reason",
            json!("sold_out"),
        ),
        (
            OrderPaymentActionRequired {
                order_id: "ord_1".parse().expect("an id"),
                url: "https://bank.example/3ds".into(),
                at: crate::support::NOW,
            }
            .into(),
            "payment_action_required",
            "payment_action_url",
            json!("https://bank.example/3ds"),
        ),
    ] {
        let outcomes: Arc<std::sync::OnceLock<Outcomes>> = Arc::default();
        let early = outcomes.clone();
        let event = std::sync::Mutex::new(Some(event));
        let front = Front::new(Config::default(), move |seen| {
            assert_eq!(seen.service, "cart", "orders need not be asked");
            if let Some(event) = event.lock().expect("not poisoned").take() {
                publish(early.get().expect("set"), event);
            }
            Box::pin(std::future::ready(json_answer(
                StatusCode::CREATED,
                &placed(),
            )))
        });
        outcomes.set(front.outcomes.clone()).ok();
        let answer = body(front.call(CHECKOUT, &WAIT, "{}").await).await;
        assert_eq!(answer["order"]["status"], status);
        assert_eq!(answer["order"][field], value);
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_checkout_of_a_settled_order_does_not_wait_in_vain() {
    let front = shop("cancelled");
    let started = tokio::time::Instant::now();
    let answer = body(front.call(CHECKOUT, &WAIT, "{}").await).await;
    assert_eq!(answer["order"]["status"], "cancelled");
    assert!(started.elapsed().as_secs() < 1);
    assert_eq!(
        front.last_header("authorization").as_deref(),
        Some("Bearer gst_1")
    );
}

#[tokio::test(start_paused = true)]
async fn when_time_runs_out_the_order_is_answered_as_placed() {
    let front = shop("stock_reserved");
    let started = tokio::time::Instant::now();
    let answer = front.call(CHECKOUT, &WAIT, "{}").await;
    assert_eq!(answer.headers()["preference-applied"], "wait=5");
    assert_eq!(body(answer).await, placed());
    assert_eq!(started.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn without_the_preference_or_without_an_order_nobody_waits() {
    let front = shop("placed");
    let answer = front.call(CHECKOUT, &[], "{}").await;
    assert!(!answer.headers().contains_key("preference-applied"));
    assert_eq!(body(answer).await, placed());
    let refusing = Front::new(Config::default(), |_| {
        let refused = json_answer(StatusCode::CONFLICT, &json!({"code": "price-changed"}));
        Box::pin(std::future::ready(refused))
    });
    let answer = refusing.call(CHECKOUT, &WAIT, "{}").await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert!(!answer.headers().contains_key("preference-applied"));
}

/// A shop whose orders hears of the order when it has been asked `late` times.
fn late_shop(late: usize, cart: StatusCode) -> Front {
    let asked = AtomicUsize::new(0);
    Front::new(Config::default(), move |seen| {
        let answer = match seen.service.as_str() {
            "cart" => json_answer(cart, &order("placed")),
            _ if asked.fetch_add(1, Ordering::SeqCst) < late => {
                plain(StatusCode::NOT_FOUND, "unknown")
            }
            _ => json_answer(StatusCode::OK, &order("confirmed")),
        };
        Box::pin(std::future::ready(answer))
    })
}

const GUEST: [(&str, &str); 1] = [("authorization", "Bearer gst_1")];

#[tokio::test]
async fn an_order_that_orders_does_not_know_yet_is_answered_from_the_cart() {
    let front = late_shop(1, StatusCode::OK);
    let answer = front.call("GET /api/orders/ord_1", &GUEST, "").await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(body(answer).await["status"], "placed");
    assert_eq!(
        front.paths(),
        [
            "orders /api/orders/ord_1",
            "cart /api/carts/checkouts/ord_1"
        ]
    );
    assert_eq!(
        front.last_header("authorization").as_deref(),
        Some("Bearer gst_1")
    );
    let answer = front.call("GET /api/orders/ord_1", &GUEST, "").await;
    assert_eq!(body(answer).await["status"], "confirmed");
}

#[tokio::test]
async fn an_order_nobody_knows_stays_unknown() {
    for cart in [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN] {
        let front = late_shop(usize::MAX, cart);
        for path in ["ord_1", "ord_1/events"] {
            let line = format!("GET /api/orders/{path}");
            let answer = front.call(&line, &GUEST, "").await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        }
    }
    let front = late_shop(usize::MAX, StatusCode::OK);
    for path in ["x", "ord_1/nothing"] {
        let line = format!("GET /api/orders/{path}");
        front.call(&line, &GUEST, "").await;
    }
    assert!(front.paths().iter().all(|path| path.starts_with("orders")));
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_events_waits_until_orders_has_heard_of_the_order() {
    let front = late_shop(4, StatusCode::OK);
    let line = "GET /api/orders/ord_1/events?access_token=gst_1";
    let answer = front.call(line, &[], "").await;
    assert_eq!(answer.status(), StatusCode::OK);
    let paths = front.paths();
    assert_eq!(paths.len(), 6);
    assert!(paths[1].ends_with("/checkouts/ord_1?access_token=gst_1"));
}

#[tokio::test]
async fn while_the_cart_cannot_be_asked_no_order_is_unknown() {
    for trouble in [502, 503, 504] {
        let trouble = StatusCode::from_u16(trouble).expect("a status");
        let front = late_shop(usize::MAX, trouble);
        for path in ["ord_1", "ord_1/events"] {
            let line = format!("GET /api/orders/{path}");
            assert_eq!(front.call(&line, &GUEST, "").await.status(), trouble);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_waits_no_longer_because_orders_is_slow() {
    let front = Front::new(Config::default(), |seen| match seen.service.as_str() {
        "cart" => Box::pin(std::future::ready(json_answer(
            StatusCode::CREATED,
            &placed(),
        ))),
        _ => Box::pin(std::future::pending()),
    });
    let started = tokio::time::Instant::now();
    let answer = front.call(CHECKOUT, &WAIT, "{}").await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(body(answer).await, placed());
    assert_eq!(started.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_outcome_ends_the_wait_though_orders_is_slow() {
    let front = Front::new(Config::default(), |seen| match seen.service.as_str() {
        "cart" => Box::pin(std::future::ready(json_answer(
            StatusCode::CREATED,
            &placed(),
        ))),
        _ => Box::pin(std::future::pending()),
    });
    let outcomes = front.outcomes.clone();
    let confirmed = async {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let event = OrderPaymentActionRequired {
            order_id: "ord_1".parse().expect("an id"),
            url: "https://bank.example/3ds".into(),
            at: crate::support::NOW,
        };
        publish(&outcomes, event.into());
    };
    let started = tokio::time::Instant::now();
    let (answer, ()) = tokio::join!(front.call(CHECKOUT, &WAIT, "{}"), confirmed);
    let answer = body(answer).await;
    assert_eq!(answer["order"]["status"], "payment_action_required");
    assert_eq!(started.elapsed().as_secs(), 2);
}
