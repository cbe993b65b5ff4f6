//! What happened in a run, as the services' own events, the provider's own books and the tables
//! say: read from PostgreSQL directly, past all code that could be wrong.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use tokio_postgres::{Client, NoTls};

use crate::{
    book::text,
    engines::database,
    error::{Doing as _, Error, Result},
    schedule::SERVICES,
    world::World,
};

/// Where the logs and the provider's book ended when a run began.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    heads: BTreeMap<&'static str, i64>,
    /// The provider's last payment.
    last_payment: Option<String>,
}

/// An order, as the events of orders tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OrderFact {
    /// The cart it was made from.
    pub cart: String,
    /// Its total, in minor units.
    pub total: i64,
    /// `placed`, `confirmed` or `cancelled`, whichever came last.
    pub status: &'static str,
    /// The payment it was confirmed with.
    pub payment: String,
    /// SKU and units.
    pub lines: Vec<(String, i64)>,
    /// How often it was confirmed.
    pub confirmed: u32,
}

/// The stock of a SKU, folded from its events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StockFact {
    /// In the building.
    pub on_hand: i64,
    /// Promised.
    pub reserved: i64,
    /// The least that was ever available.
    pub lowest: i64,
    /// What the last event says is available.
    pub said: i64,
}

/// A payment at the provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Charge {
    /// The provider's id.
    pub id: String,
    /// Our payment.
    pub reference: String,
    /// The provider's word for where it stands.
    pub status: String,
    /// In minor units.
    pub amount: i64,
    /// In minor units.
    pub captured: i64,
    /// In minor units.
    pub refunded: i64,
}

impl Charge {
    /// Whether it holds or has taken money that was not given back.
    pub fn live(&self) -> bool {
        match self.status.as_str() {
            "captured" => self.refunded < self.captured,
            status => matches!(status, "authorised" | "requires_action"),
        }
    }
}

/// Everything that is known about a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Orders by id.
    pub orders: BTreeMap<String, OrderFact>,
    /// Orders that were placed twice.
    pub placed_twice: Vec<String>,
    /// Checkouts that carts have answered: order and cart.
    pub checkouts: BTreeMap<String, String>,
    /// Stock by SKU.
    pub stock: BTreeMap<String, StockFact>,
    /// Reservations that are neither given back nor bound to an order.
    pub waiting: Vec<String>,
    /// The provider's payments.
    pub charges: Vec<Charge>,
    /// Our payments: order, and what the ledger says was taken and not given back.
    pub payments: BTreeMap<String, (String, i64)>,
    /// Sums in the ledger that should be zero and are not.
    pub unbalanced: Vec<String>,
    /// Dead letters, with their service.
    pub dead_letters: Vec<String>,
    /// Where the logs end.
    pub heads: BTreeMap<&'static str, i64>,
}

/// A connection to a service's database, past the proxies.
pub async fn connect(world: &World, service: &'static str) -> Result<Client> {
    let url = world
        .databases(move |databases| Ok(databases.url(&database(service))))
        .await?;
    let connected = tokio_postgres::connect(&url, NoTls).await;
    let (client, connection) = connected.doing(|| format!("cannot look into {service}"))?;
    tokio::spawn(connection);
    Ok(client)
}

/// Where everything stands before a run.
pub async fn opening(world: &World) -> Result<Opening> {
    let charges = charges(world, None).await?;
    Ok(Opening {
        heads: heads(world).await?,
        last_payment: charges.last().map(|charge| charge.id.clone()),
    })
}

/// Where the logs end.
pub async fn heads(world: &World) -> Result<BTreeMap<&'static str, i64>> {
    let mut heads = BTreeMap::new();
    for service in SERVICES {
        heads.insert(service, head(&connect(world, service).await?).await?);
    }
    Ok(heads)
}

async fn head(client: &Client) -> Result<i64> {
    let row = client.query_one("SELECT position FROM log_head", &[]).await;
    Ok(row.doing(|| "the head of a log".into())?.get(0))
}

/// Everything behind an opening.
pub async fn gather(world: &World, opening: &Opening) -> Result<Facts> {
    let mut facts = Facts::default();
    for service in SERVICES {
        let client = connect(world, service).await?;
        facts.heads.insert(service, head(&client).await?);
        let after = opening.heads.get(service).copied().unwrap_or(0);
        facts.letters(service, &client).await?;
        match service {
            "orders" | "inventory" | "cart" => facts.events(service, &client, after).await?,
            "payments" => facts.ledger(&client).await?,
            _ => {}
        }
        if service == "inventory" {
            let waiting = "SELECT id FROM inventory_reservations WHERE status = 'made'";
            facts.waiting = texts(&client, waiting).await?;
        }
    }
    facts.charges = charges(world, opening.last_payment.as_deref()).await?;
    Ok(facts)
}

