//! Identity on a runtime in memory, as its callers reach it.

use std::sync::{Arc, OnceLock};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use http_body_util::BodyExt as _;
use identity::{Config, OneTimePassword, bootstrap_with};
use kernel::{App, Recorded, Timer, TimerOp, Timestamp, Work, partition_of, testing::MemoryEngine};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use web::Verifier;

pub struct Shop {
    pub engine: Arc<MemoryEngine>,
    pub app: App,
    pub router: Router,
    pub verifier: Arc<Verifier>,
    pub module: kernel::Module,
    pub config: Config,
    pub admin: OneTimePassword,
    pub position: i64,
}

pub fn config() -> Config {
    Config {
        argon2_memory_kib: 64,
        argon2_passes: 1,
        ..Config::default()
    }
}

impl Shop {
    pub async fn open() -> Self {
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
    pub async fn settle(&mut self) -> Vec<Timer> {
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

    pub fn recorded(&mut self, work: Work) -> Vec<Arc<Recorded>> {
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

    pub async fn fire(&mut self, timer: &Timer) -> Vec<Timer> {
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

    pub async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
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

    pub async fn call(
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

    pub async fn post(&self, path: &str, token: &str, body: Value) -> (StatusCode, Value) {
        self.call("POST", path, token, body).await
    }

    /// The administrator, signed in with a password of their own.
    pub async fn admin(&self) -> String {
        let change = json!({
            "email": self.admin.email, "current_password": self.admin.password,
            "new_password": "a long enough one",
        });
        let (status, body) = self.post("/api/identity/password", "", change).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        text(&body, "access_token")
    }

    pub async fn register(&self, email: &str) -> Value {
        let body = json!({"email": email, "password": "correct horse"});
        let (status, body) = self.post("/api/identity/register", "", body).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        body
    }
}

pub fn text(body: &Value, field: &str) -> String {
    let text = body[field].as_str();
    text.unwrap_or_else(|| panic!("{field} in {body}"))
        .to_owned()
}
