//! The rules of labels: bought, unknown, refused, voided.

use contracts::shipping::{
    FulfilmentEvent, FulfilmentStatus, LabelBought, LabelFailed, LabelInquiryDue, LabelRequested,
    LabelStatus, LabelUnknown, LabelVoidFailed, LabelVoidRequested, LabelVoided,
};
use kernel::Rejection;

use crate::{
    fulfilment::{Label, Said},
    patience::Patience,
    rules::{At, not_now},
};

/// Most labels of a fulfilment, failed ones counted.
const MAX_LABELS: usize = 200;

/// A label is wanted. Asked again while there is one, or may be, nothing happens.
pub fn request(
    it: &At<'_>,
    package: i64,
    carrier: &str,
) -> Result<Vec<FulfilmentEvent>, Rejection> {
    if it.created.collect {
        let detail = "the buyer collects it";
        return Err(Rejection::conflict("collected", detail));
    }
    if it.state.status != FulfilmentStatus::Packed {
        return Err(not_now(
            it.state.status,
            "labels are for what is packed and not sent",
        ));
    }
    let place = usize::try_from(package - 1).ok();
    let Some(parcel) = place.and_then(|place| it.state.packages.get(place)) else {
        let detail = format!("must be 1 to {}", it.state.packages.len());
        return Err(Rejection::invalid("package", detail));
    };
    match it.state.live_label(package) {
        Some(label) if label.status == LabelStatus::Voiding => {
            let detail = "its label is being voided; wait for that";
            return Err(Rejection::conflict("label-voiding", detail));
        }
        Some(_) => return Ok(Vec::new()),
        None if it.state.labels.len() >= MAX_LABELS => {
            let detail = format!("a fulfilment may have {MAX_LABELS} labels");
            return Err(Rejection::unprocessable("too-many", detail));
        }
        None => {}
    }
    Ok(vec![
        LabelRequested {
            fulfilment_id: it.created.fulfilment_id.clone(),
            order_id: it.created.order_id.clone(),
            label: it.state.labels.len() as i64 + 1,
            package,
            parcel: parcel.clone(),
            carrier: carrier.to_owned(),
            at: it.at,
        }
        .into(),
    ])
}

/// The carrier answered, or did not. Answers that come late or twice change nothing.
pub fn answered(it: &At<'_>, number: i64, said: &Said, patience: Patience) -> Vec<FulfilmentEvent> {
    let Some(label) = it.state.label(number) else {
        return Vec::new();
    };
    let (fulfilment_id, at) = (it.created.fulfilment_id.clone(), it.at);
    let voiding = label.status == LabelStatus::Voiding;
    match said {
        Said::Done {
            reference,
            tracking,
        } if label.is_pending() => {
            let bought = LabelBought {
                fulfilment_id,
                order_id: it.created.order_id.clone(),
                label: number,
                carrier_reference: reference.clone(),
                tracking: tracking.clone(),
                at,
            };
            let mut events = vec![bought.into()];
            if it.state.status == FulfilmentStatus::Cancelled {
                // It came too late: nobody wants it any more.
                events.push(void_requested(it, label, reference));
            }
            events
        }
        Said::Voided if voiding => vec![
            LabelVoided {
                fulfilment_id,
                label: number,
                at,
            }
            .into(),
        ],
        Said::Refused(code) if label.is_pending() => vec![
            LabelFailed {
                fulfilment_id,
                label: number,
                code: code.clone(),
                at,
            }
            .into(),
        ],
        Said::Refused(code) if voiding => vec![
            LabelVoidFailed {
                fulfilment_id,
                label: number,
                code: code.clone(),
                at,
            }
            .into(),
        ],
        Said::Silent if label.is_pending() || voiding => vec![
            LabelUnknown {
                fulfilment_id,
                label: number,
                ask_at: patience.again_at(at, label.asks),
            }
            .into(),
        ],
        _ => Vec::new(),
    }
}

/// It is time to ask about a label, if nobody has heard of it meanwhile.
pub fn due(it: &At<'_>, number: i64) -> Vec<FulfilmentEvent> {
    let open = |label: &&Label| label.is_pending() || label.status == LabelStatus::Voiding;
    match it.state.label(number).filter(open) {
        Some(_) => vec![
            LabelInquiryDue {
                fulfilment_id: it.created.fulfilment_id.clone(),
                label: number,
            }
            .into(),
        ],
        None => Vec::new(),
    }
}

/// A label is not wanted any more.
pub fn void(it: &At<'_>, number: i64) -> Result<Vec<FulfilmentEvent>, Rejection> {
    let Some(label) = it.state.label(number) else {
        return Err(Rejection::not_found("label"));
    };
    let sent = !matches!(
        it.state.status,
        FulfilmentStatus::Open | FulfilmentStatus::Packed | FulfilmentStatus::Cancelled
    );
    match (label.status, &label.reference) {
        (LabelStatus::Requested | LabelStatus::Unknown, _) => {
            let detail = "the label is being bought; wait for it";
            Err(Rejection::conflict("label-pending", detail))
        }
        (LabelStatus::Bought, _) if sent => Err(not_now(it.state.status, "its labels are in use")),
        (LabelStatus::Bought, Some(reference)) => Ok(vec![void_requested(it, label, reference)]),
        _ => Ok(Vec::new()),
    }
}

/// All labels of a fulfilment that is given up. Those without an answer are voided when it comes.
pub fn void_all(it: &At<'_>) -> Vec<FulfilmentEvent> {
    let bought = it.state.labels.iter();
    let bought = bought.filter(|label| label.status == LabelStatus::Bought);
    bought
        .filter_map(|label| Some(void_requested(it, label, label.reference.as_ref()?)))
        .collect()
}

fn void_requested(it: &At<'_>, label: &Label, reference: &str) -> FulfilmentEvent {
    LabelVoidRequested {
        fulfilment_id: it.created.fulfilment_id.clone(),
        label: label.number,
        carrier: label.carrier.clone(),
        carrier_reference: reference.to_owned(),
        at: it.at,
    }
    .into()
}
