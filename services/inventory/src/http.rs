//! The routes of inventory. Handlers parse, ask, and render; rules live in the deciders.

pub(crate) mod check;
mod holds;
mod locations;
mod reports;
mod stock;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    List,
    inventory::{
        AdjustStock, HoldStock, Level, LineResults, Location, Movement, ReceiveStock,
        ReservationView, SaveLocation, SetPolicies, SetPolicy, SkuPolicy, StockSummary, StockView,
        StrategyChoice, TransferStock, WaitingReservation,
    },
};
use kernel::Stored;
use web::{Access, Routes};

const READ: Access = Access::Permission("inventory:read");
const WRITE: Access = Access::Permission("inventory:write");

/// 5,000 lines of a few hundred bytes.
const BULK_BODY: usize = 4 * 1024 * 1024;

/// The table of routes.
pub fn routes() -> Routes {
    let routes = stock_routes(Routes::new());
    let routes = hold_routes(routes);
    location_routes(routes)
}

fn stock_routes(routes: Routes) -> Routes {
    routes
        .get("/api/inventory/levels", READ, reports::levels, |d| {
            d.summary("Levels of all SKUs, by SKU and location").paged().answer::<List<Level>>(200, "Levels")
        })
        .get("/api/inventory/levels/{sku}", Access::Public, reports::level, |d| {
            d.summary("The stock of one SKU")
                .description("Everyone is told how many can be bought now, 100 meaning 100 or more. Callers with `inventory:read` see levels per location, what is promised, and the backorder policy.")
                .answer::<StockView>(200, "The stock")
        })
        .get("/api/inventory/movements", READ, reports::movements, |d| {
            d.summary("The ledger: every unit that came or went, newest first")
                .query("sku", "only this SKU")
                .query("kind", "only this kind: opening, received, count, damaged, returned, other, transfer_in, transfer_out, sold, sale_cancelled")
                .paged()
                .answer::<List<Movement>>(200, "Movements")
        })
        .get("/api/inventory/summary", READ, reports::summary, |d| {
            d.summary("The books per SKU, for reconciliation").paged().answer::<List<StockSummary>>(200, "Books")
        })
        .post("/api/inventory/adjustments", WRITE, stock::adjust, |d| {
            d.summary("Change on-hand units")
                .description("Up to 5,000 lines, all or none unless `all_or_none` is false. `expected_on_hand` makes a line a compare-and-set: 409 `stock-changed` names the line and tells what there is.")
                .body::<AdjustStock>()
                .answer::<LineResults>(200, "What came of the lines")
                .idempotent()
                .body_limit(BULK_BODY)
        })
        .post("/api/inventory/receipts", WRITE, stock::receive, |d| {
            d.summary("Receive goods").body::<ReceiveStock>().answer::<LineResults>(200, "What there is now").idempotent().body_limit(BULK_BODY)
        })
        .post("/api/inventory/transfers", WRITE, stock::transfer, |d| {
            d.summary("Move free units between locations")
                .body::<TransferStock>()
                .answer::<LineResults>(200, "What there is now where they went")
                .idempotent()
                .body_limit(BULK_BODY)
        })
        .put("/api/inventory/policies/{sku}", WRITE, stock::set_policy, |d| {
            d.summary("Set the backorder policy of a SKU").body::<SetPolicy>().answer::<SkuPolicy>(200, "The policy")
        })
        .post("/api/inventory/policies", WRITE, stock::set_policies, |d| {
            d.summary("Set the backorder policies of many SKUs, all or none")
                .body::<SetPolicies>()
                .answer::<SetPolicies>(200, "The policies")
                .idempotent()
                .body_limit(BULK_BODY)
        })
}

fn hold_routes(routes: Routes) -> Routes {
    routes
        .post("/api/inventory/holds", WRITE, holds::make, |d| {
            d.summary("Keep units back for a while, without an order")
                .description("For tills, marketplaces, support. All lines or none; a shortage is 409 `short-stock` with every shortage. The hold ends by itself.")
                .body::<HoldStock>()
                .answer::<ReservationView>(201, "The hold")
                .idempotent()
        })
        .get("/api/inventory/holds/{id}", READ, holds::show, |d| {
            d.summary("A hold").answer::<ReservationView>(200, "The hold")
        })
        .delete("/api/inventory/holds/{id}", WRITE, holds::cancel, |d| {
            d.summary("Put the units of a hold back on sale").answer_empty(204, "They are on sale")
        })
        .get("/api/inventory/reservations", READ, holds::waiting, |d| {
            d.summary("Reservations that wait: neither allocated nor released, oldest first")
                .paged()
                .answer::<List<WaitingReservation>>(200, "Reservations")
        })
        .get("/api/inventory/reservations/{id}", READ, holds::reservation, |d| {
            d.summary("The reservation of an order, or a hold").answer::<ReservationView>(200, "The reservation")
        })
}

fn location_routes(routes: Routes) -> Routes {
    routes
        .get("/api/inventory/locations", READ, locations::list, |d| {
            d.summary("All stock locations").answer::<List<Location>>(200, "Locations")
        })
        .post("/api/inventory/locations", WRITE, locations::add, |d| {
            d.summary("Add a stock location").body::<SaveLocation>().answer::<Location>(201, "The location").idempotent()
        })
        .get("/api/inventory/locations/{id}", READ, locations::show, |d| {
            d.summary("A stock location").answer::<Location>(200, "The location")
        })
        .put("/api/inventory/locations/{id}", WRITE, locations::change, |d| {
            d.summary("Change a stock location")
                .description("An inactive location takes nothing more in and is drawn from last; what it holds can still be sold.")
                .body::<SaveLocation>()
                .answer::<Location>(200, "The location")
        })
        .delete("/api/inventory/locations/{id}", WRITE, locations::remove, |d| {
            d.summary("Remove an inactive, empty stock location").answer_empty(204, "It is gone")
        })
        .get("/api/inventory/strategy", READ, locations::strategy, |d| {
            d.summary("By which rule units are taken from several locations").answer::<StrategyChoice>(200, "The strategy")
        })
        .put("/api/inventory/strategy", WRITE, locations::choose, |d| {
            d.summary("Choose the rule").body::<StrategyChoice>().answer::<StrategyChoice>(200, "The strategy")
        })
}

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
