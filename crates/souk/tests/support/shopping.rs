//! Making products, and buying them.

use serde_json::{Value, json};

use super::{Api, Shop, eventually};

/// An order that a checkout acknowledged.
#[derive(Clone, Debug)]
pub struct Order {
    pub id: String,
    /// The buyer's access token.
    pub token: String,
    /// As the checkout answered it.
    pub view: Value,
}

/// What is bought, and how it is paid.
#[derive(Clone, Debug)]
pub struct Buying {
    pub lines: Vec<(String, i64)>,
    pub token: &'static str,
}

impl Buying {
    pub fn one(sku: &str, quantity: i64, token: &'static str) -> Self {
        Self {
            lines: vec![(sku.to_owned(), quantity)],
            token,
        }
    }

    /// The body of the checkout.
    pub fn checkout(&self) -> Value {
        json!({
            "email": "buyer@example.com",
            "shipping_address": {"name": "A. Buyer", "line1": "1 High Street", "city": "Town", "postcode": "AB1 2CD", "country": "GB"},
            "payment": {"provider": "sandbox", "token": self.token},
        })
    }

    /// The body that adds the lines.
    pub fn lines(&self) -> Value {
        let lines: Vec<Value> = self
            .lines
            .iter()
            .map(|(sku, n)| json!({"sku": sku, "quantity": n}))
            .collect();
        json!({ "lines": lines })
    }
}

/// The status of an order's view.
pub fn order_status(order: &Value) -> &str {
    order["status"].as_str().unwrap_or("none")
}

impl Shop {
    /// A published product with one variant, `stock` units of it, and a cart that knows the price.
    pub async fn product(&self, sku: &str, pence: i64, stock: i64) {
        let staff = self.staff();
        let product = json!({
            "title": format!("Product {sku}"), "handle": sku.to_lowercase(), "status": "published",
            "variants": [{"sku": sku, "prices": [{"amount": pence, "currency": "GBP"}]}],
        });
        staff.post("/api/catalog/products", product).await.ok();
        if stock > 0 {
            self.adjust(sku, stock).await;
        }
        let guest = self.guest();
        let cart = guest.new_cart().await;
        eventually("the cart hears of a product", async || {
            let added = guest
                .post(
                    &format!("/api/carts/{cart}/lines"),
                    json!({"sku": sku, "quantity": 1}),
                )
                .await;
            if added.status == 200 {
                Ok(())
            } else {
                Err(added.text)
            }
        })
        .await;
    }

    /// Opening stock.
    pub async fn adjust(&self, sku: &str, units: i64) {
        let body = json!({"adjustments": [{"sku": sku, "delta": units, "reason": "opening"}]});
        self.staff()
            .post("/api/inventory/adjustments", body)
            .await
            .ok();
    }

    /// Buys, and returns as soon as the order is acknowledged.
    pub async fn buy(&self, buying: &Buying) -> Order {
        let guest = self.guest();
        let cart = guest.new_cart().await;
        guest
            .post(&format!("/api/carts/{cart}/lines"), buying.lines())
            .await
            .ok();
        let answer = guest
            .post(&format!("/api/carts/{cart}/checkout"), buying.checkout())
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        Order::of(&answer.body)
    }

    /// Buys, and waits until the order is confirmed or cancelled; returns its view too.
    pub async fn bought(&self, buying: &Buying) -> (Order, Value) {
        let order = self.buy(buying).await;
        let view = self.settled(&order).await;
        (order, view)
    }

    /// Waits until the order is confirmed or cancelled.
    pub async fn settled(&self, order: &Order) -> Value {
        self.order_when(order, "confirmed or cancelled", |view| {
            matches!(order_status(view), "confirmed" | "cancelled")
        })
        .await
    }

    /// Waits until the order is as `is` wants it.
    pub async fn order_when(
        &self,
        order: &Order,
        what: &str,
        is: impl Fn(&Value) -> bool,
    ) -> Value {
        let buyer = self.with(&order.token);
        eventually(&format!("order {} {what}", order.id), async || {
            let answer = buyer.get(&format!("/api/orders/{}", order.id)).await;
            if answer.status == 200 && is(&answer.body) {
                Ok(answer.body)
            } else {
                Err(answer.text)
            }
        })
        .await
    }

    /// The payment of an order, once it is as `is` wants it.
    pub async fn payment_when(
        &self,
        payment: &str,
        what: &str,
        is: impl Fn(&Value) -> bool,
    ) -> Value {
        let staff = self.staff();
        eventually(&format!("payment {payment} {what}"), async || {
            let answer = staff.get(&format!("/api/payments/{payment}")).await;
            if answer.status == 200 && is(&answer.body) {
                Ok(answer.body)
            } else {
                Err(answer.text)
            }
        })
        .await
    }

    /// The books of a SKU.
    pub async fn stock(&self, sku: &str) -> Value {
        let rows = self.staff().all("/api/inventory/summary").await;
        rows.into_iter()
            .find(|row| row["sku"] == sku)
            .unwrap_or_default()
    }

    /// Waits until the books of a SKU say so many are available and none is held for an open order.
    pub async fn stock_settles(&self, sku: &str, available: i64) -> Value {
        eventually("the stock settles", async || {
            let row = self.stock(sku).await;
            match row["available"] == available && row["reserved"] == row["allocated"] {
                true => Ok(row),
                false => Err(format!("wanted {available} available: {row}")),
            }
        })
        .await
    }

    /// The provider's payments of one amount, which tests choose to be an order's own.
    pub async fn at_provider(&self, pence: i64) -> Vec<Value> {
        let mut all = self.provider_payments().await;
        all.retain(|payment| payment["amount"] == pence);
        all
    }
}

impl Api {
    /// A new cart's id.
    pub async fn new_cart(&self) -> String {
        let cart = self
            .post("/api/carts", json!({"currency": "GBP"}))
            .await
            .ok();
        cart["id"].as_str().unwrap().to_owned()
    }
}

impl Order {
    /// From a checkout's answer.
    pub fn of(answer: &Value) -> Self {
        let text = |value: &Value| {
            value
                .as_str()
                .unwrap_or_else(|| panic!("no order: {answer}"))
                .to_owned()
        };
        Self {
            id: text(&answer["order"]["id"]),
            token: text(&answer["access_token"]),
            view: answer["order"].clone(),
        }
    }
}

/// One payment at the provider, and what matters of it.
pub async fn only_payment(shop: &Shop) -> (String, i64, i64) {
    let payments = shop.provider_payments().await;
    assert_eq!(payments.len(), 1, "{payments:?}");
    let number = |name: &str| payments[0][name].as_i64().unwrap();
    (
        payments[0]["status"].as_str().unwrap().to_owned(),
        number("captured"),
        number("refunded"),
    )
}

/// Waits until the provider's only payment is in this state.
pub async fn provider_says(shop: &Shop, status: &str, captured: i64, refunded: i64) {
    eventually("the provider's payment", async || {
        let found = only_payment(shop).await;
        let wanted = (status.to_owned(), captured, refunded);
        if found == wanted {
            Ok(())
        } else {
            Err(format!("{found:?}, not {wanted:?}"))
        }
    })
    .await;
}

/// A shop with one product of 10 units at 7.50, and one order of two of them paid with `token`.
pub async fn two_of_ten(token: &'static str) -> (Shop, Order, Value) {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let (order, view) = shop.bought(&Buying::one("MUG", 2, token)).await;
    (shop, order, view)
}

/// Every event was handled.
pub async fn no_dead_letters(shop: &Shop) {
    assert_eq!(
        shop.staff().get("/api/ops/dead-letters").await.ok(),
        json!([])
    );
}
