//! Gift cards: issuing them, and what their holders ask.

use std::sync::Arc;

use axum::{
    Extension, Json as Body, extract::State, http::HeaderMap, http::StatusCode, response::Response,
};
use contracts::credit::{
    CreditAccount, GiftCardBalance, GiftCardCode, GiftCardQuestion, IssueGiftCards, IssuedGiftCard,
    IssuedGiftCards,
};
use kernel::{App, Rejection, RejectionKind};
use web::{Ctx, Json, Problem};

use super::{answer, check, render};
use crate::{accounts::IssueCards, codes, queries, throttle::Throttle};

/// `POST /api/credit/gift-cards`
pub async fn issue(
    State(app): State<App>,
    Ctx(context): Ctx,
    body: Json<IssueGiftCards>,
) -> Result<Response, Problem> {
    let IssueGiftCards {
        amount,
        expires_at,
        count,
        note,
    } = body.value;
    check::positive("amount", amount)?;
    if !(1..=check::MAX_CARDS).contains(&count) {
        let detail = format!("must be 1 to {}", check::MAX_CARDS);
        return Err(Rejection::invalid("count", detail).into());
    }
    if let Some(note) = &note {
        check::text("note", note)?;
    }
    let codes = codes::make(&app, body.key.as_ref(), count as usize)?;
    let cards: Vec<_> = codes.iter().map(|code| codes::card(&app, code)).collect();
    let shown = codes.iter().zip(&cards).map(|(code, card)| IssuedGiftCard {
        account_id: card.account_id.clone(),
        code: code.spelled(),
    });
    let issued = IssuedGiftCards {
        cards: shown.collect(),
        amount,
        expires_at,
    };
    let command = IssueCards {
        cards,
        amount,
        expires_at,
        note,
    };
    // What is recorded for repeats is that it was done. The codes are not in it.
    let stored = app
        .execute_once(&context, body.key, command, |()| {
            render(StatusCode::CREATED, &())
        })
        .await?;
    let mut shown = render(StatusCode::CREATED, &issued);
    shown.status = stored.status;
    Ok(answer(shown))
}

/// `POST /api/credit/gift-cards/balance`
pub async fn balance(
    State(app): State<App>,
    Extension(throttle): Extension<Arc<Throttle>>,
    headers: HeaderMap,
    body: Json<GiftCardQuestion>,
) -> Result<Body<GiftCardBalance>, Problem> {
    let code = read(&body.value)?;
    let address = client_address(&headers);
    if let Some(address) = address {
        throttle.begin(address, app.now()).map_err(too_many)?;
    }
    let id = codes::card(&app, &code).account_id;
    let found = queries::account(&app, &id).await?;
    if let Some(address) = address.filter(|_| found.is_some()) {
        throttle.right(address);
    }
    let now = app.now();
    let pays = |account: &CreditAccount| {
        let ended = account.expires_at.is_some_and(|end| end <= now);
        account.balance.amount > 0 && !account.disabled && !ended
    };
    let found = found.filter(pays);
    Ok(Body(GiftCardBalance {
        balance: found.as_ref().map(|account| account.balance),
        expires_at: found.and_then(|account| account.expires_at),
    }))
}

/// `POST /api/credit/gift-cards/find`
pub async fn find(
    State(app): State<App>,
    body: Json<GiftCardQuestion>,
) -> Result<Body<CreditAccount>, Problem> {
    let id = codes::card(&app, &read(&body.value)?).account_id;
    let found = queries::account(&app, &id).await?;
    found
        .map(Body)
        .ok_or_else(|| Rejection::not_found("gift card").into())
}

fn read(question: &GiftCardQuestion) -> Result<GiftCardCode, Rejection> {
    GiftCardCode::parse(&question.code).map_err(|e| Rejection::invalid("code", e.to_string()))
}

/// The client's address as the gateway, the only way here, saw it: the last hop it wrote down.
fn client_address(headers: &HeaderMap) -> Option<&str> {
    let hops = headers.get("x-forwarded-for")?.to_str().ok()?;
    hops.rsplit(',').next().map(str::trim)
}

fn too_many(seconds: u64) -> Problem {
    let rejection = Rejection::new(
        RejectionKind::TooMany,
        "too-many-attempts",
        "too many codes that are no gift card's; wait before the next one",
    );
    Problem::from(rejection).retry_after(seconds)
}
