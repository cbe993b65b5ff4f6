//! The routes of credit. Handlers parse, ask, and render; rules live in the deciders.

mod accounts;
mod cards;
mod check;
mod reports;

use std::sync::Arc;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    List,
    credit::{
        AdjustCredit, BlockCredit, CreditAccount, CreditLedgerLine, CreditLiabilities,
        CreditMovement, CreditOfOrder, CreditTrialBalance, GiftCardBalance, GiftCardQuestion,
        GrantCredit, IssueGiftCards, IssuedGiftCards, MyCredit, SetCreditExpiry, WaitingCredit,
    },
};
use kernel::Stored;
use web::{Access, Routes};

use crate::throttle::Throttle;

const READING: &str = "credit:read";
const READ: Access = Access::Permission(READING);
const WRITE: Access = Access::Permission("credit:write");

/// The table of routes.
pub fn routes() -> Routes {
    let routes = card_routes(Routes::new());
    let routes = account_routes(routes);
    report_routes(routes).share(Arc::new(Throttle::default()))
}

fn card_routes(routes: Routes) -> Routes {
    routes
        .post("/api/credit/gift-cards", WRITE, cards::issue, |d| {
            d.summary("Issue gift cards")
                .description("Codes are shown in this answer alone and are not kept. Sent again with the same `Idempotency-Key`, the request issues nothing and gets the same codes again.")
                .body::<IssueGiftCards>()
                .answer::<IssuedGiftCards>(201, "The cards and their codes")
                .idempotent()
        })
        .post("/api/credit/gift-cards/balance", Access::Public, cards::balance, |d| {
            d.summary("What a gift card can pay now")
                .description("The answer has no balance when the card is empty, expired or blocked, and also when no card has this code. Codes with a typing mistake are 400. Asking often for codes that are no card's is slowed down (429).")
                .body::<GiftCardQuestion>()
                .answer::<GiftCardBalance>(200, "What it can pay")
        })
        .post("/api/credit/gift-cards/find", READ, cards::find, |d| {
            d.summary("The account of a gift card, by its code")
                .body::<GiftCardQuestion>()
                .answer::<CreditAccount>(200, "The account")
        })
}

fn account_routes(routes: Routes) -> Routes {
    routes
        .get("/api/credit/me", Access::Customer, accounts::mine, |d| {
            d.summary("The signed-in customer's store credit").answer::<MyCredit>(200, "One account per currency")
        })
        .post("/api/credit/grants", WRITE, accounts::grant, |d| {
            d.summary("Give a customer store credit").body::<GrantCredit>().answer::<CreditAccount>(200, "The account").idempotent()
        })
        .get("/api/credit/accounts", READ, accounts::list, |d| {
            d.summary("Gift cards and store credit, by id")
                .query("kind", "only `gift_card` or only `store_credit`")
                .query("customer_id", "only this customer's")
                .paged()
                .answer::<List<CreditAccount>>(200, "A page")
        })
        .get("/api/credit/accounts/{id}", Access::Owner(READING), accounts::show, |d| {
            d.summary("An account: for staff, or for the customer whose store credit it is").answer::<CreditAccount>(200, "The account")
        })
        .get("/api/credit/accounts/{id}/movements", Access::Owner(READING), accounts::movements, |d| {
            d.summary("The history of an account, newest first").paged().answer::<List<CreditMovement>>(200, "A page")
        })
        .post("/api/credit/accounts/{id}/adjust", WRITE, accounts::adjust, |d| {
            d.summary("Correct a balance")
                .description("409 `too-little-credit` when it would go below zero, `credit-expired` when the account's time is over.")
                .body::<AdjustCredit>()
                .answer::<CreditAccount>(200, "The account afterwards")
                .idempotent()
        })
        .post("/api/credit/accounts/{id}/disable", WRITE, accounts::disable, |d| {
            d.summary("Block an account: it keeps its balance and pays no more").body::<BlockCredit>().answer::<CreditAccount>(200, "The account")
        })
        .post("/api/credit/accounts/{id}/enable", WRITE, accounts::enable, |d| {
            d.summary("Let a blocked account pay again").body::<BlockCredit>().answer::<CreditAccount>(200, "The account")
        })
        .put("/api/credit/accounts/{id}/expiry", WRITE, accounts::set_expiry, |d| {
            d.summary("Move the end of an account")
                .description("At its end what is left on it is gone. Money of an order that comes back later can be spent for another 30 days.")
                .body::<SetCreditExpiry>()
                .answer::<CreditAccount>(200, "The account")
        })
}

fn report_routes(routes: Routes) -> Routes {
    routes
        .get("/api/credit/holds", READ, reports::waiting, |d| {
            d.summary("Holds that wait for their orders, oldest first")
                .paged()
                .answer::<List<WaitingCredit>>(200, "A page")
        })
        .get(
            "/api/credit/holds/{order_id}",
            READ,
            reports::of_order,
            |d| {
                d.summary("What an order has to do with credit")
                    .answer::<CreditOfOrder>(200, "Its hold and refunds")
            },
        )
        .get("/api/credit/ledger", READ, reports::ledger, |d| {
            d.summary("The ledger, line by line, newest first")
                .paged()
                .answer::<List<CreditLedgerLine>>(200, "A page")
        })
        .get(
            "/api/credit/ledger/summary",
            READ,
            reports::trial_balance,
            |d| {
                d.summary("The trial balance: the sum of every ledger account")
                    .answer::<CreditTrialBalance>(200, "The sums")
            },
        )
        .get("/api/credit/liabilities", READ, reports::liabilities, |d| {
            d.summary("What the shop owes to holders of gift cards and store credit, by currency")
                .answer::<CreditLiabilities>(200, "One for each currency")
        })
}

/// The recorded (or just made) answer of an idempotent command.
fn answer(stored: Stored) -> Response {
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = [(header::CONTENT_TYPE, "application/json")];
    (status, json, stored.body).into_response()
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
