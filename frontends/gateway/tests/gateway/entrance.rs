//! The gateway in front of services that the test plays.

use std::{io::Read as _, sync::atomic::Ordering, time::Duration};

use crate::support::{Front, body, json_answer, plain, request, text};
use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use gateway::{Config, Quota};
use serde_json::json;

#[tokio::test]
async fn requests_go_to_the_service_of_their_path() {
    let front = Front::simple(Config::default());
    for (line, service) in [
        ("GET /api/carts/crt_1", "cart"),
        ("POST /api/carts", "cart"),
        ("GET /api/orders?limit=3", "orders"),
        ("GET /api/ops/dead-letters", "ops"),
    ] {
        let answer = front.call(line, &[], "").await;
        assert_eq!(answer.status(), StatusCode::OK, "{line}");
        assert_eq!(body(answer).await["service"], service, "{line}");
    }
    assert_eq!(front.paths()[2], "orders /api/orders?limit=3");
    let window = front.call("GET /", &[], "").await;
    assert_eq!(text(window).await, "shop window");
}

#[tokio::test]
async fn unknown_addresses_are_problems() {
    let front = Front::simple(Config::default());
    for path in ["/api/nothing", "/api", "/api/"] {
        let answer = front.call(&format!("GET {path}"), &[], "").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert_eq!(body(answer).await["code"], "no-route");
    }
    assert!(front.paths().is_empty());
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_security_headers() {
    let front = Front::simple(Config::default());
    let answer = front
        .call("GET /api/carts/crt_1", &[("x-request-id", "my-id")], "")
        .await;
    assert_eq!(answer.headers()["x-request-id"], "my-id");
    assert_eq!(front.last_header("x-request-id").as_deref(), Some("my-id"));
    for line in ["GET /api/nothing", "GET /", "GET /healthz", "GET /docs/"] {
        let answer = front.call(line, &[("x-request-id", "no good")], "").await;
        let headers = answer.headers();
        assert_eq!(headers["x-request-id"].len(), 32, "{line}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{line}");
        assert_eq!(headers["x-frame-options"], "DENY", "{line}");
    }
    let private = [("authorization", "Bearer gst_1")];
    let answer = front.call("GET /api/orders/ord_1", &private, "").await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn a_key_is_exchanged_once_and_its_token_sent_on() {
    let front = Front::simple(Config::default());
    let calls = (0..20).map(|i| {
        let front = &front;
        async move {
            let bearer = [("authorization", "Bearer souk_good_1")];
            let header = [("x-api-key", "souk_good_1")];
            let headers = if i % 2 == 0 { &bearer } else { &header };
            front.call("GET /api/carts/crt_1", headers, "").await
        }
    });
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.status(), StatusCode::OK);
    }
    assert_eq!(front.stub.exchanges.load(Ordering::SeqCst), 1);
    let token = front.last_header("authorization");
    assert_eq!(token.as_deref(), Some("Bearer jwt.of.souk_good_1"));
    assert_eq!(front.last_header("x-api-key"), None);

    let cookie = [("cookie", "souk_session=ses_good_2")];
    front.call("GET /api/carts/crt_1", &cookie, "").await;
    let token = front.last_header("authorization");
    assert_eq!(token.as_deref(), Some("Bearer jwt.of.ses_good_2"));
}

