//! From state to what the API shows.

use contracts::{
    address::Address,
    shipping::{FulfilmentStatus, FulfilmentView, LabelView, ShipmentView, TrackingView},
};
use labels::{Label as Printed, Sheet, SheetLine};

use crate::{
    fulfilment::{Fulfilment, Label},
    work::recipient,
};

/// A fulfilment for staff; `None` if there is no such fulfilment.
pub fn fulfilment_view(state: &Fulfilment) -> Option<FulfilmentView> {
    let created = state.created.as_deref()?;
    Some(FulfilmentView {
        id: created.fulfilment_id.clone(),
        order_id: created.order_id.clone(),
        number: created.number.clone(),
        status: state.status,
        location: created.location.clone(),
        lines: state.lines.clone(),
        collect: created.collect,
        option_id: created.option_id.clone(),
        packages: state.packages.clone(),
        labels: state.labels.iter().map(label_view).collect(),
        tracking: state.tracking.clone(),
        events: news(state),
        recipient: recipient(state),
        created_at: created.at,
        shipped_at: state.shipped_at,
        delivered_at: state.delivered_at,
    })
}

fn label_view(label: &Label) -> LabelView {
    LabelView {
        number: label.number,
        package: label.package,
        status: label.status,
        carrier: label.carrier.clone(),
        tracking: label.tracking.clone(),
        code: label.code.clone(),
        ask_at: label.ask_at,
    }
}

fn news(state: &Fulfilment) -> Vec<TrackingView> {
    let mut news: Vec<TrackingView> = state
        .news
        .iter()
        .map(|told| TrackingView {
            number: told.number.clone(),
            status: told.status,
            place: told.place.clone(),
            happened_at: told.happened_at,
        })
        .collect();
    news.sort_by_key(|told| told.happened_at);
    news
}

/// A fulfilment for the buyer; `None` for one that was given up, which is no shipment of theirs.
pub fn shipment_view(state: &Fulfilment) -> Option<ShipmentView> {
    let created = state.created.as_deref()?;
    let given_up = state.status == FulfilmentStatus::Cancelled;
    (!given_up).then(|| ShipmentView {
        id: created.fulfilment_id.clone(),
        status: state.status,
        lines: state.lines.clone(),
        collect_from: created.collect.then(|| created.location.clone()),
        tracking: state.tracking.clone(),
        events: news(state),
        shipped_at: state.shipped_at,
        delivered_at: state.delivered_at,
    })
}

/// A postal address line by line, as on an envelope; the country last, by its code.
fn lines_of(address: &Address) -> Vec<String> {
    let town = [&address.postcode, &address.city, &address.province];
    let town: Vec<&str> = town
        .iter()
        .map(|t| t.as_str())
        .filter(|t| !t.is_empty())
        .collect();
    let lines = [
        address.name.clone(),
        address.company.clone(),
        address.line1.clone(),
        address.line2.clone(),
        town.join(" "),
        address.country.clone(),
    ];
    lines.into_iter().filter(|line| !line.is_empty()).collect()
}

/// A label to be printed; `None` once the person was erased, or before it is bought.
pub fn printed(
    state: &Fulfilment,
    label: &Label,
    sender: Option<&Address>,
    service: &str,
) -> Option<Printed> {
    let created = state.created.as_deref()?;
    let to = recipient(state)?;
    Some(Printed {
        carrier: label.carrier.clone(),
        service: service.to_owned(),
        number: label.tracking.as_ref()?.number.clone(),
        sender: sender.map(lines_of).unwrap_or_default(),
        recipient: lines_of(&to),
        reference: created.number.clone(),
        weight_grams: label.parcel.weight_grams,
        parcel: format!("{}/{}", label.package, state.packages.len()),
    })
}

/// A pick list or packing slip to be printed.
pub fn sheet(state: &Fulfilment, sender: Option<&Address>, location: String) -> Option<Sheet> {
    let created = state.created.as_deref()?;
    let line = |line: &contracts::shipping::FulfilmentLine| SheetLine {
        sku: line.sku.clone(),
        title: line.title.clone(),
        quantity: line.quantity,
    };
    Some(Sheet {
        order: created.number.clone(),
        fulfilment: created.fulfilment_id.to_string(),
        sender: sender.map(lines_of).unwrap_or_default(),
        recipient: recipient(state).as_ref().map(lines_of).unwrap_or_default(),
        location,
        lines: state.lines.iter().map(line).collect(),
    })
}
