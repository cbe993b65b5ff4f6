//! API keys.

use axum::{Json as Body, extract::State, http::StatusCode};
use contracts::{
    List,
    identity::{
        ApiKeyId, ApiKeyIssued,
        api::{ApiKeyMade, ApiKeyView, NewApiKey},
    },
};
use kernel::{App, Decide, Decided, Rejection};
use web::{Caller, Ctx, Json, Page, Path, Problem};

use super::{Answer, stored};
use crate::{
    api_key::{ApiKey, ApiKeyCommand, ApiKeys},
    queries,
    role::may_give,
    secret::new_api_key,
};

/// `POST /api/identity/api-keys`
pub async fn make(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Json { value, key }: Json<NewApiKey>,
) -> Result<Answer, Problem> {
    may_give(caller.permissions(), &value.permissions)?;
    let days = value.expires_in_days;
    if days.is_some_and(|days| !(1..=3650).contains(&days)) {
        let detail = "must be 1 to 3650 days, or absent";
        return Err(Rejection::invalid("expires_in_days", detail).into());
    }
    let (key_id, token) = new_api_key(app.ids());
    let now = app.now();
    let issued = ApiKeyIssued {
        key_id: key_id.clone(),
        name: value.name,
        permissions: value.permissions,
        secret_hash: token.hash(),
        expires_at: days.map(|days| now.plus_seconds(days * 24 * 60 * 60)),
    };
    let made = ApiKeyMade {
        api_key: ApiKeyView {
            id: key_id.clone(),
            name: issued.name.clone(),
            permissions: issued.permissions.clone(),
            created_at: now,
            expires_at: issued.expires_at,
            revoked: false,
        },
        secret: token.reveal().to_owned(),
    };
    let command = Decide::<ApiKeys>::new(key_id.as_str(), ApiKeyCommand::Issue(issued));
    let render = move |_: &Decided<ApiKey>| stored(StatusCode::CREATED, &made);
    let answer = app.execute_once(&context, key, command, render).await?;
    Ok(Answer(answer))
}

/// `GET /api/identity/api-keys`
pub async fn list(State(app): State<App>, page: Page) -> Result<Body<List<ApiKeyView>>, Problem> {
    let keys = queries::api_keys(&app, &page).await?;
    Ok(Body(page.list(keys, |key| key.id.as_str().to_owned())))
}

/// `DELETE /api/identity/api-keys/{id}`
pub async fn revoke(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<ApiKeyId>,
) -> Result<StatusCode, Problem> {
    let issued = app.state::<ApiKeys>(id.as_str()).await?.state.issued;
    let issued = issued.ok_or_else(|| Rejection::not_found("API key"))?;
    may_give(caller.permissions(), &issued.permissions)?;
    let command = Decide::<ApiKeys>::new(id.as_str(), ApiKeyCommand::Revoke);
    app.execute(&context, command).await?;
    Ok(StatusCode::NO_CONTENT)
}