#[tokio::test]
async fn access_tokens_and_guest_tokens_pass_as_they_are() {
    let front = Front::simple(Config::default());
    for token in ["Bearer eyJ.a.b", "Bearer gst_1", "Basic abc"] {
        let headers = [("authorization", token)];
        front.call("GET /api/carts/crt_1", &headers, "").await;
        assert_eq!(front.last_header("authorization").as_deref(), Some(token));
    }
    assert_eq!(front.stub.exchanges.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_wrong_key_is_refused_without_asking_again_and_a_wrong_cookie_ignored() {
    let front = Front::simple(Config::default());
    for _ in 0..3 {
        let headers = [("authorization", "Bearer souk_bad_1")];
        let answer = front.call("GET /api/carts/crt_1", &headers, "").await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
    }
    assert_eq!(front.stub.exchanges.load(Ordering::SeqCst), 1);
    let cookie = [("cookie", "souk_session=ses_bad_1")];
    let answer = front.call("GET /api/carts/crt_1", &cookie, "").await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(front.last_header("authorization"), None);
}

#[tokio::test]
async fn a_revoked_key_is_forgotten_at_once() {
    let front = Front::simple(Config::default());
    let headers = [("authorization", "Bearer souk_good_1")];
    front.call("GET /api/carts/crt_1", &headers, "").await;
    let revoked = contracts::identity::ApiKeyRevoked {
        key_id: "key_1".parse().expect("an id"),
        secret_hash: web::hash_token("souk_good_1"),
    };
    let event = contracts::identity::ApiKeyEvent::from(revoked);
    (front.credentials.broadcast().listen)(&recorded("identity", event));
    front.call("GET /api/carts/crt_1", &headers, "").await;
    assert_eq!(front.stub.exchanges.load(Ordering::SeqCst), 2);
}

fn recorded<E: kernel::Event>(topic: &str, event: E) -> std::sync::Arc<kernel::Recorded> {
    std::sync::Arc::new(kernel::Recorded {
        topic: topic.into(),
        position: 1,
        prev: 0,
        partition: 0,
        stream: kernel::StreamId::from_name("x-1"),
        version: 2,
        kind: event.wire_name().into(),
        data: event.encode().expect("plain data").into(),
        at: crate::support::NOW,
        meta: kernel::EventMeta::default(),
        typed: std::sync::OnceLock::new(),
    })
}

#[tokio::test]
async fn when_identity_is_down_the_caller_is_told_so_and_nothing_is_remembered() {
    let front = Front::new(Config::default(), |seen| {
        let down = seen.service == "identity";
        let answer = match down {
            true => plain(StatusCode::SERVICE_UNAVAILABLE, "down"),
            false => plain(StatusCode::OK, ""),
        };
        Box::pin(std::future::ready(answer))
    });
    let headers = [("authorization", "Bearer souk_good_1")];
    for expected in 1..3 {
        let answer = front.call("GET /api/carts/crt_1", &headers, "").await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(front.stub.exchanges.load(Ordering::SeqCst), expected);
    }
}

#[tokio::test]
async fn who_asks_too_much_is_told_when_to_come_back() {
    let quota = Quota {
        per_second: 1,
        burst: 3,
    };
    let front = Front::simple(Config {
        per_address: quota,
        per_address_login: quota,
        ..Config::default()
    });
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let answer = front
            .send("192.0.2.1", request("GET /api/carts/crt_1", &[], ""))
            .await;
        statuses.push(answer.status().as_u16());
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!(answer.headers()["retry-after"], "1");
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
        }
    }
    assert_eq!(statuses, [200, 200, 200, 429]);
    let made_up = [("authorization", "Bearer souk_good_new")];
    let answer = front
        .send("192.0.2.1", request("GET /api/carts/crt_1", &made_up, ""))
        .await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    for i in 0..10 {
        let answer = front.call("GET /api/carts/crt_1", &[], "").await;
        assert_eq!(answer.status(), StatusCode::OK, "this machine is exempt");
        let login = front.call("POST /api/identity/login", &[], "{}").await;
        assert_eq!(login.status() == StatusCode::OK, i < 3, "but not here");
    }
}

#[tokio::test]
async fn services_learn_the_clients_address_from_the_gateway_alone() {
    let front = Front::simple(Config::default());
    let spoofed = [("x-forwarded-for", "6.6.6.6")];
    front
        .send("192.0.2.1", request("POST /api/carts", &spoofed, "{}"))
        .await;
    assert_eq!(
        front.last_header("x-forwarded-for").as_deref(),
        Some("192.0.2.1")
    );
}

