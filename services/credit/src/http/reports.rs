//! Holds, the ledger, and what the shop owes.

use axum::{Json as Body, extract::State};
use contracts::{
    List,
    credit::{
        CreditAccountId, CreditLedgerLine, CreditLiabilities, CreditOfOrder, CreditTrialBalance,
        CreditUse, WaitingCredit,
    },
    orders::OrderId,
};
use kernel::{App, Money, Rejection};
use web::{Page, Path, Problem};

use crate::{
    hold::{Hold, HoldState},
    queries,
};

/// `GET /api/credit/holds`
pub async fn waiting(
    State(app): State<App>,
    page: Page,
) -> Result<Body<List<WaitingCredit>>, Problem> {
    let after = page.after.as_deref().unwrap_or_default();
    let items = queries::waiting(&app, after, page.limit + 1).await?;
    Ok(Body(page.list(items, |item| item.order_id.to_string())))
}

/// `GET /api/credit/holds/{order_id}`
pub async fn of_order(
    State(app): State<App>,
    Path(order_id): Path<OrderId>,
) -> Result<Body<CreditOfOrder>, Problem> {
    let found = app.state::<Hold>(order_id.as_str()).await?;
    if found.version == 0 {
        return Err(Rejection::not_found("hold").into());
    }
    let refunded = refunded(&found.state);
    Ok(Body(CreditOfOrder {
        order_id,
        status: found.state.status,
        uses: found.state.uses,
        refunded,
    }))
}

fn refunded(state: &HoldState) -> Vec<CreditUse> {
    let currency = |id: &CreditAccountId| {
        let used = state.uses.iter().find(|used| used.account_id == *id);
        used.map(|used| used.amount.currency)
    };
    let refunded = state.refunded.iter();
    refunded
        .filter_map(|(account_id, amount)| {
            Some(CreditUse {
                account_id: account_id.clone(),
                amount: Money::new(*amount, currency(account_id)?),
            })
        })
        .collect()
}

/// `GET /api/credit/ledger`
pub async fn ledger(
    State(app): State<App>,
    page: Page,
) -> Result<Body<List<CreditLedgerLine>>, Problem> {
    let below = queries::below(page.after.as_deref()).ok_or_else(bad_cursor)?;
    let items = queries::ledger(&app, below, page.limit + 1).await?;
    Ok(Body(page.list(items, |line| line.number.to_string())))
}

/// `GET /api/credit/ledger/summary`
pub async fn trial_balance(State(app): State<App>) -> Result<Body<CreditTrialBalance>, Problem> {
    Ok(Body(queries::trial_balance(&app).await?))
}

/// `GET /api/credit/liabilities`
pub async fn liabilities(State(app): State<App>) -> Result<Body<CreditLiabilities>, Problem> {
    let items = queries::liabilities(&app).await?;
    Ok(Body(CreditLiabilities { items }))
}

/// The cursor is not this list's.
pub fn bad_cursor() -> Problem {
    Rejection::invalid("cursor", "must be a next_cursor of this list").into()
}
