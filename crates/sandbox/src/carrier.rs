//! The carrier's routes: labels, and simulated news of parcels.

mod book;
mod courier;
mod number;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use book::Book;
use book::{Made, Shipment};
use courier::Courier;

use crate::clock::now_us;
use crate::config::Config;
use crate::http::{Secret, admit, idempotency_key, no_answer, received, sha256};
use crate::problem::Problem;
use crate::sender::Sender;

/// What can happen to a parcel.
const STATUSES: [&str; 7] = [
    "accepted",
    "in_transit",
    "out_for_delivery",
    "failed_attempt",
    "delivered",
    "lost",
    "returned_to_sender",
];

/// The carrier.
pub struct Carrier {
    book: Arc<Mutex<Book>>,
    new_webhooks: Arc<Notify>,
    sends: bool,
    api_key: Secret,
    hold: Duration,
    stop: CancellationToken,
}

type Shared = State<Arc<Carrier>>;

#[derive(Deserialize)]
struct Parcel {
    reference: String,
    weight_grams: i64,
    #[serde(default)]
    size_mm: Option<[i64; 3]>,
    #[serde(default)]
    sender: Option<Party>,
    recipient: Party,
}

/// Of an address only what a carrier's prices and misbehaviours go by is looked at; none is kept.
#[derive(Deserialize)]
struct Party {
    #[serde(default)]
    name: String,
    #[serde(default)]
    line2: String,
    country: String,
}

impl Carrier {
    /// A carrier on `book`, its webhooks (if somebody wants them) on their way.
    pub fn start(
        book: Book,
        config: &Config,
        webhooks: Option<Uri>,
        stop: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Arc<Self> {
        let carrier = Arc::new(Self {
            book: Arc::new(Mutex::new(book)),
            new_webhooks: Arc::new(Notify::new()),
            sends: webhooks.is_some(),
            api_key: Secret::new(&config.api_key),
            hold: config.hold,
            stop: stop.clone(),
        });
        if let Some(to) = webhooks {
            let sender = Sender::new(to, &config.webhook_secret, config.webhook_timeout);
            let courier = Courier {
                book: carrier.book.clone(),
                sender,
                retry: config.retry,
            };
            tasks.spawn(courier.run(carrier.new_webhooks.clone(), stop.clone()));
        }
        carrier
    }

    /// Its routes.
    pub fn routes(self: Arc<Self>) -> Router {
        Router::new()
            .route("/carrier/v1/shipments", post(create).get(list))
            .route("/carrier/v1/shipments/{id}", get(show))
            .route("/carrier/v1/shipments/{id}/void", post(void))
            .route("/carrier/v1/shipments/{id}/events", post(happen))
            .with_state(self)
    }

    fn view(&self, shipment: &Shipment) -> Value {
        json!({
            "id": shipment.id(),
            "reference": shipment.reference,
            "status": shipment.status,
            "tracking_number": shipment.number,
            "tracking_url": format!("https://track.example/{}", shipment.number),
            "weight_grams": shipment.weight_grams,
            "events": shipment.events,
        })
    }

    /// Runs a request in the book, which is on a disk.
    async fn book<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Book) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let book = self.book.clone();
        let run = move || work(&mut book.lock().unwrap_or_else(PoisonError::into_inner));
        match tokio::task::spawn_blocking(run).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                tracing::error!(%error, "the sandbox carrier cannot store");
                Err(Problem::unavailable())
            }
            Err(_) => Err(Problem::unavailable()),
        }
    }

    async fn found(&self, id: &str) -> Result<Shipment, Problem> {
        let unknown = || Problem::not_found("there is no such shipment");
        let n = book::parse_id(id).ok_or_else(unknown)?;
        self.book(move |book| book.shipment(n))
            .await?
            .ok_or_else(unknown)
    }
}

fn parcel(body: &[u8]) -> Result<Parcel, Problem> {
    let parcel: Parcel = serde_json::from_slice(body).map_err(|_| {
        let detail = "reference, weight_grams and recipient with its country are needed";
        Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
    })?;
    let country = |party: &Party| {
        party.country.len() == 2 && party.country.bytes().all(|b| b.is_ascii_uppercase())
    };
    let referable = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !(1..=128).contains(&parcel.reference.len()) || !parcel.reference.bytes().all(referable) {
        return Err(Problem::invalid(
            "reference",
            "must be 1 to 128 letters, digits, dashes and underscores",
        ));
    }
    if !(1..=70_000).contains(&parcel.weight_grams) {
        return Err(Problem::invalid("weight_grams", "must be 1 to 70,000"));
    }
    if parcel
        .size_mm
        .is_some_and(|size| size.iter().any(|mm| !(1..=3_000).contains(mm)))
    {
        return Err(Problem::invalid("size_mm", "must be 1 to 3,000 each"));
    }
    if !country(&parcel.recipient) || !parcel.sender.as_ref().is_none_or(country) {
        return Err(Problem::invalid(
            "recipient",
            "needs a country of two capital letters",
        ));
    }
    match parcel.recipient.name.is_empty() {
        true => Err(Problem::invalid("recipient", "needs a name")),
        false => Ok(parcel),
    }
}

