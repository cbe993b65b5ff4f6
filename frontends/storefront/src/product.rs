//! The page of one product.

use axum::{extract::Path, response::Response};
use contracts::catalog::{AttributeValue, Media, Product, Variant};
use kernel::{Currency, Money};
use serde::Serialize;

use crate::{
    assets,
    availability::{self, Availability},
    description, failure, links, money,
    navigation::{self, Section},
    pages::Page,
    visit::Visit,
};

/// A product, for `product.html`.
#[derive(Debug, Serialize)]
struct View {
    title: String,
    vendor: String,
    /// Safe HTML.
    description: String,
    pictures: Vec<Picture>,
    trail: Vec<Section>,
    choices: Vec<Choice>,
    /// What the variants differ in, such as `Size / Colour`.
    choice_label: String,
    /// The first variant's price, when all cost the same.
    price: Option<String>,
    /// The lowest, when they differ.
    price_from: Option<String>,
    was: Option<String>,
    attributes: Vec<(String, String)>,
    /// No variant can be had now.
    sold_out: bool,
}

/// A variant one can put into the cart.
#[derive(Debug, Serialize)]
struct Choice {
    sku: String,
    label: String,
    price: String,
    /// Such as `only 3 left`; empty when nothing is known.
    stock: String,
    sold_out: bool,
}

/// A picture with its text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Picture {
    /// Address; our own placeholder when the product has none that a page may show.
    pub url: String,
    /// For those who do not see it.
    pub alt: String,
}

impl Picture {
    fn of(media: &Media) -> Option<Self> {
        let url = links::outside(&media.url)?.to_owned();
        Some(Self {
            url,
            alt: media.alt.clone(),
        })
    }

    fn all_of(product: &Product) -> Vec<Self> {
        let own = product
            .variants
            .iter()
            .filter_map(|variant| variant.media.as_ref());
        let mut pictures: Vec<Self> = Vec::new();
        for picture in product.media.iter().chain(own).filter_map(Self::of) {
            if pictures.iter().all(|known| known.url != picture.url) {
                pictures.push(picture);
            }
        }
        pictures
    }

    /// The picture a product is recognised by.
    pub fn first_of(product: &Product) -> Self {
        let first = Self::all_of(product).into_iter().next();
        first.unwrap_or_else(|| Self {
            url: assets::address("no-picture.svg"),
            alt: String::new(),
        })
    }
}

/// The price in the shop's currency.
pub fn price(prices: &[Money], currency: Currency) -> Option<Money> {
    prices
        .iter()
        .find(|price| price.currency == currency)
        .copied()
}

/// What a variant cost before, when it costs less now.
pub fn was(variant: &Variant, currency: Currency) -> Option<String> {
    let now = price(&variant.prices, currency)?;
    let before = price(&variant.compare_at, currency)?;
    (before.amount > now.amount).then(|| money::show(before))
}

/// `GET /p/{handle}`
pub async fn show(visit: Visit, Path(handle): Path<String>) -> Response {
    let address = format!("/api/catalog/products/{}", links::encode(&handle));
    let product = visit.get("catalog", address).read::<Product>();
    let (product, categories) = tokio::join!(product, navigation::categories(&visit));
    let product = match product {
        Ok(product) => product,
        Err(failure) if failure.is_missing() => {
            return failure::missing(
                &visit,
                "We do not have this product (any more)",
                "It may be sold out for good or go by another name. Try a search, or have a look around.",
            );
        }
        Err(failure) => return failure::show(&visit, &failure),
    };
    // An id works too, but a product has one address.
    if product.handle != handle {
        return crate::pages::see_other(&links::product(&product.handle));
    }
    let category = product
        .categories
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    let trail = navigation::trail(&categories, category);
    let currency = visit.shop.config.currency;
    let sold = on_sale(&product, currency);
    let skus: Vec<&str> = sold
        .iter()
        .map(|(variant, _)| variant.sku.as_str())
        .collect();
    let stock = availability::of(&visit, &skus).await;
    let view = view(&product, trail, currency, &sold, &stock);
    Page::new("product.html", view)
        .sections(navigation::roots(&categories))
        .revalidated()
        .show(&visit)
}

/// The variants that have a price in the shop's currency.
fn on_sale(product: &Product, currency: Currency) -> Vec<(&Variant, Money)> {
    let priced = |variant: &'_ Variant| price(&variant.prices, currency);
    let variants = product.variants.iter();
    variants
        .filter_map(|variant| Some((variant, priced(variant)?)))
        .collect()
}

fn view(
    product: &Product,
    trail: Vec<Section>,
    currency: Currency,
    sold: &[(&Variant, Money)],
    stock: &[Availability],
) -> View {
    let lowest = sold.iter().min_by_key(|(_, price)| price.amount);
    let all_same = sold
        .iter()
        .all(|(_, price)| Some(price) == lowest.map(|(_, low)| low));
    let lowest_shown = lowest.map(|(_, price)| money::show(*price));
    let mut pictures = Picture::all_of(product);
    if pictures.is_empty() {
        pictures.push(Picture::first_of(product));
    }
    for picture in &mut pictures {
        if picture.alt.is_empty() {
            picture.alt.clone_from(&product.title);
        }
    }
    let options = product.options.iter().map(|option| option.name.as_str());
    let choice_label = match product.options.is_empty() {
        true => "Variant".to_owned(),
        false => options.collect::<Vec<_>>().join(" / "),
    };
    View {
        title: product.title.clone(),
        vendor: product.vendor.clone(),
        description: description::clean(&product.description),
        pictures,
        trail,
        choice_label,
        price: lowest_shown.clone().filter(|_| all_same),
        price_from: lowest_shown.filter(|_| !all_same),
        was: lowest.and_then(|(variant, _)| was(variant, currency)),
        attributes: product
            .attributes
            .iter()
            .map(|(name, value)| (navigation::title_of(name), words(value)))
            .collect(),
        sold_out: stock.iter().all(|stock| *stock == Availability::SoldOut),
        choices: sold
            .iter()
            .zip(stock)
            .map(|((variant, price), stock)| Choice {
                sku: variant.sku.clone(),
                label: label(product, variant),
                price: money::show(*price),
                stock: stock.words(),
                sold_out: *stock == Availability::SoldOut,
            })
            .collect(),
    }
}

/// What a variant is called among its siblings.
fn label(product: &Product, variant: &Variant) -> String {
    if !variant.title.is_empty() {
        return variant.title.clone();
    }
    let values = product
        .options
        .iter()
        .filter_map(|option| variant.options.get(&option.name));
    let label = values.map(String::as_str).collect::<Vec<_>>().join(" / ");
    match label.is_empty() {
        true => variant.sku.clone(),
        false => label,
    }
}

fn words(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Text(text) | AttributeValue::Decimal(text) => text.clone(),
        AttributeValue::Integer(number) => number.to_string(),
        AttributeValue::Boolean(true) => "yes".into(),
        AttributeValue::Boolean(false) => "no".into(),
        AttributeValue::List(texts) => texts.join(", "),
    }
}
