//! A service named orders that says what it is told to, and passes on what credit answers.

use std::sync::Arc;

use contracts::{
    address::{Address, Contact},
    cart::PaymentMethod,
    credit::{
        CreditAccountEvent, CreditHoldEvent, CreditReason, CreditRefundRequest, CreditRefundTo,
        CreditUse,
    },
    orders::{
        CancelReason, OrderCancelled, OrderConfirmed, OrderEvent, OrderPlaced,
        OrderRefundToCreditRequested, Totals,
    },
};
use kernel::{
    Broadcast, Command, Context, Currency, Decider, DecodeError, Event, From, Module, Money,
    PersonId, Personal, Recorded, Rejection, StreamId, Timestamp, UnitOfWork,
};
use tokio::sync::mpsc;

use super::Shop;

/// All that orders says here.
#[derive(Debug)]
pub enum Said {
    Order(Box<OrderEvent>),
    Refund(CreditRefundRequest),
}

impl Event for Said {
    const TYPES: &'static [&'static str] = &[
        "orders.order.placed.v1",
        "orders.order.confirmed.v1",
        "orders.order.cancelled.v1",
        "orders.order.credit_refund_requested.v1",
    ];

    fn wire_name(&self) -> &'static str {
        match self {
            Self::Order(event) => event.wire_name(),
            Self::Refund(event) => event.wire_name(),
        }
    }

    fn encode(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::Order(event) => event.encode(),
            Self::Refund(event) => event.encode(),
        }
    }

    fn decode(wire_name: &str, data: &str) -> Result<Self, DecodeError> {
        match CreditRefundRequest::TYPES.contains(&wire_name) {
            true => CreditRefundRequest::decode(wire_name, data).map(Self::Refund),
            false => OrderEvent::decode(wire_name, data).map(|event| Self::Order(Box::new(event))),
        }
    }
}

/// The stand-in.
pub fn module(says: mpsc::UnboundedSender<String>) -> Module {
    let listen = move |recorded: &Arc<Recorded>| {
        if let Some(said) = answer(recorded) {
            let _ = says.send(said);
        }
    };
    let answers = Broadcast::new("answers", &["credit"], From::Beginning, listen);
    Module::new("orders").decider::<Orders>().broadcast(answers)
}

fn answer(recorded: &Recorded) -> Option<String> {
    if let Ok(Some(event)) = recorded.decode::<CreditAccountEvent>() {
        return match event.as_ref() {
            CreditAccountEvent::Changed(e) if e.reason == CreditReason::Expired => {
                Some(format!("expired {}", e.account_id))
            }
            _ => None,
        };
    }
    let event = recorded.decode::<CreditHoldEvent>().ok()??;
    Some(match event.as_ref() {
        CreditHoldEvent::Held(e) => format!("made {}", e.order_id),
        CreditHoldEvent::Refused(e) => format!("refused {} {:?}", e.order_id, e.reason),
        CreditHoldEvent::Spent(e) => format!("spent {}", e.order_id),
        CreditHoldEvent::Released(e) => format!("released {}", e.order_id),
        CreditHoldEvent::RefundMade(e) => format!("refunded {}", e.refund_id),
        CreditHoldEvent::RefundRefused(e) => format!("not refunded {} {:?}", e.refund_id, e.reason),
    })
}

struct Orders;

impl Decider for Orders {
    const CATEGORY: &'static str = "order";
    type State = ();
    type Command = ();
    type Event = Said;

    fn decide((): &(), (): &()) -> Result<Vec<Said>, Rejection> {
        Ok(vec![])
    }

    fn evolve((): &mut (), _: &Said) {}
}

struct Say {
    order: String,
    event: std::sync::Mutex<Option<Said>>,
}

impl Command for Say {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Orders::CATEGORY, &self.order)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let event = self.event.lock().expect("nobody panicked here").take();
        match event {
            Some(event) => work.append::<Orders>(&self.order, event),
            None => Ok(()),
        }
    }
}

