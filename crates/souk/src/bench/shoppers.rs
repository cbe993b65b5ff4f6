//! Shoppers who notice what goes wrong while the shop is disturbed.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Method, StatusCode};
use kernel::Ids as _;
use runtime::RandomIds;

use super::{
    connection::Connection,
    load::{CHECKOUT, Identified},
};
use crate::failure::{Failure, Result};

/// What shoppers noticed of a disturbance.
#[derive(Default)]
pub struct Watch {
    requests: usize,
    errors: BTreeMap<String, usize>,
    slowest: Duration,
}

impl std::fmt::Display for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let errors: usize = self.errors.values().sum();
        let share = 100.0 * errors as f64 / self.requests.max(1) as f64;
        write!(
            f,
            "{errors} errors of {} requests ({share:.3} %), slowest {:.1} s",
            self.requests,
            self.slowest.as_secs_f64()
        )?;
        self.errors
            .iter()
            .try_for_each(|(what, count)| write!(f, "; {what}: {count}"))
    }
}

impl Watch {
    fn note(&mut self, what: &str, since: Instant, status: Option<StatusCode>) {
        self.requests += 1;
        self.slowest = self.slowest.max(since.elapsed());
        let wrong = match status {
            Some(status) if status.is_server_error() => Some(format!("{what} {status}")),
            Some(_) => None,
            None => Some(format!("{what} broken off")),
        };
        if let Some(wrong) = wrong {
            *self.errors.entry(wrong).or_default() += 1;
        }
    }
}

/// Shoppers who look at products and buy, a little at a time, until told to stop.
pub async fn shoppers(
    address: &str,
    sku: &'static str,
    count: usize,
    stop: Arc<AtomicBool>,
) -> Result<Watch> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (address, stop) = (address.to_owned(), stop.clone());
        tasks.spawn(async move { shopper(&address, sku, &stop).await });
    }
    let mut all = Watch::default();
    while let Some(one) = tasks.join_next().await {
        let one = one.map_err(|e| Failure::new(e.to_string()))??;
        all.requests += one.requests;
        all.slowest = all.slowest.max(one.slowest);
        for (what, count) in one.errors {
            *all.errors.entry(what).or_default() += count;
        }
    }
    Ok(all)
}

async fn shopper(address: &str, sku: &'static str, stop: &AtomicBool) -> Result<Watch> {
    let mut watch = Watch::default();
    let mut connection = Connection::open(address).await?;
    let product = format!("/api/catalog/products/{}", sku.to_lowercase());
    let mut pause = tokio::time::interval(Duration::from_millis(50));
    while !stop.load(Ordering::Relaxed) {
        pause.tick().await;
        watch
            .step(&mut connection, Method::GET, &product, String::new())
            .await?;
        let new = r#"{"currency":"GBP"}"#.to_owned();
        let answer = watch
            .step(&mut connection, Method::POST, "/api/carts", new)
            .await?;
        let cart = answer.and_then(|body| serde_json::from_slice::<Identified>(&body).ok());
        let Some(cart) = cart else { continue };
        let line = format!(r#"{{"sku":"{sku}","quantity":1}}"#);
        let path = format!("/api/carts/{}/lines", cart.id);
        watch
            .step(&mut connection, Method::POST, &path, line)
            .await?;
        let path = format!("/api/carts/{}/checkout", cart.id);
        let checkout = CHECKOUT.to_owned();
        watch
            .step(&mut connection, Method::POST, &path, checkout)
            .await?;
    }
    Ok(watch)
}

impl Watch {
    /// One request, with a key of its own, as the API asks of its callers; its body, if it was
    /// good.
    async fn step(
        &mut self,
        connection: &mut Connection,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<Option<Bytes>> {
        let key = RandomIds.next();
        let headers = [("idempotency-key", key.as_str())];
        let what = format!(
            "{method} {}",
            path.split('/').take(3).collect::<Vec<_>>().join("/")
        );
        let since = Instant::now();
        match connection
            .request(method, path, &headers, body.into())
            .await
        {
            Ok((status, body)) => {
                self.note(&what, since, Some(status));
                Ok(status.is_success().then_some(body))
            }
            Err(_) => {
                self.note(&what, since, None);
                Ok(None)
            }
        }
    }
}
