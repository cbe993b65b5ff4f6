//! The kinds of load.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Method;
use serde::Deserialize;

use super::connection::Connection;
use crate::failure::{Failure, Result};

/// What a load came to.
#[derive(Default)]
pub struct Figures {
    /// Good answers.
    pub done: usize,
    /// Others.
    pub failed: usize,
    /// What the others were.
    pub others: BTreeMap<String, usize>,
    took: Duration,
    micros: Vec<u32>,
}

impl Figures {
    fn merge(&mut self, other: Self) {
        self.done += other.done;
        self.failed += other.failed;
        for (what, count) in other.others {
            *self.others.entry(what).or_default() += count;
        }
        self.micros.extend(other.micros);
    }

    fn note(&mut self, good: bool, since: Instant) {
        match good {
            true => self.done += 1,
            false => self.failed += 1,
        }
        self.micros
            .push(u32::try_from(since.elapsed().as_micros()).unwrap_or(u32::MAX));
    }

    /// The same of a purchase; what it came to if that was not good.
    fn bought(&mut self, good: bool, outcome: Outcome, since: Instant) {
        self.note(good, since);
        if !good {
            let (Outcome::Order(what) | Outcome::Refused(what)) = outcome;
            *self.others.entry(what).or_default() += 1;
        }
    }

    /// Good answers per second.
    pub fn per_second(&self) -> f64 {
        self.done as f64 / self.took.as_secs_f64().max(1e-9)
    }

    /// Percentiles.
    pub fn latency(&self) -> String {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let at = |q: f64| {
            let index = ((sorted.len() as f64 * q) as usize).min(sorted.len().saturating_sub(1));
            f64::from(sorted.get(index).copied().unwrap_or(0)) / 1_000.0
        };
        format!("p50 {:.1} ms, p99 {:.1} ms", at(0.50), at(0.99))
    }
}

/// Runs `clients` loops at once and adds up what they did.
async fn many<F>(clients: usize, each: impl Fn(usize) -> F) -> Result<Figures>
where
    F: Future<Output = Result<Figures>> + Send + 'static,
{
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..clients {
        tasks.spawn(each(n));
    }
    let mut figures = Figures::default();
    while let Some(done) = tasks.join_next().await {
        figures.merge(done.map_err(|e| Failure::new(e.to_string()))??);
    }
    figures.took = started.elapsed();
    Ok(figures)
}

/// GET of one page, as fast as it goes.
pub async fn products(
    address: &str,
    path: &'static str,
    clients: usize,
    during: Duration,
) -> Result<Figures> {
    let address = address.to_owned();
    many(clients, move |_| {
        let address = address.clone();
        async move {
            let mut connection = Connection::open(&address).await?;
            let (mut figures, until) = (Figures::default(), Instant::now() + during);
            while Instant::now() < until {
                let since = Instant::now();
                let (status, _) = connection
                    .request(Method::GET, path, &[], Bytes::new())
                    .await?;
                figures.note(status.is_success(), since);
            }
            Ok(figures)
        }
    })
    .await
}

/// Something with an id.
#[derive(Deserialize)]
pub struct Identified {
    /// The id.
    pub id: String,
}

#[derive(Deserialize)]
struct CheckedOut {
    order: OrderStatus,
}

#[derive(Deserialize)]
struct OrderStatus {
    status: String,
}

/// A guest with a card that is always good.
pub const CHECKOUT: &str = r#"{"email":"bench@example.com","shipping_address":{"name":"Bench","line1":"1 High Street","city":"Town","postcode":"AB1 2CD","country":"GB"},"payment":{"provider":"sandbox","token":"tok_visa"}}"#;

/// What became of a purchase.
enum Outcome {
    /// There is an order, of this status.
    Order(String),
    /// There is none: at which step, and the answer.
    Refused(String),
}

impl Outcome {
    fn is(&self, status: &str) -> bool {
        matches!(self, Self::Order(is) if is == status)
    }
}

