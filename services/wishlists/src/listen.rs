//! What others say, and what wishlists do about it. Pure: event → command.

use kernel::{PersonId, Poison, Reaction, Recorded, Subscription};
use serde::Deserialize;

use crate::commands::Erase;

const ERASED: &str = "customers.person.erased.v1";

/// As much of that event as matters here.
#[derive(Deserialize)]
struct PersonErased {
    person: PersonId,
}

/// Whom to forget.
pub fn to_customers() -> Subscription {
    Subscription::new("erasures", &["customers"], on_customers)
}

fn on_customers(event: &Recorded) -> Result<Reaction, Poison> {
    if &*event.kind != ERASED {
        return Ok(Reaction::none());
    }
    let erased: PersonErased = serde_json::from_str(&event.data)
        .map_err(|_| Poison(format!("{ERASED} names no person")))?;
    Ok(Reaction::command(Erase(erased.person)))
}
