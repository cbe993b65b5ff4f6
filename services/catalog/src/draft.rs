//! From what a merchant sends to what the catalogue keeps: trimmed, cleaned, categories as paths,
//! fresh ids where they will be needed. Done before the command, so that deciding stays cheap and
//! pure.

use std::collections::HashMap;

use contracts::catalog::{
    Category, Product, ProductId, ProductInput, ProductStatus, Variant, VariantId, VariantInput,
    slug,
};
use kernel::{Ids, Rejection};

use crate::{category, html, limits};

/// A product on its way in.
#[derive(Clone, Debug)]
pub struct Draft {
    /// With fresh ids; those of a product that exists replace them.
    product: Product,
    /// As sent: `None` keeps the present one.
    status: Option<ProductStatus>,
    /// Whether the handle was sent, not made from the title.
    handle_sent: bool,
    /// Its categories and those above them, each parent before its children.
    pub categories: Vec<Category>,
}

impl Draft {
    /// Reads `input`; refuses what cannot be read, naming the field. Bounds are the decider's.
    pub fn read(input: ProductInput, ids: &dyn Ids) -> Result<Self, Rejection> {
        if input.description.len() > limits::MAX_DESCRIPTION {
            let detail = format!("must be at most {} bytes", limits::MAX_DESCRIPTION);
            return Err(Rejection::invalid("description", detail));
        }
        if input.title.trim().is_empty() {
            // Said first: without a title there is no handle either, but that is not the mistake.
            return Err(Rejection::invalid("title", "must not be empty"));
        }
        let handle_sent = !input.handle.is_empty();
        let handle = match handle_sent {
            true => input.handle,
            false => slug(&input.title),
        };
        if handle.is_empty() && !input.title.trim().is_empty() {
            let detail = "give a handle: the title has no Latin letters or digits to make it of";
            return Err(Rejection::invalid("handle", detail));
        }
        let (paths, categories) = categories(&input.categories, ids)?;
        if input.variants.len() > limits::MAX_VARIANTS {
            let detail = format!("must be 1 to {} of them", limits::MAX_VARIANTS);
            return Err(Rejection::invalid("variants", detail));
        }
        let option_names: Vec<&str> = input.options.iter().map(|o| o.name.as_str()).collect();
        let variants = input.variants.into_iter();
        let variants = variants.map(|v| variant(v, &option_names, ids)).collect();
        let product = Product {
            id: ProductId::generate(ids),
            handle,
            title: input.title.trim().to_owned(),
            description: html::clean(&input.description),
            vendor: input.vendor.trim().to_owned(),
            product_type: input.product_type.trim().to_owned(),
            tax_class: input.tax_class,
            status: input.status.unwrap_or_default(),
            categories: paths,
            tags: tags(input.tags),
            attributes: input.attributes,
            options: input.options,
            media: input.media,
            variants,
        };
        Ok(Self {
            product,
            status: input.status,
            handle_sent,
            categories,
        })
    }

    /// The product this makes when there is none yet.
    pub fn fresh(&self) -> &Product {
        &self.product
    }

    /// The product this makes of `old`: same id, same ids for variants with the same SKU, and
    /// what was not sent stays.
    pub fn onto(&self, old: &Product) -> Product {
        let mut product = self.product.clone();
        product.id = old.id.clone();
        product.status = self.status.unwrap_or(old.status);
        if !self.handle_sent {
            product.handle = old.handle.clone();
        }
        let known: HashMap<&str, &VariantId> = old
            .variants
            .iter()
            .map(|v| (v.sku.as_str(), &v.id))
            .collect();
        for variant in &mut product.variants {
            if let Some(id) = known.get(variant.sku.as_str()) {
                variant.id = (*id).clone();
            }
        }
        product
    }
}

