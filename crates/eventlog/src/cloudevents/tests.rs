use proptest::prelude::*;

use super::*;

fn event() -> impl Strategy<Value = Recorded> {
    let optional = || proptest::option::of("[^\0]{1,40}");
    let texts = ("\\PC{1,60}", "[a-z.]{1,40}", "\\PC{0,40}");
    let numbers = (
        1i64..i64::MAX,
        0i64..1_000,
        1i64..i64::MAX,
        0i64..4_000_000_000_000_000,
    );
    let data = prop_oneof![
        Just(r#"{"a": [1, 2.50, "ü\n"]}"#.to_owned()),
        "\\PC{0,60}".prop_map(|text| serde_json::to_string(&text).expect("text")),
    ];
    (texts, numbers, (optional(), optional(), optional()), data).prop_map(
        |((stream, kind, correlation), (position, back, version, at), (c, t, a), data)| Recorded {
            topic: "orders".into(),
            position,
            prev: (position - 1 - back).max(0),
            partition: partition_of(&stream),
            stream: StreamId::from_name(&stream),
            version,
            kind: kind.into(),
            data: data.into(),
            at: Timestamp(at),
            meta: EventMeta {
                correlation: correlation.into(),
                causation: c.map(Into::into),
                trace: t.map(Into::into),
                actor: a.map(Into::into),
            },
            typed: Default::default(),
        },
    )
}

fn same(a: &Recorded, b: &Recorded) -> bool {
    let numbers = |e: &Recorded| (e.position, e.prev, e.partition, e.version, e.at);
    let texts = |e: &Recorded| {
        (
            e.topic.clone(),
            e.stream.clone(),
            e.kind.clone(),
            e.data.clone(),
        )
    };
    numbers(a) == numbers(b) && texts(a) == texts(b) && a.meta == b.meta
}

proptest! {
    #[test]
    fn headers_come_back_as_they_were(event in event()) {
        let mut found = Attributes::default();
        let mut headers = Vec::new();
        Attributes::of(&event, "first").each(|name, value| headers.push((name, percent_encode(value).into_owned())));
        for (name, value) in &headers {
            prop_assert!(value.bytes().all(|b| (0x21..0x7f).contains(&b)));
            found.set(name, percent_decode(value).expect("UTF-8")).expect("short");
        }
        let (read, incarnation) = Decoder::new("orders").event(&found, event.data.as_bytes()).expect("an event");
        prop_assert!(same(&read, &event), "{read:?}");
        prop_assert_eq!(&*incarnation, "first");
    }

    #[test]
    fn json_comes_back_as_it_was(events in proptest::collection::vec(event(), 0..4)) {
        let json = write_batch(&events, "first");
        let standard: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        prop_assert_eq!(standard.as_array().map(Vec::len), Some(events.len()));
        let mut decoder = Decoder::new("orders");
        let read = read_batch(&json).expect("a batch");
        prop_assert_eq!(read.len(), events.len());
        for ((found, data), event) in read.iter().zip(&events) {
            let (read, _) = decoder.event(found, data.as_bytes()).expect("an event");
            prop_assert!(same(&read, event), "{read:?}");
        }
    }

    #[test]
    fn garbage_is_refused_and_nothing_more(garbage in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_batch(&garbage);
        let _ = Foreign::structured(&garbage);
        let _ = Foreign::binary(&Attributes::default(), &garbage);
        prop_assert!(Decoder::new("orders").event(&Attributes::default(), &garbage).is_err());
    }

    #[test]
    fn a_spoilt_attribute_never_panics(event in event(), which in 0usize..16, value in "\\PC{0,30}") {
        let mut found = Attributes::of(&event, "first");
        let mut names = Vec::new();
        found.each(|name, _| names.push(name));
        found.set(names[which % names.len()], value.into()).expect("short");
        let _ = Decoder::new("orders").event(&found, event.data.as_bytes());
    }

    #[test]
    fn nearly_json_never_panics(event in event(), cut in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut json = write_batch(&[event], "first");
        let at = cut.index(json.len());
        json[at] = byte;
        if let Ok(read) = read_batch(&json) {
            for (found, data) in read {
                let _ = Decoder::new("orders").event(&found, data.as_bytes());
            }
        }
    }
}

#[test]
fn what_is_wrong_is_named() {
    let read = |json: &str| Foreign::structured(json.as_bytes());
    let good = r#"{"specversion":"1.0","id":"7","source":"/wms","type":"inventory.stock.counted.v1","data":{"sku":"A"},"extra":3}"#;
    let event = read(good).expect("an event");
    assert_eq!(
        (event.id.as_str(), event.data.as_str()),
        ("7", r#"{"sku":"A"}"#)
    );
    let cases = [
        (good.replace("\"id\":\"7\",", ""), Malformed::Missing("id")),
        (good.replace("\"7\"", "\"\""), Malformed::Invalid("id")),
        (
            good.replace("1.0", "0.3"),
            Malformed::Invalid("specversion"),
        ),
        (
            good.replace("/wms", &"x".repeat(5_000)),
            Malformed::TooLong("source"),
        ),
        ("[]".into(), Malformed::NotJson),
        ("{".into(), Malformed::NotJson),
        (String::new(), Malformed::NotJson),
    ];
    for (json, error) in cases {
        assert_eq!(read(&json), Err(error), "{json}");
    }
}

#[test]
fn somebody_elses_event_is_refused() {
    let event = Recorded {
        topic: "orders".into(),
        position: 7,
        prev: 3,
        partition: partition_of("order-1"),
        stream: StreamId::from_name("order-1"),
        version: 1,
        kind: "orders.order.placed.v1".into(),
        data: "{}".into(),
        at: Timestamp(1_700_000_000_123_456),
        meta: EventMeta::default(),
        typed: Default::default(),
    };
    let found = Attributes::of(&event, "first");
    assert_eq!(found.time.as_deref(), Some("2023-11-14T22:13:20.123456Z"));
    assert_eq!(found.id.as_deref(), Some("orders:7"));
    let refused = Decoder::new("payments").event(&found, b"{}");
    assert_eq!(refused.err(), Some(Malformed::Invalid("source")));
    let mut moved = found.clone();
    moved.partition = Some(((event.partition + 1) % PARTITIONS).to_string().into());
    let refused = Decoder::new("orders").event(&moved, b"{}");
    assert_eq!(refused.err(), Some(Malformed::Invalid("partition")));
    let mut other = found.clone();
    other.position = Some("8".into());
    let refused = Decoder::new("orders").event(&other, b"{}");
    assert_eq!(refused.err(), Some(Malformed::Invalid("id")));
}
