//! Things to test with.

use contracts::{
    address::{Address, Contact},
    inventory::{LocationId, ReservedLine, Taken},
    shipping::*,
};
use kernel::{
    Personal, Timestamp,
    testing::{Given, given},
};

use crate::{
    fulfilment::{Fulfilments, Said, Step},
    patience::Patience,
};

pub const NOW: Timestamp = Timestamp(1_700_000_000_000_000);
pub const ORDER: &str = "ord_01931f6e8a2c7d3f9b1e5a4c6d8f0a21";
pub const FULFILMENT: &str = "ful_01931f6e8a2c7d3f9b1e5a4c6d8f0a21x1";

pub fn address() -> Address {
    Address {
        name: "Zoë Čapková".into(),
        line1: "1 High Street".into(),
        city: "Leeds".into(),
        postcode: "LS1 1AA".into(),
        country: "GB".into(),
        ..Address::default()
    }
}

pub fn line(id: &str, sku: &str, quantity: i64) -> FulfilmentLine {
    FulfilmentLine {
        line_id: id.parse().expect("an id"),
        sku: sku.into(),
        title: format!("The {sku}"),
        quantity,
    }
}

pub fn reserved(sku: &str, taken: &[(&str, i64)]) -> ReservedLine {
    let taken = taken.iter().map(|(location, quantity)| Taken {
        location: location.parse().expect("an id"),
        quantity: *quantity,
    });
    ReservedLine {
        sku: sku.into(),
        taken: taken.collect(),
    }
}

pub fn noted() -> DispatchNoted {
    let created = created();
    DispatchNoted {
        order_id: created.order_id,
        number: created.number,
        person: created.person,
        recipient: created.recipient,
        lines: created.lines,
        option_id: created.option_id,
        collect_from: None,
        customer_id: Some(
            "cus_01931f6e8a2c7d3f9b1e5a4c6d8f0a55"
                .parse()
                .expect("an id"),
        ),
        access_token_hash: "ab".repeat(32),
    }
}

pub fn created() -> FulfilmentCreated {
    let person: kernel::PersonId = "per_01931f6e8a2c7d3f9b1e5a4c6d8f0a99"
        .parse()
        .expect("an id");
    let contact = Contact {
        email: "zoe@example.org".into(),
        shipping_address: address(),
        vat_number: None,
    };
    FulfilmentCreated {
        fulfilment_id: FULFILMENT.parse().expect("an id"),
        order_id: ORDER.parse().expect("an id"),
        number: "S-1001".into(),
        location: LocationId::main(),
        person: person.clone(),
        recipient: Personal::new(person, contact),
        lines: vec![line("lin_1", "MUG", 2), line("lin_2", "BOWL", 1)],
        option_id: Some(
            "sho_01931f6e8a2c7d3f9b1e5a4c6d8f0a77"
                .parse()
                .expect("an id"),
        ),
        collect: false,
        split_from: None,
        at: NOW,
    }
}

pub fn tracking(number: &str) -> Tracking {
    Tracking {
        carrier: "sandbox".into(),
        number: number.into(),
        url: Some(format!("https://track.example/{number}")),
    }
}

pub fn package() -> Package {
    Package {
        weight_grams: 1_250,
        size_mm: Some([300, 200, 100]),
    }
}

pub fn done(number: &str) -> Said {
    Said::Done {
        reference: format!("shp_{number}"),
        tracking: tracking(number),
    }
}

pub fn answer(label: i64, said: Said) -> Step {
    Step::LabelAnswer { label, said }
}

pub fn request(package: i64) -> Step {
    Step::RequestLabel {
        package,
        carrier: "sandbox".into(),
    }
}

pub fn ship(handed_over: bool) -> Step {
    Step::Ship {
        tracking: vec![],
        handed_over,
    }
}

pub fn news(event: &str, number: &str, status: TrackingStatus) -> Step {
    Step::Track(TrackingInput {
        event_id: event.into(),
        number: Some(number.into()),
        status,
        place: "Leeds".into(),
        happened_at: None,
    })
}

/// Shorthand: what the events are called, without service and version.
pub fn when(it: &mut Given<Fulfilments>, step: Step) -> Result<Vec<String>, kernel::Rejection> {
    use kernel::Event as _;
    let events = it.when(step.at(NOW, Patience::default()))?;
    let name = |event: &FulfilmentEvent| {
        let wire = event.wire_name();
        wire.trim_start_matches("shipping.")
            .trim_end_matches(".v1")
            .to_owned()
    };
    Ok(events.iter().map(name).collect())
}

/// A fulfilment that took these steps.
pub fn after(steps: impl IntoIterator<Item = Step>) -> Given<Fulfilments> {
    let mut it = given::<Fulfilments>([created().into()]);
    for step in steps {
        when(&mut it, step).expect("accepted");
    }
    it
}

pub const SP1: &str = "SP000000014GB";
pub const SP2: &str = "SP000000028GB";

/// Packed into one parcel, with its label.
pub fn labelled() -> Given<Fulfilments> {
    after([
        Step::Pack(vec![package()]),
        request(1),
        answer(1, done(SP1)),
    ])
}

/// On its way.
pub fn shipped() -> Given<Fulfilments> {
    let mut it = labelled();
    when(&mut it, ship(false)).expect("shipped");
    it
}