/// The paths the product is in, and every category that must exist for it.
fn categories(
    references: &[String],
    ids: &dyn Ids,
) -> Result<(Vec<String>, Vec<Category>), Rejection> {
    if references.len() > limits::MAX_CATEGORIES {
        let detail = format!("must be at most {} of them", limits::MAX_CATEGORIES);
        return Err(Rejection::invalid("categories", detail));
    }
    let (mut paths, mut needed) = (Vec::new(), Vec::<Category>::new());
    for (i, reference) in references.iter().enumerate() {
        let line = category::line_of(reference, ids)
            .map_err(|reason| Rejection::invalid(format!("categories[{i}]"), reason))?;
        let path = line.last().map(|c| c.path.clone()).unwrap_or_default();
        if !paths.contains(&path) {
            paths.push(path);
        }
        for category in line {
            if !needed.iter().any(|known| known.path == category.path) {
                needed.push(category);
            }
        }
    }
    Ok((paths, needed))
}

/// Trimmed, without empty ones and repeats, in their order.
fn tags(tags: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let trimmed = tags.into_iter().map(|tag| tag.trim().to_owned());
    trimmed
        .filter(|tag| !tag.is_empty() && seen.insert(tag.clone()))
        .collect()
}

fn variant(input: VariantInput, option_names: &[&str], ids: &dyn Ids) -> Variant {
    let values = option_names
        .iter()
        .filter_map(|name| input.options.get(*name));
    let made: Vec<&str> = values.map(String::as_str).collect();
    let title = match input.title.trim() {
        "" => made.join(" / "),
        title => title.to_owned(),
    };
    Variant {
        id: VariantId::generate(ids),
        sku: input.sku,
        title,
        options: input.options,
        prices: input.prices,
        compare_at: input.compare_at,
        weight_grams: input.weight_grams,
        size_mm: input.size_mm,
        barcode: input.barcode,
        media: input.media,
        requires_shipping: input.requires_shipping,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use contracts::catalog::ProductOption;
    use kernel::testing::CountingIds;

    use super::*;
    use crate::samples::{input, mug};

    fn read(input: ProductInput) -> Result<Draft, Rejection> {
        Draft::read(input, &CountingIds::default())
    }

    #[test]
    fn what_comes_in_is_tidied() {
        let mut given = input("", "A", 100);
        given.title = "  Émile's Lamp ".into();
        given.description = "<script>x</script><p onclick=y>Good".into();
        given.tags = vec![" a".into(), "".into(), "a".into(), "b".into()];
        given.categories = vec!["Home > Lamps".into(), "home/lamps".into(), "sale".into()];
        given.options = vec![ProductOption {
            name: "Size".into(),
            values: vec!["S".into()],
        }];
        given.variants[0].options = BTreeMap::from([("Size".into(), "S".into())]);
        let draft = read(given).unwrap();
        let product = draft.fresh();
        assert_eq!(product.handle, "emiles-lamp");
        assert_eq!(product.title, "Émile's Lamp");
        assert_eq!(product.description, "<p>Good</p>");
        assert_eq!(product.tags, ["a", "b"]);
        assert_eq!(product.categories, ["home/lamps", "sale"]);
        let needed: Vec<&str> = draft.categories.iter().map(|c| c.path.as_str()).collect();
        assert_eq!(needed, ["home", "home/lamps", "sale"]);
        assert_eq!(product.variants[0].title, "S");
    }

    #[test]
    fn replacing_keeps_ids_and_what_was_not_sent() {
        let old = mug();
        let mut given = input("", "MUG-RED", 999);
        given.status = None;
        given.variants.push(VariantInput {
            sku: "NEW".into(),
            ..given.variants[0].clone()
        });
        let new = read(given).unwrap().onto(&old);
        assert_eq!(new.id, old.id);
        assert_eq!(new.handle, old.handle);
        assert_eq!(new.status, old.status);
        assert_eq!(new.variants[0].id, old.variants[1].id);
        assert!(!old.variants.iter().any(|v| v.id == new.variants[1].id));
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_field() {
        let refused = |change: fn(&mut ProductInput)| {
            let mut given = input("a", "A", 1);
            change(&mut given);
            read(given).unwrap_err().field.unwrap_or_default()
        };
        assert_eq!(
            refused(|i| {
                i.handle.clear();
                i.title = "茶".into();
            }),
            "handle"
        );
        assert_eq!(
            refused(|i| i.categories = vec!["a".into(), ">".into()]),
            "categories[1]"
        );
        assert_eq!(
            refused(|i| i.description = "x".repeat(65_537)),
            "description"
        );
    }
}
