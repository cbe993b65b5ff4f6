//! The commands over several streams: a product together with the unique values it holds and the
//! categories it is in, all or nothing.

use std::sync::Arc;

use contracts::catalog::{BulkStatus, ClaimKind, Product, ProductId, ProductStatus, is_handle};
use kernel::{Command, Decider, Rejection, StreamId, UnitOfWork};

use crate::{
    category::{CategoryCommand, CategoryRules},
    claim::{ClaimCommand, ClaimRules, claim_id, claim_stream},
    draft::Draft,
    product::{ProductCommand, ProductRules, removed_skus},
};

/// A product as a caller names it: by id or by handle (which cannot be confused, a handle has no
/// underscore).
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    /// `prd_…`
    Id(ProductId),
    /// A handle.
    Handle(String),
}

impl Key {
    /// Reads an id or a handle; `None` when it can be neither.
    pub fn read(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(id) => Some(Self::Id(id)),
            Err(_) => is_handle(text).then(|| Self::Handle(text.to_owned())),
        }
    }

    fn stream(&self) -> StreamId {
        match self {
            Self::Id(id) => product_stream(id),
            Self::Handle(handle) => claim_stream(ClaimKind::Handle, handle),
        }
    }

    /// The id of the product named, if there is one with this handle.
    fn find(&self, work: &mut UnitOfWork<'_>) -> Result<Option<ProductId>, Rejection> {
        match self {
            Self::Id(id) => Ok(Some(id.clone())),
            Self::Handle(handle) => {
                let claim = work.state::<ClaimRules>(&claim_id(ClaimKind::Handle, handle))?;
                Ok(claim.holder.clone())
            }
        }
    }
}

fn product_stream(id: &ProductId) -> StreamId {
    StreamId::new(ProductRules::CATEGORY, id.as_str())
}

/// What a change of a product came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Created, updated or unchanged.
    pub status: BulkStatus,
    /// The product afterwards.
    pub product: Arc<Product>,
    /// The handle it had before.
    pub previous_handle: Option<String>,
}

/// Creates or replaces a product.
pub struct PutProduct {
    /// What it is to be.
    pub draft: Draft,
    /// Which.
    pub target: Target,
}

/// Which product a [`PutProduct`] is about.
#[derive(Clone, Debug)]
pub enum Target {
    /// A new one; its handle must be free.
    New,
    /// The one that has the draft's handle, or a new one.
    ByHandle,
    /// This one, which must exist.
    Existing(Key),
}

impl Command for PutProduct {
    type Output = Outcome;

    fn streams(&self) -> Vec<StreamId> {
        let fresh = self.draft.fresh();
        let mut streams = vec![
            product_stream(&fresh.id),
            claim_stream(ClaimKind::Handle, &fresh.handle),
        ];
        if let Target::Existing(key) = &self.target {
            streams[0] = key.stream();
        }
        let skus = fresh.variants.iter();
        streams.extend(skus.map(|v| claim_stream(ClaimKind::Sku, &v.sku)));
        let categories = self.draft.categories.iter();
        streams.extend(categories.map(|c| StreamId::new(CategoryRules::CATEGORY, &c.path)));
        streams
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Outcome, Rejection> {
        let old = self.present(work)?;
        let new = match &old {
            Some(old) => self.draft.onto(old),
            None => self.draft.fresh().clone(),
        };
        let product_id = new.id.clone();
        let command = ProductCommand::Put(Box::new(new));
        let events = work.decide::<ProductRules>(product_id.as_str(), &command)?;
        let product = current(work, &product_id)?;
        let status = match (&old, events) {
            (_, 0) => BulkStatus::Unchanged,
            (None, _) => BulkStatus::Created,
            (Some(_), _) => BulkStatus::Updated,
        };
        if events > 0 {
            move_claims(work, old.as_deref(), &product)?;
            for category in &self.draft.categories {
                let ensure = CategoryCommand::Ensure(category.clone());
                work.decide::<CategoryRules>(&category.path, &ensure)?;
            }
        }
        Ok(Outcome {
            status,
            previous_handle: old
                .map(|old| old.handle.clone())
                .filter(|handle| *handle != product.handle),
            product,
        })
    }
}

impl PutProduct {
    /// The product that is to be replaced.
    fn present(&self, work: &mut UnitOfWork<'_>) -> Result<Option<Arc<Product>>, Rejection> {
        let id = match &self.target {
            Target::New => None,
            Target::ByHandle => Key::Handle(self.draft.fresh().handle.clone()).find(work)?,
            Target::Existing(key) => Some(key.find(work)?.ok_or_else(no_product)?),
        };
        id.map(|id| current(work, &id)).transpose()
    }
}

fn no_product() -> Rejection {
    Rejection::not_found("product")
}

/// The product, which must be there.
fn current(work: &mut UnitOfWork<'_>, id: &ProductId) -> Result<Arc<Product>, Rejection> {
    let state = work.state::<ProductRules>(id.as_str())?;
    state.product.clone().ok_or_else(no_product)
}

/// Releases what the product no longer uses and takes what it does.
fn move_claims(
    work: &mut UnitOfWork<'_>,
    old: Option<&Product>,
    new: &Product,
) -> Result<(), Rejection> {
    if let Some(old) = old {
        let skus = removed_skus(old, new);
        let mut free: Vec<_> = skus.into_iter().map(|s| (ClaimKind::Sku, s)).collect();
        if old.handle != new.handle {
            free.push((ClaimKind::Handle, old.handle.clone()));
        }
        release(work, &new.id, free)?;
    }
    let take = |kind, value: &str| ClaimCommand::Take(kind, value.to_owned(), new.id.clone());
    if old.is_none_or(|old| old.handle != new.handle) {
        let id = claim_id(ClaimKind::Handle, &new.handle);
        work.decide::<ClaimRules>(&id, &take(ClaimKind::Handle, &new.handle))
            .map_err(|r| r.field("handle"))?;
    }
    for (i, variant) in new.variants.iter().enumerate() {
        let id = claim_id(ClaimKind::Sku, &variant.sku);
        work.decide::<ClaimRules>(&id, &take(ClaimKind::Sku, &variant.sku))
            .map_err(|r| r.field(format!("variants[{i}].sku")))?;
    }
    Ok(())
}

fn release(
    work: &mut UnitOfWork<'_>,
    holder: &ProductId,
    values: Vec<(ClaimKind, String)>,
) -> Result<(), Rejection> {
    // These streams were not known beforehand: ask for all of them before giving up on one, so
    // that they are loaded together.
    for (kind, value) in &values {
        let _ = work.state::<ClaimRules>(&claim_id(*kind, value));
    }
    for (kind, value) in values {
        let id = claim_id(kind, &value);
        work.decide::<ClaimRules>(&id, &ClaimCommand::Release(kind, value, holder.clone()))?;
    }
    Ok(())
}

/// Publishes or unpublishes a product.
pub struct SetStatus {
    /// Which.
    pub key: Key,
    /// On sale or not.
    pub status: ProductStatus,
}

impl Command for SetStatus {
    type Output = Outcome;

