//! What other services say.

use contracts::{
    address::{Address, Contact},
    cart::{CartAbandoned, CartEvent, CartLine, PaymentMethod},
    catalog::{Product, ProductCreated, ProductEvent, ProductStatus, Variant},
    customers::{ConsentChanged, ConsentEvent, ConsentSource, Purpose},
    identity::{CustomerEvent, CustomerRegistered},
    inventory::{MovementReason, StockAdjusted, StockEvent},
    orders::{OrderConfirmed, OrderEvent, OrderLine, OrderPlaced, TaxLine, Totals},
    shipping::{FulfilmentNews, FulfilmentShipped, Tracking},
};
use kernel::{App, Currency, Money, Personal, Timestamp};
use web::hash_token;

pub fn id<T: std::str::FromStr<Err = String>>(text: &str) -> T {
    text.parse().expect("a good id")
}

pub fn gbp(amount: i64) -> Money {
    Money::new(amount, Currency::GBP)
}

/// The access token of order `n`, as the cart derives it.
pub fn guest_token(app: &App, n: u32) -> String {
    let cart = format!("crt_{n}");
    format!("gst_{}", app.keys().blind("guest-token", &cart))
}

/// Order `n` of a guest.
pub fn placed(app: &App, n: u32) -> OrderEvent {
    let person = format!("per_{n}");
    let contact = Contact {
        email: "ann.private@example.org".into(),
        shipping_address: Address {
            name: "Ann Private".into(),
            line1: "17 Secret Street".into(),
            city: "Leeds".into(),
            postcode: "LS1 1AA".into(),
            country: "GB".into(),
            ..Address::default()
        },
        vat_number: None,
    };
    OrderPlaced {
        order_id: id(&format!("ord_{n}")),
        number: format!("S-{n:06}"),
        cart_id: id(&format!("crt_{n}")),
        person: id(&person),
        customer_id: None,
        contact: Personal::new(id(&person), contact),
        lines: vec![OrderLine {
            id: id("lin_1"),
            sku: "MUG".into(),
            title: "Mug".into(),
            quantity: 2,
            unit_price: gbp(61_725),
            subtotal: gbp(123_450),
            adjustments: vec![],
            taxes: vec![TaxLine {
                label: "VAT 20 %".into(),
                rate_ppm: 200_000,
                amount: gbp(20_575),
                included: true,
            }],
            requires_shipping: true,
            total: gbp(123_450),
        }],
        totals: Totals {
            subtotal: gbp(123_450),
            adjustments: gbp(0),
            shipping: gbp(0),
            tax: gbp(20_575),
            total: gbp(123_450),
        },
        payment: PaymentMethod {
            provider: "sandbox".into(),
            token: Personal::new(id(&person), "tok_1".into()),
        },
        shipping: None,
        channel: "web".into(),
        redemptions: vec![],
        credits: vec![],
        buyer_key: String::new(),
        capture: Default::default(),
        locale: None,
        access_token_hash: hash_token(&guest_token(app, n)),
        deadline: Timestamp(0),
        at: Timestamp(1_800_000_000_000_000),
    }
    .into()
}

pub fn confirmed(n: u32) -> OrderEvent {
    OrderConfirmed {
        order_id: id(&format!("ord_{n}")),
        number: format!("S-{n:06}"),
        payment_id: id(&format!("pay_{n}")),
        total: gbp(123_450),
        at: Timestamp(0),
    }
    .into()
}

pub fn shipped(n: u32) -> FulfilmentNews {
    FulfilmentShipped {
        fulfilment_id: id(&format!("ful_{n}")),
        order_id: id(&format!("ord_{n}")),
        number: format!("S-{n:06}"),
        location: id("loc_main"),
        lines: vec![],
        more_tracking: Vec::new(),
        tracking: Some(Tracking {
            carrier: "souk-post".into(),
            number: "SP123456785GB".into(),
            url: None,
        }),
        at: Timestamp(0),
    }
    .into()
}

pub fn registered(customer: &str) -> CustomerEvent {
    let email = match customer {
        "cus_1" => "bob.private@example.org",
        _ => "eve.private@example.org",
    };
    CustomerRegistered {
        customer_id: id(customer),
        email: Personal::new(id(&customer.replace("cus", "per")), email.into()),
    }
    .into()
}

pub fn consent(customer: &str, granted: bool) -> ConsentEvent {
    ConsentEvent::Changed(ConsentChanged {
        customer_id: Some(id(customer)),
        person: id("per_1"),
        purpose: Purpose::MarketingEmail,
        granted,
        source: ConsentSource::Account,
        policy_version: String::new(),
        at: Timestamp(0),
    })
}

pub fn abandoned(cart: &str, customer: &str) -> CartEvent {
    CartAbandoned {
        cart_id: id(cart),
        customer_id: Some(id(customer)),
        lines: vec![CartLine {
            id: id("lin_1"),
            sku: "MUG".into(),
            title: "Mug".into(),
            handle: "mug".into(),
            quantity: 1,
            item: Default::default(),
            unit_price: gbp(250),
        }],
        at: Timestamp(0),
    }
    .into()
}

pub fn mug() -> ProductEvent {
    ProductCreated {
        product: Product {
            id: id("prd_1"),
            handle: "mug".into(),
            title: "Mug".into(),
            description: String::new(),
            vendor: String::new(),
            product_type: String::new(),
            tax_class: None,
            status: ProductStatus::Published,
            categories: vec![],
            tags: vec![],
            attributes: Default::default(),
            options: vec![],
            media: vec![],
            variants: vec![Variant {
                id: id("var_1"),
                sku: "MUG".into(),
                title: String::new(),
                options: Default::default(),
                prices: vec![gbp(250)],
                compare_at: vec![],
                weight_grams: None,
                size_mm: None,
                barcode: None,
                media: None,
                requires_shipping: true,
            }],
        },
    }
    .into()
}

pub fn stock(available: i64) -> StockEvent {
    StockAdjusted {
        sku: "MUG".into(),
        location: id("loc_main"),
        delta: available,
        on_hand: available,
        reason: MovementReason::Received,
        reference: None,
        note: None,
        available,
    }
    .into()
}
