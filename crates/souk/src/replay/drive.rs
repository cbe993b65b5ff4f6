//! Drives the plan through the public API: as shoppers for the sales, as staff for captures,
//! refunds and returned stock. Many at once, started in time order.

use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::ProgressBar;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

use super::{
    countries,
    journal::{Done, Journal, Placed},
    plan::{Plan, Step},
};
use crate::client::{Client, ClientError};

/// How long a shop that does not answer is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// Everything a step needs.
pub struct Driver {
    /// As staff.
    pub staff: Client,
    /// As anyone.
    pub shopper: Client,
    /// What to do.
    pub plan: Arc<Plan>,
    /// Where it is noted.
    pub journal: Journal,
    /// Makes idempotency keys of this run unlike those of another.
    pub run: String,
    results: Vec<watch::Sender<Option<Placed>>>,
    refunded: HashMap<String, ()>,
    progress: ProgressBar,
    finished: AtomicUsize,
    marks: Vec<watch::Sender<Option<Instant>>>,
}

/// What driving came to.
pub struct Driven {
    /// Every sale.
    pub sales: Vec<Placed>,
    /// Refunds that the shop refused: which, and why.
    pub refused: Vec<String>,
    /// Steps per second of each tenth of the steps done in this run.
    pub tenths: Vec<f64>,
}

impl Driver {
    /// Takes up where `done` ended.
    pub fn new(
        staff: Client,
        plan: Arc<Plan>,
        journal: Journal,
        run: String,
        done: Done,
        progress: ProgressBar,
    ) -> Self {
        let results = plan
            .sales
            .iter()
            .map(|sale| watch::Sender::new(done.sales.get(&sale.invoice).cloned()))
            .collect();
        let refunded = done.refunds.into_iter().map(|key| (key, ())).collect();
        let marks = (0..=10).map(|_| watch::Sender::new(None)).collect();
        let shopper = staff.anonymous();
        Self {
            staff,
            shopper,
            plan,
            journal,
            run,
            results,
            refunded,
            progress,
            finished: AtomicUsize::new(0),
            marks,
        }
    }

    /// Does every step that is not done yet.
    pub async fn drive(self: Arc<Self>, parallel: usize) -> Driven {
        let places = Arc::new(Semaphore::new(parallel.max(1)));
        let todo: Vec<Step> = self
            .plan
            .steps
            .iter()
            .copied()
            .filter(|step| !self.is_done(*step))
            .collect();
        self.progress.set_length(self.plan.steps.len() as u64);
        self.progress
            .set_position((self.plan.steps.len() - todo.len()) as u64);
        let count = todo.len();
        self.marks[0].send_replace(Some(Instant::now()));
        let mut tasks = tokio::task::JoinSet::new();
        let mut refused = Vec::new();
        for step in todo {
            let Ok(place) = places.clone().acquire_owned().await else {
                break;
            };
            let driver = self.clone();
            tasks.spawn(async move {
                let refused = driver.step(step).await;
                driver.tick(count);
                drop(place);
                refused
            });
            while let Some(done) = tasks.try_join_next() {
                refused.extend(done.ok().flatten());
            }
        }
        while let Some(done) = tasks.join_next().await {
            refused.extend(done.ok().flatten());
        }
        let sales = self
            .results
            .iter()
            .filter_map(|result| result.borrow().clone())
            .collect();
        Driven {
            sales,
            refused,
            tenths: self.tenths(count),
        }
    }

    fn is_done(&self, step: Step) -> bool {
        match step {
            Step::Sale(n) => self.results[n].borrow().is_some(),
            Step::Refund(n) => self.refunded.contains_key(&self.refund_key(n)),
        }
    }

    fn tick(&self, count: usize) {
        self.progress.inc(1);
        let done = self.finished.fetch_add(1, Ordering::Relaxed) + 1;
        for tenth in 1..=10 {
            if done == count * tenth / 10 {
                self.marks[tenth].send_replace(Some(Instant::now()));
            }
        }
    }

    fn tenths(&self, count: usize) -> Vec<f64> {
        let marks: Vec<Option<Instant>> = self.marks.iter().map(|mark| *mark.borrow()).collect();
        let pairs = marks
            .windows(2)
            .filter_map(|pair| Some(pair[1]?.duration_since(pair[0]?)));
        pairs
            .map(|took| count as f64 / 10.0 / took.as_secs_f64().max(1e-9))
            .collect()
    }

