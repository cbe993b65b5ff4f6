//! Identity's routes.

mod api_keys;
mod me;
mod roles;
mod sign_in;
mod staff;

use std::sync::Arc;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    List,
    identity::api::{
        AccessToken, ApiKeyMade, ApiKeyView, ChangePassword, Exchange, Jwks, Login, Logout, Me,
        NewApiKey, NewStaff, Register, RoleBody, RoleView, SignedIn, StaffRoles, StaffView,
        StaffWithPassword,
    },
};
use kernel::Stored;
use web::{
    Access::{Permission, Public, SignedIn as Anybody},
    Routes,
};

use crate::desk::Desk;

const ADMIN: web::Access = Permission("identity:admin");
/// Bodies here are a few short fields.
const SMALL: usize = 16 * 1024;

/// The table.
#[rustfmt::skip]
pub fn routes(desk: Arc<Desk>) -> Routes {
    Routes::new()
        .share(desk)
        .post("/api/identity/login", Public, sign_in::login, |d| {
            d.summary("Sign in with an e-mail address and a password")
                .description("An account with a one-time password is refused with `password-change-required`: it may only choose another one with `POST /api/identity/password`. Attempts are slowed down per account and per client address.")
                .body::<Login>().answer::<SignedIn>(200, "Signed in").body_limit(SMALL)
        })
        .post("/api/identity/password", Public, sign_in::change_password, |d| {
            d.summary("Choose another password, and sign in with it")
                .description("Needs the present password, which may be a one-time one. Ends every other session of the account.")
                .body::<ChangePassword>().answer::<SignedIn>(200, "Signed in").body_limit(SMALL)
        })
        .post("/api/identity/register", Public, sign_in::register, |d| {
            d.summary("Open a customer's account, and sign in")
                .description("Answers 409 `email-taken` when there is an account already. Takes no `Idempotency-Key`: its record would hold a quick hash of the password.")
                .body::<Register>().answer::<SignedIn>(201, "Signed in").body_limit(SMALL)
        })
        .post("/api/identity/token", Public, sign_in::exchange, |d| {
            d.summary("Exchange a session token or an API key for an access token")
                .body::<Exchange>().answer::<AccessToken>(200, "Good for five minutes").body_limit(SMALL)
        })
        .post("/api/identity/logout", Public, sign_in::logout, |d| {
            d.summary("End a session")
                .description("Access tokens already given out are good until they expire.")
                .body::<Logout>().answer_empty(204, "Signed out, now or before").body_limit(SMALL)
        })
        .get("/api/identity/.well-known/jwks.json", Public, sign_in::keys, |d| {
            d.summary("The public keys of access tokens (RFC 7517)").answer::<Jwks>(200, "The keys")
        })
        .get("/api/identity/me", Anybody, me::me, |d| {
            d.summary("Who the caller is").answer::<Me>(200, "The caller")
        })
        .post("/api/identity/api-keys", ADMIN, api_keys::make, |d| {
            d.summary("Make an API key").description("With at most the caller's own permissions.")
                .body::<NewApiKey>().answer::<ApiKeyMade>(201, "The key, shown this once").idempotent().body_limit(SMALL)
        })
        .get("/api/identity/api-keys", ADMIN, api_keys::list, |d| {
            d.summary("API keys").paged().answer::<List<ApiKeyView>>(200, "A page")
        })
        .delete("/api/identity/api-keys/{id}", ADMIN, api_keys::revoke, |d| {
            d.summary("Revoke an API key").answer_empty(204, "It works no more")
        })
        .post("/api/identity/staff", ADMIN, staff::add, |d| {
            d.summary("Add a member of staff").description("With roles that allow at most what the caller may do.")
                .body::<NewStaff>().answer::<StaffWithPassword>(201, "With a one-time password, shown this once").idempotent().body_limit(SMALL)
        })
        .get("/api/identity/staff", ADMIN, staff::list, |d| {
            d.summary("The staff").paged().answer::<List<StaffView>>(200, "A page")
        })
        .get("/api/identity/staff/{id}", ADMIN, staff::one, |d| {
            d.summary("A member of staff").answer::<StaffView>(200, "Them")
        })
        .put("/api/identity/staff/{id}/roles", ADMIN, staff::set_roles, |d| {
            d.summary("Give a member of staff exactly these roles")
                .body::<StaffRoles>().answer::<StaffView>(200, "Them").body_limit(SMALL)
        })
        .post("/api/identity/staff/{id}/disable", ADMIN, staff::disable, |d| {
            d.summary("Lock a member of staff out and end their sessions").answer::<StaffView>(200, "Them")
        })
        .post("/api/identity/staff/{id}/enable", ADMIN, staff::enable, |d| {
            d.summary("Let a member of staff in again").answer::<StaffView>(200, "Them")
        })
        .post("/api/identity/staff/{id}/password", ADMIN, staff::reset_password, |d| {
            d.summary("Give a member of staff a new one-time password and end their sessions")
                .answer::<StaffWithPassword>(200, "With the password, shown this once")
        })
        .get("/api/identity/roles", ADMIN, roles::list, |d| {
            d.summary("Roles").paged().answer::<List<RoleView>>(200, "A page")
        })
        .put("/api/identity/roles/{name}", ADMIN, roles::define, |d| {
            d.summary("Define a role, or define it anew")
                .body::<RoleBody>().answer::<RoleView>(200, "The role").body_limit(SMALL)
        })
        .delete("/api/identity/roles/{name}", ADMIN, roles::remove, |d| {
            d.summary("Remove a role from everyone").answer_empty(204, "It allows nothing any more")
        })
}

/// Renders an answer to be kept for repeats of its request.
fn stored<T: serde::Serialize>(status: StatusCode, body: &T) -> Stored {
    match serde_json::to_string(body) {
        Ok(body) => Stored {
            status: status.as_u16(),
            body,
        },
        Err(_) => Stored {
            status: StatusCode::INTERNAL_SERVER_ERROR.as_u16(),
            body: "{}".into(),
        },
    }
}

/// A JSON answer that holds a secret: nobody on the way may keep it (RFC 6749, 5.1).
struct Answer(Stored);

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            ),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (status, headers, self.0.body).into_response()
    }
}

/// A JSON answer with a secret in it.
fn answer<T: serde::Serialize>(status: StatusCode, body: &T) -> Answer {
    Answer(stored(status, body))
}
