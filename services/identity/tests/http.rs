//! Identity over HTTP, on a runtime in memory.

use std::sync::{Arc, OnceLock};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use http_body_util::BodyExt as _;
use identity::{Config, OneTimePassword, bootstrap_api_key, bootstrap_with};
use kernel::{App, Recorded, Timer, TimerOp, Timestamp, Work, partition_of, testing::MemoryEngine};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use web::Verifier;

struct Shop {
    engine: Arc<MemoryEngine>,
    app: App,
    router: Router,
    verifier: Arc<Verifier>,
    module: kernel::Module,
    config: Config,
    admin: OneTimePassword,
    position: i64,
}

fn config() -> Config {
    Config {
        argon2_memory_kib: 64,
        argon2_passes: 1,
        ..Config::default()
    }
}

impl Shop {
    async fn open() -> Self {
        let config = config();
        let service = identity::service(config.clone()).expect("a service");
        let engine = MemoryEngine::new(service.module.deciders.clone());
        let app = engine.app();
        let verifier = Arc::new(Verifier::default());
        let router = service.routes.into_router(app.clone(), verifier.clone());
        let admin = bootstrap_with(&app, &config).await.expect("bootstrapped");
        let mut shop = Self {
            engine,
            app,
            router,
            verifier,
            module: service.module,
            config,
            admin: admin.expect("the first start makes an administrator"),
            position: 0,
        };
        shop.settle().await;
        shop
    }

    /// Delivers what was committed to the verifier and the workers; answers the timers set.
    async fn settle(&mut self) -> Vec<Timer> {
        let mut timers = Vec::new();
        loop {
            let done = self.engine.take();
            if done.is_empty() {
                return timers;
            }
            for work in done {
                timers.extend(work.timers.iter().filter_map(|op| match op {
                    TimerOp::Set(timer) => Some(timer.clone()),
                    TimerOp::Cancel(_) => None,
                }));
                for event in self.recorded(work) {
                    (self.verifier.broadcast().listen)(&event);
                    for worker in &self.module.workers {
                        if worker.types.contains(&&*event.kind) {
                            let performed = (worker.perform)(self.app.clone(), event.clone());
                            performed.await.expect("performed");
                        }
                    }
                }
            }
        }
    }

    fn recorded(&mut self, work: Work) -> Vec<Arc<Recorded>> {
        let events = work.events.into_iter().map(|event| {
            self.position += 1;
            Arc::new(Recorded {
                topic: "identity".into(),
                position: self.position,
                prev: 0,
                partition: partition_of(event.stream.as_str()),
                stream: event.stream,
                version: event.version,
                kind: event.kind.into(),
                data: event.data.into(),
                at: Timestamp(0),
                meta: kernel::EventMeta::default(),
                typed: OnceLock::from(event.typed),
            })
        });
        events.collect()
    }

    async fn fire(&mut self, timer: &Timer) -> Vec<Timer> {
        let handlers = &self.module.timers;
        let handler = handlers.iter().find(|handler| handler.kind == timer.kind);
        let command = (handler.expect("a handler").handle)(timer).expect("a command");
        let submission = kernel::Submission {
            context: kernel::Context::default(),
            command,
            once: None,
        };
        let engine: &dyn kernel::Engine = self.engine.as_ref();
        assert!(engine.submit(submission).await.is_ok());
        self.settle().await
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let answer = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("infallible");
        let status = answer.status();
        let body = answer
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = Body::from(body.to_string());
        self.send(request.body(body).expect("a request")).await
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> (StatusCode, Value) {
        self.call("POST", path, token, body).await
    }

    /// The administrator, signed in with a password of their own.
    async fn admin(&self) -> String {
        let change = json!({
            "email": self.admin.email, "current_password": self.admin.password,
            "new_password": "a long enough one",
        });
        let (status, body) = self.post("/api/identity/password", "", change).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        text(&body, "access_token")
    }

    async fn register(&self, email: &str) -> Value {
        let body = json!({"email": email, "password": "correct horse"});
        let (status, body) = self.post("/api/identity/register", "", body).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        body
    }
}

fn text(body: &Value, field: &str) -> String {
    let text = body[field].as_str();
    text.unwrap_or_else(|| panic!("{field} in {body}"))
        .to_owned()
}

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
