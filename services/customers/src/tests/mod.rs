//! Rules as given / when / then, over several streams where a rule spans them.

mod companies;
mod erasing;
mod golden;
mod groups;
mod history;
mod merging;
mod profiles;
mod properties;

use contracts::{
    address::Address,
    cart::PaymentMethod,
    customers::{Statistics, api::ProfileChange},
    identity::{CustomerId, CustomerRegistered},
    orders::{OrderId, OrderPlaced, OrderStatus, Totals},
};
use kernel::{
    Command, Currency, Decider, DeciderSpec, Money, PersonId, Personal, Rejection, Timestamp, Work,
    testing::{World, plain_keys},
    with_keys,
};

use crate::{
    company::Companies,
    consent::ConsentBook,
    customer::{CustomerCommand, CustomerState, Customers, Step},
    directory::Directories,
    history::{MoveOrder, RecordOrder},
    mailbox::{self, Mailboxes},
    order::{Record, RecordCommand, Records},
    person::Persons,
    profile::{OnCustomer, open},
};

pub const DAY: i64 = 24 * 60 * 60;

pub fn id(number: u32) -> CustomerId {
    format!("cus_{number}").parse().expect("an id")
}

pub fn person(number: u32) -> PersonId {
    format!("per_{number}").parse().expect("an id")
}

pub fn order(number: u32) -> OrderId {
    format!("ord_{number:05}").parse().expect("an id")
}

pub fn gbp(amount: i64) -> Money {
    Money::new(amount, Currency::GBP)
}

pub fn address(country: &str) -> Address {
    let (postcode, province) = match country {
        "GB" => ("SW1A 1AA", ""),
        "US" => ("94103", "CA"),
        _ => ("10115", ""),
    };
    Address {
        name: "Ann Example".into(),
        line1: "1 High Street".into(),
        city: "Town".into(),
        postcode: postcode.into(),
        province: province.into(),
        country: country.into(),
        ..Address::default()
    }
}

/// The service's streams.
pub struct Shop(pub World);

impl Shop {
    pub fn open() -> Self {
        Self(World::new([
            DeciderSpec::of::<Customers>(),
            DeciderSpec::of::<Directories>(),
            DeciderSpec::of::<Records>(),
            DeciderSpec::of::<Mailboxes>(),
            DeciderSpec::of::<ConsentBook>(),
            DeciderSpec::of::<Companies>(),
            DeciderSpec::of::<Persons>(),
        ]))
    }

    pub fn does<C: Command>(&mut self, command: &C) -> (C::Output, Work) {
        match self.0.run(command) {
            Ok(done) => done,
            Err(refused) => panic!("{refused}"),
        }
    }

    pub fn refused<C: Command>(&mut self, command: &C) -> Rejection {
        match self.0.run(command) {
            Ok(_) => panic!("nothing was refused"),
            Err(refused) => refused,
        }
    }

    pub fn customer(&self, number: u32) -> CustomerState {
        self.0.state::<Customers>(id(number).as_str())
    }

    pub fn record(&self, number: u32) -> Record {
        self.0.state::<Records>(order(number).as_str())
    }

    pub fn step(&self, number: u32, step: Step) -> OnCustomer {
        OnCustomer(CustomerCommand {
            id: id(number),
            person: None,
            at: self.0.now,
            step,
        })
    }

    /// Identity opens an account: customer `number`, whose person has the same number.
    pub fn registers(&mut self, number: u32, email: &str) -> Work {
        let registered = CustomerRegistered {
            customer_id: id(number),
            email: Personal::new(person(number), email.into()),
        };
        let at = self.0.now;
        let command = with_keys(&plain_keys(), || open(&registered, at)).expect("a command");
        self.does(&command).1
    }

    pub fn saves(&mut self, number: u32, address_id: &str, address: Address) {
        let save = Step::SaveAddress {
            address_id: address_id.parse().expect("an id"),
            address,
            new: true,
        };
        let command = self.step(number, save);
        self.does(&command);
    }

    pub fn names(&mut self, number: u32, name: &str) {
        let change = ProfileChange {
            name: Some(name.into()),
            ..ProfileChange::default()
        };
        let command = self.step(number, Step::ChangeProfile(change));
        self.does(&command);
    }

    /// Orders places an order: of a customer, or of a guest (person 1000 + number).
    pub fn places(&mut self, number: u32, by: Option<u32>, email: &str, total: Money) -> Work {
        let placed = placed(number, by, email, total, self.0.now);
        let command = with_keys(&plain_keys(), || RecordOrder::of(&placed)).expect("a command");
        self.does(&command).1
    }

    pub fn moves(&mut self, number: u32, command: RecordCommand) -> Work {
        let id = order(number);
        self.does(&MoveOrder { id, command }).1
    }

    pub fn confirms(&mut self, number: u32) -> Work {
        self.moves(number, RecordCommand::Stands(OrderStatus::Confirmed))
    }

    /// A whole confirmed order.
    pub fn buys(&mut self, number: u32, by: u32, total: Money) {
        self.places(number, Some(by), "any@example.org", total);
        self.confirms(number);
    }

    pub fn statistics(&self, number: u32) -> Statistics {
        self.customer(number).statistics
    }

    /// The customer gets a token by mail and sends it back.
    pub fn verifies(&mut self, number: u32) -> Work {
        let ask = Step::RequestVerification {
            token: "evt_1".into(),
            token_hash: web::hash_token("evt_1"),
            asked: false,
        };
        let command = self.step(number, ask);
        self.does(&command);
        let verify = crate::verification::VerifyEmail {
            id: id(number),
            token_hash: web::hash_token("evt_1"),
        };
        self.does(&verify).1
    }
}

pub fn hash(email: &str) -> String {
    with_keys(&plain_keys(), || mailbox::hash(email)).expect("a hash")
}

pub fn placed(
    number: u32,
    by: Option<u32>,
    email: &str,
    total: Money,
    at: Timestamp,
) -> OrderPlaced {
    let person = person(by.unwrap_or(1_000 + number));
    let contact = contracts::address::Contact {
        email: email.into(),
        shipping_address: address("GB"),
        vat_number: None,
    };
    let zero = Money::zero(total.currency);
    OrderPlaced {
        order_id: order(number),
        number: format!("S-{number}"),
        cart_id: "crt_1".parse().expect("an id"),
        customer_id: by.map(id),
        contact: Personal::new(person.clone(), contact),
        lines: vec![],
        totals: Totals {
            subtotal: total,
            adjustments: zero,
            shipping: zero,
            tax: zero,
            total,
        },
        payment: PaymentMethod {
            provider: "sandbox".into(),
            token: Personal::new(person.clone(), "tok_visa".into()),
        },
        person,
        shipping: None,
        channel: "web".into(),
        redemptions: vec![],
        credits: vec![],
        buyer_key: String::new(),
        capture: contracts::pricing::CaptureMode::default(),
        locale: None,
        access_token_hash: "hash".into(),
        deadline: at.plus_seconds(600),
        at,
    }
}

/// Whether a category is one of this service's, so that streams are named as expected.
#[test]
fn streams_are_named_by_what_they_are() {
    let names = [
        Customers::CATEGORY,
        Directories::CATEGORY,
        Records::CATEGORY,
        Mailboxes::CATEGORY,
        ConsentBook::CATEGORY,
        Companies::CATEGORY,
        Persons::CATEGORY,
    ];
    assert!(names.iter().all(|name| !name.contains('-')));
}
