//! Signing in and out, and access tokens.

use std::sync::Arc;

use axum::{
    Extension, Json as Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use contracts::identity::{
    AccountId, CustomerId, CustomerRegistered,
    api::{ChangePassword, Exchange, Jwks, Login, Logout, Register},
};
use kernel::{App, Decide, PersonId, Personal, Rejection, RejectionKind};
use web::{Ctx, Json, Problem, hash_token};

use super::{Answer, answer};
use crate::{
    accounts::{self, RegisterCustomer},
    credential::check_password,
    desk::Desk,
    email,
    grant::{RedeemApiKey, RedeemSession, SignIn, not_good},
    keys::{ALL_KEYS, SigningKeys},
    secret::{Named, name_of},
    session::{SessionCommand, Sessions},
    signer,
};

type Shared = Extension<Arc<Desk>>;

/// `POST /api/identity/login`
pub async fn login(
    State(app): State<App>,
    Extension(desk): Shared,
    Ctx(context): Ctx,
    headers: HeaderMap,
    Json { value: login, .. }: Json<Login>,
) -> Result<Answer, Problem> {
    let Login { email, password } = login;
    check_length(&password, "password")?;
    let found = desk
        .check(&app, &email, password, client_address(&headers))
        .await?;
    if found.one_time {
        return Err(change_required().into());
    }
    let (session, token) = desk.session(&app, found.account, found.epoch);
    let ends = session.expires_at;
    let grant = app.execute(&context, SignIn { session }).await?;
    let signed_in = desk.signed_in(&app, &grant, &token, ends).await?;
    Ok(answer(StatusCode::OK, &signed_in))
}

/// `POST /api/identity/password`
pub async fn change_password(
    State(app): State<App>,
    Extension(desk): Shared,
    Ctx(context): Ctx,
    headers: HeaderMap,
    Json { value: change, .. }: Json<ChangePassword>,
) -> Result<Answer, Problem> {
    check_length(&change.current_password, "current_password")?;
    let email = email::normalise(&change.email)?;
    check_password(&change.new_password, &email, "new_password")?;
    if change.new_password == change.current_password {
        let detail = "must be another password than the present one";
        return Err(Rejection::invalid("new_password", detail).into());
    }
    let address = client_address(&headers);
    let found = desk
        .check(&app, &email, change.current_password, address)
        .await?;
    // The present password was there to be checked, so its person is known.
    let person = found.hash.as_ref().ok_or_else(not_good)?.person().clone();
    let hash = desk.hasher.hash(app.ids(), change.new_password).await?;
    let (session, token) = desk.session(&app, found.account, found.epoch);
    let ends = session.expires_at;
    let command = accounts::ChangePassword {
        password: Personal::new(person, hash),
        session,
    };
    let grant = app.execute(&context, command).await?;
    let signed_in = desk.signed_in(&app, &grant, &token, ends).await?;
    Ok(answer(StatusCode::OK, &signed_in))
}

/// `POST /api/identity/register`
pub async fn register(
    State(app): State<App>,
    Extension(desk): Shared,
    Ctx(context): Ctx,
    headers: HeaderMap,
    Json { value, .. }: Json<Register>,
) -> Result<Answer, Problem> {
    let email = email::normalise(&value.email)?;
    check_password(&value.password, &email, "password")?;
    desk.slow_down(&app, client_address(&headers))?;
    let hash = desk.hasher.hash(app.ids(), value.password).await?;
    let person = PersonId::generate(app.ids());
    let customer_id = CustomerId::generate(app.ids());
    let account = AccountId::Customer(customer_id.clone());
    let (session, token) = desk.session(&app, account, 0);
    let ends = session.expires_at;
    let command = RegisterCustomer {
        email_hash: app.keys().blind("email", &email),
        customer: CustomerRegistered {
            customer_id,
            email: Personal::new(person.clone(), email),
        },
        password: Personal::new(person, hash),
        session,
    };
    let grant = app.execute(&context, command).await?;
    let signed_in = desk.signed_in(&app, &grant, &token, ends).await?;
    Ok(answer(StatusCode::CREATED, &signed_in))
}

/// `POST /api/identity/token`
pub async fn exchange(
    State(app): State<App>,
    Extension(desk): Shared,
    Json { value, .. }: Json<Exchange>,
) -> Result<Answer, Problem> {
    let context = kernel::Context::default();
    let secret_hash = hash_token(&value.token);
    let grant = match name_of(&value.token).ok_or_else(not_good)? {
        Named::Session(id) => {
            let redeem = RedeemSession { id, secret_hash };
            app.execute(&context, redeem).await?
        }
        Named::ApiKey(id) => {
            let redeem = RedeemApiKey { id, secret_hash };
            app.execute(&context, redeem).await?
        }
    };
    let token = desk.access_token(&app, &grant).await?;
    Ok(answer(StatusCode::OK, &token))
}

/// `POST /api/identity/logout`
pub async fn logout(
    State(app): State<App>,
    Ctx(context): Ctx,
    Json { value, .. }: Json<Logout>,
) -> Result<StatusCode, Problem> {
    // A token that names no session has none to end.
    if let Some(Named::Session(id)) = name_of(&value.session_token) {
        let secret_hash = hash_token(&value.session_token);
        let end = SessionCommand::End { secret_hash };
        let command = Decide::<Sessions>::new(id.as_str(), end);
        app.execute(&context, command).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/identity/.well-known/jwks.json`
pub async fn keys(State(app): State<App>) -> Result<Body<Jwks>, Problem> {
    let roll = app.state::<SigningKeys>(ALL_KEYS).await?.state;
    Ok(Body(signer::jwks(&roll)))
}

/// The client's address as the gateway, the only way here, saw it: the last hop it wrote down.
fn client_address(headers: &HeaderMap) -> Option<&str> {
    let hops = headers.get("x-forwarded-for")?.to_str().ok()?;
    hops.rsplit(',').next().map(str::trim)
}

/// Refuses what cannot be a password before any work is done for it.
fn check_length(password: &str, field: &str) -> Result<(), Rejection> {
    match password.len() <= 4 * crate::credential::MAX_PASSWORD {
        true => Ok(()),
        false => Err(Rejection::invalid(field, "is longer than any password")),
    }
}

/// Why a one-time password does not sign anyone in.
fn change_required() -> Rejection {
    Rejection::new(
        RejectionKind::Forbidden,
        "password-change-required",
        "this is a one-time password: choose your own with POST /api/identity/password",
    )
}
