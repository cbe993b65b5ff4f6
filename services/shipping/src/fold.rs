//! How a fulfilment's state follows from its events.

use std::sync::Arc;

use contracts::shipping::{FulfilmentEvent, FulfilmentStatus, LabelStatus};
use kernel::Timestamp;

use crate::fulfilment::{Fulfilment, Label};

/// Folds one event in.
pub fn fold(state: &mut Fulfilment, event: &FulfilmentEvent) {
    match event {
        FulfilmentEvent::Created(e) => {
            state.lines = e.lines.clone();
            state.created = Some(Arc::new(e.clone()));
        }
        FulfilmentEvent::Split(e) => {
            for moved in &e.moved {
                let line = state.lines.iter_mut().find(|l| l.line_id == moved.line_id);
                if let Some(line) = line {
                    line.quantity -= moved.quantity;
                }
            }
            state.lines.retain(|line| line.quantity > 0);
        }
        FulfilmentEvent::Packed(e) => {
            state.status = FulfilmentStatus::Packed;
            state.packages = e.packages.clone();
        }
        FulfilmentEvent::Ready(_) => state.status = FulfilmentStatus::Ready,
        FulfilmentEvent::Shipped(e) => {
            state.status = FulfilmentStatus::Shipped;
            state.shipped_at = Some(e.at);
            let all = e.tracking.iter().chain(&e.more_tracking);
            state.tracking = all.cloned().collect();
        }
        FulfilmentEvent::Delivered(e) => {
            state.status = FulfilmentStatus::Delivered;
            state.delivered_at = Some(e.at);
        }
        FulfilmentEvent::Lost(_) => state.status = FulfilmentStatus::Lost,
        FulfilmentEvent::Returned(_) => state.status = FulfilmentStatus::Returned,
        FulfilmentEvent::Cancelled(_) => state.status = FulfilmentStatus::Cancelled,
        FulfilmentEvent::Tracked(e) => state.news.push(e.clone()),
        _ => fold_label(state, event),
    }
}

fn fold_label(state: &mut Fulfilment, event: &FulfilmentEvent) {
    match event {
        FulfilmentEvent::LabelRequested(e) => state.labels.push(Label {
            number: e.label,
            package: e.package,
            parcel: e.parcel.clone(),
            carrier: e.carrier.clone(),
            status: LabelStatus::Requested,
            asks: 0,
            ask_at: None,
            reference: None,
            tracking: None,
            code: None,
        }),
        FulfilmentEvent::LabelUnknown(e) => change(state, e.label, |label| {
            label.asks += 1;
            if label.status == LabelStatus::Requested {
                label.status = LabelStatus::Unknown;
            }
            label.ask_at = Some(e.ask_at);
        }),
        FulfilmentEvent::LabelBought(e) => settle(state, e.label, LabelStatus::Bought, |label| {
            label.reference = Some(e.carrier_reference.clone());
            label.tracking = Some(e.tracking.clone());
        }),
        FulfilmentEvent::LabelFailed(e) => settle(state, e.label, LabelStatus::Failed, |label| {
            label.code = Some(e.code.clone());
        }),
        FulfilmentEvent::LabelVoidRequested(e) => {
            settle(state, e.label, LabelStatus::Voiding, |label| {
                label.code = None
            });
        }
        FulfilmentEvent::LabelVoided(e) => settle(state, e.label, LabelStatus::Voided, |_| {}),
        FulfilmentEvent::LabelVoidFailed(e) => {
            settle(state, e.label, LabelStatus::Bought, |label| {
                label.code = Some(e.code.clone());
            });
        }
        // Asking changes nothing.
        _ => {}
    }
}

fn settle(state: &mut Fulfilment, number: i64, status: LabelStatus, more: impl FnOnce(&mut Label)) {
    change(state, number, |label| {
        label.status = status;
        label.asks = 0;
        label.ask_at = None::<Timestamp>;
        more(label);
    });
}

fn change(state: &mut Fulfilment, number: i64, change: impl FnOnce(&mut Label)) {
    if let Some(label) = state.labels.iter_mut().find(|l| l.number == number) {
        change(label);
    }
}
