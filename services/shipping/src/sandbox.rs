//! The adapter for the sandbox carrier: its HTTP API in the terms of [`crate::carrier`].

use bytes::Bytes;
use contracts::{
    address::Address,
    shipping::{Tracking, TrackingInput, TrackingStatus},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use kernel::{BoxFuture, Timestamp};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    calls::{Calls, NoAnswer},
    carrier::{Answer, BuyRequest, Carrier, CarrierEvent, Shipment, WebhookError},
    on_fulfilment::check_number,
    signature::Signatures,
};

/// The name by which it is chosen.
pub const NAME: &str = "sandbox";
/// The header that signs a webhook.
const SIGNATURE: &str = "souk-sandbox-signature";
/// How far a webhook's time may lie from now, in seconds.
const TOLERANCE: u64 = 300;

/// Where the sandbox carrier is and what it must be shown. Both secrets stay out of logs.
#[derive(Clone)]
pub struct SandboxConfig {
    /// Such as `http://127.0.0.1:4242`.
    pub base_url: String,
    /// Sent as `Authorization: Bearer`.
    pub api_key: String,
    /// Signs its webhooks.
    pub webhook_secret: String,
}

/// The settings do not describe a carrier that can be called.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SandboxError {
    /// Not an `http://` address.
    #[error("the sandbox's base URL must be an http:// address without a query")]
    BaseUrl,
    /// Empty, or not printable ASCII.
    #[error("the sandbox's API key must be printable ASCII and not empty")]
    ApiKey,
    /// Empty: anybody could sign.
    #[error("the sandbox's webhook secret must not be empty")]
    WebhookSecret,
}

/// The sandbox carrier.
pub struct Sandbox {
    calls: Calls,
    signatures: Signatures,
}

impl Sandbox {
    /// An adapter that calls the sandbox at `config.base_url`, over kept-alive connections.
    pub fn new(config: &SandboxConfig) -> Result<Self, SandboxError> {
        if config.api_key.is_empty() {
            return Err(SandboxError::ApiKey);
        }
        if config.webhook_secret.is_empty() {
            return Err(SandboxError::WebhookSecret);
        }
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", config.api_key))
            .map_err(|_| SandboxError::ApiKey)?;
        bearer.set_sensitive(true);
        Ok(Self {
            calls: Calls::new(&config.base_url, bearer).ok_or(SandboxError::BaseUrl)?,
            signatures: Signatures::new(&config.webhook_secret, TOLERANCE),
        })
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Bytes,
    ) -> Answer<Option<T>> {
        match self.calls.send(method, path, key, body).await {
            Ok((StatusCode::NOT_FOUND, _)) => Answer::Done(None),
            Ok((status, body)) => understand(status, &body),
            Err(NoAnswer(why)) => Answer::Unknown(why),
        }
    }
}

impl Carrier for Sandbox {
    fn name(&self) -> &str {
        NAME
    }

