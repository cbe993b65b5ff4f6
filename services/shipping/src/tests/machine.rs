use contracts::shipping::{FulfilmentCreated, FulfilmentStatus, TrackingStatus};
use kernel::testing::{Given, given};

use super::samples::*;
use crate::fulfilment::{Fulfilments, Step};

fn collected() -> Given<Fulfilments> {
    given::<Fulfilments>([FulfilmentCreated {
        collect: true,
        ..created()
    }
    .into()])
}

#[test]
fn from_open_to_delivered() {
    let mut it = labelled();
    assert_eq!(
        when(&mut it, ship(false)).expect("sent"),
        ["fulfilment.shipped"]
    );
    assert_eq!(it.state.tracking, [tracking(SP1)]);
    assert!(when(&mut it, ship(false)).expect("sent before").is_empty());
    let way = news("1", SP1, TrackingStatus::InTransit);
    assert_eq!(
        when(&mut it, way.clone()).expect("told"),
        ["tracking.recorded"]
    );
    assert!(when(&mut it, way).expect("told before").is_empty());
    let there = news("2", SP1, TrackingStatus::Delivered);
    assert_eq!(
        when(&mut it, there).expect("told"),
        ["tracking.recorded", "fulfilment.delivered"]
    );
    let more = news("3", SP1, TrackingStatus::Lost);
    assert_eq!(when(&mut it, more).expect("kept"), ["tracking.recorded"]);
    assert_eq!(it.state.status, FulfilmentStatus::Delivered);
}

#[test]
fn it_is_sent_with_a_label_for_each_parcel_or_with_told_numbers_or_by_hand() {
    let mut open = after([]);
    assert_eq!(
        when(&mut open, ship(false)).expect_err("no label").code,
        "label-missing"
    );
    let told = Step::Ship {
        tracking: vec![tracking("ABC123")],
        handed_over: false,
    };
    assert_eq!(when(&mut open, told).expect("sent"), ["fulfilment.shipped"]);
    let mut two = after([
        Step::Pack(vec![package(), package()]),
        request(1),
        answer(1, done(SP1)),
    ]);
    assert_eq!(
        when(&mut two, ship(false)).expect_err("one missing").code,
        "label-missing"
    );
    let mut hand = after([]);
    assert_eq!(
        when(&mut hand, ship(true)).expect("given"),
        ["fulfilment.shipped", "fulfilment.delivered"]
    );
}

#[test]
fn what_is_collected_is_made_ready_and_handed_over() {
    let mut it = collected();
    assert_eq!(
        when(&mut it, request(1)).expect_err("no label").code,
        "collected"
    );
    assert_eq!(
        when(&mut it, Step::Ready).expect("ready"),
        ["fulfilment.ready"]
    );
    assert!(when(&mut it, Step::Ready).expect("before").is_empty());
    assert_eq!(
        when(&mut it, ship(false)).expect_err("how").code,
        "not-handed-over"
    );
    assert_eq!(
        when(&mut it, ship(true)).expect("given"),
        ["fulfilment.shipped", "fulfilment.delivered"]
    );
    assert_eq!(
        when(&mut after([]), Step::Ready).expect_err("sent").code,
        "not-collected"
    );
}

#[test]
fn several_parcels_end_together() {
    let two = || {
        let mut it = after([
            Step::Pack(vec![package(), package()]),
            request(1),
            request(2),
            answer(1, done(SP1)),
            answer(2, done(SP2)),
        ]);
        when(&mut it, ship(false)).expect("sent");
        it
    };
    let last = |first: TrackingStatus, second: TrackingStatus| {
        let mut it = two();
        let one = when(&mut it, news("1", SP1, first)).expect("told");
        assert_eq!(one, ["tracking.recorded"], "the other is on its way");
        when(&mut it, news("2", SP2, second)).expect("told").pop()
    };
    use TrackingStatus::{Delivered, Lost, ReturnedToSender};
    assert_eq!(
        last(Delivered, Delivered).as_deref(),
        Some("fulfilment.delivered")
    );
    assert_eq!(last(Lost, Delivered).as_deref(), Some("fulfilment.lost"));
    assert_eq!(
        last(Delivered, ReturnedToSender).as_deref(),
        Some("fulfilment.returned")
    );
}

