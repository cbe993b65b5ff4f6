//! Wishes to hear when something is in stock again.

use std::sync::Arc;

use axum::{Json as Answer, extract::State, http::StatusCode};
use contracts::{
    address::is_email,
    identity::CustomerId,
    notifications::{RestockNoted, RestockRequestId, RestockRequested, RestockWish},
};
use kernel::{App, Decide, PersonId, Personal, Rejection};
use web::{Caller, Ctx, Json, Principal, Problem};

use crate::{
    address, queries,
    reader::Reader,
    restock::{Restock, RestockCommand},
};

/// `POST /api/notifications/back-in-stock`
pub async fn wish(
    State(app): State<App>,
    ctx: Ctx,
    caller: Caller,
    Json { value, .. }: Json<RestockWish>,
) -> Result<(StatusCode, Answer<RestockNoted>), Problem> {
    check(&value)?;
    let sku = value.sku.clone();
    // Nobody waits for what there is not: made-up names leave nothing behind.
    let Some((title, handle)) = queries::product(&app, &sku).await? else {
        return Err(Rejection::not_found("product on sale with this SKU").into());
    };
    let reader = reader(&app, &caller, &value).await?;
    let request = RestockRequested {
        request_id: RestockRequestId::generate(app.ids()),
        sku: sku.clone(),
        title,
        handle,
        address_key: address::key(&app, &reader.email),
        person: reader.person.clone(),
        email: Personal::new(reader.person, reader.email),
        customer_id: reader.customer,
        locale: value.locale.or(reader.locale),
        at: app.now(),
    };
    let ask = RestockCommand::Ask(Arc::new(request));
    let decide = Decide::<Restock>::new(sku.as_str(), ask);
    app.execute(&ctx.0, decide).await?;
    Ok((StatusCode::ACCEPTED, Answer(RestockNoted { sku })))
}

fn check(wish: &RestockWish) -> Result<(), Rejection> {
    let sku = wish.sku.as_str();
    if sku.is_empty() || sku.len() > 64 || sku.contains(char::is_control) {
        return Err(Rejection::invalid("sku", "must be 1 to 64 characters"));
    }
    if wish.email.as_deref().is_some_and(|email| !is_email(email)) {
        let detail = "must be an e-mail address, such as ann@example.org";
        return Err(Rejection::invalid("email", detail));
    }
    let language = |text: &str| {
        let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        (2..=35).contains(&text.len()) && text.bytes().all(good)
    };
    match wish.locale.as_deref().is_none_or(language) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            "locale",
            "must be a language such as de or en-GB (BCP 47)",
        )),
    }
}

struct Wisher {
    email: String,
    person: PersonId,
    customer: Option<CustomerId>,
    locale: Option<String>,
}

/// Where to write to: the address that was given, or a signed-in customer's own. Only the latter
/// ties the wish to their account; a guest is a person of their own for each wish.
async fn reader(app: &App, caller: &Caller, wish: &RestockWish) -> Result<Wisher, Problem> {
    if let Some(email) = &wish.email {
        return Ok(Wisher {
            email: email.clone(),
            person: PersonId::generate(app.ids()),
            customer: None,
            locale: None,
        });
    }
    let Principal::Customer { id, .. } = &caller.principal else {
        let detail = "say where to write to, or sign in";
        return Err(Rejection::invalid("email", detail).into());
    };
    let known = app.state::<Reader>(id).await?.state;
    let address = known.email.as_ref();
    let Some((email, person)) = address.and_then(|e| Some((e.get()?, e.person()))) else {
        let detail = "your address is not known here yet; say where to write to";
        return Err(Rejection::invalid("email", detail).into());
    };
    Ok(Wisher {
        email: email.clone(),
        person: person.clone(),
        customer: id.parse().ok(),
        locale: known.locale,
    })
}