    fn buy(&self, request: BuyRequest) -> BoxFuture<'_, Answer<Shipment>> {
        Box::pin(async move {
            let body = json!({
                "reference": request.key,
                "weight_grams": request.parcel.weight_grams,
                "size_mm": request.parcel.size_mm,
                "sender": request.sender.as_ref().map(wire_address),
                "recipient": wire_address(&request.recipient),
            });
            let body = Bytes::from(body.to_string());
            let path = "/carrier/v1/shipments";
            let answer = self.call::<ShipmentBody>(Method::POST, path, Some(&request.key), body);
            match answer.await {
                Answer::Done(Some(shipment)) => shipment.translate(),
                Answer::Done(None) => Answer::Unknown("the carrier has no such address".into()),
                Answer::Refused(code) => Answer::Refused(code),
                Answer::Unknown(why) => Answer::Unknown(why),
            }
        })
    }

    fn void(&self, reference: String) -> BoxFuture<'_, Answer<()>> {
        Box::pin(async move {
            let path = format!("/carrier/v1/shipments/{reference}/void");
            let key = format!("void-{reference}");
            let body = Bytes::from_static(b"{}");
            let answer = self.call::<ShipmentBody>(Method::POST, &path, Some(&key), body);
            match answer.await {
                Answer::Done(Some(_)) => Answer::Done(()),
                Answer::Done(None) => Answer::Refused("no_such_label".into()),
                Answer::Refused(code) => Answer::Refused(code),
                Answer::Unknown(why) => Answer::Unknown(why),
            }
        })
    }

    fn find(&self, key: String) -> BoxFuture<'_, Answer<Option<Shipment>>> {
        Box::pin(async move {
            let path = format!("/carrier/v1/shipments?reference={key}");
            let answer = self.call::<ListBody>(Method::GET, &path, None, Bytes::new());
            match answer.await {
                Answer::Done(Some(list)) => match list.items.into_iter().next() {
                    None => Answer::Done(None),
                    Some(found) => match found.translate() {
                        Answer::Done(shipment) => Answer::Done(Some(shipment)),
                        Answer::Refused(why) | Answer::Unknown(why) => Answer::Unknown(why),
                    },
                },
                Answer::Done(None) => Answer::Unknown("the carrier has no such address".into()),
                // To ask changes nothing: a refused question is no answer.
                Answer::Refused(why) | Answer::Unknown(why) => Answer::Unknown(why),
            }
        })
    }

    fn verify_webhook(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<CarrierEvent>, WebhookError> {
        let header = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
        let header = header.ok_or(WebhookError::BadSignature)?;
        if !self.signatures.verify(header, body, now.seconds()) {
            return Err(WebhookError::BadSignature);
        }
        let event: EventBody = serde_json::from_slice(body).map_err(|_| WebhookError::Malformed)?;
        check_number("number", &event.tracking_number).map_err(|_| WebhookError::Malformed)?;
        Ok(event.status().map(|status| CarrierEvent {
            key: event.reference.clone(),
            news: TrackingInput {
                event_id: format!("{NAME}:{}", event.id),
                number: Some(event.tracking_number.clone()),
                status,
                place: event.place.chars().take(100).collect(),
                happened_at: Some(Timestamp(event.happened_at)),
            },
        }))
    }
}

fn wire_address(address: &Address) -> serde_json::Value {
    json!({
        "name": address.name, "company": address.company,
        "line1": address.line1, "line2": address.line2,
        "city": address.city, "province": address.province,
        "postcode": address.postcode, "country": address.country,
        "phone": address.phone,
    })
}

fn understand<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Answer<Option<T>> {
    if status.is_success() {
        return match serde_json::from_slice(body) {
            Ok(value) => Answer::Done(Some(value)),
            Err(_) => Answer::Unknown("the answer could not be read".into()),
        };
    }
    // 401 and 403 are our settings, 408, 425, 429 and 5xx its state: none of them says "no".
    let says_no = matches!(status.as_u16(), 400 | 409 | 410 | 422);
    let problem = serde_json::from_slice::<ProblemBody>(body).ok();
    match problem.filter(|_| says_no) {
        Some(problem) => Answer::Refused(problem.code.chars().take(100).collect()),
        None => Answer::Unknown(format!("status {}", status.as_u16())),
    }
}

#[derive(Deserialize)]
struct ProblemBody {
    code: String,
}

#[derive(Deserialize)]
struct ListBody {
    items: Vec<ShipmentBody>,
}

#[derive(Deserialize)]
struct ShipmentBody {
    id: String,
    status: String,
    tracking_number: String,
    tracking_url: Option<String>,
}

impl ShipmentBody {
    fn translate(self) -> Answer<Shipment> {
        // A number that cannot be right would never be found again: better asked about.
        if check_number("tracking_number", &self.tracking_number).is_err() {
            return Answer::Unknown("the carrier's tracking number is malformed".into());
        }
        // It becomes part of an address.
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if !(1..=100).contains(&self.id.len()) || !self.id.bytes().all(plain) {
            return Answer::Unknown("the carrier's id is malformed".into());
        }
        Answer::Done(Shipment {
            reference: self.id,
            voided: self.status == "voided",
            tracking: Tracking {
                carrier: NAME.into(),
                number: self.tracking_number,
                url: self.tracking_url,
            },
        })
    }
}

#[derive(Deserialize)]
struct EventBody {
    id: String,
    reference: String,
    tracking_number: String,
    status: String,
    #[serde(default)]
    place: String,
    happened_at: i64,
}

impl EventBody {
    fn status(&self) -> Option<TrackingStatus> {
        Some(match self.status.as_str() {
            "accepted" => TrackingStatus::Accepted,
            "in_transit" => TrackingStatus::InTransit,
            "out_for_delivery" => TrackingStatus::OutForDelivery,
            "failed_attempt" => TrackingStatus::FailedAttempt,
            "delivered" => TrackingStatus::Delivered,
            "lost" => TrackingStatus::Lost,
            "returned_to_sender" => TrackingStatus::ReturnedToSender,
            _ => return None,
        })
    }
}
