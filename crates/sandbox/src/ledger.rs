//! The provider's book: every request that reads or changes payments, one after the other, inside
//! the transaction of its batch. A request is decided completely before anything is written.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

use crate::behaviour::{Behaviour, Delivery, Occasion};
use crate::clock::now_us;
use crate::ids::{Ids, Kind};
use crate::payment::{self, Change, Command, Refusal};
use crate::problem::Problem;
use crate::store::{OperationRow, PaymentRow, Store, WebhookRow};
use crate::tokens::Card;
use crate::wire::{Balance, EventBody, OperationAnswer, PaymentList, PaymentView};

/// The outer error is the storage's and undoes the whole batch; the inner one is the caller's.
pub type Outcome<T> = rusqlite::Result<Result<T, Problem>>;

/// A checked request for a new payment.
pub struct Order {
    pub amount: u64,
    pub currency: String,
    pub reference: String,
    pub capture: bool,
    pub card: Card,
}

/// What makes a repeated request recognisable.
pub struct Idempotency {
    pub key: String,
    /// SHA-256 of what was asked.
    pub fingerprint: [u8; 32],
}

/// An answer that is safe to send: it is stored.
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
    /// The saved answer of an earlier request with the same key.
    pub replayed: bool,
    /// Webhooks to deliver before this answer leaves.
    pub deliver_first: Vec<WebhookRow>,
}

/// When webhooks of the various kinds are due.
#[derive(Clone, Copy)]
pub struct Delays {
    pub late: Duration,
    pub held: Duration,
    /// How long the one who answers has to deliver a webhook before the dispatcher takes over.
    pub first: Duration,
}

/// The book. Owned by the engine's thread.
pub struct Ledger {
    store: Store,
    ids: Arc<Ids>,
    public_url: String,
    /// `None`: nobody wants webhooks.
    delays: Option<Delays>,
    last_payment: u64,
    last_operation: u64,
    webhooks_added: bool,
}

/// The events of one operation are numbered within this range.
const EVENTS_PER_OPERATION: u64 = 4;

impl Ledger {
    pub fn new(
        store: Store,
        ids: Arc<Ids>,
        public_url: String,
        delays: Option<Delays>,
    ) -> rusqlite::Result<Self> {
        let (last_payment, last_operation) = store.last_numbers()?;
        Ok(Self {
            store,
            ids,
            public_url,
            delays,
            last_payment,
            last_operation,
            webhooks_added: false,
        })
    }

    pub fn begin(&mut self) -> rusqlite::Result<()> {
        self.webhooks_added = false;
        self.store.begin()
    }

    /// Commits; answers whether there are new webhooks.
    pub fn commit(&mut self) -> rusqlite::Result<bool> {
        self.store.commit()?;
        Ok(self.webhooks_added)
    }

    /// Forgets the batch, the numbers it took included.
    pub fn rollback(&mut self) -> rusqlite::Result<()> {
        self.store.rollback()?;
        (self.last_payment, self.last_operation) = self.store.last_numbers()?;
        Ok(())
    }

    /// Opens a payment.
    pub fn create(&mut self, order: Order, idempotency: Idempotency) -> Outcome<Answer> {
        if let Some(earlier) = self.earlier(&idempotency)? {
            return Ok(earlier);
        }
        let behaviour = order.card.behaviour;
        if behaviour == Behaviour::ErrorThenOk
            && let Some(problem) = self.fail_once(&idempotency)?
        {
            return Ok(Err(problem));
        }
        let (state, changes) = payment::open(order.amount, order.capture, behaviour.verdict());
        self.last_payment += 1;
        let row = PaymentRow {
            n: self.last_payment,
            reference: order.reference,
            currency: order.currency,
            behaviour,
            brand: order.card.brand.to_owned(),
            last4: order.card.last4.to_owned(),
            created: now_us(),
            state,
        };
        self.store.insert_payment(&row)?;

        let (n, operation_id) = self.next_operation();
        let mut view = self.view(&row);
        let deliver_first =
            self.announce(n, &operation_id, &row, &view, &changes, Occasion::Opening)?;
        view.operation_id = Some(operation_id);
        let answer = to_json(&view);
        let kind = if order.capture {
            "authorise_and_capture"
        } else {
            "authorise"
        };
        let operation = operation(n, row.n, kind, state.amount, Some(idempotency), 201, answer);
        self.store.insert_operation(&operation)?;
        Ok(Ok(Answer {
            status: 201,
            body: operation.answer.into(),
            replayed: false,
            deliver_first,
        }))
    }