    async fn step(&self, step: Step) -> Option<String> {
        match step {
            Step::Sale(n) => {
                let placed = self.sale(n).await.unwrap_or_else(|error| Placed {
                    invoice: self.plan.sales[n].invoice.clone(),
                    order: None,
                    payment: None,
                    status: format!("refused: {error}"),
                    captured: 0,
                });
                // A shop that never came back is no end of the sale: it is not noted, and tried
                // again by the next run.
                if placed.order.is_some() || !placed.status.contains("no answer") {
                    self.journal.sale(&placed);
                }
                self.results[n].send_replace(Some(placed));
                None
            }
            Step::Refund(n) => match self.refund(n).await {
                Ok(()) => {
                    self.journal.refund(&self.refund_key(n));
                    None
                }
                Err(error) => Some(format!("{}: {error}", self.plan.refunds[n].cancellation)),
            },
        }
    }

    fn key(&self, what: &str, name: &str) -> String {
        format!("{}:{what}:{name}", self.run)
    }

    async fn sale(&self, n: usize) -> Result<Placed, ClientError> {
        let sale = &self.plan.sales[n];
        let key = |what| self.key(what, &sale.invoice);
        let (cart_key, lines_key, checkout_key, capture_key) =
            (key("cart"), key("lines"), key("checkout"), key("capture"));
        let cart = post(
            &self.shopper,
            "/api/carts",
            &json!({"currency": "GBP"}),
            &cart_key,
        )
        .await?;
        let cart = text(&cart, &["id"])?;
        let lines: Vec<Value> = sale
            .lines
            .iter()
            .map(|(sku, quantity)| json!({"sku": self.plan.skus[*sku].sku, "quantity": quantity}))
            .collect();
        let (path, body) = (format!("/api/carts/{cart}/lines"), json!({"lines": lines}));
        post(&self.shopper, &path, &body, &lines_key).await?;

        let (path, body) = (format!("/api/carts/{cart}/checkout"), self.checkout(n));
        let headers = [
            ("idempotency-key", checkout_key.as_str()),
            ("prefer", "wait=20"),
        ];
        let answer: Value = insist(|| self.shopper.post(&path, &body, &headers)).await?;
        let order = text(&answer, &["order", "id"])?;
        let token = text(&answer, &["access_token"])?;
        let order = self.settled(order, &answer["order"], &token).await?;
        let status = text(&order, &["status"])?;
        let mut placed = Placed {
            invoice: sale.invoice.clone(),
            order: Some(text(&order, &["id"])?),
            payment: text(&order, &["payment_id"]).ok(),
            captured: 0,
            status,
        };
        if let (Some(payment), "confirmed") = (&placed.payment, placed.status.as_str()) {
            let path = format!("/api/payments/{payment}/capture");
            let view = post(&self.staff, &path, &json!({}), &capture_key).await?;
            placed.captured = self.until(payment, view, "captured", sale.total).await?;
        }
        Ok(placed)
    }

    fn checkout(&self, n: usize) -> Value {
        let sale = &self.plan.sales[n];
        let name = match sale.customer {
            Some(customer) => format!("customer-{customer}"),
            None => format!("guest-{}", sale.invoice),
        };
        json!({
            "email": format!("{name}@example.com"),
            "shipping_address": {
                "name": name, "line1": "1 High Street", "city": "Town",
                "postcode": "AB1 2CD", "country": countries::code(&sale.country),
            },
            "payment": {"provider": "sandbox", "token": "tok_visa"},
        })
    }