impl Shop {
    /// Orders publishes `said` of `order`.
    pub async fn say(&self, order: &str, said: Said) {
        let say = Say {
            order: order.to_owned(),
            event: std::sync::Mutex::new(Some(said)),
        };
        let orders = self.runtime.app("orders").expect("it runs");
        let said = orders.execute(&Context::default(), say).await;
        said.expect("published");
    }

    /// An order is placed that wants so much of these accounts.
    pub async fn place(&self, order: &str, customer: Option<&str>, credits: &[(&str, i64)]) {
        self.say(order, placed(order, customer, credits)).await;
    }

    /// It is confirmed.
    pub async fn confirm(&self, order: &str) {
        let event = OrderConfirmed {
            order_id: order.parse().expect("an id"),
            number: "1001".into(),
            payment_id: "pay_1".parse().expect("an id"),
            total: pounds(0),
            at: Timestamp(0),
        };
        self.say(order, Said::Order(Box::new(event.into()))).await;
    }

    /// It is given up.
    pub async fn cancel(&self, order: &str) {
        let event = OrderCancelled {
            order_id: order.parse().expect("an id"),
            number: "1001".into(),
            reason: CancelReason::Staff,
            shortages: vec![],
            payment_id: None,
            by: None,
            at: Timestamp(0),
        };
        self.say(order, Said::Order(Box::new(event.into()))).await;
    }

    /// Money of it is to go back as credit: to accounts that paid, or, without any, to the
    /// customer.
    pub async fn refund(
        &self,
        order: &str,
        id: &str,
        customer: Option<&str>,
        amount: i64,
        accounts: &[(&str, i64)],
    ) {
        let to = match accounts {
            [] => CreditRefundTo::StoreCredit,
            accounts => CreditRefundTo::Accounts(uses(accounts)),
        };
        let event = OrderRefundToCreditRequested {
            order_id: order.parse().expect("an id"),
            refund_id: id.into(),
            customer_id: customer.map(|id| id.parse().expect("an id")),
            amount: pounds(amount),
            to,
            at: Timestamp(0),
        };
        self.say(order, Said::Refund(event.into())).await;
    }
}

/// An order as short as it can be.
pub fn placed(order: &str, customer: Option<&str>, credits: &[(&str, i64)]) -> Said {
    let person: PersonId = "per_1".parse().expect("an id");
    let contact = Contact {
        email: "a@example.org".into(),
        shipping_address: Address::default(),
        vat_number: None,
    };
    let placed = OrderPlaced {
        order_id: order.parse().expect("an id"),
        number: "1001".into(),
        cart_id: "crt_1".parse().expect("an id"),
        person: person.clone(),
        customer_id: customer.map(|id| id.parse().expect("an id")),
        contact: Personal::new(person.clone(), contact),
        lines: vec![],
        totals: Totals {
            subtotal: pounds(1000),
            adjustments: pounds(0),
            shipping: pounds(0),
            tax: pounds(0),
            total: pounds(1000),
        },
        payment: PaymentMethod {
            provider: "sandbox".into(),
            token: Personal::new(person, "tok".into()),
        },
        shipping: None,
        channel: contracts::cart::web(),
        redemptions: Vec::new(),
        credits: uses(credits),
        buyer_key: String::new(),
        capture: contracts::pricing::CaptureMode::Manual,
        locale: None,
        access_token_hash: String::new(),
        deadline: Timestamp(0),
        at: Timestamp(0),
    };
    Said::Order(Box::new(placed.into()))
}

fn uses(credits: &[(&str, i64)]) -> Vec<CreditUse> {
    let used = |(account, amount): &(&str, i64)| CreditUse {
        account_id: account.parse().expect("an id"),
        amount: pounds(*amount),
    };
    credits.iter().map(used).collect()
}

fn pounds(amount: i64) -> Money {
    Money::new(amount, Currency::GBP)
}