    /// Captures, voids or refunds.
    pub fn operate(
        &mut self,
        id: u64,
        command: Command,
        idempotency: Idempotency,
    ) -> Outcome<Answer> {
        match self.earlier(&idempotency)? {
            Some(earlier) => Ok(earlier),
            None => self.change(id, command, Some(idempotency), Occasion::Later),
        }
    }

    /// The cardholder approves or refuses.
    pub fn challenge(&mut self, id: u64, approve: bool) -> Outcome<Answer> {
        let command = if approve {
            Command::Approve
        } else {
            Command::Refuse
        };
        self.change(id, command, None, Occasion::Challenge)
    }

    fn change(
        &mut self,
        id: u64,
        command: Command,
        idempotency: Option<Idempotency>,
        occasion: Occasion,
    ) -> Outcome<Answer> {
        let Some(mut row) = self.store.payment(id)? else {
            return Ok(Err(no_payment()));
        };
        let changes = match payment::decide(&row.state, command) {
            Ok(changes) => changes,
            Err(refusal) => return Ok(Err(refused(refusal))),
        };
        changes.iter().for_each(|change| row.state.apply(*change));
        self.store.update_payment(row.n, &row.state)?;

        let (n, operation_id) = self.next_operation();
        let view = self.view(&row);
        let deliver_first = self.announce(n, &operation_id, &row, &view, &changes, occasion)?;
        let kind = operation_kind(command);
        let amount = changes.last().map_or(0, |change| change.amount(&row.state));
        let answer = to_json(&OperationAnswer {
            operation_id: &operation_id,
            kind,
            amount,
            payment: &view,
        });
        let operation = operation(n, row.n, kind, amount, idempotency, 200, answer);
        self.store.insert_operation(&operation)?;
        Ok(Ok(Answer {
            status: 200,
            body: operation.answer.into(),
            replayed: false,
            deliver_first,
        }))
    }

    /// The answer an idempotency key already got, or the refusal of its reuse.
    fn earlier(
        &self,
        idempotency: &Idempotency,
    ) -> rusqlite::Result<Option<Result<Answer, Problem>>> {
        let Some(saved) = self.store.saved_answer(&idempotency.key)? else {
            return Ok(None);
        };
        if saved.fingerprint != idempotency.fingerprint {
            return Ok(Some(Err(key_reused())));
        }
        let body = saved.answer.into();
        Ok(Some(Ok(Answer {
            status: saved.status,
            body,
            replayed: true,
            deliver_first: Vec::new(),
        })))
    }

