//! The routes of pricing. Handlers parse, ask, and render; rules live in the deciders.

mod campaigns;
mod coupons;
mod places;
mod prices;
mod promotions;
mod routes;
mod taxes;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use kernel::Stored;

pub use routes::routes;

/// The recorded (or just made) answer of an idempotent command.
fn answer(stored: Stored) -> Response {
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        stored.body,
    )
        .into_response()
}

fn render(status: StatusCode, body: &impl serde::Serialize) -> Stored {
    match serde_json::to_string(body) {
        Ok(body) => Stored {
            status: status.as_u16(),
            body,
        },
        // Not reachable for the plain types rendered here; never an acknowledged success.
        Err(_) => Stored {
            status: 500,
            body: "{}".into(),
        },
    }
}
