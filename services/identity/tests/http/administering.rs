//! API keys, staff and roles, and who may change them.

use axum::http::StatusCode;
use identity::bootstrap_api_key;
use serde_json::json;

use crate::shop::*;

#[tokio::test]
async fn an_api_key_does_what_it_may_until_it_is_revoked() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    let new = json!({"name": "importer", "permissions": ["identity:admin", "catalog:write"]});
    let (status, made) = shop.post("/api/identity/api-keys", &admin, new).await;
    assert_eq!(status, StatusCode::CREATED);
    let secret = text(&made, "secret");
    assert!(secret.starts_with("souk_"));
    let exchange = json!({"token": secret});
    let (status, token) = shop.post("/api/identity/token", "", exchange.clone()).await;
    assert_eq!(status, StatusCode::OK);
    let token = text(&token, "access_token");
    let (_, me) = shop
        .call("GET", "/api/identity/me", &token, json!({}))
        .await;
    assert_eq!(
        (&me["kind"], &me["name"]),
        (&json!("api_key"), &json!("importer"))
    );

    let more = json!({"name": "more", "permissions": ["payments:write"]});
    let (status, body) = shop.post("/api/identity/api-keys", &token, more).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::FORBIDDEN, &json!("forbidden"))
    );

    let mut forged = secret.clone();
    forged.replace_range(
        secret.len() - 1..,
        if secret.ends_with('0') { "1" } else { "0" },
    );
    let (status, _) = shop
        .post("/api/identity/token", "", json!({"token": forged}))
        .await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);

    let path = format!("/api/identity/api-keys/{}", text(&made["api_key"], "id"));
    let (status, _) = shop.call("DELETE", &path, &admin, json!({})).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = shop.post("/api/identity/token", "", exchange).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, _) = shop
        .call("DELETE", "/api/identity/api-keys/key_1", &admin, json!({}))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn tools_get_a_key_of_their_own() {
    let shop = Shop::open().await;
    let secret = bootstrap_api_key(&shop.app, "replay", &["catalog:write"]).await;
    let exchange = json!({"token": secret.expect("a key")});
    let (status, token) = shop.post("/api/identity/token", "", exchange).await;
    assert_eq!(status, StatusCode::OK);
    let claims = shop
        .verifier
        .verify(&text(&token, "access_token"), shop.app.now());
    assert_eq!(claims.expect("good").permissions, ["catalog:write"]);
    assert!(
        bootstrap_api_key(&shop.app, "x", &["nonsense"])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn staff_may_do_what_their_roles_say_and_nobody_raises_themselves() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    let role = json!({"description": "Hires.", "permissions": ["identity:admin", "orders:read"]});
    let (status, body) = shop
        .call("PUT", "/api/identity/roles/hr", &admin, role)
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let new = json!({"email": "bob@example.org", "name": "Bob", "roles": ["hr"]});
    let (status, bob) = shop.post("/api/identity/staff", &admin, new).await;
    assert_eq!(status, StatusCode::CREATED, "{bob}");
    let change = json!({
        "email": "bob@example.org", "current_password": bob["one_time_password"],
        "new_password": "bob's own password",
    });
    let (status, signed_in) = shop.post("/api/identity/password", "", change).await;
    assert_eq!(status, StatusCode::OK);
    let token = text(&signed_in, "access_token");
    let bob = format!("/api/identity/staff/{}", text(&bob["staff"], "id"));

    // He cannot become an administrator, make one, take one over, or widen his role.
    let roles = json!({"roles": ["admin"]});
    let path = format!("{bob}/roles");
    let (status, _) = shop.call("PUT", &path, &token, roles).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let eve = json!({"email": "eve@example.org", "name": "Eve", "roles": ["admin"]});
    let (status, _) = shop.post("/api/identity/staff", &token, eve).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (_, me) = shop
        .call("GET", "/api/identity/me", &admin, json!({}))
        .await;
    let over = format!("/api/identity/staff/{}/password", text(&me, "id"));
    let (status, _) = shop.post(&over, &token, json!({})).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let wider = json!({"permissions": ["identity:admin", "payments:write"]});
    let (status, _) = shop
        .call("PUT", "/api/identity/roles/hr", &token, wider)
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = shop
        .call("DELETE", "/api/identity/roles/support", &token, json!({}))
        .await;
    assert_eq!(
        status,
        StatusCode::FORBIDDEN,
        "support may do what he may not"
    );

    // Locked out, his session ends; let in again, he has to sign in again.
    let (status, member) = shop
        .post(&format!("{bob}/disable"), &admin, json!({}))
        .await;
    assert_eq!((status, &member["active"]), (StatusCode::OK, &json!(false)));
    let login = json!({"email": "bob@example.org", "password": "bob's own password"});
    let (status, _) = shop.post("/api/identity/login", "", login.clone()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    shop.post(&format!("{bob}/enable"), &admin, json!({})).await;
    let exchange = json!({"token": text(&signed_in, "session_token")});
    let (status, _) = shop.post("/api/identity/token", "", exchange).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, _) = shop.post("/api/identity/login", "", login).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn the_last_administrator_cannot_be_locked_out() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    let (_, me) = shop
        .call("GET", "/api/identity/me", &admin, json!({}))
        .await;
    let own = format!("/api/identity/staff/{}", text(&me, "id"));
    let (status, body) = shop
        .post(&format!("{own}/disable"), &admin, json!({}))
        .await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::CONFLICT, &json!("last-admin"))
    );
    let none = json!({"roles": []});
    let (status, _) = shop
        .call("PUT", &format!("{own}/roles"), &admin, none)
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (_, member) = shop.call("GET", &own, &admin, json!({})).await;
    assert_eq!(
        (&member["active"], &member["roles"]),
        (&json!(true), &json!(["admin"]))
    );

    let reset = identity::reset_password(&shop.app, &shop.config, "admin@souk.local").await;
    let reset = reset.expect("the way back in");
    let change = json!({
        "email": reset.email, "current_password": reset.password,
        "new_password": "yet another password",
    });
    let (status, _) = shop.post("/api/identity/password", "", change).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn administration_is_for_administrators() {
    let shop = Shop::open().await;
    let customer = text(&shop.register("ann@example.org").await, "access_token");
    for (method, path) in [
        ("GET", "staff"),
        ("POST", "staff"),
        ("GET", "roles"),
        ("PUT", "roles/x"),
        ("GET", "api-keys"),
        ("POST", "api-keys"),
        ("DELETE", "api-keys/key_1"),
    ] {
        let path = format!("/api/identity/{path}");
        let (status, _) = shop.call(method, &path, "", json!({})).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
        let (status, _) = shop.call(method, &path, &customer, json!({})).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}");
    }
}
