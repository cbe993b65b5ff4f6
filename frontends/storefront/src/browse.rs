//! The list of products: the start page, a category, a search.

use axum::{
    extract::{Path, Query, rejection::QueryRejection},
    response::Response,
};
use contracts::{List, catalog::Product};
use kernel::{Currency, Money};
use serde::{Deserialize, Serialize};

use crate::{
    client::Failure,
    failure, links, money,
    navigation::{self, Section},
    pages::Page,
    product::{self, Picture},
    visit::Visit,
};

/// Products on one page: divisible by two, three and four columns.
const PAGE: &str = "24";
/// Longer searches are cut.
const LONGEST_SEARCH: usize = 100;

/// What a list's address may say.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    q: Option<String>,
    cursor: Option<String>,
}

/// A list of products, for `list.html`.
#[derive(Debug, Serialize)]
struct Listing {
    title: String,
    /// What was searched for; empty when nothing was.
    q: String,
    /// The way to this category.
    trail: Vec<Section>,
    /// Categories below this one.
    below: Vec<Section>,
    products: Vec<Card>,
    /// Address of the next page.
    next: Option<String>,
    /// Address of the first page, when this is not it.
    first: Option<String>,
}

/// A product in a list.
#[derive(Debug, Serialize)]
struct Card {
    title: String,
    vendor: String,
    url: String,
    picture: Picture,
    /// Empty when it is not sold in the shop's currency.
    price: String,
    /// Whether some variants cost more.
    from: bool,
    /// What it cost before, when it costs less now.
    was: Option<String>,
}

/// `GET /`
pub async fn home(visit: Visit, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    list(&visit, "", asked).await
}

/// `GET /c/{path}`
pub async fn category(
    visit: Visit,
    Path(path): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    list(&visit, path.trim_matches('/'), asked).await
}

async fn list(
    visit: &Visit,
    category: &str,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Query(asked) = asked.unwrap_or_default();
    let q: String = asked
        .q
        .unwrap_or_default()
        .trim()
        .chars()
        .take(LONGEST_SEARCH)
        .collect();
    let query = [
        ("limit", Some(PAGE)),
        ("category", Some(category)),
        ("q", Some(q.as_str())),
        ("cursor", asked.cursor.as_deref()),
    ];
    let address = links::with_query("/api/catalog/products", &query);
    let products = visit.get("catalog", address).read::<List<Product>>();
    let (products, categories) = tokio::join!(products, navigation::categories(visit));
    let products = match products {
        Ok(products) => products,
        // A cursor of another list or an older version: begin again.
        Err(Failure::Refused(_)) if asked.cursor.is_some() => {
            return crate::pages::see_other(&own_address(category, &q, None));
        }
        Err(failure) if failure.is_missing() => {
            return failure::missing(
                visit,
                "There is no such category",
                "It may have been renamed. Have a look at everything we have.",
            );
        }
        Err(failure) => return failure::show(visit, &failure),
    };
    let trail = navigation::trail(&categories, category);
    let title = match (q.is_empty(), trail.last()) {
        (false, _) => format!("Search: {q}"),
        (true, Some(section)) => section.title.clone(),
        (true, None) => visit.shop.config.shop_name.clone(),
    };
    let currency = visit.shop.config.currency;
    let listing = Listing {
        title,
        trail,
        below: navigation::below(&categories, category),
        products: products
            .items
            .iter()
            .map(|product| card(product, currency))
            .collect(),
        next: products
            .next_cursor
            .as_deref()
            .map(|cursor| own_address(category, &q, Some(cursor))),
        first: asked
            .cursor
            .is_some()
            .then(|| own_address(category, &q, None)),
        q,
    };
    Page::new("list.html", listing)
        .sections(navigation::roots(&categories))
        .revalidated()
        .show(visit)
}

fn own_address(category: &str, q: &str, cursor: Option<&str>) -> String {
    links::with_query(
        &links::category(category),
        &[("q", Some(q)), ("cursor", cursor)],
    )
}

fn card(product: &Product, currency: Currency) -> Card {
    let prices: Vec<Money> = product
        .variants
        .iter()
        .filter_map(|variant| product::price(&variant.prices, currency))
        .collect();
    let lowest = prices.iter().min_by_key(|price| price.amount);
    let dearer = |price: &Money| lowest.is_some_and(|lowest| price.amount > lowest.amount);
    let cheapest = product
        .variants
        .iter()
        .find(|variant| product::price(&variant.prices, currency).as_ref() == lowest);
    Card {
        title: product.title.clone(),
        vendor: product.vendor.clone(),
        url: links::product(&product.handle),
        picture: Picture::first_of(product),
        price: lowest.map(|price| money::show(*price)).unwrap_or_default(),
        from: prices.iter().any(dearer),
        was: cheapest.and_then(|variant| product::was(variant, currency)),
    }
}
