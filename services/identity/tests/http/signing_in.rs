//! Accounts, passwords and sessions.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use identity::bootstrap_with;
use serde_json::json;
use tower::ServiceExt as _;

use crate::shop::*;

#[tokio::test]
async fn the_first_start_makes_one_administrator_who_must_choose_a_password() {
    let shop = Shop::open().await;
    let again = bootstrap_with(&shop.app, &shop.config).await;
    assert!(again.expect("bootstrapped").is_none());

    let login = json!({"email": "admin@souk.local", "password": shop.admin.password});
    let (status, body) = shop.post("/api/identity/login", "", login.clone()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(body["code"], "password-change-required");

    let token = shop.admin().await;
    let (status, me) = shop
        .call("GET", "/api/identity/me", &token, json!({}))
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(me["kind"], "staff");
    assert_eq!(me["email"], "admin@souk.local");
    assert_eq!(me["roles"], json!(["admin"]));
    assert_eq!(me["permissions"], json!(["*"]));

    let (status, _) = shop.post("/api/identity/login", "", login).await;
    assert_eq!(
        status,
        StatusCode::UNAUTHORIZED,
        "the one-time password is spent"
    );
    let own = json!({"email": " Admin@Souk.local", "password": "a long enough one"});
    let (status, _) = shop.post("/api/identity/login", "", own).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_customer_registers_signs_in_and_signs_out() {
    let shop = Shop::open().await;
    let registered = shop.register("ann@example.org").await;
    let token = text(&registered, "access_token");
    let (_, me) = shop
        .call("GET", "/api/identity/me", &token, json!({}))
        .await;
    assert_eq!(me["kind"], "customer");
    assert_eq!(me["email"], "ann@example.org");
    assert!(text(&me, "person").starts_with("per_"));

    let twice = json!({"email": "ANN@example.org", "password": "another horse"});
    let (status, body) = shop.post("/api/identity/register", "", twice).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::CONFLICT, &json!("email-taken"))
    );

    let session = text(&registered, "session_token");
    let exchange = json!({"token": session});
    let (status, token) = shop.post("/api/identity/token", "", exchange.clone()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(token["expires_in"], 300);
    let (status, _) = shop
        .post(
            "/api/identity/logout",
            "",
            json!({"session_token": session}),
        )
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, body) = shop.post("/api/identity/token", "", exchange).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::UNAUTHORIZED, &json!("not-signed-in"))
    );
}

#[tokio::test]
async fn unknown_accounts_wrong_passwords_and_nonsense_get_the_same_answer() {
    let shop = Shop::open().await;
    shop.register("ann@example.org").await;
    let mut answers = Vec::new();
    for (email, password) in [
        ("ann@example.org", "wrong horse"),
        ("nobody@example.org", "correct horse"),
        ("no address", "correct horse"),
    ] {
        let body = json!({"email": email, "password": password});
        answers.push(shop.post("/api/identity/login", "", body).await);
    }
    assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
    assert_eq!(answers[0].1["code"], "wrong-credentials");
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[tokio::test]
async fn guessing_is_slowed_down_and_the_right_password_too() {
    let shop = Shop::open().await;
    shop.register("ann@example.org").await;
    let wrong = json!({"email": "ann@example.org", "password": "wrong horse"});
    for _ in 0..5 {
        let (status, _) = shop.post("/api/identity/login", "", wrong.clone()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    let right = json!({"email": "ann@example.org", "password": "correct horse"});
    let request = Request::post("/api/identity/login").body(Body::from(right.to_string()));
    let answer = shop
        .router
        .clone()
        .oneshot(request.expect("a request"))
        .await
        .expect("infallible");
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers()["retry-after"], "1");
    shop.engine.advance(2);
    let (status, _) = shop.post("/api/identity/login", "", right).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_begun_with_the_old_one() {
    let shop = Shop::open().await;
    let registered = shop.register("ann@example.org").await;
    let change = json!({
        "email": "ann@example.org", "current_password": "correct horse",
        "new_password": "battery staple",
    });
    let (status, changed) = shop.post("/api/identity/password", "", change).await;
    assert_eq!(status, StatusCode::OK);
    for (session, expected) in [
        (text(&registered, "session_token"), StatusCode::UNAUTHORIZED),
        (text(&changed, "session_token"), StatusCode::OK),
    ] {
        let exchange = json!({"token": session});
        let (status, _) = shop.post("/api/identity/token", "", exchange).await;
        assert_eq!(status, expected);
    }
}

#[tokio::test]
async fn sessions_expire() {
    let shop = Shop::open().await;
    let exchange = json!({"token": text(&shop.register("a@b.c").await, "session_token")});
    shop.engine
        .advance(shop.config.customer_session_seconds - 1);
    let (status, _) = shop.post("/api/identity/token", "", exchange.clone()).await;
    assert_eq!(status, StatusCode::OK);
    shop.engine.advance(1);
    let (status, _) = shop.post("/api/identity/token", "", exchange).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}