    /// The order once it is confirmed or cancelled.
    async fn settled(&self, id: String, answer: &Value, token: &str) -> Result<Value, ClientError> {
        let path = format!("/api/orders/{id}");
        let owner = self.shopper.with_key(token);
        let mut order = answer.clone();
        let started = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let status = text(&order, &["status"])?;
            let complete =
                order.get("payment_id").is_some_and(Value::is_string) || status == "cancelled";
            if matches!(status.as_str(), "confirmed" | "cancelled") && complete {
                return Ok(order);
            }
            if started.elapsed() > PATIENCE {
                return Err(ClientError::Unexpected(format!(
                    "the order is still {status}"
                )));
            }
            order = insist(|| owner.get(&path)).await?;
            if text(&order, &["status"])? == status {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(2));
            }
        }
    }

    /// Asks for the payment until `field` has reached `amount`.
    async fn until(
        &self,
        payment: &str,
        mut view: Value,
        field: &str,
        amount: i64,
    ) -> Result<i64, ClientError> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let reached = view[field]["amount"].as_i64().unwrap_or(0);
            if reached >= amount {
                return Ok(reached);
            }
            if started.elapsed() > PATIENCE {
                return Err(ClientError::Unexpected(format!(
                    "only {reached} of {amount} {field}"
                )));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
            let path = format!("/api/payments/{payment}");
            view = insist(|| self.staff.get(&path)).await?;
        }
    }

    fn refund_key(&self, n: usize) -> String {
        let refund = &self.plan.refunds[n];
        format!(
            "{}/{}",
            refund.cancellation, self.plan.sales[refund.sale].invoice
        )
    }

    async fn refund(&self, n: usize) -> Result<(), ClientError> {
        let refund = &self.plan.refunds[n];
        let mut result = self.results[refund.sale].subscribe();
        let placed = match result.wait_for(Option::is_some).await {
            Ok(placed) => placed.clone(),
            Err(_) => None,
        };
        let payment =
            placed.and_then(|placed| (placed.captured > 0).then_some(placed.payment).flatten());
        let payment =
            payment.ok_or_else(|| ClientError::Unexpected("its sale was not captured".into()))?;
        let name = self.refund_key(n);
        let (money_key, stock_key) = (self.key("refund", &name), self.key("return", &name));
        let path = format!("/api/payments/{payment}/refund");
        let body = json!({"amount": {"amount": refund.amount, "currency": "GBP"}, "reason": refund.cancellation});
        let answer = post(&self.staff, &path, &body, &money_key).await?;
        self.finished_refund(&payment, answer).await?;
        let lines: Vec<Value> = refund
            .lines
            .iter()
            .map(|(sku, units)| {
                json!({"sku": self.plan.skus[*sku].sku, "delta": units, "reason": "returned", "reference": refund.cancellation})
            })
            .collect();
        let body = json!({"adjustments": lines});
        post(&self.staff, "/api/inventory/adjustments", &body, &stock_key).await?;
        Ok(())
    }

    /// Waits until no refund of the payment is under way: what was asked for is then given back.
    async fn finished_refund(&self, payment: &str, mut view: Value) -> Result<(), ClientError> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(50);
        let path = format!("/api/payments/{payment}");
        loop {
            let operations = view["operations"].as_array().cloned().unwrap_or_default();
            let open = |o: &Value| matches!(o["status"].as_str(), Some("requested" | "unknown"));
            let failed = operations
                .iter()
                .find(|o| o["kind"] == "refund" && o["status"] == "failed");
            if let Some(failed) = failed {
                return Err(ClientError::Unexpected(format!(
                    "the refund failed: {failed}"
                )));
            }
            if !operations.iter().any(open) {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                return Err(ClientError::Unexpected(
                    "the refund is still under way".into(),
                ));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
            view = insist(|| self.staff.get(&path)).await?;
        }
    }
}

/// A POST that may be sent again, until there is an answer.
async fn post(client: &Client, path: &str, body: &Value, key: &str) -> Result<Value, ClientError> {
    let headers = [("idempotency-key", key)];
    insist(|| client.post(path, body, &headers)).await
}

/// Sends a request again, with growing pauses, while the reason it failed may pass.
pub async fn insist<T, F>(send: impl Fn() -> F) -> Result<T, ClientError>
where
    F: Future<Output = Result<T, ClientError>>,
{
    let started = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        match send().await {
            Err(error) if error.passing() && started.elapsed() < PATIENCE => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            result => return result,
        }
    }
}

fn text(value: &Value, path: &[&str]) -> Result<String, ClientError> {
    let found = path.iter().try_fold(value, |value, name| value.get(name));
    let found = found.and_then(Value::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| ClientError::Unexpected(format!("no {} in {value}", path.join("."))))
}
