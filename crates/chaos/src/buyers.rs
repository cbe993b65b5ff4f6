//! The load: buyers who shop, pay with cards of every kind, repeat what was not answered, and
//! change their minds; and staff who take goods in and take the money.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    api::{Answer, Api},
    book::{Book, Order, Product, Violation, text},
    random::Random,
};

/// Cards, the good ones more than once.
const CARDS: [&str; 16] = [
    "tok_visa",
    "tok_visa",
    "tok_visa",
    "tok_visa",
    "tok_mastercard",
    "tok_amex",
    "tok_declined",
    "tok_insufficient_funds",
    "tok_3ds",
    "tok_timeout_after_charge",
    "tok_timeout_before_charge",
    "tok_webhook_storm",
    "tok_webhook_first",
    "tok_webhook_late",
    "tok_webhook_reordered",
    "tok_error_500_then_ok",
];
/// A request without an answer is sent again after so long.
const AGAIN: Duration = Duration::from_millis(120);
/// Nothing may stay without an answer for longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// A buyer looks so long whether the order asks for something.
const LOOKING: Duration = Duration::from_secs(3);

/// A repeat must be answered like the first time.
const ANSWERED_ALIKE: &str = "a repeat gets the first answer";
/// A request that is in order is never refused.
const NOT_REFUSED: &str = "what is asked in order is not refused";
/// Everything is answered in the end.
const ANSWERED: &str = "everything is answered in the end";

/// Somebody who sends requests to the shop until they are answered.
#[derive(Clone)]
pub struct Caller {
    gateways: Vec<Api>,
    /// What is acknowledged.
    pub book: Arc<Book>,
}

impl Caller {
    /// Sends to these gateways in turn.
    pub fn new(gateways: Vec<Api>, book: Arc<Book>) -> Self {
        Self { gateways, book }
    }

    /// The same as somebody else.
    pub fn with(&self, key: &str) -> Self {
        Self {
            gateways: self.gateways.iter().map(|api| api.with(key)).collect(),
            book: self.book.clone(),
        }
    }

    fn any(&self, random: &mut Random) -> &Api {
        random.pick(&self.gateways)
    }

