//! The provider's routes for merchants and browsers, and who may call them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::behaviour::Behaviour;
use crate::clock::now_seconds;
use crate::engine::{Engine, Unavailable};
use crate::ids::{Ids, Kind};
use crate::input;
use crate::ledger::{Answer, Idempotency, Ledger, Order, Outcome, no_payment};
use crate::payment::{Command, MAX_AMOUNT};
use crate::problem::Problem;
use crate::sender::Sender;
use crate::tokens::Vault;
use crate::webhooks::deliver_before_answer;
use crate::{challenge, page};

/// Larger bodies are refused.
const MAX_BODY: usize = 16 * 1024;
/// Payments on one page, at most.
const MAX_PAGE: u32 = 1_000;

/// What the routes share.
pub struct App {
    pub engine: Engine,
    pub ids: Arc<Ids>,
    pub vault: Vault,
    /// `None` when nobody wants webhooks.
    pub sender: Option<Arc<Sender>>,
    pub api_key: Secret,
    pub publishable_key: Secret,
    /// How long the time-out behaviours hold a connection.
    pub hold: Duration,
    pub stop: CancellationToken,
}

/// A key of which only the hash is kept, so that comparing takes no telling time.
#[derive(PartialEq, Eq)]
pub struct Secret([u8; 32]);

/// Marks an answer that must not be sent: the connection is dropped instead.
#[derive(Clone, Copy)]
pub struct HangUp;

pub type Shared = State<Arc<App>>;

/// All routes of the payment provider, and the `others` beside them.
pub fn routes(app: Arc<App>, others: Router) -> Router {
    Router::new()
        .route("/", get(async || page::test_cards()))
        .route("/v1/tokens", post(create_token).options(preflight))
        .route("/v1/payments", post(create_payment).get(list_payments))
        .route("/v1/payments/{id}", get(read_payment))
        .route("/v1/payments/{id}/{operation}", post(operate))
        .route("/v1/balance", get(balance))
        .route("/3ds/{id}", get(challenge::show).post(challenge::answer))
        .fallback(async || Problem::not_found("there is nothing at this address"))
        .method_not_allowed_fallback(async || {
            let detail = "this address does not take that method";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        })
        .with_state(app)
        .merge(others)
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

impl Secret {
    pub fn new(text: &str) -> Self {
        Self(sha256(text.as_bytes()))
    }
}

impl App {
    /// Lets merchants in.
    fn merchant(&self, headers: &HeaderMap) -> Result<(), Problem> {
        self.admit(headers, &[&self.api_key])
    }

    fn admit(&self, headers: &HeaderMap, keys: &[&Secret]) -> Result<(), Problem> {
        admit(headers, keys)
    }

    /// Runs a request in the book.
    pub async fn book<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Ledger) -> Outcome<T> + Send + 'static,
    ) -> Result<T, Problem> {
        self.engine
            .run(work)
            .await
            .unwrap_or_else(|Unavailable| Err(Problem::unavailable()))
    }

    /// Runs a reading request that cannot be refused.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Ledger) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        self.engine
            .run(work)
            .await
            .map_err(|Unavailable| Problem::unavailable())
    }

    /// Sends ahead the webhooks that come before the answer.
    pub async fn deliver_first(&self, answer: &Answer) {
        if let Some(sender) = &self.sender {
            deliver_before_answer(&self.engine, sender, &answer.deliver_first).await;
        }
    }

    /// Holds the connection, then drops it.
    async fn no_answer(&self) -> Response {
        no_answer(self.hold, &self.stop).await
    }

    /// The number of a payment.
    pub fn payment_number(&self, id: &str) -> Result<u64, Problem> {
        self.ids.parse(Kind::Payment, id).ok_or_else(no_payment)
    }
}

/// Lets in who shows one of these keys.
pub fn admit(headers: &HeaderMap, keys: &[&Secret]) -> Result<(), Problem> {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let given = given
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(Secret::new);
    if given.is_some_and(|given| keys.contains(&&given)) {
        return Ok(());
    }
    let detail = "a valid key is needed: Authorization: Bearer <key>";
    Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorised", detail).at("Authorization"))
}

/// Holds the connection for `hold`, then drops it.
pub async fn no_answer(hold: Duration, stop: &CancellationToken) -> Response {
    tokio::select! {
        () = tokio::time::sleep(hold) => {}
        () = stop.cancelled() => {}
    }
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}

#[derive(Serialize)]
struct TokenView {
    token: String,
    brand: &'static str,
    last4: &'static str,
}

/// Browsers post cards here directly, from any shop's page: every answer is open to them.
async fn create_token(
    State(app): Shared,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let token = || {
        app.admit(&headers, &[&app.publishable_key, &app.api_key])?;
        app.vault
            .tokenise(input::object(&received(body)?)?, now_seconds())
    };
    let response = match token() {
        Ok((token, card)) => {
            let view = TokenView {
                token,
                brand: card.brand,
                last4: card.last4,
            };
            (StatusCode::CREATED, axum::Json(view)).into_response()
        }
        Err(problem) => problem.into_response(),
    };
    open_to_browsers(response)
}

async fn preflight() -> Response {
    open_to_browsers(StatusCode::NO_CONTENT.into_response())
}

