//! Accounts: the customer's own, and what staff do with all of them.

use axum::{Json as Body, extract::State, http::StatusCode, response::Response};
use contracts::{
    List,
    credit::{
        AdjustCredit, BlockCredit, CreditAccount, CreditAccountId, CreditAccountOpened, CreditKind,
        CreditMovement, CreditReason, GrantCredit, MyCredit, SetCreditExpiry, account_of_customer,
    },
    identity::CustomerId,
};
use kernel::{App, IdempotencyKey, Money, Rejection};
use serde::Deserialize;
use web::{Caller, Ctx, Json, Page, Path, Problem, Query};

use super::{READING, answer, check, render};
use crate::{
    account::AccountState,
    accounts::{Block, ChangeBalance, SetExpiry},
    change::Change,
    queries,
};

/// A customer has one account per currency; more than so many are not shown.
const MAX_CURRENCIES: i64 = 200;

/// `GET /api/credit/me`
pub async fn mine(State(app): State<App>, caller: Caller) -> Result<Body<MyCredit>, Problem> {
    let customer = caller.customer().unwrap_or_default();
    let accounts = queries::accounts_of(&app, customer, "", MAX_CURRENCIES).await?;
    Ok(Body(MyCredit { accounts }))
}

/// `POST /api/credit/grants`
pub async fn grant(
    State(app): State<App>,
    Ctx(context): Ctx,
    body: Json<GrantCredit>,
) -> Result<Response, Problem> {
    let GrantCredit {
        customer_id,
        amount,
        reason,
    } = body.value;
    check::positive("amount", amount)?;
    check::text("reason", &reason)?;
    let account_id = account_of_customer(&customer_id, amount.currency)
        .map_err(|_| Rejection::invalid("customer_id", "is no customer's id"))?;
    let open = CreditAccountOpened {
        account_id: account_id.clone(),
        kind: CreditKind::StoreCredit,
        customer_id: Some(customer_id),
        balance: Money::zero(amount.currency),
        code_hash: None,
        expires_at: None,
        at: app.now(),
    };
    let change = change(&app, account_id, CreditReason::Issued, amount, reason);
    let command = ChangeBalance {
        open: Some(open),
        change,
    };
    execute(&app, &context, body.key, command).await
}

/// `POST /api/credit/accounts/{id}/adjust`
pub async fn adjust(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<CreditAccountId>,
    body: Json<AdjustCredit>,
) -> Result<Response, Problem> {
    let AdjustCredit { amount, reason } = body.value;
    check::change("amount", amount)?;
    check::text("reason", &reason)?;
    let change = change(&app, id, CreditReason::Adjusted, amount, reason);
    execute(
        &app,
        &context,
        body.key,
        ChangeBalance { open: None, change },
    )
    .await
}

fn change(
    app: &App,
    account_id: CreditAccountId,
    reason: CreditReason,
    amount: Money,
    note: String,
) -> Change {
    Change {
        account_id,
        reason,
        amount,
        order_id: None,
        note: Some(note),
        at: app.now(),
    }
}

async fn execute(
    app: &App,
    context: &kernel::Context,
    key: Option<IdempotencyKey>,
    command: ChangeBalance,
) -> Result<Response, Problem> {
    let stored = app
        .execute_once(context, key, command, |state| {
            render(StatusCode::OK, &view(state))
        })
        .await?;
    Ok(answer(stored))
}

/// `POST /api/credit/accounts/{id}/disable`
pub async fn disable(
    app: State<App>,
    context: Ctx,
    id: Path<CreditAccountId>,
    body: Json<BlockCredit>,
) -> Result<Body<CreditAccount>, Problem> {
    block(app, context, id, body, true).await
}

/// `POST /api/credit/accounts/{id}/enable`
pub async fn enable(
    app: State<App>,
    context: Ctx,
    id: Path<CreditAccountId>,
    body: Json<BlockCredit>,
) -> Result<Body<CreditAccount>, Problem> {
    block(app, context, id, body, false).await
}

async fn block(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(account_id): Path<CreditAccountId>,
    body: Json<BlockCredit>,
    blocked: bool,
) -> Result<Body<CreditAccount>, Problem> {
    check::text("reason", &body.value.reason)?;
    let command = Block {
        account_id,
        blocked,
        note: body.value.reason,
    };
    shown(&app.execute(&context, command).await?)
}

/// `PUT /api/credit/accounts/{id}/expiry`
pub async fn set_expiry(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(account_id): Path<CreditAccountId>,
    body: Json<SetCreditExpiry>,
) -> Result<Body<CreditAccount>, Problem> {
    let command = SetExpiry {
        account_id,
        expires_at: body.value.expires_at,
    };
    shown(&app.execute(&context, command).await?)
}

fn shown(state: &AccountState) -> Result<Body<CreditAccount>, Problem> {
    view(state)
        .map(Body)
        .ok_or_else(|| Rejection::not_found("credit account").into())
}

fn view(state: &AccountState) -> Option<CreditAccount> {
    let opened = state.opened.as_ref()?;
    Some(CreditAccount {
        id: opened.account_id.clone(),
        kind: opened.kind,
        customer_id: opened.customer_id.clone(),
        balance: state.balance()?,
        expires_at: state.expires_at,
        disabled: state.disabled,
        opened_at: opened.at,
    })
}

/// Filters of the list.
#[derive(Deserialize)]
pub struct Filter {
    kind: Option<CreditKind>,
    customer_id: Option<CustomerId>,
}

/// `GET /api/credit/accounts`
pub async fn list(
    State(app): State<App>,
    page: Page,
    Query(filter): Query<Filter>,
) -> Result<Body<List<CreditAccount>>, Problem> {
    let after = page.after.as_deref().unwrap_or_default();
    let limit = page.limit + 1;
    let items = match filter.customer_id {
        // All of a customer's accounts are store credit.
        Some(_) if filter.kind == Some(CreditKind::GiftCard) => Vec::new(),
        Some(customer) => queries::accounts_of(&app, customer.as_str(), after, limit).await?,
        None => queries::accounts(&app, filter.kind, after, limit).await?,
    };
    Ok(Body(page.list(items, |account| account.id.to_string())))
}

/// `GET /api/credit/accounts/{id}`
pub async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CreditAccountId>,
) -> Result<Body<CreditAccount>, Problem> {
    owned(&app, &caller, &id).await.map(Body)
}

/// `GET /api/credit/accounts/{id}/movements`
pub async fn movements(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CreditAccountId>,
    page: Page,
) -> Result<Body<List<CreditMovement>>, Problem> {
    owned(&app, &caller, &id).await?;
    let below = queries::below(page.after.as_deref()).ok_or_else(super::reports::bad_cursor)?;
    let mut items = queries::movements(&app, &id, below, page.limit + 1).await?;
    if !caller.may(READING) {
        items.iter_mut().for_each(|item| item.note = None);
    }
    Ok(Body(page.list(items, |item| item.number.to_string())))
}

/// The account, if the caller may see it. To others it does not exist.
async fn owned(app: &App, caller: &Caller, id: &CreditAccountId) -> Result<CreditAccount, Problem> {
    let found = queries::account(app, id).await?;
    let owned = found.filter(|account| {
        let customer = account.customer_id.as_ref().map(CustomerId::as_str);
        caller.owns(READING, customer, None)
    });
    owned.ok_or_else(|| Rejection::not_found("credit account").into())
}
