//! Extractors whose refusals are problem documents that name the field.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, header, request::Parts},
};
use kernel::{Context, IdempotencyKey};
use ring::digest::{SHA256, digest};
use serde::de::DeserializeOwned;

use crate::{Caller, Principal, Problem};

/// A JSON body, with the request's idempotency key if it sent one.
pub struct Json<T> {
    /// The body.
    pub value: T,
    /// From `Idempotency-Key`, scoped to caller and route; pass it to `App::execute_once`.
    pub key: Option<IdempotencyKey>,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let json = parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_none_or(|value| value.as_bytes().starts_with(b"application/json"));
        if !json {
            let detail = "send the body as application/json";
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                detail,
            ));
        }
        let key_parts = parts
            .headers
            .contains_key(IDEMPOTENCY_KEY)
            .then(|| parts.clone());
        let bytes = Bytes::from_request(Request::from_parts(parts, body), state)
            .await
            .map_err(|e| match e.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "too-large",
                    "the body is too large for this route",
                ),
                _ => Problem::new(
                    StatusCode::BAD_REQUEST,
                    "invalid",
                    "the body could not be read",
                ),
            })?;
        let key = match &key_parts {
            Some(parts) => idempotency_key(parts, &bytes)?,
            None => None,
        };
        Ok(Self {
            value: parse(&bytes)?,
            key,
        })
    }
}

/// Parses a body; the problem names the field by its path. No body at all is an empty object, so
/// that a route whose fields are all optional can be called without one.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { bytes };
    // The path is tracked only when something is wrong: tracking costs.
    serde_json::from_slice(bytes).or_else(|_| {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let mut field = error.path().to_string();
            let inner = error.inner();
            let text = inner.to_string();
            if let Some(name) =
                quoted(&text, "missing field `").or_else(|| quoted(&text, "unknown field `"))
                && !field.ends_with(name)
            {
                field = if field == "." {
                    name.to_owned()
                } else {
                    format!("{field}.{name}")
                };
            }
            match inner.is_data() {
                true => {
                    Problem::new(StatusCode::BAD_REQUEST, "invalid", detail(&text)).field(field)
                }
                false => Problem::new(
                    StatusCode::BAD_REQUEST,
                    "malformed-json",
                    format!(
                        "the body is not JSON: line {}, column {}",
                        inner.line(),
                        inner.column()
                    ),
                ),
            }
        })
    })
}

/// serde's message without the value it quotes (it may be personal) and without the position.
fn detail(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or(message);
    match message.split_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => message.to_owned(),
    }
}

fn quoted<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.split('`').next()
}

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The `Idempotency-Key` of a request (draft-ietf-httpapi-idempotency-key-header), scoped to
/// (principal, method and route with its parameters).
fn idempotency_key(parts: &Parts, body: &[u8]) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = parts.headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > 255 || !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid",
            "must be 1 to 255 visible ASCII characters",
        )
        .field("Idempotency-Key"));
    }
    let caller = parts.extensions.get::<Caller>();
    let principal = match caller.map(|c| &c.principal) {
        Some(Principal::Customer { id, .. } | Principal::Staff { id, .. }) => id.as_str(),
        _ => "anonymous",
    };
    let scope = format!("{principal}\n{} {}\n{key}", parts.method, parts.uri.path());
    Ok(Some(IdempotencyKey {
        scope: sha256_hex(scope.as_bytes()),
        body: sha256_hex(body),
    }))
}

fn sha256_hex(bytes: &[u8]) -> String {
    digest(&SHA256, bytes)
        .as_ref()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Path parameters.
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            // A path that cannot name a thing names nothing.
            Err(_) => Err(Problem::new(
                StatusCode::NOT_FOUND,
                "not-found",
                "there is no such thing",
            )),
        }
    }
}

/// Query parameters.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(error) => Err(
                Problem::new(StatusCode::BAD_REQUEST, "invalid", error.body_text()).field("query"),
            ),
        }
    }
}

/// `?limit&cursor` of a list.
#[derive(Clone, Debug)]
pub struct Page {
    /// 1 to 200, 50 unless given.
    pub limit: i64,
    /// Where the last page ended: the text this service put into `next_cursor`.
    pub after: Option<String>,
}

impl Page {
    /// The answer to a list query that asked the store for `limit + 1` rows: the page, and the
    /// cursor of the last item kept, if there is more.
    pub fn list<T>(&self, mut items: Vec<T>, cursor: impl Fn(&T) -> String) -> contracts::List<T> {
        let more = items.len() as i64 > self.limit;
        items.truncate(self.limit as usize);
        let next_cursor = items
            .last()
            .filter(|_| more)
            .map(|item| encode_cursor(&cursor(item)));
        contracts::List { items, next_cursor }
    }
}

fn encode_cursor(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

fn decode_cursor(text: &str) -> Option<String> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text)
        .ok()?;
    String::from_utf8(bytes)
        .ok()
        .filter(|text| text.len() <= 512 && !text.contains('\0'))
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        #[derive(serde::Deserialize)]
        struct Raw {
            limit: Option<String>,
            cursor: Option<String>,
        }
        let Query(raw) = Query::<Raw>::from_request_parts(parts, state).await?;
        let bad =
            |field, detail| Problem::new(StatusCode::BAD_REQUEST, "invalid", detail).field(field);
        let limit = match raw.limit {
            None => 50,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=200).contains(limit))
                .ok_or_else(|| bad("limit", "must be a number from 1 to 200"))?,
        };
        let after = match raw.cursor.filter(|cursor| !cursor.is_empty()) {
            None => None,
            Some(cursor) => Some(
                decode_cursor(&cursor)
                    .ok_or_else(|| bad("cursor", "must be a next_cursor of this list"))?,
            ),
        };
        Ok(Self { limit, after })
    }
}

/// The [`Context`] of a request: correlation (`x-request-id`), trace (`traceparent`), actor.
pub struct Ctx(pub Context);

impl<S: Send + Sync> FromRequestParts<S> for Ctx {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text = |name: &str| -> Option<Arc<str>> {
            let value = parts.headers.get(name)?.to_str().ok()?;
            (value.len() <= 128 && value.bytes().all(|b| b.is_ascii_graphic()))
                .then(|| value.into())
        };
        let actor = parts.extensions.get::<Caller>().map(Caller::actor);
        let correlation = text("x-request-id").unwrap_or_else(|| "".into());
        Ok(Self(Context {
            correlation,
            causation: None,
            trace: text("traceparent"),
            actor,
        }))
    }
}
