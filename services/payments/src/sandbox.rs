//! The adapter for the sandbox provider: its HTTP API in the terms of [`crate::provider`].

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use kernel::{BoxFuture, Money, Timestamp, serde_json};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    calls::{Calls, NoAnswer},
    provider::{
        Answer, Authorise, Lookup, Operate, Provider, ProviderEvent, ProviderPayment, Receipt,
        WebhookError,
    },
    sandbox_wire::{
        AuthoriseBody, EventBody, ListBody, OperateBody, OperationBody, PaymentBody, ProblemBody,
    },
    signature::Signatures,
};

/// The header that signs a webhook.
const SIGNATURE: &str = "souk-sandbox-signature";
/// How far a webhook's time may lie from now, in seconds.
const TOLERANCE: u64 = 300;

/// Where the sandbox is and what it must be shown. Both secrets stay out of logs.
#[derive(Clone)]
pub struct SandboxConfig {
    /// Such as `http://127.0.0.1:4242`.
    pub base_url: String,
    /// Sent as `Authorization: Bearer`.
    pub api_key: String,
    /// Signs its webhooks.
    pub webhook_secret: String,
}

/// The sandbox provider.
pub struct Sandbox {
    calls: Calls,
    signatures: Signatures,
}

/// The settings do not describe a provider that can be called.
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

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        key: &str,
        body: &impl Serialize,
    ) -> Answer<T> {
        let Ok(body) = serde_json::to_vec(body) else {
            return Answer::Refused("unencodable".into());
        };
        let sent = self.calls.send(Method::POST, path, Some(key), body.into());
        match sent.await {
            Ok((status, body)) => understand(status, &body),
            Err(NoAnswer(why)) => Answer::Unknown(why),
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Answer<Option<T>> {
        match self.calls.send(Method::GET, path, None, Bytes::new()).await {
            Ok((StatusCode::NOT_FOUND, _)) => Answer::Done(None),
            Ok((status, body)) => match understand(status, &body) {
                // To ask changes nothing: a refused question is no answer.
                Answer::Refused(code) => Answer::Unknown(code),
                answer => answer.and_then(|value| Answer::Done(Some(value))),
            },
            Err(NoAnswer(why)) => Answer::Unknown(why),
        }
    }

    async fn operate(&self, operation: &str, request: Operate, sized: bool) -> Answer<Receipt> {
        let path = format!("/v1/payments/{}/{operation}", request.provider_reference);
        let body = OperateBody {
            amount: sized.then_some(request.amount.amount),
        };
        let answer = self.post::<OperationBody>(&path, &request.key, &body).await;
        answer.and_then(|body| {
            Answer::Done(Receipt {
                amount: Money::new(body.amount, request.amount.currency),
                provider_operation: body.operation_id,
            })
        })
    }
}

impl Provider for Sandbox {
    fn name(&self) -> &str {
        "sandbox"
    }

    fn authorise(&self, request: Authorise) -> BoxFuture<'_, Answer<ProviderPayment>> {
        Box::pin(async move {
            let body = AuthoriseBody {
                amount: request.amount.amount,
                currency: request.amount.currency.code(),
                token: &request.token,
                reference: &request.reference,
                capture: false,
            };
            let answer = self.post::<PaymentBody>("/v1/payments", &request.key, &body);
            answer.await.and_then(PaymentBody::translate)
        })
    }

    fn capture(&self, request: Operate) -> BoxFuture<'_, Answer<Receipt>> {
        Box::pin(self.operate("capture", request, true))
    }

    fn void(&self, request: Operate) -> BoxFuture<'_, Answer<Receipt>> {
        Box::pin(self.operate("void", request, false))
    }

    fn refund(&self, request: Operate) -> BoxFuture<'_, Answer<Receipt>> {
        Box::pin(self.operate("refund", request, true))
    }

    fn find(&self, lookup: Lookup) -> BoxFuture<'_, Answer<Option<ProviderPayment>>> {
        Box::pin(async move {
            let found = match &lookup.provider_reference {
                Some(id) => self.get::<PaymentBody>(&format!("/v1/payments/{id}")).await,
                None => {
                    let path = format!("/v1/payments?reference={}", lookup.reference);
                    let list = self.get::<ListBody>(&path).await;
                    list.and_then(|list| Answer::Done(list.and_then(ListBody::chosen)))
                }
            };
            found.and_then(|payment| match payment {
                None => Answer::Done(None),
                Some(payment) => payment.translate().and_then(|p| Answer::Done(Some(p))),
            })
        })
    }

    fn verify_webhook(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<ProviderEvent>, WebhookError> {
        let header = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
        let header = header.ok_or(WebhookError::BadSignature)?;
        if !self.signatures.verify(header, body, now.seconds()) {
            return Err(WebhookError::BadSignature);
        }
        let event: EventBody = serde_json::from_slice(body).map_err(|_| WebhookError::Malformed)?;
        event.translate()
    }
}

/// What an HTTP answer means. Only a clear "no" is a refusal: a wrong key of ours, a limit, or a
/// key already used for another request say nothing about the payment.
fn understand<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Answer<T> {
    if status.is_success() {
        return match serde_json::from_slice(body) {
            Ok(value) => Answer::Done(value),
            Err(_) => Answer::Unknown("the answer could not be read".into()),
        };
    }
    let problem: ProblemBody = serde_json::from_slice(body).unwrap_or_default();
    let code: String = problem.code.chars().take(64).collect();
    let refused = match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::NOT_FOUND => true,
        StatusCode::PAYMENT_REQUIRED => true,
        StatusCode::CONFLICT => code != "idempotency_key_reused",
        _ => false,
    };
    match refused && !code.is_empty() {
        true => Answer::Refused(code),
        false => Answer::Unknown(format!("answered {} {code}", status.as_u16())),
    }
}
