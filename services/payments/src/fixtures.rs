//! What the tests of the rules start from.

use contracts::{
    cart::PaymentMethod,
    orders::OrderId,
    payments::{OperationKind, PaymentEvent, PaymentId, PaymentIntended},
};
use kernel::{
    Currency, Event as _, Money, Personal, Timestamp,
    testing::{Given, given},
};

use crate::{
    patience::{Moment, Patience},
    payment::Payment,
    provider::{ProviderOperation, ProviderPayment, ProviderStatus, Receipt},
    rules::{Command, Request},
};

pub const AT: i64 = 1_700_000_000_000_000;
pub const REFERENCE: &str = "spay_1";

pub fn payment_id() -> PaymentId {
    "pay_0190aa".parse().expect("an id")
}

pub fn order_id() -> OrderId {
    "ord_0190aa".parse().expect("an id")
}

pub fn pounds(amount: i64) -> Money {
    Money::new(amount, Currency::GBP)
}

pub fn moment() -> Moment {
    Moment {
        at: Timestamp(AT),
        patience: Patience::default(),
    }
}

pub fn intended(amount: i64, token: &str) -> PaymentIntended {
    let person = "per_0190aa".parse().expect("an id");
    PaymentIntended {
        payment_id: payment_id(),
        order_id: order_id(),
        amount: pounds(amount),
        method: PaymentMethod {
            provider: "sandbox".into(),
            token: Personal::new(person, token.into()),
        },
        deadline: Timestamp(AT).plus_seconds(900),
        access_token_hash: "aa".repeat(32),
        customer_id: None,
    }
}

/// The provider tells that the payment of 10 pounds has this status.
pub fn told(status: ProviderStatus) -> Command {
    told_of(status, vec![])
}

pub fn told_of(status: ProviderStatus, operations: Vec<ProviderOperation>) -> Command {
    Command::Seen {
        payment: ProviderPayment {
            provider_reference: REFERENCE.into(),
            status,
            amount: pounds(1_000),
            operations,
        },
        asked: None,
    }
}

pub fn moved(id: &str, kind: OperationKind, amount: i64) -> ProviderOperation {
    ProviderOperation {
        id: id.into(),
        kind,
        amount: pounds(amount),
    }
}

pub fn ask_for(kind: OperationKind, amount: Option<i64>) -> Command {
    Command::Request(Request {
        kind,
        amount: amount.map(pounds),
        note: None,
    })
}

pub fn answered(operation: i64, id: &str, amount: i64) -> Command {
    Command::Answered {
        operation,
        receipt: Receipt {
            provider_operation: id.into(),
            amount: pounds(amount),
        },
    }
}

pub fn refused(operation: i64, code: &str) -> Command {
    Command::Refused {
        operation,
        code: code.into(),
        moment: moment(),
    }
}

pub fn unknown(operation: i64) -> Command {
    Command::Unknown {
        operation,
        moment: moment(),
    }
}

pub fn abandon() -> Command {
    Command::Abandon {
        payment_id: payment_id(),
        order_id: order_id(),
    }
}

/// A payment of 10 pounds to which these things happened.
pub fn payment(commands: impl IntoIterator<Item = Command>) -> Given<Payment> {
    let mut payment = given::<Payment>([]);
    let first = Command::Intend(intended(1_000, "tok_visa"));
    for command in std::iter::once(first).chain(commands) {
        payment.when(command).expect("the past was possible");
    }
    payment
}

/// An authorised payment of 10 pounds to which these things happened.
pub fn authorised(commands: impl IntoIterator<Item = Command>) -> Given<Payment> {
    payment(std::iter::once(told(ProviderStatus::Authorised)).chain(commands))
}

/// The wire names of the events, without what they have in common.
pub fn names(events: &[PaymentEvent]) -> Vec<&'static str> {
    let short = |event: &PaymentEvent| {
        let name = event.wire_name().strip_prefix("payments.payment.");
        name.and_then(|name| name.strip_suffix(".v1"))
            .expect("a payment event")
    };
    events.iter().map(short).collect()
}

/// What `command` leads to now, by name; it must not be refused.
pub fn then(payment: &mut Given<Payment>, command: Command) -> Vec<&'static str> {
    names(&payment.when(command).expect("it is not refused"))
}