/// Cart, line, checkout.
async fn purchase(
    connection: &mut Connection,
    sku: &str,
    wait: bool,
) -> Result<(Outcome, Instant)> {
    let refused = |step: &str, status| Outcome::Refused(format!("{step} {status}"));
    let (status, body) = connection
        .request(
            Method::POST,
            "/api/carts",
            &[],
            Bytes::from_static(br#"{"currency":"GBP"}"#),
        )
        .await?;
    if !status.is_success() {
        return Ok((refused("cart", status), Instant::now()));
    }
    let cart: Identified = serde_json::from_slice(&body)?;
    let line = Bytes::from(format!(r#"{{"sku":"{sku}","quantity":1}}"#));
    let (status, _) = connection
        .request(
            Method::POST,
            &format!("/api/carts/{}/lines", cart.id),
            &[],
            line,
        )
        .await?;
    if !status.is_success() {
        return Ok((refused("line", status), Instant::now()));
    }
    let body = Bytes::from_static(CHECKOUT.as_bytes());
    let headers: &[(&str, &str)] = if wait { &[("prefer", "wait=20")] } else { &[] };
    let since = Instant::now();
    let key = cart.id.clone();
    let mut all = vec![("idempotency-key", key.as_str())];
    all.extend_from_slice(headers);
    let (status, body) = connection
        .request(
            Method::POST,
            &format!("/api/carts/{}/checkout", cart.id),
            &all,
            body,
        )
        .await?;
    if !status.is_success() {
        return Ok((refused("checkout", status), since));
    }
    let answer: CheckedOut = serde_json::from_slice(&body)?;
    Ok((Outcome::Order(answer.order.status), since))
}

/// Whole purchases, each waited for until it is confirmed.
pub async fn checkouts(
    address: &str,
    sku: &'static str,
    clients: usize,
    during: Duration,
) -> Result<Figures> {
    let address = address.to_owned();
    many(clients, move |_| {
        let address = address.clone();
        async move {
            let mut connection = Connection::open(&address).await?;
            let (mut figures, until) = (Figures::default(), Instant::now() + during);
            while Instant::now() < until {
                let since = Instant::now();
                let (outcome, _) = purchase(&mut connection, sku, true).await?;
                figures.bought(outcome.is("confirmed"), outcome, since);
            }
            Ok(figures)
        }
    })
    .await
}

/// So many purchases at once, each waited for until it is confirmed.
pub async fn checkouts_each(address: &str, sku: &'static str, count: usize) -> Result<Figures> {
    let address = address.to_owned();
    many(count, move |_| {
        let address = address.clone();
        async move {
            let mut figures = Figures::default();
            let since = Instant::now();
            let mut connection = Connection::open(&address).await?;
            let (outcome, _) = purchase(&mut connection, sku, true).await?;
            figures.bought(outcome.is("confirmed"), outcome, since);
            Ok(figures)
        }
    })
    .await
}

/// Purchases at a fixed rate; what counts is the time to the durable `placed`.
pub async fn paced(
    address: &str,
    sku: &'static str,
    per_second: usize,
    during: Duration,
) -> Result<Figures> {
    let (address, clients) = (address.to_owned(), 20);
    let pause = Duration::from_secs_f64(clients as f64 / per_second as f64);
    many(clients, move |n| {
        let address = address.clone();
        async move {
            let mut connection = Connection::open(&address).await?;
            let (mut figures, until) = (Figures::default(), Instant::now() + during);
            let mut ticks = tokio::time::interval(pause);
            // Spread the clients over the interval.
            tokio::time::sleep(pause * n as u32 / clients as u32).await;
            ticks.reset();
            while Instant::now() < until {
                ticks.tick().await;
                let (outcome, since) = purchase(&mut connection, sku, false).await?;
                figures.bought(matches!(outcome, Outcome::Order(_)), outcome, since);
            }
            Ok(figures)
        }
    })
    .await
}

/// `buyers` want one unit each of an item that is scarce.
pub async fn hot_item(
    address: &str,
    sku: &'static str,
    buyers: usize,
    clients: usize,
) -> Result<(Figures, usize, usize)> {
    let address = address.to_owned();
    let (left, confirmed, sold_out) = (
        Arc::new(AtomicUsize::new(buyers)),
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicUsize::new(0)),
    );
    let (yes, no) = (confirmed.clone(), sold_out.clone());
    let figures = many(clients, move |_| {
        let (address, left, yes, no) = (address.clone(), left.clone(), yes.clone(), no.clone());
        async move {
            let mut connection = Connection::open(&address).await?;
            let mut figures = Figures::default();
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                .is_ok()
            {
                let since = Instant::now();
                let (outcome, _) = purchase(&mut connection, sku, true).await?;
                let (bought, sold_out) = (outcome.is("confirmed"), outcome.is("cancelled"));
                yes.fetch_add(bought.into(), Ordering::Relaxed);
                no.fetch_add(sold_out.into(), Ordering::Relaxed);
                figures.bought(bought || sold_out, outcome, since);
            }
            Ok(figures)
        }
    })
    .await?;
    Ok((
        figures,
        confirmed.load(Ordering::Relaxed),
        sold_out.load(Ordering::Relaxed),
    ))
}