    /// The deliberate failure of a key's first attempt; `None` when it failed before.
    fn fail_once(&self, idempotency: &Idempotency) -> rusqlite::Result<Option<Problem>> {
        if let Some(fingerprint) = self.store.failed_attempt(&idempotency.key)? {
            return Ok((fingerprint != idempotency.fingerprint).then(key_reused));
        }
        self.store
            .insert_failed_attempt(&idempotency.key, &idempotency.fingerprint)?;
        let detail = "something went wrong here; try again with the same key";
        Ok(Some(Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            detail,
        )))
    }

    fn next_operation(&mut self) -> (u64, String) {
        self.last_operation += 1;
        (
            self.last_operation,
            self.ids.mint(Kind::Operation, self.last_operation),
        )
    }

    /// Stores the webhooks of an operation; answers those to be delivered before its answer.
    fn announce(
        &mut self,
        operation: u64,
        operation_id: &str,
        row: &PaymentRow,
        view: &PaymentView,
        changes: &[Change],
        occasion: Occasion,
    ) -> rusqlite::Result<Vec<WebhookRow>> {
        let Some(delays) = self.delays else {
            return Ok(Vec::new());
        };
        let now = now_us();
        let mut deliver_first = Vec::new();
        for (index, change) in (0_u64..).zip(changes) {
            let opening_is_over = index > 0 && occasion == Occasion::Opening;
            let delivery = row.behaviour.delivery(if opening_is_over {
                Occasion::Later
            } else {
                occasion
            });
            let n = operation * EVENTS_PER_OPERATION + index;
            let body = EventBody {
                id: self.ids.mint(Kind::Event, n),
                kind: change.event_type(),
                created: now,
                operation_id,
                amount: change.amount(&row.state),
                payment: view,
            };
            let due = now + delays.wait(delivery);
            let webhook = WebhookRow {
                n,
                payment: row.n,
                delivery,
                attempts: 0,
                due,
                body: to_json(&body),
            };
            self.store.insert_webhook(&webhook)?;
            if delivery == Delivery::First {
                deliver_first.push(webhook);
            }
        }
        self.webhooks_added = true;
        Ok(deliver_first)
    }

    fn view(&self, row: &PaymentRow) -> PaymentView {
        PaymentView::of(row, &self.ids, &self.public_url)
    }

    fn full_view(&self, row: &PaymentRow) -> rusqlite::Result<PaymentView> {
        Ok(self
            .view(row)
            .with_operations(self.store.operations(row.n)?, &self.ids))
    }

    /// One payment with its operations.
    pub fn payment(&self, id: u64) -> Outcome<PaymentView> {
        match self.store.payment(id)? {
            Some(row) => Ok(Ok(self.full_view(&row)?)),
            None => Ok(Err(no_payment())),
        }
    }

    /// One payment as stored, for the cardholder's page.
    pub fn payment_row(&self, id: u64) -> rusqlite::Result<Option<PaymentRow>> {
        self.store.payment(id)
    }

    /// Payments after a number, oldest first; all, or those of a merchant's reference.
    pub fn list(
        &self,
        reference: Option<&str>,
        after: u64,
        limit: u32,
    ) -> rusqlite::Result<PaymentList> {
        // One more than asked for tells whether there is more.
        let mut rows = match reference {
            Some(reference) => self
                .store
                .payments_by_reference(reference, after, limit + 1)?,
            None => self.store.payments(after, limit + 1)?,
        };
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next_after = rows
            .last()
            .filter(|_| more)
            .map(|row| self.ids.mint(Kind::Payment, row.n));
        let items = match reference {
            Some(_) => rows
                .iter()
                .map(|row| self.full_view(row))
                .collect::<rusqlite::Result<_>>()?,
            None => rows.iter().map(|row| self.view(row)).collect(),
        };
        Ok(PaymentList { items, next_after })
    }

    /// The sums, added up from the payments themselves.
    pub fn balance(&self) -> rusqlite::Result<Balance> {
        Ok(Balance::of(&self.store.totals()?))
    }

    /// The webhooks waiting to be delivered.
    pub fn webhooks(&self) -> &Store {
        &self.store
    }
}

impl Delays {
    /// Microseconds until a webhook is due.
    fn wait(self, delivery: Delivery) -> i64 {
        let wait = match delivery {
            Delivery::Late => self.late,
            Delivery::Held => self.held,
            Delivery::First => self.first,
            Delivery::Normal | Delivery::Storm | Delivery::Overtaking => Duration::ZERO,
        };
        crate::clock::micros(wait)
    }
}

fn operation(
    n: u64,
    payment: u64,
    kind: &'static str,
    amount: u64,
    idempotency: Option<Idempotency>,
    status: u16,
    answer: String,
) -> OperationRow {
    let (key, fingerprint) = match idempotency {
        Some(idempotency) => (Some(idempotency.key), idempotency.fingerprint),
        None => (None, [0; 32]),
    };
    OperationRow {
        n,
        payment,
        kind,
        amount,
        key,
        fingerprint,
        status,
        answer,
    }
}

fn operation_kind(command: Command) -> &'static str {
    match command {
        Command::Capture(_) => "capture",
        Command::Void => "void",
        Command::Refund(_) => "refund",
        Command::Approve => "approve",
        Command::Refuse => "refuse",
    }
}

fn to_json(value: &impl serde::Serialize) -> String {
    // Plain structures of texts and numbers: this cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

pub fn no_payment() -> Problem {
    Problem::not_found("there is no such payment")
}

fn key_reused() -> Problem {
    let detail = "this key was used before with another request";
    Problem::new(StatusCode::CONFLICT, "idempotency_key_reused", detail).at("Idempotency-Key")
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::ZeroAmount => Problem::invalid("amount", refusal.to_string()),
        Refusal::TooMuch { .. } => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "amount_too_large",
            refusal.to_string(),
        )
        .at("amount"),
        Refusal::WrongState(_) => {
            Problem::new(StatusCode::CONFLICT, "wrong_state", refusal.to_string())
        }
    }
}
