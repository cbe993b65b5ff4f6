//! What programs outside of Souk may say: CloudEvents they send to a service over the broker. Facts
//! like all events; what they lead to is the service's business.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::inventory::LocationId;

/// One type of event from outside.
pub struct InboundType {
    /// Which service takes it.
    pub service: &'static str,
    /// Its wire name.
    pub kind: &'static str,
    /// What it says, in a sentence.
    pub about: &'static str,
    /// A payload.
    pub example: &'static str,
    /// The payload's JSON schema.
    pub schema: fn() -> serde_json::Value,
}

/// All types of events that services take from outside.
pub fn inbound_event_types() -> Vec<InboundType> {
    vec![InboundType {
        service: "inventory",
        kind: StockCounted::TYPE,
        about: "Units of a SKU were counted at a location, by a warehouse system or a scanner.",
        example: r#"{"sku": "85123A", "location": "loc_main", "counted": 42, "reference": "count-2026-11-21"}"#,
        schema: || {
            let schema = <StockCounted as utoipa::PartialSchema>::schema();
            serde_json::to_value(schema).unwrap_or_default()
        },
    }]
}

/// `inventory.stock.counted.v1`: units of a SKU were counted at a location.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StockCounted {
    /// Which SKU, 1 to 100 visible characters.
    pub sku: String,
    /// Where; `loc_main` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub location: Option<LocationId>,
    /// How many there are, from 0.
    pub counted: i64,
    /// The document behind it, up to 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

impl StockCounted {
    /// Its wire name.
    pub const TYPE: &'static str = "inventory.stock.counted.v1";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_can_be_read() {
        for inbound in inbound_event_types() {
            assert!(
                inbound.kind.starts_with(inbound.service),
                "{}",
                inbound.kind
            );
            let example: serde_json::Value = serde_json::from_str(inbound.example).expect("JSON");
            if inbound.kind == StockCounted::TYPE {
                let read: StockCounted = serde_json::from_value(example).expect("a count");
                assert_eq!((read.sku.as_str(), read.counted), ("85123A", 42));
            }
        }
    }
}
