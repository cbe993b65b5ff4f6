//! The JSON the sandbox provider speaks, in the terms of [`crate::provider`].

use contracts::payments::OperationKind;
use kernel::Money;
use serde::{Deserialize, Serialize};

use crate::provider::{
    Answer, ProviderEvent, ProviderOperation, ProviderPayment, ProviderStatus, WebhookError,
};

#[derive(Serialize)]
pub struct AuthoriseBody<'a> {
    pub amount: i64,
    pub currency: &'a str,
    pub token: &'a str,
    pub reference: &'a str,
    pub capture: bool,
}

#[derive(Serialize)]
pub struct OperateBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ProblemBody {
    pub code: String,
}

#[derive(Deserialize)]
pub struct PaymentBody {
    pub id: String,
    #[serde(default)]
    pub reference: String,
    pub status: String,
    pub amount: i64,
    pub currency: String,
    pub decline_code: Option<String>,
    pub action_url: Option<String>,
    #[serde(default)]
    pub operations: Vec<OperationBody>,
}

#[derive(Deserialize)]
pub struct OperationBody {
    pub operation_id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub amount: i64,
}

#[derive(Deserialize)]
pub struct ListBody {
    pub items: Vec<PaymentBody>,
}

#[derive(Deserialize)]
pub struct EventBody {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub operation_id: String,
    pub amount: i64,
    pub payment: PaymentBody,
}

impl ListBody {
    /// Of the payments under one reference (more than one would be a defect of the provider) the
    /// one that holds or may hold money.
    pub fn chosen(mut self) -> Option<PaymentBody> {
        let holds = |p: &PaymentBody| !matches!(p.status.as_str(), "declined" | "voided");
        let index = self.items.iter().position(holds).unwrap_or(0);
        (index < self.items.len()).then(|| self.items.swap_remove(index))
    }
}

impl PaymentBody {
    pub fn translate(self) -> Answer<ProviderPayment> {
        match self.read() {
            Some(payment) => Answer::Done(payment),
            None => Answer::Unknown("the answer could not be understood".into()),
        }
    }

    fn read(self) -> Option<ProviderPayment> {
        let currency = self.currency.parse().ok()?;
        let status = match self.status.as_str() {
            "authorised" => ProviderStatus::Authorised,
            "captured" => ProviderStatus::Captured,
            "voided" => ProviderStatus::Voided,
            "declined" => ProviderStatus::Declined {
                code: self.decline_code.unwrap_or_else(|| "declined".into()),
            },
            "requires_action" => ProviderStatus::ActionRequired {
                url: self.action_url?,
            },
            _ => return None,
        };
        let operation = |body: OperationBody| {
            let kind = match body.kind.as_str() {
                "capture" | "authorise_and_capture" => OperationKind::Capture,
                "refund" => OperationKind::Refund,
                _ => return None,
            };
            Some(ProviderOperation {
                id: body.operation_id,
                kind,
                amount: Money::new(body.amount, currency),
            })
        };
        Some(ProviderPayment {
            provider_reference: self.id,
            status,
            amount: Money::new(self.amount, currency),
            operations: self.operations.into_iter().filter_map(operation).collect(),
        })
    }
}

impl EventBody {
    pub fn translate(self) -> Result<Option<ProviderEvent>, WebhookError> {
        let kind = match self.kind.as_str() {
            "payment.captured" => Some("capture"),
            "payment.refunded" => Some("refund"),
            "payment.authorised"
            | "payment.declined"
            | "payment.voided"
            | "payment.requires_action" => None,
            // A kind of event that came after this adapter was written.
            _ => return Ok(None),
        };
        let mut body = self.payment;
        body.operations = kind
            .map(|kind| OperationBody {
                operation_id: self.operation_id,
                kind: kind.to_owned(),
                amount: self.amount,
            })
            .into_iter()
            .collect();
        let reference = std::mem::take(&mut body.reference);
        let limit = |text: &str| text.len() <= 128;
        let payment = body.read().ok_or(WebhookError::Malformed)?;
        let operation = payment.operations.first();
        let fits = limit(&self.id)
            && limit(&reference)
            && limit(&payment.provider_reference)
            && operation.is_none_or(|o| limit(&o.id) && !o.id.is_empty());
        match fits {
            true => Ok(Some(ProviderEvent {
                id: self.id,
                kind: self.kind,
                reference,
                payment,
            })),
            false => Err(WebhookError::Malformed),
        }
    }
}