async fn texts(client: &Client, sql: &str) -> Result<Vec<String>> {
    let rows = client.query(sql, &[]).await.doing(|| sql.to_owned())?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

impl Facts {
    async fn events(&mut self, service: &str, client: &Client, after: i64) -> Result<()> {
        let sql = "SELECT type, data FROM events WHERE position > $1 ORDER BY position";
        let rows = client.query(sql, &[&after]).await;
        for row in rows.doing(|| format!("the events of {service}"))? {
            let (kind, data): (String, String) = (row.get(0), row.get(1));
            let data: Value = serde_json::from_str(&data)
                .map_err(|error| Error::other(format!("{kind} is no JSON: {error}")))?;
            self.event(&kind, &data);
        }
        Ok(())
    }

    /// Takes an event in.
    pub fn event(&mut self, kind: &str, data: &Value) {
        match kind {
            "cart.cart.checked_out.v1" => {
                let (order, cart) = (text(data, "order_id"), text(data, "cart_id"));
                self.checkouts.insert(order.to_owned(), cart.to_owned());
            }
            "inventory.stock.adjusted.v1" => self.stock(data, |stock| {
                stock.on_hand += data["delta"].as_i64().unwrap_or(0);
            }),
            "inventory.stock.reserved.v1" => self.stock(data, |stock| {
                stock.reserved += units(&data["taken"]);
            }),
            "inventory.stock.released.v1" => self.stock(data, |stock| {
                stock.reserved -= units(&data["returned"]);
            }),
            "orders.order.placed.v1" => self.placed(data),
            "orders.order.confirmed.v1" => {
                if let Some(order) = self.orders.get_mut(text(data, "order_id")) {
                    order.status = "confirmed";
                    order.confirmed += 1;
                    order.payment = text(data, "payment_id").to_owned();
                }
            }
            "orders.order.cancelled.v1" => {
                if let Some(order) = self.orders.get_mut(text(data, "order_id")) {
                    order.status = "cancelled";
                }
            }
            _ => {}
        }
    }

    fn stock(&mut self, data: &Value, change: impl FnOnce(&mut StockFact)) {
        let stock = self.stock.entry(text(data, "sku").to_owned()).or_default();
        change(stock);
        stock.lowest = stock.lowest.min(stock.on_hand - stock.reserved);
        stock.said = data["available"].as_i64().unwrap_or(i64::MIN);
    }

    fn placed(&mut self, data: &Value) {
        let id = text(data, "order_id").to_owned();
        let lines = data["lines"].as_array().into_iter().flatten();
        let order = OrderFact {
            cart: text(data, "cart_id").to_owned(),
            total: data["totals"]["total"]["amount"].as_i64().unwrap_or(0),
            status: "placed",
            lines: lines
                .map(|line| {
                    let units = line["quantity"].as_i64().unwrap_or(0);
                    (text(line, "sku").to_owned(), units)
                })
                .collect(),
            ..OrderFact::default()
        };
        if self.orders.insert(id.clone(), order).is_some() {
            self.placed_twice.push(id);
        }
    }

    async fn letters(&mut self, service: &str, client: &Client) -> Result<()> {
        let sql = "SELECT subscription || ' at ' || topic || ':' || position || ' (' || type || '): ' || reason FROM dead_letters";
        let letters = texts(client, sql).await?;
        let named = letters
            .into_iter()
            .map(|letter| format!("{service}: {letter}"));
        self.dead_letters.extend(named);
        Ok(())
    }

    async fn ledger(&mut self, client: &Client) -> Result<()> {
        let payments = "SELECT p.id, p.order_id, coalesce((SELECT sum(amount) FROM ledger_entries e
              WHERE e.payment_id = p.id AND e.account LIKE 'provider:%'), 0)::bigint FROM payments p";
        let rows = client.query(payments, &[]).await;
        for row in rows.doing(|| "the payments".into())? {
            self.payments.insert(row.get(0), (row.get(1), row.get(2)));
        }
        let unbalanced = "SELECT 'posting ' || payment_id || ' ' || version || ': ' || sum(amount)
               FROM ledger_entries GROUP BY payment_id, version HAVING sum(amount) <> 0
             UNION ALL SELECT 'accounts in ' || currency || ': ' || sum(debit - credit)
               FROM ledger_accounts GROUP BY currency HAVING sum(debit - credit) <> 0
             UNION ALL SELECT 'account ' || a.account || ': ' || (a.debit - a.credit) || ', its postings: ' || e.sum
               FROM ledger_accounts a
               JOIN (SELECT account, currency, sum(amount) AS sum FROM ledger_entries GROUP BY account, currency) e
                 USING (account, currency)
              WHERE a.debit - a.credit <> e.sum";
        self.unbalanced = texts(client, unbalanced).await?;
        Ok(())
    }
}

fn units(parts: &Value) -> i64 {
    let parts = parts.as_array().into_iter().flatten();
    parts.filter_map(|part| part["quantity"].as_i64()).sum()
}

/// The provider's payments behind one of them.
async fn charges(world: &World, after: Option<&str>) -> Result<Vec<Charge>> {
    let api = world.provider_api()?;
    let (mut all, mut after) = (Vec::new(), after.map(str::to_owned));
    loop {
        let cursor = after.map(|id| format!("&after={id}")).unwrap_or_default();
        let path = format!("/v1/payments?limit=1000{cursor}");
        let answer = api.get(&path).await.map_err(Error::Other)?;
        if !answer.good() {
            return Err(Error::other(format!("the provider: {}", answer.body)));
        }
        let number = |charge: &Value, name: &str| charge[name].as_i64().unwrap_or(0);
        for charge in answer.body["items"].as_array().into_iter().flatten() {
            all.push(Charge {
                id: text(charge, "id").to_owned(),
                reference: text(charge, "reference").to_owned(),
                status: text(charge, "status").to_owned(),
                amount: number(charge, "amount"),
                captured: number(charge, "captured"),
                refunded: number(charge, "refunded"),
            });
        }
        match answer.body["next_after"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => return Ok(all),
        }
    }
}

impl Facts {
    /// Units that confirmed orders hold, by SKU.
    pub fn sold(&self) -> HashMap<&str, i64> {
        let mut sold = HashMap::new();
        let confirmed = self.orders.values().filter(|o| o.status == "confirmed");
        for (sku, units) in confirmed.flat_map(|order| &order.lines) {
            *sold.entry(sku.as_str()).or_default() += units;
        }
        sold
    }
}
