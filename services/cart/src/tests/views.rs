//! Projections, as the statements they make.

use std::sync::OnceLock;

use contracts::{
    catalog::{Product, ProductDeleted, ProductEvent, ProductStatus, ProductUpdated, Variant},
    inventory::{BackorderPolicy, StockEvent, StockPolicySet, StockReleased},
};
use kernel::{Event, EventMeta, Projection, Recorded, Statement, StreamId, Value};

use super::*;
use crate::views;

fn recorded<E: Event>(stream: &str, event: E) -> Recorded {
    let typed = OnceLock::new();
    let kind = event.wire_name();
    let _ = typed.set(Arc::new(event) as _);
    Recorded {
        topic: "any".into(),
        position: 0,
        prev: 0,
        partition: 0,
        stream: StreamId::from_name(stream),
        version: 1,
        kind: kind.into(),
        data: "".into(),
        at: START,
        meta: EventMeta::default(),
        typed,
    }
}

fn statements(projection: &Projection, event: &Recorded) -> Vec<Statement> {
    let mut out = Vec::new();
    (projection.apply)(event, &mut out).expect("readable");
    out
}

fn product() -> Product {
    let variant = |n: u32, sku: &str, title: &str| Variant {
        id: format!("var_{n}").parse().expect("an id"),
        sku: sku.into(),
        title: title.into(),
        options: Default::default(),
        prices: vec![gbp(i64::from(n) * 100)],
        compare_at: vec![],
        weight_grams: None,
        size_mm: None,
        barcode: None,
        media: None,
        requires_shipping: true,
    };
    Product {
        id: "prd_1".parse().expect("an id"),
        handle: "shirt".into(),
        title: "Shirt".into(),
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
        variants: vec![variant(1, "SH-S", "S"), variant(2, "SH-M", "")],
    }
}

#[test]
fn a_product_s_variants_become_offers_and_removed_ones_go() {
    let event = ProductEvent::Updated(ProductUpdated {
        product: product(),
        removed_skus: vec!["SH-L".into()],
        previous_handle: None,
    });
    let made = statements(&views::offers(), &recorded("product-prd_1", event));
    assert_eq!(made.len(), 3);
    assert!(made[0].sql.starts_with("DELETE FROM offers"));
    assert_eq!(made[0].args, [Value::from("SH-L"), Value::from("prd_1")]);
    assert_eq!(made[1].args[0], Value::from("SH-S"));
    assert_eq!(made[1].args[3], Value::from("Shirt – S"));
    assert_eq!(
        made[1].args[5],
        Value::from(r#"[{"amount":100,"currency":"GBP"}]"#)
    );
    assert_eq!(made[1].args[6], Value::Int(1));
    assert_eq!(made[2].args[3], Value::from("Shirt"));
}

#[test]
fn a_deletion_takes_only_the_product_s_own_rows() {
    let event = ProductEvent::Deleted(ProductDeleted {
        product_id: "prd_1".parse().expect("an id"),
        handle: "shirt".into(),
        skus: vec!["SH-S".into()],
    });
    let made = statements(&views::offers(), &recorded("product-prd_1", event));
    assert_eq!(made[0].args, [Value::from("SH-S"), Value::from("prd_1")]);
}

#[test]
fn availability_follows_stock_and_policy_apart() {
    let policy = |backorder| {
        let event = StockEvent::PolicySet(StockPolicySet {
            sku: "A".into(),
            backorder,
            available: 4,
        });
        statements(&views::availability(), &recorded("stock-A", event))
            .remove(0)
            .args
    };
    let row = |units| vec![Value::from("A"), Value::Int(4), units];
    assert_eq!(policy(BackorderPolicy::Deny), row(Value::Int(0)));
    assert_eq!(policy(BackorderPolicy::UpTo(9)), row(Value::Int(9)));
    assert_eq!(policy(BackorderPolicy::Allow), row(Value::Null));
    let released = StockEvent::Released(StockReleased {
        sku: "A".into(),
        reservation: "ord_1".into(),
        returned: vec![],
        available: 7,
    });
    let made = statements(&views::availability(), &recorded("stock-A", released));
    assert_eq!(made[0].args, [Value::from("A"), Value::Int(7)]);
    assert!(!made[0].sql.contains("backorder = excluded"));
}

#[test]
fn only_a_checkout_is_looked_up_later() {
    let created = recorded("cart-crt_1", created(None));
    assert_eq!(statements(&views::checkouts(), &created), []);
    let mut cart =
        kernel::testing::given::<Cart>([super::created(None), added(vec![line(1, "A", 1, 1)])]);
    let mut events = cart
        .when(check_out("ord_1", offers([offer("A", 1)])))
        .expect("checked out");
    let checked_out = recorded("cart-crt_1", events.remove(0));
    let made = statements(&views::checkouts(), &checked_out);
    assert_eq!(made[0].args, [Value::from("ord_1"), Value::from("crt_1")]);
}
