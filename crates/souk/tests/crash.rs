//! The crash test: buyers shop in parallel while the whole shop is killed again and again, at
//! random moments, with SIGKILL. Afterwards every acknowledged order has come to its end, nobody
//! was charged twice or for nothing, and every unit is accounted for.
//!
//! `SOUK_CRASH_ROUNDS` sets the number of kills, `SOUK_CRASH_SEED` repeats a run's choices.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use support::{Api, Buying, Order, PATIENCE, POLL, Shop, eventually, order_status};
use tokio::sync::Notify;

const BUYERS: u64 = 6;
/// (SKU, opening stock): one runs out during the test, so that "sold out" is part of it.
const SKUS: [(&str, i64, i64); 3] = [
    ("MUG", 100_000, 750),
    ("PEN", 100_000, 120),
    ("RARE", 25, 9_900),
];
const TOKENS: [&str; 10] = [
    "tok_visa",
    "tok_visa",
    "tok_visa",
    "tok_mastercard",
    "tok_declined",
    "tok_webhook_storm",
    "tok_webhook_first",
    "tok_error_500_then_ok",
    "tok_timeout_after_charge",
    "tok_webhook_reordered",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_left_over_however_often_the_shop_is_killed() {
    let rounds = number("SOUK_CRASH_ROUNDS").unwrap_or(12);
    let seed = number("SOUK_CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("SOUK_CRASH_SEED={seed} SOUK_CRASH_ROUNDS={rounds}");
    let mut random = Random(seed);
    let mut shop = Shop::start();
    for (sku, stock, price) in SKUS {
        shop.product(sku, price, stock).await;
    }

    let book = Arc::new(Book::default());
    let buyers: Vec<_> = (0..BUYERS)
        .map(|n| {
            let buyer = Buyer {
                shopper: shop.guest(),
                staff: shop.staff(),
                book: book.clone(),
                name: format!("{seed}-{n}"),
            };
            tokio::spawn(buyer.shop(Random(seed.wrapping_add(n * 7_919))))
        })
        .collect();
    let mut checked = 0;
    for round in 1..=rounds {
        // Killed as one of the buyers hears of an order; the others are anywhere in theirs.
        let more = 1 + random.below(20) as usize;
        book.grown(checked + more).await;
        shop.kill();
        if random.below(3) == 0 {
            // Recovery is interrupted too.
            let start = Duration::from_millis(random.below(600));
            shop.open_and_kill(start).await;
        }
        shop.open();
        let acknowledged = book.orders();
        println!(
            "kill {round} after {more} more: {} orders acknowledged so far",
            acknowledged.len()
        );
        for order in acknowledged.iter().skip(checked) {
            let answer = shop
                .with(&order.token)
                .get(&format!("/api/orders/{}", order.id))
                .await;
            assert_eq!(
                answer.status, 200,
                "order {} was acknowledged and is gone: {}",
                order.id, answer.text
            );
        }
        checked = acknowledged.len();
    }
    book.closing.store(true, Ordering::Relaxed);
    for buyer in buyers {
        buyer.await.unwrap();
    }
    let acknowledged = book.orders();
    assert!(
        acknowledged.len() as u64 > rounds,
        "hardly anything was bought: {}",
        acknowledged.len()
    );
    assert!(
        shop.log().lines().all(|line| !line.contains("panicked")),
        "{}",
        shop.log()
    );

    for order in &acknowledged {
        shop.settled(order).await;
    }
    let orders = all_orders_end(&shop).await;
    let ids: HashSet<&str> = orders
        .iter()
        .map(|order| order["id"].as_str().unwrap())
        .collect();
    for order in &acknowledged {
        assert!(
            ids.contains(order.id.as_str()),
            "order {} is not listed",
            order.id
        );
    }
    let carts: HashSet<&str> = orders
        .iter()
        .map(|order| order["cart_id"].as_str().unwrap())
        .collect();
    assert_eq!(carts.len(), orders.len(), "a cart became several orders");
    check_stock(&shop, &orders).await;
    check_money(&shop, &orders).await;
    let letters = shop.staff().get("/api/ops/dead-letters").await.ok();
    assert_eq!(letters, json!([]));

    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for order in &orders {
        let end = format!(
            "{} {}",
            order_status(order),
            order["cancel_reason"].as_str().unwrap_or_default()
        );
        *ends.entry(end).or_default() += 1;
    }
    println!(
        "{} orders, {} acknowledged: {ends:?}",
        orders.len(),
        acknowledged.len()
    );
    assert!(ends.contains_key("confirmed "), "{ends:?}");
    assert!(
        shop.terminate(),
        "the shop did not end well: {}",
        shop.log()
    );
}

/// Every order there is, once each is confirmed or cancelled: also those whose buyer never heard.
async fn all_orders_end(shop: &Shop) -> Vec<Value> {
    let staff = shop.staff();
    eventually("every order comes to its end", async || {
        let orders = staff.all("/api/orders?include=lines").await;
        let open = orders
            .iter()
            .find(|order| !matches!(order_status(order), "confirmed" | "cancelled"));
        match open {
            Some(open) => Err(open.to_string()),
            None => Ok(orders
                .into_iter()
                .map(|order| order["order"].clone())
                .collect()),
        }
    })
    .await
}

/// Sold is what confirmed orders hold; nothing is held for anything else.
async fn check_stock(shop: &Shop, orders: &[Value]) {
    let mut sold: HashMap<String, i64> = HashMap::new();
    for line in orders
        .iter()
        .filter(|order| order_status(order) == "confirmed")
        .flat_map(|order| order["lines"].as_array().unwrap())
    {
        *sold
            .entry(line["sku"].as_str().unwrap().to_owned())
            .or_default() += line["quantity"].as_i64().unwrap();
    }
    for (sku, opening, _) in SKUS {
        let sold = sold.get(sku).copied().unwrap_or(0);
        assert!(sold <= opening, "{sku} was oversold: {sold} of {opening}");
        let row = shop.stock_settles(sku, opening - sold).await;
        assert_eq!(
            (&row["opening"], &row["sold"]),
            (&json!(opening), &json!(sold)),
            "{row}"
        );
    }
}

/// One live payment at the provider per confirmed order, of its amount; none besides.
async fn check_money(shop: &Shop, orders: &[Value]) {
    let confirmed: HashMap<&str, i64> = orders
        .iter()
        .filter(|order| order_status(order) == "confirmed")
        .map(|order| {
            (
                order["payment_id"]
                    .as_str()
                    .expect("a confirmed order has a payment"),
                order["totals"]["total"]["amount"].as_i64().unwrap(),
            )
        })
        .collect();
    let staff = shop.staff();
    // A payment of a cancelled order may still be on its way to being voided.
    let at_provider = eventually(
        "the provider holds nothing but confirmed orders' money",
        async || {
            let payments = shop.provider_payments().await;
            let live: Vec<&Value> = payments.iter().filter(|payment| is_live(payment)).collect();
            match live.len() == confirmed.len() {
                true => Ok(live.into_iter().cloned().collect::<Vec<_>>()),
                false => Err(format!(
                    "{} live payments for {} confirmed orders",
                    live.len(),
                    confirmed.len()
                )),
            }
        },
    )
    .await;
    let mut references = HashSet::new();
    for payment in &at_provider {
        assert!(
            references.insert(payment["reference"].as_str().unwrap()),
            "charged twice: {payment}"
        );
    }
    let live: HashMap<&str, &Value> = at_provider
        .iter()
        .map(|payment| (payment["id"].as_str().unwrap(), payment))
        .collect();
    let mut captured = 0;
    for (id, total) in &confirmed {
        let payment = staff.get(&format!("/api/payments/{id}")).await.ok();
        let reference = payment["provider_reference"].as_str().unwrap_or_default();
        let there = live
            .get(reference)
            .unwrap_or_else(|| panic!("a confirmed order without money: {payment}"));
        assert_eq!(there["amount"], *total, "{there}");
        assert_eq!(
            there["captured"], payment["captured"]["amount"],
            "{there} / {payment}"
        );
        captured += there["captured"].as_i64().unwrap();
    }
    let ledger = staff.get("/api/payments/ledger/summary").await.ok();
    assert_eq!(ledger["balanced"], true, "{ledger}");
    let accounts = ledger["accounts"].as_array().unwrap();
    let received: i64 = accounts
        .iter()
        .filter(|a| a["account"].as_str().unwrap().starts_with("provider:"))
        .map(|a| a["balance"].as_i64().unwrap())
        .sum();
    assert_eq!(received, captured, "{ledger}");
}

/// Whether a payment at the provider holds or has taken money that was not given back.
fn is_live(payment: &Value) -> bool {
    match payment["status"].as_str() {
        Some("captured") => payment["refunded"].as_i64() < payment["captured"].as_i64(),
        status => matches!(status, Some("authorised" | "requires_action")),
    }
}

/// What the shop has acknowledged to anybody.
#[derive(Default)]
struct Book {
    orders: Mutex<Vec<Order>>,
    bell: Notify,
    closing: AtomicBool,
}

impl Book {
    fn orders(&self) -> Vec<Order> {
        self.orders.lock().unwrap().clone()
    }

    fn enter(&self, order: Order) {
        self.orders.lock().unwrap().push(order);
        self.bell.notify_one();
    }

    /// Waits until so many orders are in it.
    async fn grown(&self, count: usize) {
        let grown = async {
            while self.orders.lock().unwrap().len() < count {
                self.bell.notified().await;
            }
        };
        let grown = tokio::time::timeout(PATIENCE, grown).await;
        grown.expect("buyers go on buying");
    }
}

struct Buyer {
    shopper: Api,
    staff: Api,
    book: Arc<Book>,
    name: String,
}

impl Buyer {
    async fn shop(self, mut random: Random) {
        for n in 0.. {
            if self.book.closing.load(Ordering::Relaxed) {
                return;
            }
            let (sku, ..) = SKUS[random.below(SKUS.len() as u64) as usize];
            let token = TOKENS[random.below(TOKENS.len() as u64) as usize];
            let buying = Buying::one(sku, 1 + random.below(3) as i64, token);
            let name = format!("{}-{n}", self.name);
            let order = self.place(&buying, &name).await;
            self.book.enter(order.clone());
            match random.below(4) {
                0 => self.capture(&order, &name).await,
                1 => self.cancel(&order, &name).await,
                _ => {}
            }
        }
    }

    /// Buys; whatever goes unanswered is sent again with the same key, and must not happen twice.
    async fn place(&self, buying: &Buying, name: &str) -> Order {
        let cart = self
            .insist(
                "/api/carts",
                &json!({"currency": "GBP"}),
                &format!("{name}-cart"),
            )
            .await;
        let cart = cart["id"].as_str().unwrap().to_owned();
        self.insist(
            &format!("/api/carts/{cart}/lines"),
            &buying.lines(),
            &format!("{name}-lines"),
        )
        .await;
        let answer = self
            .insist(
                &format!("/api/carts/{cart}/checkout"),
                &buying.checkout(),
                &format!("{name}-checkout"),
            )
            .await;
        Order::of(&answer)
    }

    async fn insist(&self, path: &str, body: &Value, key: &str) -> Value {
        let started = Instant::now();
        loop {
            match self
                .shopper
                .try_post(path, body, &[("idempotency-key", key)])
                .await
            {
                Ok(answer) if answer.status < 500 => return answer.ok(),
                other if started.elapsed() > PATIENCE => {
                    panic!("{path} is never answered: {other:?}")
                }
                _ => tokio::time::sleep(POLL).await,
            }
        }
    }

    /// Takes the money if the order is confirmed in time; once, however often it is asked for.
    async fn capture(&self, order: &Order, name: &str) {
        let buyer = self.shopper.with(&order.token);
        let path = format!("/api/orders/{}", order.id);
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(2) {
            if let Ok(answer) = buyer.try_get(&path).await
                && order_status(&answer.body) == "confirmed"
                && let Some(payment) = answer.body["payment_id"].as_str()
            {
                let path = format!("/api/payments/{payment}/capture");
                let _ = self
                    .staff
                    .try_post(
                        &path,
                        &json!({}),
                        &[("idempotency-key", &format!("{name}-capture"))],
                    )
                    .await;
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The buyer changes their mind; too late is fine, and so is no answer.
    async fn cancel(&self, order: &Order, name: &str) {
        let path = format!("/api/orders/{}/cancel", order.id);
        let key = format!("{name}-cancel");
        let _ = self
            .shopper
            .with(&order.token)
            .try_post(&path, &json!({}), &[("idempotency-key", &key)])
            .await;
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// SplitMix64: the same choices for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
