//! Services that answer what they are told to, and remember what they were asked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, Response, StatusCode, header},
};
use kernel::{BoxFuture, Currency};
use serde_json::{Value, json};
use storefront::Config;
use tower::ServiceExt as _;
use web::Upstream;

/// What a service was asked.
#[allow(dead_code, reason = "each test file uses its own part")]
#[derive(Clone, Debug)]
pub struct Asked {
    pub service: String,
    /// `POST /api/carts`
    pub what: String,
    pub headers: HeaderMap,
    pub body: Value,
}

type Answers = HashMap<String, Vec<(u16, Value)>>;

/// Services by the book. What has no answer is answered 503.
#[derive(Default)]
pub struct Stub {
    answers: Mutex<Answers>,
    asked: Arc<Mutex<Vec<Asked>>>,
    troubled: Option<(&'static str, Trouble)>,
}

/// What is wrong with a service.
#[allow(dead_code, reason = "each test file uses its own part")]
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// It, or the way to it, answers so.
    Answers(u16),
    /// It never answers.
    Hangs,
}

impl Stub {
    /// `what` (such as `GET /api/carts/crt_1`) is answered so; several answers are given in turn,
    /// the last one again and again.
    pub fn on(self, what: &str, status: u16, answer: Value) -> Self {
        let mut answers = self.answers.lock().expect("not poisoned");
        answers
            .entry(what.into())
            .or_default()
            .push((status, answer));
        drop(answers);
        self
    }

    /// Every answer of a service is this instead.
    #[allow(dead_code, reason = "each test file uses its own part")]
    pub fn trouble(mut self, service: &'static str, trouble: Trouble) -> Self {
        self.troubled = Some((service, trouble));
        self
    }

    fn answer(&self, what: &str) -> (u16, Value) {
        let mut answers = self.answers.lock().expect("not poisoned");
        match answers.get_mut(what) {
            Some(list) if list.len() > 1 => list.remove(0),
            Some(list) => list[0].clone(),
            None => (503, problem(503, "no-service")),
        }
    }
}

impl Upstream for Stub {
    fn call(&self, service: &str, request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
        let (parts, body) = request.into_parts();
        let what = format!("{} {}", parts.method, parts.uri);
        let (mut status, mut answer) = self.answer(&what);
        let troubled = self.troubled.filter(|(name, _)| *name == service);
        let hangs = matches!(troubled, Some((_, Trouble::Hangs)));
        if let Some((_, Trouble::Answers(instead))) = troubled {
            (status, answer) = (instead, problem(instead, "no-service"));
        }
        let asked = self.asked.clone();
        let service = service.to_owned();
        Box::pin(async move {
            let bytes = to_bytes(body, usize::MAX).await.expect("a body");
            let body = serde_json::from_slice(&bytes).unwrap_or_default();
            let headers = parts.headers;
            asked.lock().expect("not poisoned").push(Asked {
                service,
                what,
                headers,
                body,
            });
            if hangs {
                return std::future::pending().await;
            }
            let answer = Body::from(answer.to_string());
            Response::builder()
                .status(status)
                .body(answer)
                .expect("an answer")
        })
    }

    fn services(&self) -> Vec<String> {
        ["catalog", "cart", "orders"].map(str::to_owned).into()
    }
}

/// A problem document.
pub fn problem(status: u16, code: &str) -> Value {
    json!({"type": format!("urn:souk:problem:{code}"), "status": status, "code": code, "detail": format!("this is {code}")})
}

/// A recorded answer: `recorded!("cart")`.
#[macro_export]
macro_rules! recorded {
    ($name:literal) => {
        serde_json::from_str::<serde_json::Value>(include_str!(concat!("answers/", $name, ".json")))
            .expect("recorded JSON")
    };
}

/// A shop on stub services, and a browser before it.
pub struct Shop {
    router: Router,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A page as the browser got it.
pub struct Got {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

#[allow(dead_code, reason = "each test file uses its own part")]
impl Shop {
    pub fn new(stub: Stub) -> Self {
        Self::with(stub, |_| {})
    }

    pub fn with(stub: Stub, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new("Souk <Test>", Currency::GBP, "http://pay.example:9090/");
        change(&mut config);
        let asked = stub.asked.clone();
        Self {
            router: storefront::router(config, Arc::new(stub)),
            asked,
        }
    }

    pub async fn send(&self, request: Request<Body>) -> Got {
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body");
        Got {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.into()).expect("text"),
        }
    }

    pub async fn get(&self, address: &str, cookie: &str) -> Got {
        let request = Request::get(address)
            .header(header::HOST, "shop.example")
            .header(header::COOKIE, cookie);
        self.send(request.body(Body::empty()).expect("a request"))
            .await
    }

    /// As a browser sends a form of the shop's own page.
    pub async fn post(&self, address: &str, cookie: &str, form: &str) -> Got {
        let request = Request::post(address)
            .header(header::HOST, "shop.example")
            .header(header::ORIGIN, "http://shop.example")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, cookie);
        self.send(
            request
                .body(Body::from(form.to_owned()))
                .expect("a request"),
        )
        .await
    }

    /// Everything services were asked, in order: `cart POST /api/carts`.
    pub fn log(&self) -> Vec<String> {
        let asked = self.asked.lock().expect("not poisoned");
        asked
            .iter()
            .map(|asked| format!("{} {}", asked.service, asked.what))
            .collect()
    }

    /// The last request of that kind.
    pub fn asked(&self, what: &str) -> Asked {
        let asked = self.asked.lock().expect("not poisoned");
        let found = asked.iter().rev().find(|asked| asked.what == what);
        found
            .unwrap_or_else(|| panic!("{what} was not asked"))
            .clone()
    }
}

#[allow(dead_code, reason = "each test file uses its own part")]
impl Got {
    #[track_caller]
    pub fn shows(&self, text: &str) -> &Self {
        assert!(
            self.text.contains(text),
            "{text:?} is missing in:\n{}",
            self.text
        );
        self
    }

    #[track_caller]
    pub fn hides(&self, text: &str) -> &Self {
        assert!(
            !self.text.contains(text),
            "{text:?} should not be in:\n{}",
            self.text
        );
        self
    }

    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub fn cookies(&self) -> Vec<&str> {
        let lines = self.headers.get_all(header::SET_COOKIE).iter();
        lines.filter_map(|line| line.to_str().ok()).collect()
    }

    /// The part of the page from `start` to `end`, for snapshots.
    #[track_caller]
    pub fn part(&self, start: &str, end: &str) -> &str {
        let from = self.text.find(start).expect("the start is there");
        let length = self.text[from..].find(end).expect("the end is there");
        &self.text[from..from + length + end.len()]
    }
}
