//! The whole gateway before services in other processes.

use std::sync::{Arc, atomic::Ordering};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, Response, StatusCode},
};
use gateway::{Config, Credentials, Outcomes, Parts, ServiceRoutes, gateway};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use kernel::testing::{CountingIds, FixedClock};
use tower::ServiceExt as _;
use utoipa::openapi::{Info, OpenApi, Paths};
use web::Verifier;

use crate::support::{Peer, Way, quick, read, until};

fn front(way: &Way, config: Config) -> Router {
    let (network, ready) = (way.network.clone(), way.network.clone());
    let routes = ServiceRoutes {
        name: "orders".into(),
        prefixes: vec!["/api/orders".into()],
        openapi: OpenApi::new(Info::new("part", "1"), Paths::new()),
    };
    gateway(
        config,
        Parts {
            upstream: network,
            services: vec![routes],
            storefront: None,
            outcomes: Outcomes::default(),
            credentials: Credentials::default(),
            verifier: Arc::new(Verifier::default()),
            readiness: Arc::new(move || ready.missing()),
            metrics: Arc::new(String::new),
            clock: Arc::new(FixedClock(0.into())),
            ids: Arc::new(CountingIds::default()),
        },
    )
}

async fn send(front: &Router, request: axum::http::request::Builder, body: Body) -> Response<Body> {
    let request = request.body(body).expect("a request");
    front.clone().oneshot(request).await.expect("infallible")
}

#[tokio::test]
async fn messages_go_through_it_to_the_services() {
    let peer = Peer::start(|request: Request<Incoming>| async move {
        if request.uri().path().ends_with("/events") {
            let once = futures_util::stream::once(async {
                Ok::<_, std::io::Error>(Bytes::from_static(b"data: hello\n\n"))
            });
            let endless =
                futures_util::stream::StreamExt::chain(once, futures_util::stream::pending());
            return Response::builder()
                .header("content-type", "text/event-stream")
                .body(Body::from_stream(endless))
                .expect("an answer");
        }
        let json = format!("\"{}\"", "x".repeat(5_000));
        Response::builder()
            .header("content-type", "application/json")
            .body(Body::from(json))
            .expect("an answer")
    })
    .await;
    let way = Way::to(quick(), &[&peer]).await;
    let front = front(&way, Config::default());

    // Packed, on the way out only.
    let request = Request::get("/api/orders").header("accept-encoding", "gzip");
    let answer = send(&front, request, Body::empty()).await;
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(answer.headers()["x-request-id"].len(), 32);
    let packed = answer.into_body().collect().await.expect("a body");
    assert!(packed.to_bytes().len() < 1_000);

    // A stream is not held back.
    let request = Request::get("/api/orders/ord_1/events").header("accept-encoding", "gzip");
    let answer = send(&front, request, Body::empty()).await;
    let mut body = answer.into_body();
    let frame = body.frame().await.expect("more").expect("no error");
    assert_eq!(&frame.into_data().expect("data")[..], b"data: hello\n\n");
    drop(body);

    // What the service learns of the client.
    let request = Request::post("/api/orders").header("x-forwarded-for", "1.2.3.4");
    send(&front, request, Body::from("{}")).await;
    let last = peer.state.last.lock().expect("not poisoned").take();
    let (.., headers) = last.expect("it was asked");
    assert_ne!(headers["x-forwarded-for"], "1.2.3.4");
    assert!(headers.contains_key("souk-deadline-ms"));
}

#[tokio::test]
async fn bodies_without_a_length_are_bounded() {
    let peer = Peer::named("never seen").await;
    let way = Way::to(quick(), &[&peer]).await;
    let config = Config {
        body_limit: 100_000,
        ..Config::default()
    };
    let front = front(&way, config);
    let endless = futures_util::stream::repeat_with(|| {
        Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 10_000]))
    });
    let answer = send(
        &front,
        Request::post("/api/orders"),
        Body::from_stream(endless),
    )
    .await;
    let (status, text) = read(answer).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(text.contains("too-large"), "{text}");
}

#[tokio::test]
async fn it_is_ready_while_it_is_of_any_use() {
    let peer = Peer::named("orders").await;
    let way = Way::to(quick(), &[&peer]).await;
    let front = front(&way, Config::default());
    let ready = async || send(&front, Request::get("/readyz"), Body::empty()).await;
    assert_eq!(ready().await.status(), StatusCode::OK);
    peer.state.not_ready.store(true, Ordering::SeqCst);
    until("the service is missed", || {
        !way.network.missing().is_empty()
    })
    .await;
    let (status, text) = read(ready().await).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("no service can be reached"), "{text}");
}