    fn streams(&self) -> Vec<StreamId> {
        vec![self.key.stream()]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Outcome, Rejection> {
        let id = self.key.find(work)?.ok_or_else(no_product)?;
        let command = ProductCommand::SetStatus(self.status);
        let events = work.decide::<ProductRules>(id.as_str(), &command)?;
        let status = match events {
            0 => BulkStatus::Unchanged,
            _ => BulkStatus::Updated,
        };
        Ok(Outcome {
            status,
            product: current(work, &id)?,
            previous_handle: None,
        })
    }
}

/// Deletes a product; its handle and SKUs are free again.
pub struct DeleteProduct {
    /// Which.
    pub key: Key,
}

impl Command for DeleteProduct {
    /// The product as it was.
    type Output = Arc<Product>;

    fn streams(&self) -> Vec<StreamId> {
        vec![self.key.stream()]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Arc<Product>, Rejection> {
        let id = self.key.find(work)?.ok_or_else(no_product)?;
        let old = current(work, &id)?;
        work.decide::<ProductRules>(id.as_str(), &ProductCommand::Delete)?;
        let skus = old.variants.iter().map(|v| (ClaimKind::Sku, v.sku.clone()));
        let mut free: Vec<_> = skus.collect();
        free.push((ClaimKind::Handle, old.handle.clone()));
        release(work, &id, free)?;
        Ok(old)
    }
}

#[cfg(test)]
mod tests {
    use contracts::catalog::ProductInput;
    use kernel::{
        DeciderSpec,
        testing::{CountingIds, World, kinds},
    };

    use super::*;
    use crate::samples::input;

    struct Shop {
        world: World,
        ids: CountingIds,
    }

    impl Shop {
        fn new() -> Self {
            let world = World::new([
                DeciderSpec::of::<ProductRules>(),
                DeciderSpec::of::<ClaimRules>(),
                DeciderSpec::of::<CategoryRules>(),
            ]);
            Self {
                world,
                ids: CountingIds::default(),
            }
        }

        fn put(
            &mut self,
            target: Target,
            input: ProductInput,
        ) -> Result<(Outcome, Vec<&'static str>), Rejection> {
            let draft = Draft::read(input, &self.ids)?;
            let (outcome, work) = self.world.run(&PutProduct { draft, target })?;
            Ok((outcome, kinds(&work)))
        }

        fn holder(&self, kind: ClaimKind, value: &str) -> Option<ProductId> {
            self.world
                .state::<ClaimRules>(&claim_id(kind, value))
                .holder
        }
    }

