//! All data of a person, for themself: what this service knows, and its own copies of what other
//! services published about them. Services never call each other, so what another one knows is
//! exported from its events.
//!
//! To add a service: write a [`Part`] (a pure function from one of its events to a [`Document`]),
//! put it into [`PARTS`], add its topic to [`TOPICS`], and raise [`VERSION`]: the table is then
//! filled anew from the beginning of the log.

use contracts::{orders::OrderEvent, payments::PaymentEvent};
use kernel::{DecodeError, PersonId, Personal, Projection, Recorded, Statement, sql};
use serde_json::{Value, json};

/// Raise when a part is added or changed.
const VERSION: i64 = 1;

/// Whose events are copied.
const TOPICS: &[&str] = &["orders", "payments"];

/// What one event adds to the data of a person.
pub struct Document {
    /// Names it within its topic: a later document of the same key replaces it.
    pub key: String,
    /// The order it is about.
    pub order_id: String,
    /// Whose it is, with the sealed text's key; `None` when it holds nothing personal, and is
    /// found by its order.
    pub person: Option<PersonId>,
    /// What is shown.
    pub content: Value,
}

/// Makes documents of a service's events: pure.
pub struct Part {
    /// The service.
    pub topic: &'static str,
    /// What an event adds, if anything. No secrets (payment tokens) belong in it.
    pub read: fn(&Recorded) -> Result<Option<Document>, DecodeError>,
}

/// All parts.
pub const PARTS: &[Part] = &[
    Part {
        topic: "orders",
        read: order,
    },
    Part {
        topic: "payments",
        read: payment,
    },
];

/// What was ordered, with the contact while it can be read.
fn order(event: &Recorded) -> Result<Option<Document>, DecodeError> {
    if &*event.kind != "orders.order.placed.v1" {
        return Ok(None);
    }
    let order = event.decode::<OrderEvent>()?;
    let Some(OrderEvent::Placed(placed)) = order.as_deref() else {
        return Ok(None);
    };
    Ok(placed.contact.get().map(|contact| Document {
        key: placed.order_id.to_string(),
        order_id: placed.order_id.to_string(),
        person: Some(placed.person.clone()),
        content: json!({
            "order_id": placed.order_id, "number": placed.number, "placed_at": placed.at,
            "contact": contact, "lines": placed.lines, "totals": placed.totals,
            "channel": placed.channel, "locale": placed.locale,
        }),
    }))
}

/// What money moved.
fn payment(event: &Recorded) -> Result<Option<Document>, DecodeError> {
    let Some(payment) = event.decode::<PaymentEvent>()? else {
        return Ok(None);
    };
    let document = |order_id: &dyn ToString, content: Value| {
        Some(Document {
            key: format!("{}:{}", event.stream, event.version),
            order_id: order_id.to_string(),
            person: None,
            content,
        })
    };
    let moved = |what: &str, payment_id: &dyn ToString, amount: kernel::Money| json!({"what": what, "payment_id": payment_id.to_string(), "amount": amount, "at": event.at});
    Ok(match &*payment {
        PaymentEvent::Authorised(e) => {
            document(&e.order_id, moved("authorised", &e.payment_id, e.amount))
        }
        PaymentEvent::Captured(e) => {
            document(&e.order_id, moved("captured", &e.payment_id, e.amount))
        }
        PaymentEvent::Refunded(e) => {
            document(&e.order_id, moved("refunded", &e.payment_id, e.amount))
        }
        PaymentEvent::Voided(e) => document(&e.order_id, moved("voided", &e.payment_id, e.amount)),
        _ => None,
    })
}

/// The table of copies. What is personal is in it only sealed.
pub fn parts() -> Projection {
    const SCHEMA: &str = "CREATE TABLE parts (
        topic TEXT NOT NULL,
        id TEXT NOT NULL,
        order_id TEXT NOT NULL,
        document TEXT NOT NULL,
        PRIMARY KEY (topic, id)
    );
    CREATE INDEX parts_order ON parts (order_id)";
    Projection::own("parts", VERSION, &["parts"], SCHEMA, apply).of_topics(TOPICS)
}

fn apply(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    for part in PARTS.iter().filter(|part| part.topic == &*event.topic) {
        if let Some(document) = (part.read)(event)? {
            out.push(sql!(
                "INSERT INTO parts (topic, id, order_id, document) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (topic, id) DO UPDATE SET document = excluded.document",
                part.topic,
                &document.key,
                &document.order_id,
                sealed(event, &document)?
            ));
        }
    }
    Ok(())
}

/// The text that is kept: sealed for its person, or as it is when nothing in it is personal.
fn sealed(event: &Recorded, document: &Document) -> Result<String, DecodeError> {
    let text = match &document.person {
        Some(person) => {
            serde_json::to_string(&Personal::new(person.clone(), document.content.clone()))
        }
        None => serde_json::to_string(&document.content),
    };
    text.map_err(|error| DecodeError {
        kind: event.kind.to_string(),
        reason: error.to_string(),
    })
}

/// Opens what [`parts`] kept; `None` once the person was erased. The key ring is in scope.
pub fn opened(text: &str) -> Option<Value> {
    match serde_json::from_str::<Personal<Value>>(text) {
        Ok(personal) => personal.get().cloned(),
        Err(_) => serde_json::from_str(text).ok(),
    }
}