    /// Sends it again, with the same key, until there is an answer.
    pub async fn insist(
        &self,
        random: &mut Random,
        path: &str,
        body: &Value,
        key: &str,
    ) -> Result<Answer, Violation> {
        let since = Instant::now();
        loop {
            let api = self.any(random);
            let sent = api.send(reqwest::Method::POST, path, Some(body), Some(key));
            match sent.await {
                Ok(answer) if !answer.passing() => return Ok(answer),
                other if since.elapsed() > PATIENCE => {
                    let detail = format!("POST {path} with key {key}: {other:?}");
                    return Err(Violation::new(ANSWERED, detail));
                }
                _ => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    /// The same for what cannot be refused.
    pub async fn demand(
        &self,
        random: &mut Random,
        path: &str,
        body: &Value,
        key: &str,
    ) -> Result<Value, Violation> {
        let answer = self.insist(random, path, body, key).await?;
        match answer.good() {
            true => Ok(answer.body),
            false => {
                let detail = format!(
                    "POST {path} with key {key}: {} {}",
                    answer.status, answer.body
                );
                Err(Violation::new(NOT_REFUSED, detail))
            }
        }
    }
}

/// Makes the products of a run, side by side; returns when carts know their prices.
pub async fn stock_up(
    staff: &Caller,
    random: &mut Random,
    goods: &[Product],
) -> Result<(), Violation> {
    let made = goods.iter().map(|product| {
        let random = Random::new(random.draw());
        stock_one(staff, random, product)
    });
    let made: Vec<_> = made.collect();
    futures_util::future::try_join_all(made).await.map(drop)
}

async fn stock_one(staff: &Caller, mut random: Random, product: &Product) -> Result<(), Violation> {
    let (sku, random) = (&product.sku, &mut random);
    let body = json!({
        "title": format!("Product {sku}"), "handle": sku.to_lowercase(), "status": "published",
        "variants": [{"sku": sku, "prices": [{"amount": product.price, "currency": "GBP"}]}],
    });
    staff
        .demand(
            random,
            "/api/catalog/products",
            &body,
            &format!("{sku}-product"),
        )
        .await?;
    receive(
        staff,
        random,
        sku,
        product.stock,
        "opening",
        &format!("{sku}-opening"),
    )
    .await?;
    let guest = Caller::new(
        staff.gateways.iter().map(Api::anonymous).collect(),
        staff.book.clone(),
    );
    let cart = new_cart(&guest, random, &format!("{sku}-probe")).await?;
    let path = format!("/api/carts/{cart}/lines");
    let since = Instant::now();
    for n in 0.. {
        let body = json!({"lines": [{"sku": sku, "quantity": 1}]});
        let added = guest
            .insist(random, &path, &body, &format!("{sku}-probe-{n}"))
            .await?;
        if added.good() {
            break;
        }
        if since.elapsed() > PATIENCE {
            let detail = format!("{sku} never reaches the carts: {}", added.body);
            return Err(Violation::new("carts hear of products", detail));
        }
        tokio::time::sleep(AGAIN).await;
    }
    Ok(())
}

async fn receive(
    staff: &Caller,
    random: &mut Random,
    sku: &str,
    units: i64,
    reason: &str,
    key: &str,
) -> Result<(), Violation> {
    let body = json!({"adjustments": [{"sku": sku, "delta": units, "reason": reason}]});
    staff
        .demand(random, "/api/inventory/adjustments", &body, key)
        .await?;
    Ok(())
}

async fn new_cart(guest: &Caller, random: &mut Random, key: &str) -> Result<String, Violation> {
    let cart = guest
        .demand(random, "/api/carts", &json!({"currency": "GBP"}), key)
        .await?;
    Ok(text(&cart, "id").to_owned())
}

/// Staff: small deliveries of any product, one after another, until the book is closed.
pub async fn restock(
    staff: Caller,
    goods: Arc<Vec<Product>>,
    mut random: Random,
) -> Result<(), Violation> {
    for n in 0.. {
        tokio::time::sleep(Duration::from_millis(random.between(300, 900))).await;
        if staff.book.closed() {
            break;
        }
        let sku = &random.pick(&goods).sku;
        let units = i64::try_from(random.between(1, 4)).unwrap_or(1);
        receive(
            &staff,
            &mut random,
            sku,
            units,
            "received",
            &format!("{sku}-received-{n}"),
        )
        .await?;
        staff.book.received(sku, units);
    }
    Ok(())
}

/// A buyer.
pub struct Buyer {
    /// As a guest.
    pub guest: Caller,
    /// Who takes the money for this buyer's orders.
    pub staff: Caller,
    /// The payment provider's page.
    pub bank: Api,
    /// What there is to buy.
    pub goods: Arc<Vec<Product>>,
    /// Makes keys unique.
    pub name: String,
}

impl Buyer {
    /// Buys one thing after another until the book is closed.
    pub async fn shop(self, mut random: Random) -> Result<(), Violation> {
        for n in 0.. {
            tokio::time::sleep(Duration::from_millis(random.between(20, 500))).await;
            if self.guest.book.closed() {
                break;
            }
            let name = format!("{}-{n}", self.name);
            let order = self.place(&mut random, &name).await?;
            self.afterwards(&mut random, &order, &name).await;
        }
        Ok(())
    }

    /// Buys; what goes unanswered is sent again with the same key, and must not happen twice.
    async fn place(&self, random: &mut Random, name: &str) -> Result<Order, Violation> {
        let guest = &self.guest;
        let card = random.pick(&CARDS);
        // Half of all buyers want the one thing of which there is too little.
        let hot = random.percent(50);
        let product = match self.goods.first() {
            Some(first) if hot => first,
            _ => random.pick(&self.goods),
        };
        let quantity = random.between(1, 3);
        let cart = new_cart(guest, random, &format!("{name}-cart")).await?;
        let lines = json!({"lines": [{"sku": product.sku, "quantity": quantity}]});
        let path = format!("/api/carts/{cart}/lines");
        guest
            .demand(random, &path, &lines, &format!("{name}-lines"))
            .await?;
        let checkout = json!({
            "email": "buyer@example.com",
            "shipping_address": {"name": "A. Buyer", "line1": "1 High Street", "city": "Town",
                "postcode": "AB1 2CD", "country": "GB"},
            "payment": {"provider": "sandbox", "token": card},
        });
        let path = format!("/api/carts/{cart}/checkout");
        let key = format!("{name}-checkout");
        let answer = guest.demand(random, &path, &checkout, &key).await?;
        let order = Order {
            id: text(&answer["order"], "id").to_owned(),
            token: text(&answer, "access_token").to_owned(),
            cart,
            total: answer["order"]["totals"]["total"]["amount"]
                .as_i64()
                .unwrap_or(0),
            card,
            cancelled: false,
        };
        guest.book.placed(order.clone());
        if random.percent(20) {
            let again = guest.demand(random, &path, &checkout, &key).await?;
            if text(&again["order"], "id") != order.id {
                let detail = format!("{key}: {answer} and then {again}");
                return Err(Violation::new(ANSWERED_ALIKE, detail));
            }
        }
        Ok(order)
    }

    async fn afterwards(&self, random: &mut Random, order: &Order, name: &str) {
        let buyer = self.guest.with(&order.token);
        if order.card == "tok_3ds" {
            self.challenge(&buyer, random, order).await;
        }
        match random.below(10) {
            0..3 => self.take_money(&buyer, random, order, name).await,
            3..5 => self.cancel(&buyer, random, order, name).await,
            _ => {}
        }
    }

    /// The cardholder approves, refuses, or goes away.
    async fn challenge(&self, buyer: &Caller, random: &mut Random, order: &Order) {
        let asked = |view: &Value| text(view, "status") == "payment_action_required";
        let Some(view) = self.seen(buyer, random, order, asked).await else {
            return;
        };
        let approve = match random.below(10) {
            0..6 => true,
            6..8 => false,
            _ => return,
        };
        let url = text(&view, "payment_action_url").to_owned();
        let _ = self.bank.post(&url, &json!({ "approve": approve })).await;
    }

    /// Looks for a while whether the order is as wanted.
    async fn seen(
        &self,
        buyer: &Caller,
        random: &mut Random,
        order: &Order,
        is: impl Fn(&Value) -> bool,
    ) -> Option<Value> {
        let path = format!("/api/orders/{}", order.id);
        let since = Instant::now();
        while since.elapsed() < LOOKING {
            if let Ok(answer) = buyer.any(random).get(&path).await
                && answer.good()
                && is(&answer.body)
            {
                return Some(answer.body);
            }
            tokio::time::sleep(AGAIN).await;
        }
        None
    }

    /// Takes the money if the order is confirmed in time, perhaps gives it back; once, however
    /// often it is asked for.
    async fn take_money(&self, buyer: &Caller, random: &mut Random, order: &Order, name: &str) {
        let confirmed = |view: &Value| text(view, "status") == "confirmed";
        let Some(view) = self.seen(buyer, random, order, confirmed).await else {
            return;
        };
        let payment = text(&view, "payment_id");
        let nothing = json!({});
        let mut operate = async |what: &str| {
            let path = format!("/api/payments/{payment}/{what}");
            let key = format!("{name}-{what}");
            for _ in 0..4 {
                let api = self.staff.any(random);
                let sent = api.send(reqwest::Method::POST, &path, Some(&nothing), Some(&key));
                if sent.await.is_ok_and(|answer| !answer.passing()) {
                    return;
                }
                tokio::time::sleep(AGAIN).await;
            }
        };
        operate("capture").await;
        if order.total % 3 == 0 {
            operate("refund").await;
        }
    }

    /// The buyer changes their mind; too late is fine, and so is no answer.
    async fn cancel(&self, buyer: &Caller, random: &mut Random, order: &Order, name: &str) {
        let path = format!("/api/orders/{}/cancel", order.id);
        let key = format!("{name}-cancel");
        let (api, nothing) = (buyer.any(random), json!({}));
        let sent = api.send(reqwest::Method::POST, &path, Some(&nothing), Some(&key));
        if let Ok(answer) = sent.await
            && answer.good()
            && text(&answer.body, "status") == "cancelled"
        {
            buyer.book.cancelled(&order.id);
        }
    }
}
