//! `POST /api/shipping/quotes`: what it costs to ship a cart, in signed offers.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Extension, extract::State};
use contracts::{
    address::Address,
    shipping::{
        Destination, QuoteAnswer, QuoteId, QuoteItem, QuoteOffer, QuoteRequest, ShippingOption,
        ShippingQuote, destination_text, items_text,
    },
};
use kernel::{App, AppError, Currency, Money, Rejection};
use web::{Json, Problem, hash_token};

use crate::{
    check,
    goods::{Good, look_up},
    http::Shared,
    plan::{Plans, SHOP},
    rates::{Item, offers},
    signer::sign,
};

/// Most lines of a request.
const MAX_ITEMS: usize = 500;
/// Most units of one.
const MAX_QUANTITY: i64 = 100_000;

/// Offers every option that fits. The prices the rules go by are this service's own copy of the
/// catalogue's: what the client says costs nothing and weighs nothing.
pub async fn quote(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Json { value, .. }: Json<QuoteRequest>,
) -> Result<axum::Json<QuoteAnswer>, Problem> {
    checked(&value)?;
    let items = shipped(&app, &value.items, value.currency).await?;
    if items.is_empty() {
        return Ok(axum::Json(QuoteAnswer {
            requires_shipping: false,
            offers: Vec::new(),
        }));
    }
    let plan = app.state::<Plans>(SHOP).await?.state;
    let fitting = offers(&plan, &items, value.currency, &value.destination);
    let offers = signed(&app, &shared, &value, fitting).await?;
    Ok(axum::Json(QuoteAnswer {
        requires_shipping: true,
        offers,
    }))
}

fn checked(request: &QuoteRequest) -> Result<(), Rejection> {
    check::count("items", request.items.len(), 1, MAX_ITEMS)?;
    for (i, item) in request.items.iter().enumerate() {
        check::text(&format!("items[{i}].sku"), &item.sku, 128)?;
        let field = format!("items[{i}].quantity");
        check::range(&field, item.quantity, 1, MAX_QUANTITY)?;
    }
    let Destination {
        country,
        province,
        postcode,
    } = &request.destination;
    check::country("destination.country", country)?;
    for (field, text) in [
        ("destination.province", province),
        ("destination.postcode", postcode),
    ] {
        if !text.is_empty() {
            check::text(field, text, 200)?;
        }
    }
    Ok(())
}

/// What of these lines is shipped, the lines of a SKU summed.
async fn shipped(app: &App, items: &[QuoteItem], currency: Currency) -> Result<Vec<Item>, Problem> {
    let mut wanted = BTreeMap::<&str, i64>::new();
    for item in items {
        *wanted.entry(&item.sku).or_default() += item.quantity;
    }
    let known = look_up(app, &wanted, currency).await?;
    let mut shipped = Vec::with_capacity(known.len());
    for (sku, good) in wanted.keys().zip(known) {
        match good {
            Some(Good::Shipped(item)) => shipped.push(item),
            Some(Good::NotShipped) => {}
            None => {
                let place = items.iter().position(|item| item.sku == *sku).unwrap_or(0);
                let detail = "there is no such SKU in the catalogue";
                let field = format!("items[{place}].sku");
                return Err(Rejection::unprocessable("unknown-sku", detail)
                    .field(field)
                    .into());
            }
        }
    }
    Ok(shipped)
}

async fn signed(
    app: &App,
    shared: &Shared,
    request: &QuoteRequest,
    fitting: Vec<(Arc<ShippingOption>, Money)>,
) -> Result<Vec<QuoteOffer>, AppError> {
    let (kid, pair) = shared.signer.key(app).await?;
    let lines = request.items.iter().map(|i| (i.sku.as_str(), i.quantity));
    let items_hash = hash_token(&items_text(lines));
    let destination_hash = hash_token(&destination_text(&Address {
        country: request.destination.country.clone(),
        province: request.destination.province.clone(),
        postcode: request.destination.postcode.clone(),
        ..Address::default()
    }));
    let expires_at = app.now().plus_seconds(shared.quote_seconds);
    let offer = |(option, amount): (Arc<ShippingOption>, Money)| {
        let quote = ShippingQuote {
            id: QuoteId::generate(app.ids()),
            cart_id: request.cart_id.clone(),
            items_hash: items_hash.clone(),
            destination_hash: destination_hash.clone(),
            country: request.destination.country.clone(),
            option_id: option.id.clone(),
            label: option.label.clone(),
            amount,
            tax_class: option.tax_class.clone(),
            collect_from: option.collect_from.clone(),
            min_days: option.min_days,
            max_days: option.max_days,
            expires_at,
        };
        Ok(QuoteOffer {
            token: sign(&kid, &pair, &quote)?,
            option_id: quote.option_id,
            label: quote.label,
            amount,
            collect_from: quote.collect_from,
            min_days: quote.min_days,
            max_days: quote.max_days,
            expires_at,
        })
    };
    fitting.into_iter().map(offer).collect()
}