    #[test]
    fn a_new_product_takes_its_handle_its_skus_and_its_categories() {
        let mut shop = Shop::new();
        let mut lamp = input("lamp", "L-1", 100);
        lamp.categories = vec!["home/lamps".into()];
        let (outcome, kinds) = shop.put(Target::New, lamp).unwrap();
        assert_eq!(
            kinds,
            [
                "catalog.product.created.v1",
                "catalog.claim.taken.v1",
                "catalog.claim.taken.v1",
                "catalog.category.created.v1",
                "catalog.category.created.v1",
            ]
        );
        let id = Some(outcome.product.id.clone());
        assert_eq!(shop.holder(ClaimKind::Handle, "lamp"), id);
        assert_eq!(shop.holder(ClaimKind::Sku, "L-1"), id);
    }

    #[test]
    fn a_taken_handle_or_sku_is_refused_by_field() {
        let mut shop = Shop::new();
        shop.put(Target::New, input("lamp", "L-1", 100)).unwrap();
        let refused = shop.put(Target::New, input("lamp", "L-2", 1)).unwrap_err();
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            ("handle-taken", Some("handle"))
        );
        let refused = shop.put(Target::New, input("other", "L-1", 1)).unwrap_err();
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            ("sku-taken", Some("variants[0].sku"))
        );
        assert_eq!(
            shop.holder(ClaimKind::Handle, "other"),
            None,
            "nothing of it was taken"
        );
    }

    #[test]
    fn an_upsert_is_a_creation_then_nothing_then_an_update() {
        let mut shop = Shop::new();
        let (first, _) = shop
            .put(Target::ByHandle, input("lamp", "L-1", 100))
            .unwrap();
        assert_eq!(first.status, BulkStatus::Created);
        let (again, kinds) = shop
            .put(Target::ByHandle, input("lamp", "L-1", 100))
            .unwrap();
        assert_eq!((again.status, kinds.len()), (BulkStatus::Unchanged, 0));
        let (dearer, kinds) = shop
            .put(Target::ByHandle, input("lamp", "L-1", 120))
            .unwrap();
        assert_eq!(dearer.status, BulkStatus::Updated);
        assert_eq!(kinds, ["catalog.product.updated.v1"]);
        assert_eq!(dearer.product.variants[0].id, first.product.variants[0].id);
    }

    #[test]
    fn a_new_handle_and_new_skus_free_the_old_ones() {
        let mut shop = Shop::new();
        let (made, _) = shop.put(Target::New, input("lamp", "L-1", 100)).unwrap();
        let target = Target::Existing(Key::read(made.product.id.as_str()).unwrap());
        let (moved, _) = shop.put(target, input("lantern", "L-2", 100)).unwrap();
        assert_eq!(moved.previous_handle.as_deref(), Some("lamp"));
        assert_eq!(shop.holder(ClaimKind::Handle, "lamp"), None);
        assert_eq!(shop.holder(ClaimKind::Sku, "L-1"), None);
        shop.put(Target::New, input("lamp", "L-1", 5)).unwrap();
        assert_ne!(
            shop.holder(ClaimKind::Sku, "L-1"),
            Some(made.product.id.clone())
        );
    }

    #[test]
    fn a_deleted_product_frees_everything() {
        let mut shop = Shop::new();
        shop.put(Target::New, input("lamp", "L-1", 100)).unwrap();
        let key = Key::read("lamp").unwrap();
        shop.world.run(&DeleteProduct { key: key.clone() }).unwrap();
        assert_eq!(shop.holder(ClaimKind::Handle, "lamp"), None);
        let again = shop
            .world
            .run(&DeleteProduct { key })
            .map(|_| ())
            .unwrap_err();
        assert_eq!(again.code, "not-found");
        shop.put(Target::New, input("lamp", "L-1", 100)).unwrap();
    }

    #[test]
    fn publishing_goes_by_handle_or_id() {
        let mut shop = Shop::new();
        let (made, _) = shop.put(Target::New, input("lamp", "L-1", 100)).unwrap();
        for key in ["lamp", made.product.id.as_str()] {
            for status in [ProductStatus::Draft, ProductStatus::Published] {
                let key = Key::read(key).unwrap();
                let (outcome, _) = shop.world.run(&SetStatus { key, status }).unwrap();
                assert_eq!(outcome.product.status, status);
            }
        }
        let key = Key::read("nothing").unwrap();
        let status = ProductStatus::Draft;
        let refused = shop
            .world
            .run(&SetStatus { key, status })
            .map(|_| ())
            .unwrap_err();
        assert_eq!(refused.code, "not-found");
    }

    #[test]
    fn an_update_of_what_is_not_there_is_refused() {
        let mut shop = Shop::new();
        let target = Target::Existing(Key::read("ghost").unwrap());
        assert_eq!(
            shop.put(target, input("ghost", "G", 1)).unwrap_err().code,
            "not-found"
        );
        assert_eq!(Key::read("Not A Handle"), None);
    }
}
