//! The read models: whole products as JSON, a narrow table to search and list by, products per
//! category, and the categories.

use std::collections::BTreeSet;

use contracts::catalog::{CategoryEvent, Product, ProductEvent, ProductStatus};
use kernel::{DecodeError, Projection, Recorded, Statement, sql};

use crate::category::upwards;

/// Products: `products` holds the JSON that is answered, `product_listing` what lists select by.
/// `product_categories` has a row for each category a product is in and each one above, so that a
/// category's list is one range of it.
pub fn products() -> Projection {
    Projection::own(
        "products",
        1,
        &["products", "product_listing", "product_categories"],
        "CREATE TABLE products (id TEXT NOT NULL PRIMARY KEY, handle TEXT NOT NULL, status TEXT NOT NULL, body TEXT NOT NULL);
         CREATE INDEX products_by_handle ON products (handle);
         CREATE TABLE product_listing (id TEXT NOT NULL PRIMARY KEY, status TEXT NOT NULL, words TEXT NOT NULL);
         CREATE TABLE product_categories (category TEXT NOT NULL, id TEXT NOT NULL, status TEXT NOT NULL, PRIMARY KEY (category, id));
         CREATE INDEX product_categories_by_id ON product_categories (id)",
        apply_product,
    )
}

fn apply_product(recorded: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let Some(event) = recorded.decode::<ProductEvent>()? else {
        return Ok(());
    };
    match &*event {
        ProductEvent::Created(created) => put(&created.product, out),
        ProductEvent::Updated(updated) => {
            leave_categories(updated.product.id.as_str(), out);
            put(&updated.product, out)
        }
        ProductEvent::Deleted(deleted) => {
            let id = deleted.product_id.as_str();
            out.push(sql!("DELETE FROM products WHERE id = $1", id));
            out.push(sql!("DELETE FROM product_listing WHERE id = $1", id));
            leave_categories(id, out);
            Ok(())
        }
    }
}

fn leave_categories(id: &str, out: &mut Vec<Statement>) {
    out.push(sql!("DELETE FROM product_categories WHERE id = $1", id));
}

fn put(product: &Product, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let body = serde_json::to_string(product).map_err(|error| DecodeError {
        kind: "product".into(),
        reason: error.to_string(),
    })?;
    let (id, status) = (product.id.as_str(), status_name(product.status));
    out.push(sql!(
        "INSERT INTO products (id, handle, status, body) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (id) DO UPDATE SET handle = excluded.handle, status = excluded.status, body = excluded.body",
        id, &product.handle, status, body
    ));
    out.push(sql!(
        "INSERT INTO product_listing (id, status, words) VALUES ($1, $2, $3) \
         ON CONFLICT (id) DO UPDATE SET status = excluded.status, words = excluded.words",
        id,
        status,
        words(product)
    ));
    let within: BTreeSet<&str> = product.categories.iter().flat_map(|c| upwards(c)).collect();
    out.extend(within.into_iter().map(|category| {
        sql!(
            "INSERT INTO product_categories (category, id, status) VALUES ($1, $2, $3)",
            category,
            id,
            status
        )
    }));
    Ok(())
}

/// As it stands in the tables and in `?status=`.
pub fn status_name(status: ProductStatus) -> &'static str {
    match status {
        ProductStatus::Draft => "draft",
        ProductStatus::Published => "published",
    }
}

/// What `?q=` looks into, lower case, one piece per line.
fn words(product: &Product) -> String {
    let fixed = [&product.title, &product.vendor, &product.product_type];
    let skus = product.variants.iter().map(|variant| &variant.sku);
    let pieces = fixed.into_iter().chain(&product.tags).chain(skus);
    let mut words = String::new();
    for piece in pieces {
        words.push_str(&piece.to_lowercase());
        words.push('\n');
    }
    words
}

/// The categories.
pub fn categories() -> Projection {
    Projection::own(
        "categories",
        1,
        &["categories"],
        "CREATE TABLE categories (path TEXT NOT NULL PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL)",
        apply_category,
    )
}

fn apply_category(recorded: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let Some(event) = recorded.decode::<CategoryEvent>()? else {
        return Ok(());
    };
    let category = match &*event {
        CategoryEvent::Created(created) => &created.category,
        CategoryEvent::Renamed(renamed) => &renamed.category,
    };
    out.push(sql!(
        "INSERT INTO categories (path, id, name) VALUES ($1, $2, $3) \
         ON CONFLICT (path) DO UPDATE SET name = excluded.name",
        &category.path,
        &category.id,
        &category.name
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::mug;

    #[test]
    fn a_product_is_listed_in_its_categories_and_all_above() {
        let mut product = mug();
        product.categories = vec!["home/tableware/mugs".into(), "home/gifts".into()];
        let mut out = Vec::new();
        put(&product, &mut out).unwrap();
        let category = |s: &Statement| match &s.args[0] {
            kernel::Value::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        };
        let within: Vec<String> = out[2..].iter().map(category).collect();
        assert_eq!(
            within,
            [
                "home",
                "home/gifts",
                "home/tableware",
                "home/tableware/mugs"
            ]
        );
    }

    #[test]
    fn search_looks_into_title_vendor_type_tags_and_skus() {
        assert_eq!(
            words(&mug()),
            "hand-thrown mug\nkiln lane\nmug\nstoneware\nmug-blue\nmug-red\n"
        );
    }
}