#[tokio::test]
async fn other_sites_are_let_in_only_when_configured() {
    let origin = [
        ("origin", "https://admin.example"),
        ("access-control-request-method", "POST"),
    ];
    let closed = Front::simple(Config::default());
    let answer = closed.call("OPTIONS /api/carts", &origin, "").await;
    assert!(!answer.headers().contains_key("access-control-allow-origin"));

    let open = Front::simple(Config {
        cors_origins: vec!["https://admin.example".into()],
        ..Config::default()
    });
    let answer = open.call("OPTIONS /api/carts", &origin, "").await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let headers = answer.headers();
    assert_eq!(
        headers["access-control-allow-origin"],
        "https://admin.example"
    );
    assert!(
        headers["access-control-allow-headers"]
            .to_str()
            .expect("text")
            .contains("idempotency-key")
    );
    assert!(open.paths().is_empty(), "services are not asked");
    let answer = open.call("GET /api/carts/crt_1", &origin[..1], "").await;
    let headers = answer.headers();
    assert_eq!(
        headers["access-control-allow-origin"],
        "https://admin.example"
    );
    assert_eq!(headers["vary"], "origin");
    let other = [("origin", "https://evil.example")];
    let answer = open.call("GET /api/carts/crt_1", &other, "").await;
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn large_answers_are_packed_when_asked_for_and_streams_never() {
    let front = Front::new(Config::default(), |seen| {
        let large = json!({"text": "souk ".repeat(1000)});
        let mut answer = json_answer(StatusCode::OK, &large);
        if seen.path.ends_with("events") {
            let stream = "text/event-stream".parse().expect("a value");
            answer.headers_mut().insert("content-type", stream);
        }
        Box::pin(std::future::ready(answer))
    });
    let gzip = [("accept-encoding", "br, gzip")];
    let plain = front.call("GET /api/carts/crt_1", &[], "").await;
    assert!(!plain.headers().contains_key("content-encoding"));
    let plain = text(plain).await;
    let packed = front.call("GET /api/carts/crt_1", &gzip, "").await;
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let bytes = http_body_util::BodyExt::collect(packed.into_body()).await;
    let bytes = bytes.expect("a body").to_bytes();
    assert!(bytes.len() < plain.len() / 4);
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(&bytes[..])
        .read_to_string(&mut unpacked)
        .expect("gzip");
    assert_eq!(unpacked, plain);
    for (line, headers) in [
        ("GET /api/carts/crt_1/events", gzip),
        ("GET /api/carts/crt_1", [("accept-encoding", "gzip;q=0")]),
    ] {
        let answer = front.call(line, &headers, "").await;
        assert!(!answer.headers().contains_key("content-encoding"), "{line}");
    }
    let tiny = Front::simple(Config::default());
    let answer = tiny.call("GET /api/carts/crt_1", &gzip, "").await;
    assert!(!answer.headers().contains_key("content-encoding"));
}

#[tokio::test]
async fn bodies_that_are_too_large_are_refused_even_without_a_length() {
    let front = Front::simple(Config {
        body_limit: 100,
        ..Config::default()
    });
    let large = "x".repeat(101);
    let answer = front.call("POST /api/carts", &[], &large).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(body(answer).await["code"], "too-large");
    assert!(front.paths().is_empty());

    let pieces = (0..11).map(|_| Ok::<_, std::io::Error>("0123456789"));
    let stream = Body::from_stream(futures_util::stream::iter(pieces));
    let request = Request::post("/api/carts").body(stream).expect("a request");
    let answer = front.send("127.0.0.1", request).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let fits = front.call("POST /api/carts", &[], &large[..100]).await;
    assert_eq!(fits.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_answer_is_not_waited_for_without_end() {
    let front = Front::new(Config::default(), |_| Box::pin(std::future::pending()));
    let answer = front.call("GET /api/carts/crt_1", &[], "").await;
    assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
    let wait = [("prefer", "wait=5")];
    let answer = front
        .call("POST /api/carts/crt_1/checkout", &wait, "{}")
        .await;
    assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn a_handler_that_panics_costs_one_answer() {
    let front = Front::new(Config::default(), |_| {
        Box::pin(async { panic!("a defect, made on purpose") })
    });
    let answer = front.call("GET /api/carts/crt_1", &[], "").await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(body(answer).await["code"], "internal");
}

#[tokio::test]
async fn operators_are_told_how_it_is() {
    let front = Front::simple(Config::default());
    let health = front.call("GET /healthz", &[], "").await;
    assert_eq!(text(health).await, "ok\n");
    let ready = front.call("GET /readyz", &[], "").await;
    assert_eq!(ready.status(), StatusCode::OK);
    *front.missing.lock().expect("not poisoned") = vec!["orders has caught up".into()];
    let ready = front.call("GET /readyz", &[], "").await;
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        body(ready).await["missing"],
        json!(["orders has caught up"])
    );

    let metrics = front.call("GET /metrics", &[], "").await;
    assert_eq!(text(metrics).await, "souk_up 1\n");
    let elsewhere = front
        .send("192.0.2.1", request("GET /metrics", &[], ""))
        .await;
    assert_eq!(elsewhere.status(), StatusCode::UNAUTHORIZED);
    let forged = [("authorization", "Bearer eyJ.a.b")];
    let forged = request("GET /metrics", &forged, "");
    let answer = front.send("192.0.2.1", forged).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn metrics_elsewhere_need_the_permission_to_read_them() {
    use ring::signature::{Ed25519KeyPair, KeyPair as _};
    let front = Front::simple(Config::default());
    let pair = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).expect("a seed");
    front
        .verifier
        .add_key("a", pair.public_key().as_ref().to_vec());
    for (permission, expected) in [("ops:read", 200), ("*", 200), ("orders:read", 403)] {
        let token = token(&pair, permission);
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let answer = front
            .send("192.0.2.1", request("GET /metrics", &headers, ""))
            .await;
        assert_eq!(answer.status().as_u16(), expected, "{permission}");
    }
}

fn token(pair: &ring::signature::Ed25519KeyPair, permission: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
    let now = crate::support::NOW.seconds();
    let claims = json!({
        "iss": "souk", "sub": "key_1", "iat": now, "exp": now + 300, "jti": "1",
        "permissions": [permission],
    });
    let header = BASE64URL.encode(r#"{"alg":"EdDSA","kid":"a"}"#);
    let signed = format!("{header}.{}", BASE64URL.encode(claims.to_string()));
    let signature = BASE64URL.encode(pair.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[tokio::test]
async fn one_document_describes_every_service_and_its_pages_need_nothing_from_elsewhere() {
    let front = Front::simple(Config::default());
    let answer = front.call("GET /openapi.json", &[], "").await;
    let document = body(answer).await;
    for path in [
        "/api/identity/things",
        "/api/carts/things",
        "/api/orders/things",
    ] {
        assert!(document["paths"][path]["get"].is_object(), "{path}");
    }
    assert_eq!(document["info"]["title"], "Souk");
    assert_eq!(document["servers"], json!([{"url": "/"}]));

    let answer = front.call("GET /docs", &[], "").await;
    assert!(answer.status().is_redirection());
    let page = front.call("GET /docs/", &[], "").await;
    assert_eq!(page.status(), StatusCode::OK);
    let page = text(page).await;
    for script in [
        "swagger-ui-bundle.js",
        "swagger-initializer.js",
        "swagger-ui.css",
    ] {
        assert!(page.contains(script));
        let part = front.call(&format!("GET /docs/{script}"), &[], "").await;
        assert_eq!(part.status(), StatusCode::OK, "{script}");
        if script == "swagger-initializer.js" {
            assert!(text(part).await.contains("/openapi.json"));
        }
    }
    assert!(!page.contains("http://") && !page.contains("https://"));
}

#[tokio::test]
async fn streams_are_passed_on_as_they_come() {
    use http_body_util::BodyExt as _;
    let (sender, receiver) = tokio::sync::mpsc::channel::<&'static str>(1);
    let slot = std::sync::Mutex::new(Some(receiver));
    let front = Front::new(Config::default(), move |_| {
        let receiver = slot.lock().expect("not poisoned").take();
        let stream = futures_util::stream::unfold(receiver, async |receiver| {
            let mut receiver = receiver?;
            let piece = receiver.recv().await?;
            Some((Ok::<_, std::io::Error>(piece), Some(receiver)))
        });
        let mut answer = axum::http::Response::new(Body::from_stream(stream));
        let kind = "text/event-stream".parse().expect("a value");
        answer.headers_mut().insert("content-type", kind);
        Box::pin(std::future::ready(answer))
    });
    let gzip = [("accept-encoding", "gzip")];
    let answer = front.call("GET /api/orders/ord_1/events", &gzip, "").await;
    let mut body = answer.into_body();
    for piece in ["data: 1\n\n", "data: 2\n\n"] {
        sender.send(piece).await.expect("someone reads");
        let frame = tokio::time::timeout(Duration::from_secs(5), body.frame()).await;
        let frame = frame.expect("in time").expect("a frame").expect("whole");
        assert_eq!(frame.into_data().expect("data"), piece);
    }
}
