//! Messages on their way: streams, bodies, headers.

use std::{sync::atomic::Ordering, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{Request, Response, StatusCode},
};
use gateway::NetworkSettings;
use http_body_util::BodyExt as _;
use tokio::sync::mpsc;

use crate::support::{Peer, Way, get, read, until, unwatched};

/// A body made of what is sent.
fn stream(mut receiver: mpsc::Receiver<&'static str>) -> Body {
    let frames = futures_util::stream::poll_fn(move |context| {
        receiver
            .poll_recv(context)
            .map(|text| text.map(|text| Ok::<_, std::io::Error>(Bytes::from(text))))
    });
    Body::from_stream(frames)
}

#[tokio::test]
async fn a_stream_flows_as_it_comes_and_is_never_cut() {
    let (sender, receiver) = mpsc::channel(1);
    let receiver = std::sync::Mutex::new(Some(receiver));
    let peer = Peer::start(move |_| {
        let receiver = receiver.lock().expect("not poisoned").take();
        async move {
            Response::builder()
                .header("content-type", "text/event-stream")
                .body(stream(receiver.expect("asked once")))
                .expect("an answer")
        }
    })
    .await;
    let deadline = Duration::from_millis(300);
    let settings = NetworkSettings {
        deadline,
        per_try: deadline,
        idle: deadline,
        ..unwatched()
    };
    let way = Way::to(settings, &[&peer]).await;
    let began = tokio::time::Instant::now();
    let answer = way.send(get("/api/orders/ord_1/events")).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut body = answer.into_body();
    for text in ["data: 1\n\n", "data: 2\n\n"] {
        sender.send(text).await.expect("somebody reads");
        let frame = body.frame().await.expect("more").expect("no error");
        assert_eq!(frame.into_data().expect("data"), text);
        tokio::time::sleep_until(began + deadline * 2).await;
    }
    // Who stops reading is noticed at the other end.
    drop(body);
    until("the service has noticed", || sender.is_closed()).await;
}

#[tokio::test]
async fn a_large_body_flows_up_and_down() {
    let peer = Peer::start(|request: Request<hyper::body::Incoming>| async {
        let body = request.into_body().collect().await.expect("all of it");
        Response::new(Body::from(body.to_bytes()))
    })
    .await;
    let way = Way::to(unwatched(), &[&peer]).await;
    let sent: String = "0123456789abcdef".repeat(512 * 1024);
    for keyed in [false, true] {
        let mut request = Request::post("/");
        if keyed {
            request = request.header("idempotency-key", "k");
        }
        let pieces = sent.as_bytes().chunks(100_000).map(Bytes::copy_from_slice);
        let pieces: Vec<_> = pieces.map(Ok::<_, std::io::Error>).collect();
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        let (status, text) = read(way.send(request.body(body).expect("a request")).await).await;
        assert_eq!(status, StatusCode::OK);
        assert!(text == sent, "keyed: {keyed}");
    }
}

#[tokio::test]
async fn headers_of_a_connection_stay_behind() {
    let peer = Peer::start(|_| async {
        Response::builder()
            .header("connection", "x-own, keep-alive")
            .header("x-own", "1")
            .header("keep-alive", "timeout=5")
            .header("x-kept", "1")
            .body(Body::from("hello"))
            .expect("an answer")
    })
    .await;
    let way = Way::to(unwatched(), &[&peer]).await;
    let request = Request::get("http://shop.example/api/orders?limit=3")
        .header("connection", "x-mine")
        .header("x-mine", "1")
        .header("te", "trailers")
        .header("upgrade", "websocket")
        .header("proxy-authorization", "Basic x")
        .header("x-request-id", "id-1")
        .header("traceparent", "00-1-2-01")
        .body(Body::empty());
    let answer = way.send(request.expect("a request")).await;
    let headers = answer.headers().clone();
    assert_eq!(read(answer).await.1, "hello");
    assert_eq!(headers["x-kept"], "1");
    for gone in ["connection", "x-own", "keep-alive"] {
        assert!(!headers.contains_key(gone), "{gone}");
    }
    let last = peer.state.last.lock().expect("not poisoned").take();
    let (_, path, headers) = last.expect("it was asked");
    assert_eq!(path, "/api/orders?limit=3");
    assert_eq!(headers["host"], "shop.example");
    assert_eq!(headers["x-request-id"], "id-1");
    assert_eq!(headers["traceparent"], "00-1-2-01");
    for gone in [
        "connection",
        "x-mine",
        "te",
        "upgrade",
        "proxy-authorization",
    ] {
        assert!(!headers.contains_key(gone), "{gone}");
    }
}

#[tokio::test]
async fn answers_without_a_body_free_their_connection() {
    let peer = Peer::start(|request: Request<hyper::body::Incoming>| async move {
        let mut response = Response::new(Body::empty());
        if request.uri().path() == "/204" {
            *response.status_mut() = StatusCode::NO_CONTENT;
        }
        response
    })
    .await;
    let way = Way::to(unwatched(), &[&peer]).await;
    until("the first probe", || {
        peer.state.connections.load(Ordering::SeqCst) > 0
    })
    .await;
    for _ in 0..10 {
        for (method, path) in [("GET", "/204"), ("HEAD", "/"), ("DELETE", "/")] {
            let request = Request::builder().method(method).uri(path);
            // The body is not looked at.
            drop(
                way.send(request.body(Body::empty()).expect("a request"))
                    .await,
            );
        }
    }
    assert_eq!(peer.state.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_client_whose_body_breaks_off_is_no_trouble_of_the_service() {
    let peer = Peer::start(|request: Request<hyper::body::Incoming>| async {
        let _ = request.into_body().collect().await;
        Response::new(Body::from("fine"))
    })
    .await;
    let way = Way::to(unwatched(), &[&peer]).await;
    for _ in 0..20 {
        let pieces = [
            Ok(Bytes::from_static(b"a beginning")),
            Err(std::io::Error::other("the client is gone")),
        ];
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        let request = Request::post("/").body(body).expect("a request");
        let (status, text) = read(way.send(request).await).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
        let endless = futures_util::stream::repeat_with(|| {
            Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 10_000]))
        });
        let body = http_body_util::Limited::new(Body::from_stream(endless), 100_000);
        let request = Request::post("/").body(Body::new(body));
        let (status, text) = read(way.send(request.expect("a request")).await).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{text}");
    }
    assert_eq!(way.get().await, (StatusCode::OK, "fine".into()));
}
