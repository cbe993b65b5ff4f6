//! Processes that refuse, hang, break, or answer that they cannot.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, Response, StatusCode},
};
use gateway::{BreakerSettings, NetworkSettings};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::support::{Peer, Way, get, peers, quick, read, until, until_answer, unwatched};

/// A port where nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

#[tokio::test]
async fn what_was_not_sent_is_sent_elsewhere() {
    let there = Peer::named("there").await;
    let list = peers("orders", &[nobody().await, there.url(), nobody().await]);
    let way = Way::along(unwatched(), list).await;
    for _ in 0..30 {
        assert_eq!(way.post().await, (StatusCode::OK, "there".into()));
    }
    assert_eq!(there.requests(), 30);
}

#[tokio::test]
async fn when_nobody_is_there_that_is_said() {
    let way = Way::along(unwatched(), peers("orders", &[nobody().await])).await;
    let answer = way.send(get("/")).await;
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(answer.headers()["retry-after"], "1");
    let (status, text) = read(answer).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("no-service"), "{text}");
}

/// A process that reads each request, and then closes the connection without a word.
async fn breaking() -> (String, Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let seen = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = [0; 4096];
            let read = stream.read(&mut bytes).await.unwrap_or(0);
            if bytes[..read].starts_with(b"GET /readyz") {
                let ready = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _ = stream.write_all(ready).await;
            } else if read > 0 {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (url, seen)
}

#[tokio::test]
async fn what_may_have_had_an_effect_is_sent_again_only_when_that_is_safe() {
    let (broken, seen) = breaking().await;
    let way = Way::along(unwatched(), peers("orders", std::slice::from_ref(&broken))).await;
    let (status, text) = way.post().await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert!(text.contains("answer-lost"), "{text}");
    assert_eq!(seen.load(Ordering::SeqCst), 1);

    let good = Peer::named("good").await;
    let both = peers("orders", &[broken, good.url()]);
    let way = Way::along(unwatched(), both).await;
    for _ in 0..10 {
        assert_eq!(way.get().await, (StatusCode::OK, "good".into()));
        assert_eq!(way.post_with_key().await.1, "good");
    }
    assert!(seen.load(Ordering::SeqCst) > 1, "it was tried");
}

#[tokio::test]
async fn retries_are_few_when_everything_fails() {
    let (one, seen_one) = breaking().await;
    let (two, seen_two) = breaking().await;
    let settings = NetworkSettings {
        // So that only the budget counts.
        service_breaker: never(),
        ..unwatched()
    };
    let way = Way::along(settings, peers("orders", &[one, two])).await;
    for _ in 0..200 {
        assert_eq!(way.get().await.0, StatusCode::BAD_GATEWAY);
    }
    let tries = seen_one.load(Ordering::SeqCst) + seen_two.load(Ordering::SeqCst);
    assert!(
        (200..=250).contains(&tries),
        "{tries} tries of 200 requests"
    );
}

fn never() -> BreakerSettings {
    BreakerSettings {
        consecutive: u32::MAX,
        at_least: u32::MAX,
        ..NetworkSettings::default().service_breaker
    }
}

#[tokio::test]
async fn a_process_that_hangs_costs_one_try() {
    let hanging = Peer::start(|_| std::future::pending()).await;
    let good = Peer::named("good").await;
    let settings = NetworkSettings {
        per_try: Duration::from_millis(100),
        ..unwatched()
    };
    let way = Way::to(settings, &[&hanging, &good]).await;
    for _ in 0..6 {
        assert_eq!(way.get().await, (StatusCode::OK, "good".into()));
    }
    assert!(hanging.requests() > 0, "it was tried");
    assert!(hanging.requests() <= 4, "and then left alone");
}

#[tokio::test]
async fn when_time_is_over_that_is_said_and_the_service_may_stop() {
    let hanging = Peer::start(|_| std::future::pending()).await;
    let settings = NetworkSettings {
        deadline: Duration::from_millis(300),
        ..unwatched()
    };
    let way = Way::to(settings, &[&hanging]).await;
    let (status, text) = way.post().await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    assert!(text.contains("time-out"), "{text}");
    assert_eq!(hanging.requests(), 1);
    until("the service has noticed", || {
        hanging.state.under_way.load(Ordering::SeqCst) == 0
    })
    .await;
}

#[tokio::test]
async fn a_caller_who_waits_less_is_told_sooner_and_the_service_knows() {
    let hanging = Peer::start(|_| std::future::pending()).await;
    let way = Way::to(unwatched(), &[&hanging]).await;
    let request = Request::post("/").header("souk-deadline-ms", "200");
    let request = request.body(Body::empty()).expect("a request");
    let (status, _) = read(way.send(request).await).await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    let last = hanging.state.last.lock().expect("not poisoned").take();
    let (.., headers) = last.expect("it was asked");
    let left: u64 = headers["souk-deadline-ms"]
        .to_str()
        .expect("text")
        .parse()
        .expect("a number");
    assert!(left <= 200, "{left}");
}

#[tokio::test]
async fn a_service_that_fails_is_left_alone_and_tried_again() {
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = broken.clone();
    let peer = Peer::start(move |_| {
        let broken = is_broken.load(Ordering::SeqCst);
        async move {
            let mut response = Response::new(Body::from("fine"));
            if broken {
                *response.status_mut() = StatusCode::BAD_GATEWAY;
            }
            response
        }
    })
    .await;
    let settings = NetworkSettings {
        service_breaker: BreakerSettings {
            consecutive: 5,
            open_for: Duration::from_millis(50),
            open_at_most: Duration::from_millis(50),
            ..NetworkSettings::default().service_breaker
        },
        ..unwatched()
    };
    let way = Way::to(settings, &[&peer]).await;
    for _ in 0..5 {
        assert_eq!(way.post().await.1, "fine", "as the service answered");
    }
    let answer = way.send(get("/")).await;
    assert!(answer.headers().contains_key("retry-after"));
    let (status, text) = read(answer).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("circuit-open"), "{text}");
    assert_eq!(peer.requests(), 5);
    broken.store(false, Ordering::SeqCst);
    until_answer(
        "well again",
        || way.get(),
        |answer| answer.0 == StatusCode::OK,
    )
    .await;
    for _ in 0..20 {
        assert_eq!(way.get().await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_process_that_cannot_is_left_alone_while_another_can() {
    let bad = Peer::start(|_| async {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response
    })
    .await;
    let good = Peer::named("good").await;
    let way = Way::to(unwatched(), &[&bad, &good]).await;
    for _ in 0..50 {
        assert_eq!(way.get().await, (StatusCode::OK, "good".into()));
    }
    assert!((1..=4).contains(&bad.requests()), "{}", bad.requests());
}

#[tokio::test]
async fn too_many_at_once_are_refused() {
    let hanging = Peer::start(|_| std::future::pending()).await;
    let settings = NetworkSettings {
        service_limit: 3,
        ..unwatched()
    };
    let way = Arc::new(Way::to(settings, &[&hanging]).await);
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let way = way.clone();
        waiting.spawn(async move { way.post().await });
    }
    until("three wait", || hanging.requests() == 3).await;
    let (status, text) = way.get().await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("overloaded"), "{text}");
    waiting.shutdown().await;
    // Their places are free again.
    let request = Request::get("/").header("souk-deadline-ms", "50");
    let request = request.body(Body::empty()).expect("a request");
    let (status, _) = read(way.send(request).await).await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn errors_of_a_request_are_nobodys_trouble() {
    let peer = Peer::start(|_| async {
        let mut response = Response::new(Body::from("no"));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
    .await;
    let way = Way::to(quick(), &[&peer]).await;
    for _ in 0..50 {
        assert_eq!(way.get().await.1, "no");
    }
    assert_eq!(peer.requests(), 50, "sent once each");
}

#[tokio::test]
async fn a_service_that_refuses_one_kind_of_request_still_gets_the_others() {
    let peer = Peer::start(|request: Request<hyper::body::Incoming>| async move {
        let mut response = Response::new(Body::from("said so"));
        if request.method() == "POST" {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        response
    })
    .await;
    let way = Way::to(unwatched(), &[&peer]).await;
    for _ in 0..100 {
        assert_eq!(way.post().await.1, "said so");
    }
    assert_eq!(way.get().await, (StatusCode::OK, "said so".into()));
}

#[tokio::test]
async fn a_process_that_is_too_slow_for_its_callers_is_left_alone_too() {
    let hanging = Peer::start(|_| std::future::pending()).await;
    let good = Peer::named("good").await;
    let way = Way::to(unwatched(), &[&hanging, &good]).await;
    let mut late = 0;
    for _ in 0..20 {
        let request = Request::get("/").header("souk-deadline-ms", "50");
        let request = request.body(Body::empty()).expect("a request");
        let (status, _) = read(way.send(request).await).await;
        late += usize::from(status == StatusCode::GATEWAY_TIMEOUT);
    }
    assert_eq!(late, hanging.requests());
    assert!((1..=4).contains(&late), "{late}");
}

#[tokio::test]
async fn nobody_is_told_that_nothing_was_done_when_that_is_not_known() {
    let (broken, seen) = breaking().await;
    let list = peers("orders", &[broken, nobody().await]);
    let way = Way::along(unwatched(), list).await;
    for _ in 0..4 {
        let before = seen.load(Ordering::SeqCst);
        let (status, text) = way.post_with_key().await;
        let sent = seen.load(Ordering::SeqCst) > before;
        assert!(sent, "only there somebody listens");
        assert_eq!(status, StatusCode::BAD_GATEWAY, "{text}");
    }
}

#[tokio::test]
async fn an_answer_is_not_given_up_for_a_process_that_is_not_there() {
    let busy = Peer::start(|_| async {
        let mut response = Response::new(Body::from("busy"));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response
    })
    .await;
    let list = peers("orders", &[busy.url(), nobody().await]);
    let way = Way::along(quick(), list).await;
    until_answer(
        "the other one is known to be gone",
        || way.get(),
        |answer| answer.1 == "busy",
    )
    .await;
    for _ in 0..20 {
        assert_eq!(way.get().await.1, "busy");
    }
}