async fn create(
    State(carrier): Shared,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    admit(&headers, &[&carrier.api_key])?;
    idempotency_key(&headers)?;
    let body = received(body)?;
    let parcel = parcel(&body)?;
    let behaviour = parcel.recipient.line2.clone();
    if behaviour == "sandbox:refused" {
        let detail = "nothing is delivered to this address";
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "address_not_served",
            detail,
        ));
    }
    let reference = parcel.reference.clone();
    let first = carrier
        .book(move |book| book.first_attempt(&reference))
        .await?;
    match behaviour.as_str() {
        "sandbox:timeout-before" if first => {
            return Ok(no_answer(carrier.hold, &carrier.stop).await);
        }
        "sandbox:error-once" if first => {
            let detail = "something broke on the carrier's side";
            return Err(Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "broken",
                detail,
            ));
        }
        _ => {}
    }
    let made = make(&carrier, &parcel, sha256(&body)).await?;
    match made {
        Made::Other => Err(Problem::new(
            StatusCode::CONFLICT,
            "reference_reused",
            "there is another shipment with this reference",
        )),
        Made::New(_) if behaviour == "sandbox:timeout-after" => {
            Ok(no_answer(carrier.hold, &carrier.stop).await)
        }
        Made::New(shipment) => {
            Ok((StatusCode::CREATED, axum::Json(carrier.view(&shipment))).into_response())
        }
        Made::Known(shipment) => Ok(axum::Json(carrier.view(&shipment)).into_response()),
    }
}

async fn make(carrier: &Carrier, parcel: &Parcel, fingerprint: [u8; 32]) -> Result<Made, Problem> {
    let (reference, weight) = (parcel.reference.clone(), parcel.weight_grams);
    let sender = parcel.sender.as_ref();
    let origin = sender.map_or("ZZ", |sender| &sender.country).to_owned();
    let behaviour = parcel.recipient.line2.clone();
    carrier
        .book(move |book| book.make(&reference, weight, &origin, &behaviour, &fingerprint))
        .await
}

#[derive(Deserialize)]
struct Listing {
    reference: String,
}

async fn list(
    State(carrier): Shared,
    headers: HeaderMap,
    query: Result<Query<Listing>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    admit(&headers, &[&carrier.api_key])?;
    let Query(listing) = query.map_err(|_| Problem::invalid("reference", "is missing"))?;
    let found = carrier
        .book(move |book| book.by_reference(&listing.reference))
        .await?;
    let items: Vec<Value> = found.iter().map(|found| carrier.view(found)).collect();
    Ok(axum::Json(json!({ "items": items })).into_response())
}

async fn show(
    State(carrier): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    admit(&headers, &[&carrier.api_key])?;
    let shipment = carrier.found(&id).await?;
    Ok(axum::Json(carrier.view(&shipment)).into_response())
}

async fn void(
    State(carrier): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    admit(&headers, &[&carrier.api_key])?;
    let shipment = carrier.found(&id).await?;
    let voidable = shipment.status == "created" && shipment.behaviour != "sandbox:keep";
    if shipment.status != "voided" && !voidable {
        let detail = "the label was used, or is being processed";
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "already_processed",
            detail,
        ));
    }
    let n = shipment.n;
    let voided = carrier.book(move |book| book.void(n)).await?;
    Ok(axum::Json(carrier.view(&voided)).into_response())
}

#[derive(Deserialize)]
struct Happening {
    status: String,
    #[serde(default)]
    place: String,
}

async fn happen(
    State(carrier): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    admit(&headers, &[&carrier.api_key])?;
    let body = received(body)?;
    let happening: Happening = serde_json::from_slice(&body)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "malformed", "status is needed"))?;
    if !STATUSES.contains(&happening.status.as_str()) {
        let detail = format!("must be one of {}", STATUSES.join(", "));
        return Err(Problem::invalid("status", detail));
    }
    if happening.place.len() > 100 {
        return Err(Problem::invalid("place", "must have at most 100 bytes"));
    }
    let shipment = carrier.found(&id).await?;
    if shipment.status == "voided" {
        let detail = "the label is void: nothing happens to it";
        return Err(Problem::new(StatusCode::CONFLICT, "voided", detail));
    }
    let (n, sends) = (shipment.n, carrier.sends);
    let Happening { status, place } = happening;
    let after = carrier
        .book(move |book| book.happen(n, &status, &place, now_us(), sends))
        .await?;
    carrier.new_webhooks.notify_one();
    Ok((StatusCode::CREATED, axum::Json(carrier.view(&after))).into_response())
}
