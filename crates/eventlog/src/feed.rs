//! The history of a service's log over HTTP: what processes read from each other when the broker
//! has lost something, or when a reader is far behind. Read-only, and only for processes of the
//! same shop, which share a secret.
//!
//! - `GET /log/{topic}?after=&limit=&max_bytes=&incarnation=` answers a CloudEvents batch (JSON);
//! - `GET /log/{topic}/head` answers `{"position": 7, "incarnation": "…"}`.

mod client;

use std::{collections::HashMap, fmt, sync::Arc};

use axum::{
    Router,
    extract::{Path, Query, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, StatusCode, header};
use ring::hmac;
use serde::{Deserialize, Serialize};
use store::{LogHead, Store, StoreError};

use crate::cloudevents;

pub use client::{HttpHistory, Resolve};

/// The most events and payload bytes of one answer.
const MOST: usize = 1_000;
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// The media type of a page (CloudEvents JSON format, batch).
const BATCH: &str = "application/cloudevents-batch+json";
/// Which log a page is from.
const INCARNATION: &str = "souk-incarnation";

/// What the processes of one shop know of each other. It is never shown.
#[derive(Clone)]
pub struct Secret {
    text: Arc<str>,
    key: hmac::Key,
    tag: hmac::Tag,
}

impl Secret {
    /// The secret; whitespace around it (the end of a file's line) does not count. `None` if it is
    /// shorter than 16 bytes or cannot be sent in a header.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = text.len() >= 16 && text.bytes().all(|b| b.is_ascii_graphic());
        // Comparing digests under a key tells nothing by how long it takes.
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"souk/feed");
        fits.then(|| Self {
            text: text.into(),
            tag: hmac::sign(&key, text.as_bytes()),
            key,
        })
    }

    /// Whether a request's headers show it (`Authorization: Bearer …`).
    pub fn shown_in(&self, headers: &HeaderMap) -> bool {
        let shown = headers
            .get(header::AUTHORIZATION)
            .map(|value| value.as_bytes());
        let shown = shown.and_then(|value| value.strip_prefix(b"Bearer "));
        shown.is_some_and(|shown| hmac::verify(&self.key, shown, self.tag.as_ref()).is_ok())
    }

    /// What to show it with.
    pub(crate) fn header(&self) -> String {
        format!("Bearer {}", self.text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

type Topics = Arc<HashMap<String, Arc<dyn Store>>>;

/// Serves the logs of this process's services.
pub fn router(topics: HashMap<String, Arc<dyn Store>>, secret: Secret) -> Router {
    Router::new()
        .route("/log/{topic}", get(page))
        .route("/log/{topic}/head", get(head))
        .with_state(Arc::new(topics))
        .layer(middleware::from_fn_with_state(secret, check))
}

async fn check(State(secret): State<Secret>, request: Request, next: Next) -> Response {
    if !secret.shown_in(request.headers()) {
        return Refused::Unauthorized.into_response();
    }
    next.run(request).await
}

#[derive(Serialize, Deserialize)]
struct Head {
    position: i64,
    incarnation: String,
}

/// What a page is asked for with.
#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    after: i64,
    limit: Option<usize>,
    max_bytes: Option<usize>,
    incarnation: Option<String>,
}

async fn head(
    State(topics): State<Topics>,
    Path(topic): Path<String>,
) -> Result<axum::Json<Head>, Refused> {
    let store = topics.get(&topic).ok_or(Refused::NoTopic)?;
    let LogHead {
        position,
        incarnation,
    } = store.head().await?;
    Ok(axum::Json(Head {
        position,
        incarnation,
    }))
}

async fn page(
    State(topics): State<Topics>,
    Path(topic): Path<String>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refused> {
    let store = topics.get(&topic).ok_or(Refused::NoTopic)?;
    let Ok(Query(asked)) = asked else {
        return Err(Refused::Query(
            "after, limit and max_bytes are whole numbers",
        ));
    };
    if asked.after < 0 {
        return Err(Refused::Query("after is not below 0"));
    }
    let limit = asked.limit.unwrap_or(MOST).clamp(1, MOST);
    let max_bytes = asked.max_bytes.unwrap_or(MOST_BYTES).clamp(1, MOST_BYTES);
    let head = store.head().await?;
    if asked
        .incarnation
        .is_some_and(|known| known != head.incarnation)
    {
        return Err(Refused::Restored(head));
    }
    let events = store.read_log(asked.after, limit, max_bytes).await?;
    let headers = [
        (header::CONTENT_TYPE, BATCH.to_owned()),
        (
            header::HeaderName::from_static(INCARNATION),
            head.incarnation.clone(),
        ),
    ];
    Ok((
        headers,
        cloudevents::write_batch(&events, &head.incarnation),
    )
        .into_response())
}

/// Why there is no answer.
enum Refused {
    Unauthorized,
    NoTopic,
    Query(&'static str),
    Restored(LogHead),
    Unavailable,
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "the log cannot be read for another process");
        Self::Unavailable
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, code, detail) = match &self {
            Self::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "show the secret of this shop's processes",
            ),
            Self::NoTopic => (
                StatusCode::NOT_FOUND,
                "unknown-topic",
                "this process does not produce that topic",
            ),
            Self::Query(detail) => (StatusCode::BAD_REQUEST, "invalid-query", *detail),
            Self::Restored(_) => (
                StatusCode::CONFLICT,
                "restored",
                "the log has another incarnation",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "the log cannot be read just now",
            ),
        };
        let mut problem = serde_json::json!({
            "type": format!("urn:souk:problem:{code}"),
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "code": code,
            "detail": detail,
        });
        if let Self::Restored(head) = self {
            problem["position"] = head.position.into();
            problem["incarnation"] = head.incarnation.into();
        }
        let headers = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, headers, problem.to_string()).into_response()
    }
}
