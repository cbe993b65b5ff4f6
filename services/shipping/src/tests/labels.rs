use contracts::shipping::{LabelStatus, Package};

use super::samples::*;
use crate::fulfilment::{Said, Step, label_key, parse_label_key};

fn packed() -> kernel::testing::Given<crate::fulfilment::Fulfilments> {
    after([Step::Pack(vec![package(), package()])])
}

#[test]
fn a_parcel_gets_one_label_however_often_it_is_asked_for() {
    let mut it = packed();
    assert_eq!(
        when(&mut it, request(1)).expect("asked"),
        ["label.requested"]
    );
    assert!(when(&mut it, request(1)).expect("asked before").is_empty());
    assert_eq!(
        when(&mut it, answer(1, done(SP1))).expect("told"),
        ["label.bought"]
    );
    for late in [
        done(SP2),
        Said::Refused("no".into()),
        Said::Silent,
        Said::Voided,
    ] {
        assert!(when(&mut it, answer(1, late)).expect("late").is_empty());
    }
    assert!(when(&mut it, request(1)).expect("there is one").is_empty());
    assert_eq!(
        when(&mut it, request(2)).expect("another parcel"),
        ["label.requested"]
    );
    let refused = when(&mut it, request(3)).expect_err("no such parcel");
    assert_eq!(refused.field.as_deref(), Some("package"));
}

#[test]
fn a_silent_carrier_is_asked_and_may_have_done_it() {
    let mut it = packed();
    when(&mut it, request(1)).expect("asked");
    assert_eq!(
        when(&mut it, answer(1, Said::Silent)).expect("noted"),
        ["label.unknown"]
    );
    let first = it.state.label(1).and_then(|l| l.ask_at).expect("a time");
    assert_eq!(
        when(&mut it, Step::LabelDue(1)).expect("asked"),
        ["label.inquiry_due"]
    );
    when(&mut it, answer(1, Said::Silent)).expect("noted");
    let second = it.state.label(1).and_then(|l| l.ask_at).expect("a time");
    assert!(second > first, "the waits grow");
    assert!(
        when(&mut it, request(1)).expect("may be there").is_empty(),
        "never two"
    );
    let refused = when(&mut it, ship(false)).expect_err("pending");
    assert_eq!(refused.code, "label-pending");
    assert_eq!(
        when(&mut it, answer(1, done(SP1))).expect("told"),
        ["label.bought"]
    );
    assert!(when(&mut it, Step::LabelDue(1)).expect("known").is_empty());
}

#[test]
fn after_a_refusal_another_may_be_asked_for() {
    let mut it = packed();
    when(&mut it, request(1)).expect("asked");
    let no = Said::Refused("address_not_served".into());
    assert_eq!(
        when(&mut it, answer(1, no)).expect("told"),
        ["label.failed"]
    );
    assert_eq!(
        when(&mut it, request(1)).expect("again"),
        ["label.requested"]
    );
    assert_eq!(it.state.labels.len(), 2);
    assert_eq!(it.state.labels[1].number, 2, "a number is never used again");
}

#[test]
fn a_label_is_voided_until_it_is_used() {
    let mut it = packed();
    when(&mut it, request(1)).expect("asked");
    let refused = when(&mut it, Step::VoidLabel(1)).expect_err("not yet");
    assert_eq!(refused.code, "label-pending");
    when(&mut it, answer(1, done(SP1))).expect("told");
    assert_eq!(
        when(&mut it, Step::VoidLabel(1)).expect("void"),
        ["label.void_requested"]
    );
    assert!(when(&mut it, Step::VoidLabel(1)).expect("again").is_empty());
    assert_eq!(
        when(&mut it, request(1)).expect_err("wait").code,
        "label-voiding"
    );
    assert_eq!(
        when(&mut it, answer(1, Said::Silent)).expect("noted"),
        ["label.unknown"]
    );
    assert_eq!(it.state.labels[0].status, LabelStatus::Voiding);
    let kept = Said::Refused("already_processed".into());
    assert_eq!(
        when(&mut it, answer(1, kept)).expect("told"),
        ["label.void_failed"]
    );
    assert_eq!(
        it.state.labels[0].status,
        LabelStatus::Bought,
        "it still counts"
    );
    when(&mut it, Step::VoidLabel(1)).expect("tried again");
    assert_eq!(
        when(&mut it, answer(1, Said::Voided)).expect("told"),
        ["label.voided"]
    );
    assert_eq!(
        when(&mut it, request(1)).expect("another"),
        ["label.requested"]
    );
    let mut sent = shipped();
    assert_eq!(
        when(&mut sent, Step::VoidLabel(1)).expect_err("used").code,
        "fulfilment-state"
    );
    assert_eq!(
        when(&mut sent, Step::VoidLabel(9)).expect_err("none").code,
        "not-found"
    );
}

#[test]
fn an_order_given_up_takes_its_labels_back_also_those_that_come_late() {
    let mut it = packed();
    when(&mut it, request(1)).expect("asked");
    when(&mut it, answer(1, done(SP1))).expect("told");
    when(&mut it, request(2)).expect("asked");
    assert_eq!(
        when(&mut it, Step::Cancel).expect("given up"),
        ["fulfilment.cancelled", "label.void_requested"]
    );
    assert_eq!(
        when(&mut it, answer(2, done(SP2))).expect("late"),
        ["label.bought", "label.void_requested"]
    );
}

#[test]
fn parcels_with_labels_are_not_packed_otherwise() {
    let mut it = labelled();
    let other = Package {
        weight_grams: 1,
        size_mm: None,
    };
    let refused = when(&mut it, Step::Pack(vec![other.clone()])).expect_err("labels");
    assert_eq!(refused.code, "label-exists");
    when(&mut it, Step::VoidLabel(1)).expect("void");
    when(&mut it, answer(1, Said::Voided)).expect("told");
    assert_eq!(
        when(&mut it, Step::Pack(vec![other])).expect("packed"),
        ["fulfilment.packed"]
    );
}

#[test]
fn a_labels_key_is_read_back() {
    let id = FULFILMENT.parse().expect("an id");
    assert_eq!(parse_label_key(&label_key(&id, 7)), Some((id, 7)));
    for bad in ["", "ful_1", "ful_1-x", "ord_1-1", "-1"] {
        assert_eq!(parse_label_key(bad), None, "{bad}");
    }
}
