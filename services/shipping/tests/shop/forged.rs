//! Events of other services, as they would say them.

use contracts::{
    address::{Address, Contact},
    cart::PaymentMethod,
    catalog::{Product, ProductCreated, ProductStatus, Variant},
    inventory::{Location, LocationSaved, ReservationAllocated, ReservedLine, Taken},
    orders::{
        CancelReason, OrderCancelled, OrderConfirmed, OrderId, OrderLine, OrderPlaced, Totals,
    },
    pricing::CaptureMode,
    shipping::OrderShipping,
};
use kernel::{Currency, Money, PersonId, Personal};

use super::{Locations, Orders, Products, Reservations, Shop};

pub fn gbp(amount: i64) -> Money {
    Money::new(amount, Currency::GBP)
}

/// A variant of 10 pounds and 500 grams.
pub fn variant(sku: &str) -> Variant {
    Variant {
        id: format!("var_{}", sku.to_lowercase().replace('-', ""))
            .parse()
            .expect("an id"),
        sku: sku.into(),
        title: String::new(),
        options: Default::default(),
        prices: vec![gbp(1_000)],
        compare_at: vec![],
        weight_grams: Some(500),
        size_mm: None,
        barcode: None,
        media: None,
        requires_shipping: true,
    }
}

pub fn order(n: u32) -> OrderId {
    format!("ord_{n:032x}").parse().expect("an id")
}

pub fn fulfilment(n: u32, part: u32) -> String {
    format!("ful_{n:032x}x{part}")
}

/// Where Ann lives; `line2` makes the carrier misbehave.
pub fn address(line2: &str) -> Address {
    Address {
        name: "Ann Müller".into(),
        line1: "1 High Street".into(),
        line2: line2.into(),
        city: "Leeds".into(),
        postcode: "LS1 1AA".into(),
        country: "GB".into(),
        ..Address::default()
    }
}

/// What an order is to be like.
pub struct Forged {
    pub lines: Vec<(&'static str, i64, bool)>,
    pub line2: &'static str,
    pub collect: bool,
    pub customer: Option<&'static str>,
}

impl Default for Forged {
    fn default() -> Self {
        Self {
            lines: vec![("MUG", 2, true)],
            line2: "",
            collect: false,
            customer: None,
        }
    }
}

impl Shop {
    /// The catalogue has a product with these variants.
    pub async fn product(&self, id: &str, categories: &[&str], variants: Vec<Variant>) {
        let product = Product {
            id: id.parse().expect("an id"),
            handle: id.replace('_', "-"),
            title: "A thing".into(),
            description: String::new(),
            vendor: String::new(),
            product_type: String::new(),
            tax_class: None,
            status: ProductStatus::Published,
            categories: categories.iter().map(|c| (*c).to_owned()).collect(),
            tags: vec![],
            attributes: Default::default(),
            options: vec![],
            media: vec![],
            variants,
        };
        self.say::<Products>("catalog", id, ProductCreated { product })
            .await;
    }

    /// Inventory has another location.
    pub async fn location(&self, id: &str, name: &str) {
        let location = Location {
            id: id.parse().expect("an id"),
            name: name.into(),
            country: None,
            priority: 0,
            active: true,
        };
        self.say::<Locations>("inventory", "all", LocationSaved { location })
            .await;
    }

    pub async fn placed(&self, n: u32, forged: Forged) {
        let placed = placed(self, n, &forged);
        self.say::<Orders>("orders", order(n).as_str(), placed)
            .await;
    }

    pub async fn confirmed(&self, n: u32) {
        let confirmed = OrderConfirmed {
            order_id: order(n),
            number: format!("S-{n}"),
            payment_id: format!("pay_{n:032x}").parse().expect("an id"),
            total: gbp(2_000),
            at: self.app.now(),
        };
        self.say::<Orders>("orders", order(n).as_str(), confirmed)
            .await;
    }

