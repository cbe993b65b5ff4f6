//! Whatever is asked in whatever order, some things hold.

use contracts::shipping::{FulfilmentStatus, LabelStatus, TrackingStatus};
use proptest::prelude::*;

use super::samples::*;
use crate::fulfilment::{Fulfilment, Said, Step};

fn steps() -> impl Strategy<Value = Step> {
    let status = prop_oneof![
        Just(TrackingStatus::InTransit),
        Just(TrackingStatus::Delivered),
        Just(TrackingStatus::Lost),
        Just(TrackingStatus::ReturnedToSender),
    ];
    prop_oneof![
        (1usize..3).prop_map(|n| Step::Pack(vec![package(); n])),
        Just(Step::Ready),
        (0i64..4).prop_map(request),
        (1i64..5, 0u32..3).prop_map(|(label, n)| answer(label, done(&number(n)))),
        (1i64..5).prop_map(|label| answer(label, Said::Refused("no".into()))),
        (1i64..5).prop_map(|label| answer(label, Said::Silent)),
        (1i64..5).prop_map(|label| answer(label, Said::Voided)),
        (1i64..5).prop_map(Step::LabelDue),
        (1i64..5).prop_map(Step::VoidLabel),
        any::<bool>().prop_map(ship),
        (0u32..9, 0u32..3, status).prop_map(|(event, n, status)| news(
            &event.to_string(),
            &number(n),
            status
        )),
        Just(Step::Cancel),
    ]
}

fn number(n: u32) -> String {
    labels::s10::number("SP", n, "GB").expect("a number")
}

fn check(before: &Fulfilment, after: &Fulfilment) {
    use FulfilmentStatus::{Cancelled, Delivered, Lost, Open, Packed, Ready, Returned, Shipped};
    for package in 1..=after.packages.len() as i64 {
        let live = after
            .labels
            .iter()
            .filter(|l| l.package == package && l.is_live());
        assert!(live.count() <= 1, "two labels for one parcel");
    }
    if after.status == Cancelled {
        assert_eq!(after.shipped_at, None, "given up and sent");
        let kept = after
            .labels
            .iter()
            .filter(|l| l.status == LabelStatus::Bought && l.code.is_none());
        assert_eq!(kept.count(), 0, "a label nobody wants is kept");
    }
    let sent = matches!(after.status, Shipped | Delivered | Lost | Returned);
    assert_eq!(sent, after.shipped_at.is_some());
    let possible = match before.status {
        Open => !matches!(after.status, Lost | Returned) || after.shipped_at.is_some(),
        Packed | Ready => after.status != Open,
        Shipped => sent,
        Lost => matches!(after.status, Lost | Delivered | Returned),
        Delivered | Returned | Cancelled => after.status == before.status,
    };
    assert!(possible, "{:?} to {:?}", before.status, after.status);
    assert_eq!(before.lines, after.lines);
}

proptest! {
    #[test]
    fn any_life_keeps_the_rules(life in proptest::collection::vec(steps(), 0..40)) {
        let mut it = after([]);
        for step in life {
            let before = it.state.clone();
            let first = when(&mut it, step.clone());
            check(&before, &it.state);
            // Two things may be repeated with effect: a carrier may be silent again and is asked
            // again, and a label refused is asked for anew.
            let repeatable = matches!(&step, Step::LabelDue(_) | Step::LabelAnswer { said: Said::Silent, .. });
            if first.is_ok() && !repeatable {
                let again = when(&mut it, step).unwrap_or_default();
                prop_assert!(again.is_empty(), "{again:?}");
            }
        }
    }
}
