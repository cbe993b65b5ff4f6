//! Who is calling, and whether they may.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use kernel::{App, PersonId};
use ring::digest::{SHA256, digest};

use crate::{Problem, Verifier};

/// Who may call a route. Every route declares one; there is no default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Public,
    /// Staff or an API key with this permission, such as `catalog:write`.
    Permission(&'static str),
    /// A signed-in customer.
    Customer,
    /// Whoever the thing belongs to (a customer, or a guest with its access token), or staff with
    /// this permission. The handler must ask [`Caller::owns`] before it answers.
    Owner(&'static str),
    /// Anyone who is signed in in any way.
    SignedIn,
}

/// An authenticated caller.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Principal {
    /// Nobody in particular.
    #[default]
    Anonymous,
    /// A customer.
    Customer {
        /// `cus_…`
        id: String,
        /// Whose key seals their data.
        person: Option<PersonId>,
    },
    /// A member of staff or an API key.
    Staff {
        /// `usr_…` or `key_…`
        id: String,
        /// What they may do.
        permissions: Vec<String>,
    },
}

/// The caller of a request: an extractor for handlers.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// Who it is.
    pub principal: Principal,
    /// The guest access token (`gst_…`) they hold, if any. A secret.
    pub guest: Option<Secret>,
}

/// Text that must not be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// SHA-256 of a token, hex: how guest tokens and API keys are kept.
pub fn hash_token(token: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(64);
    for byte in digest(&SHA256, token.as_bytes()).as_ref() {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// The token of an `Authorization: Bearer …` header; the scheme's case does not matter (RFC 9110).
pub fn bearer_token(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

impl Caller {
    /// Whether staff (or a key) with `permission`.
    pub fn may(&self, permission: &str) -> bool {
        matches!(&self.principal, Principal::Staff { permissions, .. }
            if permissions.iter().any(|p| p == permission || p == "*"))
    }

    /// Whether the thing of `customer` or of the guest token hashed as `token_hash` is theirs, or
    /// they are staff with `permission`.
    pub fn owns(&self, permission: &str, customer: Option<&str>, token_hash: Option<&str>) -> bool {
        let is_customer = matches!((&self.principal, customer),
            (Principal::Customer { id, .. }, Some(customer)) if id == customer);
        let is_guest = matches!((&self.guest, token_hash),
            (Some(token), Some(hash)) if hash_token(&token.0) == hash);
        is_customer || is_guest || self.may(permission)
    }

    /// What staff or a key may do; nothing for others.
    pub fn permissions(&self) -> &[String] {
        match &self.principal {
            Principal::Staff { permissions, .. } => permissions,
            _ => &[],
        }
    }

    /// The customer's id, if a customer.
    pub fn customer(&self) -> Option<&str> {
        match &self.principal {
            Principal::Customer { id, .. } => Some(id),
            _ => None,
        }
    }

    /// For events' `actor`: `staff:usr_…`, `customer:cus_…`, `guest`.
    pub fn actor(&self) -> Arc<str> {
        match &self.principal {
            Principal::Anonymous => "guest".into(),
            Principal::Customer { id, .. } => format!("customer:{id}").into(),
            Principal::Staff { id, .. } => format!("staff:{id}").into(),
        }
    }

    /// Reads the credentials of a request: `Authorization: Bearer <JWT or gst_…>`, or, where a
    /// browser cannot set headers (server-sent events), `?access_token=gst_…`.
    pub fn of(parts: &Parts, verifier: &Verifier, app: &App) -> Result<Self, Problem> {
        let bearer = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(bearer_token);
        let in_query = || {
            let query = parts.uri.query()?;
            let mut pairs = query.split('&');
            let token = pairs.find_map(|pair| pair.strip_prefix("access_token="))?;
            // Addresses end up in histories and logs: what signs a person in is not taken there.
            token.starts_with("gst_").then_some(token)
        };
        let Some(token) = bearer.or_else(in_query) else {
            return match parts.headers.contains_key(header::AUTHORIZATION) {
                true => Err(unauthenticated("use `Authorization: Bearer <token>`")),
                false => Ok(Self::default()),
            };
        };
        if token.starts_with("gst_") {
            return Ok(Self {
                principal: Principal::Anonymous,
                guest: Some(Secret(token.to_owned())),
            });
        }
        let claims = verifier
            .verify(token, app.now())
            .map_err(|e| unauthenticated(&e.to_string()))?;
        let principal = match claims.sub.starts_with("cus_") {
            true => Principal::Customer {
                id: claims.sub.clone(),
                person: claims.person.clone(),
            },
            false => Principal::Staff {
                id: claims.sub.clone(),
                permissions: claims.permissions.clone(),
            },
        };
        Ok(Self {
            principal,
            guest: None,
        })
    }

    fn check(&self, access: Access) -> Result<(), Problem> {
        let known = self.principal != Principal::Anonymous || self.guest.is_some();
        let allowed = match access {
            Access::Public => true,
            Access::SignedIn => self.principal != Principal::Anonymous,
            Access::Customer => self.customer().is_some(),
            Access::Permission(permission) => self.may(permission),
            Access::Owner(permission) => {
                self.customer().is_some() || self.guest.is_some() || self.may(permission)
            }
        };
        match (allowed, known) {
            (true, _) => Ok(()),
            (false, false) => Err(unauthenticated(
                "sign in, or send an API key or access token",
            )),
            (false, true) => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "forbidden",
                needed(access),
            )),
        }
    }
}

fn needed(access: Access) -> String {
    match access {
        Access::Permission(p) | Access::Owner(p) => format!("this needs the permission `{p}`"),
        _ => "this is not for this kind of caller".into(),
    }
}

fn unauthenticated(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
}

/// Handlers take `caller: Caller`.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(parts
            .extensions
            .get::<Caller>()
            .cloned()
            .unwrap_or_default())
    }
}

/// What the enforcing layer needs.
#[derive(Clone)]
pub(crate) struct Guard {
    pub access: Access,
    pub app: App,
    pub verifier: Arc<Verifier>,
}

/// Authenticates, checks the route's [`Access`], and hands the [`Caller`] on.
pub(crate) async fn enforce(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let checked = Caller::of(&parts, &guard.verifier, &guard.app)
        .and_then(|caller| caller.check(guard.access).map(|()| caller));
    match checked {
        Ok(caller) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => problem.into_response(),
    }
}
