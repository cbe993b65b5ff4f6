//! `cargo xtask asyncapi`: the document of all events (AsyncAPI 3.0) that lies in the repository,
//! made from the event types in `contracts` and their golden files.

use std::fs;

use contracts::inbound::{InboundType, inbound_event_types};
use serde_json::{Map, Value, json};

use crate::{
    openapi::difference,
    workspace::{Outcome, Workspace},
};

/// Where it is kept.
const FILE: &str = "docs/asyncapi.json";

/// `cargo xtask asyncapi`
#[derive(clap::Args)]
pub struct Args {
    /// Fail when the document differs from what the types say, and write nothing
    #[arg(long)]
    pub check: bool,
}

/// Writes the document, or compares it.
pub fn run(workspace: &Workspace, args: &Args) -> Outcome {
    let made = document(workspace)?;
    let path = workspace.root.join(FILE);
    if !args.check {
        fs::write(&path, format!("{made:#}\n"))?;
        let channels = made["channels"].as_object().map_or(0, Map::len);
        println!("{FILE} is written: {channels} channels");
        return Ok(());
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let kept: Value = serde_json::from_str(&kept).unwrap_or(Value::Null);
    match difference("", &kept, &made) {
        None => Ok(()),
        Some(place) => Err(format!(
            "{FILE} is not what the event types say (first difference at {place}); run `cargo xtask asyncapi` and commit it"
        )
        .into()),
    }
}

/// The parts of the document that grow with the types.
#[derive(Default)]
struct Parts {
    channels: Map<String, Value>,
    operations: Map<String, Value>,
    messages: Map<String, Value>,
}

fn document(workspace: &Workspace) -> Outcome<Value> {
    let mut parts = Parts::default();
    for (service, kind) in contracts::all_event_types() {
        let golden = format!("services/{service}/golden/{kind}.json");
        let text = fs::read_to_string(workspace.root.join(&golden))
            .map_err(|e| format!("cannot read {golden}: {e}"))?;
        let payload: Value =
            serde_json::from_str(&text).map_err(|e| format!("{golden} is not JSON: {e}"))?;
        parts.published(service, kind, payload);
    }
    for inbound in inbound_event_types() {
        parts.received(&inbound)?;
    }
    Ok(json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Souk events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What Souk's services publish over NATS or Kafka when they run in processes of their own, and what they take from programs outside. Every message is a CloudEvent 1.0: on NATS in structured mode, as this document shows them; on Kafka in binary mode, with attributes in headers (`ce_id` and so on) and `data` alone as payload. Events are delivered at least once; `id` tells repeats, `position` gives the order of a topic and `prevposition` the event before it in its partition.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": {
            "nats": {"host": "localhost:4222", "protocol": "nats", "description": "NATS 2.9.10 or newer, with JetStream. Each topic has a stream, `souk_<service>`."},
            "kafka": {"host": "localhost:9092", "protocol": "kafka", "description": "Kafka. Each service has a topic of eight partitions; the key is the stream."},
        },
        "channels": parts.channels,
        "operations": parts.operations,
        "components": {
            "messages": parts.messages,
            "schemas": {"event": envelope(true), "inbound": envelope(false)},
            "parameters": {
                "partition": {
                    "description": "The partition of the event's stream. `*` subscribes to all.",
                    "enum": (0..8).map(|n: u8| n.to_string()).collect::<Vec<_>>(),
                },
            },
        },
    }))
}

impl Parts {
    /// An event that a service publishes.
    fn published(&mut self, service: &str, kind: &str, golden: Value) {
        self.messages.insert(
            kind.into(),
            json!({
                "name": kind,
                "title": title(kind),
                "contentType": "application/cloudevents+json",
                "payload": {"allOf": [
                    {"$ref": "#/components/schemas/event"},
                    {"properties": {
                        "source": {"const": format!("/souk/{service}")},
                        "type": {"const": kind},
                        "data": {"type": "object", "description": "Gains optional members only; anything else is a new version. Members that hold personal data are sealed."},
                    }},
                ]},
                "examples": [{"name": "golden", "payload": example(service, kind, golden)}],
            }),
        );
        self.channels.insert(
            kind.into(),
            json!({
                "address": format!("souk.{service}.{{partition}}.{kind}"),
                "title": title(kind),
                "messages": {kind: {"$ref": format!("#/components/messages/{kind}")}},
                "parameters": {"partition": {"$ref": "#/components/parameters/partition"}},
                "tags": [{"name": service}],
                "bindings": {"kafka": {"topic": format!("souk.{service}"), "partitions": 8, "bindingVersion": "0.5.0"}},
            }),
        );
        self.operate("send", kind, kind);
    }

