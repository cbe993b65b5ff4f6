//! Bad input, the change of signing keys, and what is kept.

use axum::http::StatusCode;
use identity::bootstrap_with;
use serde_json::{Value, json};

use crate::shop::*;

#[tokio::test]
async fn bad_input_is_refused_and_the_field_named() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    for (path, token, body, field) in [
        (
            "register",
            "",
            json!({"email": "x", "password": "correct horse"}),
            "email",
        ),
        (
            "register",
            "",
            json!({"email": "a@b.c", "password": "short"}),
            "password",
        ),
        ("register", "", json!({"email": "a@b.c"}), "password"),
        (
            "login",
            "",
            json!({"email": "a@b.c", "password": "x", "admin": true}),
            "admin",
        ),
        (
            "login",
            "",
            json!({"email": "a@b.c", "password": "x".repeat(1000)}),
            "password",
        ),
        (
            "api-keys",
            &admin,
            json!({"name": "", "permissions": ["a:b"]}),
            "name",
        ),
        (
            "api-keys",
            &admin,
            json!({"name": "x", "permissions": ["a"]}),
            "permissions[0]",
        ),
        (
            "api-keys",
            &admin,
            json!({"name": "x", "permissions": []}),
            "permissions",
        ),
        (
            "api-keys",
            &admin,
            json!({"name": "x", "permissions": ["a:b"], "expires_in_days": 0}),
            "expires_in_days",
        ),
        (
            "staff",
            &admin,
            json!({"email": "a@b.c", "name": "A", "roles": ["none"]}),
            "roles[0]",
        ),
        (
            "staff",
            &admin,
            json!({"email": "a@b.c", "name": " ", "roles": []}),
            "name",
        ),
    ] {
        let path = format!("/api/identity/{path}");
        let (status, problem) = shop.post(&path, token, body.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path} {body} {problem}");
        assert_eq!(problem["field"], field, "{path} {body}");
    }
}

#[tokio::test]
async fn signing_keys_follow_one_another_without_a_token_being_refused() {
    let mut shop = Shop::open().await;
    let registered = shop.register("ann@example.org").await;
    let session = json!({"token": text(&registered, "session_token")});
    let kids = |jwks: &Value| -> Vec<String> {
        let keys = jwks["keys"].as_array().expect("keys");
        keys.iter().map(|key| text(key, "kid")).collect()
    };
    let jwks = "/api/identity/.well-known/jwks.json";
    let (_, first) = shop.call("GET", jwks, "", json!({})).await;
    assert_eq!(kids(&first).len(), 1);
    assert_eq!(first["keys"][0]["crv"], "Ed25519");

    // The timer was set when the first key was made: set it again by asking for it.
    bootstrap_with(&shop.app, &shop.config)
        .await
        .expect("a restart");
    let timers = shop.settle().await;
    let rotate = timers
        .iter()
        .find(|timer| timer.kind == "rotate-signing-key");
    let rotate = rotate.expect("a rotation is due some day").clone();
    let seconds = (rotate.due.0 - shop.app.now().0) / 1_000_000;
    assert_eq!(
        seconds,
        shop.config.key_seconds - shop.config.key_lead_seconds
    );
    shop.engine.advance(seconds);
    let timers = shop.fire(&rotate).await;
    assert_eq!(shop.fire(&rotate).await, [], "a repeat makes no second key");

    // The next key is known to all before it signs.
    let (_, both) = shop.call("GET", jwks, "", json!({})).await;
    assert_eq!(kids(&both).len(), 2);
    let (_, token) = shop.post("/api/identity/token", "", session.clone()).await;
    let old = text(&token, "access_token");
    assert_eq!(signed_by(&old), kids(&both)[0]);
    shop.engine.advance(shop.config.key_lead_seconds);
    // (The session is over by now.)
    let again = json!({"email": "ann@example.org", "password": "correct horse"});
    let (_, signed_in) = shop.post("/api/identity/login", "", again).await;
    let new = text(&signed_in, "access_token");
    assert_eq!(signed_by(&new), kids(&both)[1]);
    shop.verifier.verify(&new, shop.app.now()).expect("good");

    // The old one is retired after its last token has expired.
    let retire = timers
        .iter()
        .find(|timer| timer.kind == "retire-signing-key");
    let retire = retire.expect("the old key is retired some day").clone();
    let after = (retire.due.0 - shop.app.now().0) / 1_000_000;
    assert!(after > shop.config.token_seconds);
    shop.engine.advance(after);
    shop.fire(&retire).await;
    let (_, last) = shop.call("GET", jwks, "", json!({})).await;
    assert_eq!(kids(&last), [kids(&both)[1].clone()]);
}

fn signed_by(token: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let header = token.split('.').next().expect("a header");
    let header = URL_SAFE_NO_PAD.decode(header).expect("base64url");
    text(&serde_json::from_slice(&header).expect("JSON"), "kid")
}

#[tokio::test]
async fn secrets_are_kept_only_as_hashes_or_sealed() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    let registered = shop.register("ann@example.org").await;
    let new = json!({"name": "importer", "permissions": ["catalog:write"]});
    let (_, made) = shop.post("/api/identity/api-keys", &admin, new).await;
    let (session, secret) = (text(&registered, "session_token"), text(&made, "secret"));
    let log: String = shop
        .engine
        .take()
        .iter()
        .flat_map(|work| &work.events)
        .map(|event| format!("{} {}\n{:?}\n", event.stream, event.data, event.kind))
        .collect();
    assert!(log.contains("identity.api_key.issued.v1"));
    for secret in [
        session.rsplit('_').next().expect("a secret"),
        secret.rsplit('_').next().expect("a secret"),
        "ann@example.org",
        "correct horse",
        "$argon2id$",
    ] {
        assert!(!log.contains(secret), "{secret} in clear");
    }
}