#[test]
fn what_was_lost_may_be_found() {
    let mut it = shipped();
    let lost = news("1", SP1, TrackingStatus::Lost);
    assert_eq!(when(&mut it, lost).expect("told")[1], "fulfilment.lost");
    let found = news("2", SP1, TrackingStatus::Delivered);
    assert_eq!(
        when(&mut it, found).expect("told")[1],
        "fulfilment.delivered"
    );
}

#[test]
fn a_carrier_that_has_it_tells_that_it_left() {
    let mut it = labelled();
    let has_it = news("1", SP1, TrackingStatus::Accepted);
    assert_eq!(
        when(&mut it, has_it).expect("told"),
        ["tracking.recorded", "fulfilment.shipped"]
    );
    let foreign = news("2", SP2, TrackingStatus::Delivered);
    assert_eq!(
        when(&mut it, foreign).expect_err("whose").code,
        "unknown-parcel"
    );
}

#[test]
fn every_state_answers_every_step_and_a_repeat_changes_nothing() {
    use FulfilmentStatus::*;
    let told = |status| {
        let mut it = shipped();
        when(&mut it, news("1", SP1, status)).expect("told");
        it
    };
    let cancelled = after([Step::Cancel]);
    let mut ready = collected();
    when(&mut ready, Step::Ready).expect("ready");
    let states = [
        (Open, after([])),
        (Packed, labelled()),
        (Ready, ready),
        (Shipped, shipped()),
        (Delivered, told(TrackingStatus::Delivered)),
        (Lost, told(TrackingStatus::Lost)),
        (Returned, told(TrackingStatus::ReturnedToSender)),
        (Cancelled, cancelled),
    ];
    // For each state: split, pack otherwise, ready, label, ship by hand, cancel.
    // y: it happens; -: nothing to do; the rest: refused.
    let wanted = [
        "yy..".to_owned() + "yy",
        "....".to_owned() + "yy",
        "..-.".to_owned() + "yy",
        "....".to_owned() + "--",
        "....".to_owned() + "--",
        "....".to_owned() + "--",
        "....".to_owned() + "--",
        "....".to_owned() + ".-",
    ];
    for ((status, it), wanted) in states.iter().zip(wanted) {
        assert_eq!(it.state.status, *status);
        let steps = [
            split(),
            Step::Pack(vec![package(), package()]),
            Step::Ready,
            request(2),
            ship(true),
            Step::Cancel,
        ];
        let mut found = String::new();
        for step in steps {
            let mut one = Given::<Fulfilments> {
                state: it.state.clone(),
            };
            found.push(match when(&mut one, step.clone()) {
                Err(_) => '.',
                Ok(events) if events.is_empty() => '-',
                Ok(_) => {
                    if !matches!(step, Step::Split { .. }) {
                        let again = when(&mut one, step).unwrap_or_default();
                        assert!(again.is_empty(), "{status:?} {again:?}");
                    }
                    'y'
                }
            });
        }
        assert_eq!(found, wanted, "{status:?}");
    }
}

fn split() -> Step {
    Step::Split {
        into: "ful_2".parse().expect("an id"),
        moved: vec![contracts::shipping::LineQuantity {
            line_id: "lin_1".parse().expect("an id"),
            quantity: 1,
        }],
    }
}

#[test]
fn nothing_is_asked_of_what_is_not_there() {
    let mut nothing = given::<Fulfilments>([]);
    for step in [Step::Ready, ship(true), Step::Cancel, request(1)] {
        assert_eq!(
            when(&mut nothing, step).expect_err("none").code,
            "not-found"
        );
    }
}
