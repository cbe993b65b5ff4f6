//! From what is kept of a message to what its reader reads.

use contracts::{
    cart::CartId,
    notifications::{MessageClass, MessageQueued},
};
use kernel::{App, serde_json::Value};
use serde_json::json;

use crate::{Shared, links, templates::Written};

/// Why a message cannot be written.
#[derive(Clone, Debug, PartialEq)]
pub enum Unwritten {
    /// Its reader was erased.
    Erased,
    /// No template could be filled; where.
    Template(String),
}

/// A message as its reader sees it, and where "no more" leads, on messages that have that.
pub fn write(
    app: &App,
    shared: &Shared,
    message: &MessageQueued,
) -> Result<(Written, Option<String>), Unwritten> {
    let data = message.data.get().ok_or(Unwritten::Erased)?;
    let unsubscribe = unsubscribe(app, shared, message);
    let mut values = data.clone();
    values["shop"] = json!({
        "name": shared.config.shop_name, "url": shared.config.shop_url,
    });
    values["links"] = links_of(app, &shared.config.shop_url, data, unsubscribe.as_deref());
    let written = shared.templates.write(
        message.kind,
        message.channel,
        message.locale.as_deref(),
        &values,
    );
    let written = written
        .map_err(|error| Unwritten::Template(error.name().unwrap_or("a template").to_owned()))?;
    if let Some(problem) = &written.problem {
        tracing::error!(%problem, message = %message.message_id, "written with the built-in template");
    }
    Ok((written, unsubscribe))
}

fn unsubscribe(app: &App, shared: &Shared, message: &MessageQueued) -> Option<String> {
    let wanted = message.kind.class() != MessageClass::Transactional;
    wanted.then(|| links::unsubscribe(app, &shared.config.shop_url, &message.message_id))
}

/// The pages a message leads to: `main` is the one its button opens.
fn links_of(app: &App, shop: &str, data: &Value, unsubscribe: Option<&str>) -> Value {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let main = if let Some(order) = text(&data["order"]["id"]) {
        let cart: Option<CartId> = text(&data["order"]["cart_id"]).and_then(|id| id.parse().ok());
        let hash = text(&data["order"]["access_token_hash"]).unwrap_or_default();
        let token = cart.and_then(|cart| links::guest_token(app, &cart, &hash));
        links::order(shop, &order, token.as_deref())
    } else if let Some(handle) = text(&data["product"]["handle"]) {
        links::product(shop, &handle)
    } else if let Some(token) = text(&data["token"]) {
        links::verify(shop, &token)
    } else if data["lines"].is_array() {
        format!("{shop}/cart")
    } else {
        format!("{shop}/")
    };
    json!({ "main": main, "unsubscribe": unsubscribe })
}
