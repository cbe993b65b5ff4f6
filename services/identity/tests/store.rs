//! Identity on a real store: what needs read models, restarts and live feeds.

use std::{path::Path, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use contracts::customers::{PersonErased, PersonEvent};
use http_body_util::BodyExt as _;
use identity::{Config, OneTimePassword, bootstrap_with};
use kernel::{Context, Decide, Decider, Module, Rejection};
use runtime::{RandomIds, Runtime, RuntimeConfig, SystemClock};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use web::Verifier;

/// A stand-in for customers: says that somebody is erased.
struct Persons;

impl Decider for Persons {
    const CATEGORY: &'static str = "person";
    type State = ();
    type Command = PersonErased;
    type Event = PersonEvent;

    fn decide(_: &(), erased: &PersonErased) -> Result<Vec<PersonEvent>, Rejection> {
        Ok(vec![erased.clone().into()])
    }

    fn evolve(_: &mut (), _: &PersonEvent) {}
}

struct Shop {
    runtime: Runtime,
    router: Router,
    admin: Option<OneTimePassword>,
}

impl Shop {
    async fn open(data: &Path) -> Self {
        let config = Config {
            argon2_memory_kib: 64,
            argon2_passes: 1,
            ..Config::default()
        };
        let service = identity::service(config.clone()).expect("a service");
        let settings = RuntimeConfig::embedded(data, Arc::new(SystemClock), Arc::new(RandomIds))
            .expect("a key ring");
        // Whom identity hears of who is erased.
        let customers = Module::new("customers").decider::<Persons>();
        let started = Runtime::start(settings, vec![service.module, customers]).await;
        let mut runtime = started.expect("started");
        let verifier = Arc::new(Verifier::default());
        runtime.listen(&verifier.broadcast());
        let app = runtime.app("identity").expect("the service runs");
        let admin = bootstrap_with(&app, &config).await.expect("bootstrapped");
        runtime.wait_ready().await;
        while !verifier.ready() {
            tokio::task::yield_now().await;
        }
        Self {
            router: service.routes.into_router(app, verifier),
            runtime,
            admin,
        }
    }

    async fn call(&self, line: &str, token: &str, body: &Value) -> (StatusCode, Value) {
        let (method, path) = line.split_once(' ').expect("METHOD /path");
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match body.is_null() {
            true => Body::empty(),
            false => Body::from(body.to_string()),
        };
        let request = request.body(body).expect("a request");
        let answer = self.router.clone().oneshot(request).await;
        let answer = answer.expect("infallible");
        let status = answer.status();
        let body = answer.into_body().collect().await.expect("a body");
        let body = serde_json::from_slice(&body.to_bytes());
        (status, body.unwrap_or(Value::Null))
    }

    /// The administrator's access token.
    async fn sign_in(&self, password: &str) -> String {
        let login = json!({"email": "admin@souk.local", "password": password});
        let (status, body) = self.call("POST /api/identity/login", "", &login).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body["access_token"].as_str().expect("a token").to_owned()
    }
}

fn names(list: &Value, field: &str) -> Vec<String> {
    let items = list["items"].as_array().expect("items");
    items
        .iter()
        .map(|item| item[field].as_str().expect("text").to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_keys_and_roles_outlive_a_restart_and_are_listed() {
    let data = tempfile::tempdir().expect("a folder");
    let shop = Shop::open(data.path()).await;
    let admin = shop.admin.as_ref().expect("the first start makes one");
    let change = json!({
        "email": admin.email, "current_password": admin.password,
        "new_password": "a long enough one",
    });
    let (status, body) = shop.call("POST /api/identity/password", "", &change).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let before = shop.sign_in("a long enough one").await;
    for name in ["one", "two", "three"] {
        let new = json!({"name": name, "permissions": ["catalog:write"]});
        let (status, _) = shop
            .call("POST /api/identity/api-keys", &before, &new)
            .await;
        assert_eq!(status, StatusCode::CREATED);
    }
    let bob = json!({"email": "bob@example.org", "name": "Bob", "roles": ["support"]});
    let (status, bob) = shop.call("POST /api/identity/staff", &before, &bob).await;
    assert_eq!(status, StatusCode::CREATED, "{bob}");
    shop.runtime.shutdown().await;

    let shop = Shop::open(data.path()).await;
    assert!(shop.admin.is_none());
    // A token from before is good still: its key was published in the log.
    let first = "GET /api/identity/api-keys?limit=2";
    let (status, page) = shop.call(first, &before, &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert_eq!(names(&page, "name"), ["one", "two"]);
    let next = page["next_cursor"].as_str().expect("one more");
    let next = format!("{first}&cursor={next}");
    let (_, page) = shop.call(&next, &before, &Value::Null).await;
    assert_eq!(names(&page, "name"), ["three"]);
    assert!(page.get("next_cursor").is_none());

    let id = page["items"][0]["id"].as_str().expect("an id");
    let revoke = format!("DELETE /api/identity/api-keys/{id}");
    let (status, _) = shop.call(&revoke, &before, &Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (_, page) = shop.call(&next, &before, &Value::Null).await;
    assert_eq!(page["items"][0]["revoked"], true);

    let (_, staff) = shop
        .call("GET /api/identity/staff", &before, &Value::Null)
        .await;
    assert_eq!(
        names(&staff, "email"),
        ["admin@souk.local", "bob@example.org"]
    );
    let (_, roles) = shop
        .call("GET /api/identity/roles", &before, &Value::Null)
        .await;
    let first = [
        "admin",
        "catalog-manager",
        "fulfilment",
        "privacy-officer",
        "support",
    ];
    assert_eq!(names(&roles, "name"), first);
    let remove = "DELETE /api/identity/roles/support";
    let (status, _) = shop.call(remove, &before, &Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    shop.runtime.shutdown().await;

    // What was removed on purpose does not come back.
    let shop = Shop::open(data.path()).await;
    let after = shop.sign_in("a long enough one").await;
    let (_, roles) = shop
        .call("GET /api/identity/roles", &after, &Value::Null)
        .await;
    assert_eq!(names(&roles, "name"), first[..4]);
    shop.runtime.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_register_one_address_at_once_one_has_it() {
    let data = tempfile::tempdir().expect("a folder");
    let shop = Arc::new(Shop::open(data.path()).await);
    let tries: Vec<_> = (0..16)
        .map(|_| {
            let shop = shop.clone();
            tokio::spawn(async move {
                let body = json!({"email": "ann@example.org", "password": "correct horse"});
                shop.call("POST /api/identity/register", "", &body).await.0
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for answer in tries {
        statuses.push(answer.await.expect("answered"));
    }
    let count = |status| statuses.iter().filter(|s| **s == status).count();
    assert_eq!(count(StatusCode::CREATED), 1);
    assert_eq!(count(StatusCode::CONFLICT), 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_cannot_sign_in_and_their_address_is_free() {
    let data = tempfile::tempdir().expect("a folder");
    let shop = Shop::open(data.path()).await;
    let register = json!({"email": "ann@example.org", "password": "correct horse"});
    let path = "POST /api/identity/register";
    let (status, account) = shop.call(path, "", &register).await;
    assert_eq!(status, StatusCode::CREATED, "{account}");
    let text = |name: &str| account[name].as_str().expect("text").to_owned();
    let me = "GET /api/identity/me";
    let (_, known) = shop.call(me, &text("access_token"), &Value::Null).await;
    let person = known["person"].as_str().expect("a person");
    let erased = PersonErased {
        person: person.parse().expect("an id"),
        customer_id: Some(text("account").parse().expect("an id")),
        at: kernel::Timestamp(1),
    };
    // The key may be gone before identity hears of it.
    let ops = shop.runtime.ops();
    ops.erase(&erased.person).await.expect("erased");
    let customers = shop.runtime.app("customers").expect("the stand-in runs");
    let say = Decide::<Persons>::new(person, erased);
    let said = customers.execute(&Context::default(), say).await;
    said.expect("said");
    let again = async || shop.call(path, "", &register).await;
    let anew = loop {
        match again().await {
            (StatusCode::CREATED, anew) => break anew,
            (status, _) => assert_eq!(status, StatusCode::CONFLICT, "taken until it is closed"),
        }
    };
    assert_ne!(anew["account"], account["account"]);
    let token = json!({"token": text("session_token")});
    let (status, _) = shop.call("POST /api/identity/token", "", &token).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "the old session is over");
    let letters = ops.dead_letters().await.expect("asked");
    assert!(letters.is_empty(), "parked: {letters:?}");
    shop.runtime.shutdown().await;
}
