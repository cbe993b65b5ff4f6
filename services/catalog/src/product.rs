//! A product's rules: what it may look like, and what happens to it. The event carries the whole
//! product, so the state is simply the last one.

use std::sync::Arc;

use contracts::catalog::{
    Product, ProductCreated, ProductDeleted, ProductEvent, ProductStatus, ProductUpdated,
};
use kernel::{Decider, Rejection, RejectionKind};
use serde::{Deserialize, Serialize};

use crate::limits;

/// The rules of one product.
pub struct ProductRules;

/// The product as it is now.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ProductState {
    /// All of it; none before it is made and after it is deleted.
    pub product: Option<Arc<Product>>,
    /// It was there and is gone; its id is never used again.
    pub deleted: bool,
}

/// What can be asked of a product.
pub enum ProductCommand {
    /// Be this, whatever it was before.
    Put(Box<Product>),
    /// Go on sale or off sale.
    SetStatus(ProductStatus),
    /// Go.
    Delete,
}

impl Decider for ProductRules {
    const CATEGORY: &'static str = "product";
    const SNAPSHOT_EVERY: Option<i64> = Some(64);
    type State = ProductState;
    type Command = ProductCommand;
    type Event = ProductEvent;

    fn decide(
        state: &ProductState,
        command: &ProductCommand,
    ) -> Result<Vec<ProductEvent>, Rejection> {
        if state.deleted {
            return Err(Rejection::new(
                RejectionKind::Gone,
                "deleted",
                "this product was deleted",
            ));
        }
        match (command, state.product.as_deref()) {
            (ProductCommand::Put(product), None) => {
                limits::check(product)?;
                let product = Product::clone(product);
                Ok(vec![ProductCreated { product }.into()])
            }
            (ProductCommand::Put(product), Some(old)) => change(old, Product::clone(product)),
            (ProductCommand::SetStatus(status), Some(old)) => {
                let product = Product {
                    status: *status,
                    ..old.clone()
                };
                change(old, product)
            }
            (ProductCommand::Delete, Some(old)) => Ok(vec![
                ProductDeleted {
                    product_id: old.id.clone(),
                    handle: old.handle.clone(),
                    skus: old.variants.iter().map(|v| v.sku.clone()).collect(),
                }
                .into(),
            ]),
            (_, None) => Err(Rejection::not_found("product")),
        }
    }

    fn evolve(state: &mut ProductState, event: &ProductEvent) {
        match event {
            ProductEvent::Created(ProductCreated { product })
            | ProductEvent::Updated(ProductUpdated { product, .. }) => {
                state.product = Some(Arc::new(product.clone()));
            }
            ProductEvent::Deleted(_) => {
                state.product = None;
                state.deleted = true;
            }
        }
    }
}

/// The event that turns `old` into `new`; none when they are the same.
fn change(old: &Product, new: Product) -> Result<Vec<ProductEvent>, Rejection> {
    if *old == new {
        return Ok(vec![]);
    }
    limits::check(&new)?;
    let previous_handle = (old.handle != new.handle).then(|| old.handle.clone());
    Ok(vec![
        ProductUpdated {
            removed_skus: removed_skus(old, &new),
            previous_handle,
            product: new,
        }
        .into(),
    ])
}

/// SKUs of `old` that `new` does not have.
pub fn removed_skus(old: &Product, new: &Product) -> Vec<String> {
    let kept: std::collections::HashSet<&str> =
        new.variants.iter().map(|v| v.sku.as_str()).collect();
    let skus = old.variants.iter().map(|v| v.sku.as_str());
    skus.filter(|sku| !kept.contains(sku))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use kernel::testing::{assert_golden, given};

    use super::*;
    use crate::samples::mug;

    const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");

    #[test]
    fn events_are_written_as_their_golden_files_say() {
        assert_golden::<ProductEvent>(GOLDEN);
        assert_golden::<contracts::catalog::CategoryEvent>(GOLDEN);
        assert_golden::<contracts::catalog::ClaimEvent>(GOLDEN);
    }

    #[test]
    fn a_put_that_changes_nothing_writes_no_event() {
        let mut product = given::<ProductRules>([]);
        let made = product.when(ProductCommand::Put(mug().into())).unwrap();
        assert!(matches!(made[..], [ProductEvent::Created(_)]));
        assert!(
            product
                .when(ProductCommand::Put(mug().into()))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_change_tells_what_became_free() {
        let mut product = given::<ProductRules>([ProductCreated { product: mug() }.into()]);
        let mut other = mug();
        other.handle = "big-mug".into();
        other.variants.remove(0);
        let events = product
            .when(ProductCommand::Put(other.clone().into()))
            .unwrap();
        let [ProductEvent::Updated(updated)] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(updated.removed_skus, ["MUG-BLUE"]);
        assert_eq!(updated.previous_handle.as_deref(), Some("mug"));
        assert_eq!(updated.product, other);
    }

    #[test]
    fn publishing_needs_a_price_for_every_variant() {
        let mut draft = mug();
        draft.status = ProductStatus::Draft;
        draft.variants[1].prices.clear();
        let mut product = given::<ProductRules>([ProductCreated { product: draft }.into()]);
        let publish = || ProductCommand::SetStatus(ProductStatus::Published);
        let refused = product.when(publish()).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("variants[1].prices"));

        let mut product = given::<ProductRules>([ProductCreated { product: mug() }.into()]);
        assert!(
            product.when(publish()).unwrap().is_empty(),
            "it is published already"
        );
        let unpublish = ProductCommand::SetStatus(ProductStatus::Draft);
        assert_eq!(product.when(unpublish).unwrap().len(), 1);
        assert_eq!(product.when(publish()).unwrap().len(), 1);
    }

    #[test]
    fn a_deleted_product_stays_deleted() {
        let mut product = given::<ProductRules>([ProductCreated { product: mug() }.into()]);
        let events = product.when(ProductCommand::Delete).unwrap();
        let [ProductEvent::Deleted(deleted)] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(deleted.skus, ["MUG-BLUE", "MUG-RED"]);
        for command in [ProductCommand::Delete, ProductCommand::Put(mug().into())] {
            assert_eq!(product.when(command).unwrap_err().code, "deleted");
        }
    }

    #[test]
    fn what_does_not_exist_can_only_be_made() {
        let mut nothing = given::<ProductRules>([]);
        let refused = nothing.when(ProductCommand::Delete).unwrap_err();
        assert_eq!(refused.code, "not-found");
    }
}