    /// An event that a service takes from outside.
    fn received(&mut self, inbound: &InboundType) -> Outcome {
        let (service, kind) = (inbound.service, inbound.kind);
        let example: Value = serde_json::from_str(inbound.example)
            .map_err(|e| format!("the example of {kind} is not JSON: {e}"))?;
        self.messages.insert(
            kind.into(),
            json!({
                "name": kind,
                "title": title(kind),
                "summary": inbound.about,
                "contentType": "application/cloudevents+json",
                "payload": {"allOf": [
                    {"$ref": "#/components/schemas/inbound"},
                    {"properties": {"type": {"const": kind}, "data": (inbound.schema)()}},
                ]},
                "examples": [{"name": "example", "payload": {
                    "specversion": "1.0",
                    "id": "count-2026-11-21-17",
                    "source": "/wms/hall-3",
                    "type": kind,
                    "datacontenttype": "application/json",
                    "data": example,
                }}],
            }),
        );
        let channel = format!("inbound.{service}");
        let entry = self.channels.entry(&channel).or_insert_with(|| {
            json!({
                "address": format!("souk.inbound.{service}"),
                "title": format!("Events from outside for {service}"),
                "description": "CloudEvents in binary or structured mode. Repeats (same source and id) take effect once.",
                "messages": {},
                "tags": [{"name": service}],
            })
        });
        entry["messages"][kind] = json!({"$ref": format!("#/components/messages/{kind}")});
        self.operate("receive", &channel, kind);
        Ok(())
    }

    fn operate(&mut self, action: &str, channel: &str, kind: &str) {
        self.operations.insert(
            format!("{action}.{kind}"),
            json!({
                "action": action,
                "channel": {"$ref": format!("#/channels/{channel}")},
                "messages": [{"$ref": format!("#/channels/{channel}/messages/{kind}")}],
            }),
        );
    }
}

/// `orders.order.confirmed.v1` as words: "Orders: order confirmed (v1)".
fn title(kind: &str) -> String {
    let mut parts = kind.split('.');
    let service = parts.next().unwrap_or_default();
    let mut words: Vec<String> = parts.map(|part| part.replace('_', " ")).collect();
    let version = words.pop().unwrap_or_default();
    let mut service = service.to_owned();
    if let Some(first) = service.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    format!("{service}: {} ({version})", words.join(" "))
}

/// A whole event, as it may look.
fn example(service: &str, kind: &str, data: Value) -> Value {
    json!({
        "specversion": "1.0",
        "id": format!("{service}:42"),
        "source": format!("/souk/{service}"),
        "type": kind,
        "subject": "example-019a8f3c5d2e7b4c9a1f0123456789ab",
        "time": "2026-11-21T12:00:00.000000Z",
        "datacontenttype": "application/json",
        "position": "42",
        "prevposition": "37",
        "partition": "5",
        "streamversion": "3",
        "incarnation": "019a8f3c5d2e7b4c9a1f0123456789ab",
        "correlationid": "cor_019a8f3c5d2e7b4c9a1f0123456789ab",
        "data": data,
    })
}

/// The CloudEvents attributes as a schema.
fn envelope(ours: bool) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let mut add = |name: &str, needed: bool, schema: Value| {
        properties.insert(name.to_owned(), schema);
        if needed {
            required.push(name.to_owned());
        }
    };
    let text = |about: &str| json!({"type": "string", "minLength": 1, "description": about});
    let number =
        |about: &str| json!({"type": "string", "pattern": "^[0-9]+$", "description": about});
    add(
        "specversion",
        true,
        json!({"type": "string", "const": "1.0"}),
    );
    add("type", true, text("The name of the message."));
    add("data", true, json!({"description": "What happened."}));
    if !ours {
        add(
            "id",
            true,
            text("Unique per source: what repeats are known by."),
        );
        add("source", true, text("Who says so, such as `/wms/hall-3`."));
    } else {
        add("id", true, text("`topic:position`, unique per source."));
        add("source", true, text("`/souk/<service>`."));
        add(
            "subject",
            true,
            text("The stream, such as `order-ord_019…`."),
        );
        add(
            "time",
            true,
            json!({"type": "string", "format": "date-time"}),
        );
        add(
            "datacontenttype",
            true,
            json!({"type": "string", "const": "application/json"}),
        );
        add(
            "position",
            true,
            number("Place in the producer's log, from 1, without gaps."),
        );
        add(
            "prevposition",
            true,
            number("Position of the event before it in its partition; 0 for the first."),
        );
        add("partition", true, number("0 to 7."));
        add(
            "streamversion",
            true,
            number("Its number in the stream, from 1."),
        );
        add(
            "incarnation",
            true,
            text("Which log; another one after a restore."),
        );
        add(
            "correlationid",
            false,
            text("Shared by all that one request set off."),
        );
        add(
            "causationid",
            false,
            text("The event that led to it, `topic:position`."),
        );
        add("traceparent", false, text("W3C trace context."));
        add(
            "actor",
            false,
            text("Who did it: `staff:usr_…`, `customer:cus_…`, `guest`, `system`."),
        );
    }
    json!({"type": "object", "properties": properties, "required": required})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_readable() {
        assert_eq!(
            title("orders.order.payment_captured.v1"),
            "Orders: order payment captured (v1)"
        );
    }
}