    pub async fn allocated(&self, n: u32, lines: &[(&str, &[(&str, i64)])]) {
        let lines = lines.iter().map(|(sku, taken)| ReservedLine {
            sku: (*sku).into(),
            taken: taken
                .iter()
                .map(|(location, quantity)| Taken {
                    location: location.parse().expect("an id"),
                    quantity: *quantity,
                })
                .collect(),
        });
        let allocated = ReservationAllocated {
            reservation: order(n).to_string(),
            order_id: order(n),
            lines: lines.collect(),
        };
        self.say::<Reservations>("inventory", order(n).as_str(), allocated)
            .await;
    }

    pub async fn cancelled(&self, n: u32) {
        let cancelled = OrderCancelled {
            order_id: order(n),
            number: format!("S-{n}"),
            reason: CancelReason::Customer,
            shortages: vec![],
            payment_id: None,
            by: None,
            at: self.app.now(),
        };
        self.say::<Orders>("orders", order(n).as_str(), cancelled)
            .await;
    }

    /// An order of two mugs, to be sent from the main location.
    pub async fn to_send(&self, n: u32, line2: &'static str) -> String {
        let forged = Forged {
            line2,
            ..Forged::default()
        };
        self.placed(n, forged).await;
        self.confirmed(n).await;
        self.allocated(n, &[("MUG", &[("loc_main", 2)])]).await;
        let id = fulfilment(n, 1);
        self.until(&id, "shipping.fulfilment.created.v1").await;
        id
    }

    /// The same, packed.
    pub async fn packed(&self, n: u32, line2: &'static str) -> String {
        let id = self.to_send(n, line2).await;
        let path = format!("/api/shipping/fulfilments/{id}/pack");
        let body = serde_json::json!({"packages": [{"weight_grams": 1_250}]});
        let packed = self.post(&path, body).await;
        assert_eq!(packed.body["status"], "packed", "{}", packed.body);
        id
    }
}

fn placed(shop: &Shop, n: u32, forged: &Forged) -> OrderPlaced {
    let person: PersonId = format!("per_{n}").parse().expect("an id");
    let contact = Contact {
        email: "ann@example.org".into(),
        shipping_address: address(forged.line2),
        vat_number: None,
    };
    let line = |(i, (sku, quantity, shipped)): (usize, &(&str, i64, bool))| OrderLine {
        id: format!("lin_{}", i + 1).parse().expect("an id"),
        sku: (*sku).into(),
        title: format!("The {sku}"),
        quantity: *quantity,
        unit_price: gbp(1_000),
        subtotal: gbp(1_000 * quantity),
        adjustments: vec![],
        taxes: vec![],
        requires_shipping: *shipped,
        total: gbp(1_000 * quantity),
    };
    let shipping = forged.collect.then(|| OrderShipping {
        quote_id: "quo_1".parse().expect("an id"),
        option_id: "sho_1".parse().expect("an id"),
        label: "Collect".into(),
        amount: gbp(0),
        adjustments: vec![],
        taxes: vec![],
        total: gbp(0),
        collect_from: Some("loc_main".parse().expect("an id")),
        min_days: None,
        max_days: None,
    });
    OrderPlaced {
        order_id: order(n),
        number: format!("S-{n}"),
        cart_id: format!("crt_{n:032x}").parse().expect("an id"),
        person: person.clone(),
        customer_id: forged.customer.map(|id| id.parse().expect("an id")),
        contact: Personal::new(person.clone(), contact),
        lines: forged.lines.iter().enumerate().map(line).collect(),
        totals: Totals {
            subtotal: gbp(2_000),
            adjustments: gbp(0),
            shipping: gbp(0),
            tax: gbp(0),
            total: gbp(2_000),
        },
        payment: PaymentMethod {
            provider: "sandbox".into(),
            token: Personal::new(person, "tok_1".into()),
        },
        shipping,
        channel: contracts::cart::web(),
        redemptions: vec![],
        credits: vec![],
        buyer_key: String::new(),
        capture: CaptureMode::Manual,
        locale: None,
        access_token_hash: web::hash_token(&format!("gst_{n}")),
        deadline: shop.app.now().plus_seconds(900),
        at: shop.app.now(),
    }
}
