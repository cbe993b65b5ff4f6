//! What the shop has acknowledged to anybody: what must be true afterwards, whatever happened.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::Value;

/// Something that must not be.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The rule that was broken.
    pub rule: &'static str,
    /// How.
    pub detail: String,
}

impl Violation {
    /// A broken rule.
    pub fn new(rule: &'static str, detail: impl Into<String>) -> Self {
        Self {
            rule,
            detail: detail.into(),
        }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.rule, self.detail)
    }
}

/// An acknowledged order.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its id.
    pub id: String,
    /// The buyer's access token.
    pub token: String,
    /// The cart it was made from.
    pub cart: String,
    /// What it costs, in minor units.
    pub total: i64,
    /// With what it was paid.
    pub card: &'static str,
    /// The buyer was told that it is cancelled.
    pub cancelled: bool,
}

/// A product of one run.
#[derive(Clone, Debug)]
pub struct Product {
    /// Its SKU.
    pub sku: String,
    /// Opening stock.
    pub stock: i64,
    /// Price, in pence.
    pub price: i64,
}

/// Everything acknowledged in one run.
#[derive(Default)]
pub struct Book {
    orders: Mutex<BTreeMap<String, Order>>,
    received: Mutex<BTreeMap<String, i64>>,
    closing: AtomicBool,
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Book {
    /// Nobody begins anything new from now on.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Whether it is closed.
    pub fn closed(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// A checkout was answered.
    pub fn placed(&self, order: Order) {
        open(&self.orders).insert(order.id.clone(), order);
    }

    /// A cancellation was answered.
    pub fn cancelled(&self, id: &str) {
        if let Some(order) = open(&self.orders).get_mut(id) {
            order.cancelled = true;
        }
    }

    /// Goods received were acknowledged.
    pub fn received(&self, sku: &str, units: i64) {
        *open(&self.received).entry(sku.to_owned()).or_default() += units;
    }

    /// The acknowledged orders.
    pub fn orders(&self) -> Vec<Order> {
        open(&self.orders).values().cloned().collect()
    }

    /// Units received of a SKU.
    pub fn units_received(&self, sku: &str) -> i64 {
        open(&self.received).get(sku).copied().unwrap_or(0)
    }
}

/// A JSON text, or nothing.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