fn open_to_browsers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("POST"),
    );
    let allowed = HeaderValue::from_static("authorization, content-type");
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("86400"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn create_payment(
    State(app): Shared,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    app.merchant(&headers)?;
    let key = idempotency_key(&headers)?;
    let (order, fingerprint) = order(&app, &received(body)?)?;
    let behaviour = order.card.behaviour;
    if behaviour == Behaviour::TimeoutBeforeCharge {
        return Ok(app.no_answer().await);
    }
    let answer = app
        .book(move |ledger| ledger.create(order, Idempotency { key, fingerprint }))
        .await?;
    if behaviour == Behaviour::TimeoutAfterCharge && !answer.replayed {
        return Ok(app.no_answer().await);
    }
    app.deliver_first(&answer).await;
    Ok(answer.into_response())
}

fn order(app: &App, body: &[u8]) -> Result<(Order, [u8; 32]), Problem> {
    let mut fields = input::object(body)?;
    let amount = fields.amount("amount", MAX_AMOUNT)?;
    let currency = fields.text("currency", 3)?;
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Problem::invalid(
            "currency",
            "must be three capital letters (ISO 4217)",
        ));
    }
    let token = fields.text("token", 256)?;
    let reference = fields.text("reference", 128)?;
    if reference.chars().any(char::is_control) {
        return Err(Problem::invalid(
            "reference",
            "must not contain control characters",
        ));
    }
    let capture = fields.optional_flag("capture")?.unwrap_or(false);
    fields.end("amount, currency, token, reference, capture")?;
    let card = app.vault.open(&token, now_seconds())?;
    // The reference comes last: it alone may contain the separator.
    let asked = format!("create|{amount}|{currency}|{token}|{capture}|{reference}");
    Ok((
        Order {
            amount,
            currency,
            reference,
            capture,
            card,
        },
        sha256(asked.as_bytes()),
    ))
}

async fn operate(
    State(app): Shared,
    Path((id, operation)): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    app.merchant(&headers)?;
    if !matches!(operation.as_str(), "capture" | "void" | "refund") {
        return Err(Problem::not_found(
            "there is no such operation; there are capture, void and refund",
        ));
    }
    let key = idempotency_key(&headers)?;
    let n = app.payment_number(&id)?;
    let mut fields = input::object(&received(body)?)?;
    let command = match operation.as_str() {
        "capture" => Command::Capture(fields.optional_amount("amount", MAX_AMOUNT)?),
        "refund" => Command::Refund(fields.optional_amount("amount", MAX_AMOUNT)?),
        _ => Command::Void,
    };
    fields.end(if command == Command::Void {
        "none"
    } else {
        "amount"
    })?;
    let fingerprint = sha256(format!("{n}|{command:?}").as_bytes());
    let answer = app
        .book(move |ledger| ledger.operate(n, command, Idempotency { key, fingerprint }))
        .await?;
    app.deliver_first(&answer).await;
    Ok(answer.into_response())
}

async fn read_payment(
    State(app): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.merchant(&headers)?;
    let n = app.payment_number(&id)?;
    Ok(axum::Json(app.book(move |ledger| ledger.payment(n)).await?).into_response())
}

/// Read as texts, so that errors can name the parameter.
#[derive(Deserialize)]
struct Listing {
    reference: Option<String>,
    limit: Option<String>,
    after: Option<String>,
}

async fn list_payments(
    State(app): Shared,
    headers: HeaderMap,
    query: Result<Query<Listing>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    app.merchant(&headers)?;
    let malformed = |_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed_query",
            "the query cannot be read",
        )
    };
    let Query(listing) = query.map_err(malformed)?;
    let limit = match listing.limit.map(|limit| limit.parse()) {
        None => 50,
        Some(Ok(limit)) if (1..=MAX_PAGE).contains(&limit) => limit,
        Some(_) => {
            return Err(Problem::invalid(
                "limit",
                format!("must be from 1 to {MAX_PAGE}"),
            ));
        }
    };
    let after = match listing.after {
        None => 0,
        Some(id) => app
            .payment_number(&id)
            .map_err(|_| Problem::invalid("after", "must be the id of a payment"))?,
    };
    let reference = listing.reference;
    let list = app
        .read(move |ledger| ledger.list(reference.as_deref(), after, limit))
        .await?;
    Ok(axum::Json(list).into_response())
}

async fn balance(State(app): Shared, headers: HeaderMap) -> Result<Response, Problem> {
    app.merchant(&headers)?;
    Ok(axum::Json(app.read(|ledger| ledger.balance()).await?).into_response())
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if self.replayed {
            headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
        }
        response
    }
}

pub fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let key = headers
        .get("idempotency-key")
        .and_then(|value| value.to_str().ok())
        .map(str::trim);
    match key {
        Some(key) if (1..=255).contains(&key.len()) => Ok(key.to_owned()),
        _ => {
            let detail = "an Idempotency-Key header of 1 to 255 ASCII characters is needed";
            Err(
                Problem::new(StatusCode::BAD_REQUEST, "idempotency_key_required", detail)
                    .at("Idempotency-Key"),
            )
        }
    }
}

/// The body, or the reason why there is none.
pub fn received(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Problem> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = format!("the body must have at most {MAX_BODY} bytes");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
        }
        _ => Problem::new(
            StatusCode::BAD_REQUEST,
            "unreadable_body",
            "the body could not be read",
        ),
    })
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}
