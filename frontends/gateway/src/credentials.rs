//! Sessions and API keys become access tokens here: exchanged once at identity, kept for as long as
//! the token is good, dropped as soon as identity says that they ended.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header},
    response::IntoResponse as _,
};
use contracts::identity::{
    ApiKeyEvent, SessionEvent,
    api::{AccessToken, Exchange},
};
use kernel::{Broadcast, From, Recorded};
use quick_cache::sync::Cache;
use ring::digest::{SHA256, digest};
use web::{Problem, Upstream};

use crate::headers::REQUEST_ID;

/// SHA-256 of a credential: how it is kept in memory.
pub type Digest = [u8; 32];

/// Most credentials remembered.
const CAPACITY: usize = 20_000;
/// A token is not used this close to its end, so that it is still good where it arrives.
const MARGIN: Duration = Duration::from_secs(20);
/// How long a refusal is remembered, so that a wrong key in a loop does not reach identity.
const REFUSED_FOR: Duration = Duration::from_secs(5);

/// The cookie that browsers keep their session in.
const SESSION_COOKIE: &str = "souk_session";
/// The header API keys may also come in.
pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What a request shows to say who it is.
#[derive(Debug, PartialEq)]
pub enum Shown<'a> {
    /// Nothing, or something that services check themselves (an access token, a guest's token).
    Nothing,
    /// A session token or API key, to be exchanged.
    Credential(&'a str),
    /// A session token in a cookie, which the browser may have sent on its own: when it is no
    /// longer good, the request goes on without it.
    Cookie(&'a str),
}

/// Reads what a request shows.
pub fn shown<'a>(headers: &'a HeaderMap, changes_something: bool) -> Shown<'a> {
    let text = |value: &'a HeaderValue| value.to_str().ok();
    if let Some(key) = headers.get(&API_KEY).and_then(text) {
        return Shown::Credential(key);
    }
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = text(value).and_then(web::bearer_token);
        return match token.filter(|t| t.starts_with("souk_") || t.starts_with("ses_")) {
            Some(token) => Shown::Credential(token),
            None => Shown::Nothing,
        };
    }
    let mut cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(text)
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    match cookies.find(|(name, _)| *name == SESSION_COOKIE) {
        Some((_, session)) if !changes_something || is_same_site(headers) => Shown::Cookie(session),
        _ => Shown::Nothing,
    }
}

/// Whether the browser says that a page of this site made the request: another site's page must
/// not act with a visitor's cookie.
fn is_same_site(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let text = |name| {
        headers
            .get(name)
            .and_then(|v: &HeaderValue| v.to_str().ok())
    };
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => origin
            .split_once("://")
            .is_some_and(|(_, site)| site == host),
        // No browser of today leaves both out when it sends something.
        _ => false,
    }
}

/// What identity said of a credential.
struct Known {
    /// `Bearer <access token>`; `None`: refused.
    token: Option<HeaderValue>,
    until: Instant,
}

/// The cache of exchanged credentials. Clones share it.
#[derive(Clone)]
pub struct Credentials {
    known: Arc<Cache<Digest, Arc<Known>>>,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            known: Arc::new(Cache::new(CAPACITY)),
        }
    }
}

/// How a credential is kept.
pub fn digest_of(credential: &str) -> Digest {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, credential.as_bytes()).as_ref());
    hash
}

impl Credentials {
    /// The feed by which sessions and keys that end are dropped at once.
    pub fn broadcast(&self) -> Broadcast {
        let this = self.clone();
        Broadcast::new(
            "gateway-credentials",
            &["identity"],
            From::Now,
            move |event| {
                this.hear(event);
            },
        )
    }

    fn hear(&self, event: &Recorded) {
        let hash = match &*event.kind {
            "identity.session.ended.v1" => match event.decode::<SessionEvent>() {
                Ok(Some(ended)) => match &*ended {
                    SessionEvent::Ended(session) => unhex(&session.secret_hash),
                    SessionEvent::Started(_) => return,
                },
                _ => None,
            },
            "identity.api_key.revoked.v1" => match event.decode::<ApiKeyEvent>() {
                Ok(Some(revoked)) => match &*revoked {
                    ApiKeyEvent::Revoked(key) => unhex(&key.secret_hash),
                    ApiKeyEvent::Issued(_) => return,
                },
                _ => None,
            },
            // The first password of an account ends nothing.
            "identity.credential.set.v1" if event.version == 1 => return,
            kind if ["credential", "staff", "role"].iter().any(|what| {
                kind.strip_prefix("identity.")
                    .is_some_and(|rest| rest.starts_with(what))
            }) =>
            {
                None
            }
            _ => return,
        };
        match hash {
            Some(hash) => {
                self.known.remove(&hash);
            }
            // Whose tokens are concerned is not known here: all are asked for again.
            None => self.known.clear(),
        }
    }

    /// Whether a credential was found good before, and its token still is.
    pub fn is_good(&self, digest: &Digest) -> bool {
        let known = self.known.get(digest);
        known.is_some_and(|known| known.token.is_some() && Instant::now() < known.until)
    }

    /// The `Authorization` header that stands for `credential`; `Ok(None)` when identity refuses
    /// it. However many requests show it at once, identity is asked once.
    pub async fn exchange(
        &self,
        upstream: &dyn Upstream,
        credential: &str,
        request_id: &HeaderValue,
    ) -> Result<Option<HeaderValue>, Box<Response<Body>>> {
        let key = digest_of(credential);
        if let Some(known) = self.known.get(&key) {
            if Instant::now() < known.until {
                return Ok(known.token.clone());
            }
            self.known
                .remove_if(&key, |known| known.until <= Instant::now());
        }
        let ask = ask(upstream, credential, request_id);
        let known = self.known.get_or_insert_async(&key, ask).await?;
        Ok(known.token.clone())
    }
}

async fn ask(
    upstream: &dyn Upstream,
    credential: &str,
    request_id: &HeaderValue,
) -> Result<Arc<Known>, Box<Response<Body>>> {
    let exchange = Exchange {
        token: credential.to_owned(),
    };
    let body = serde_json::to_vec(&exchange).unwrap_or_default();
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = axum::http::Method::POST;
    *request.uri_mut() = axum::http::Uri::from_static("/api/identity/token");
    let headers = request.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(REQUEST_ID, request_id.clone());
    let response = upstream.call("identity", request).await;
    let (status, now) = (response.status(), Instant::now());
    if status == StatusCode::UNAUTHORIZED || status == StatusCode::BAD_REQUEST {
        return Ok(Arc::new(Known {
            token: None,
            until: now + REFUSED_FOR,
        }));
    }
    if status != StatusCode::OK {
        return Err(Box::new(response));
    }
    let body = to_bytes(response.into_body(), 64 * 1024).await;
    let token: Option<AccessToken> = body.ok().and_then(|b| serde_json::from_slice(&b).ok());
    let header = token.and_then(|token| {
        let mut header = HeaderValue::try_from(format!("Bearer {}", token.access_token)).ok()?;
        header.set_sensitive(true);
        let lifetime = Duration::from_secs(token.expires_in.unsigned_abs());
        Some((header, lifetime))
    });
    let Some((header, lifetime)) = header else {
        tracing::error!("identity answered an exchange with something else than a token");
        return Err(Box::new(not_now().into_response()));
    };
    Ok(Arc::new(Known {
        token: Some(header),
        until: now + lifetime.saturating_sub(MARGIN),
    }))
}

fn not_now() -> Problem {
    let detail = "credentials cannot be checked right now; try again shortly";
    Problem::new(StatusCode::BAD_GATEWAY, "no-identity", detail).retry_after(1)
}

/// The answer to a credential that is not good.
pub fn refused() -> Problem {
    let detail = "the session or API key is not known, has ended or was revoked; sign in again";
    Problem::new(StatusCode::UNAUTHORIZED, "not-signed-in", detail)
}

/// Puts the access token in the place of the credential.
pub fn put(headers: &mut HeaderMap, token: HeaderValue) {
    headers.remove(&API_KEY);
    headers.insert(header::AUTHORIZATION, token);
}

fn unhex(text: &str) -> Option<Digest> {
    let mut hash = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name: axum::http::HeaderName = name.parse().expect("a name");
            (name, HeaderValue::from_static(value))
        });
        pairs.collect()
    }

    #[test]
    fn keys_and_sessions_are_exchanged_and_tokens_passed_on() {
        for (headers, expected) in [
            (vec![], Shown::Nothing),
            (
                vec![("authorization", "Bearer souk_1_2")],
                Shown::Credential("souk_1_2"),
            ),
            (
                vec![("authorization", "bearer ses_1_2")],
                Shown::Credential("ses_1_2"),
            ),
            (
                vec![("x-api-key", "souk_1_2")],
                Shown::Credential("souk_1_2"),
            ),
            (vec![("authorization", "Bearer eyJ.a.b")], Shown::Nothing),
            (vec![("authorization", "Bearer gst_abc")], Shown::Nothing),
            (
                vec![("cookie", "a=b; souk_session=ses_1_2")],
                Shown::Cookie("ses_1_2"),
            ),
            (
                vec![
                    ("authorization", "Bearer gst_x"),
                    ("cookie", "souk_session=ses_1_2"),
                ],
                Shown::Nothing,
            ),
        ] {
            assert_eq!(shown(&map(&headers), false), expected, "{headers:?}");
        }
    }

    #[test]
    fn another_sites_page_cannot_act_with_a_visitors_cookie() {
        let cookie = ("cookie", "souk_session=ses_1_2");
        for (more, good) in [
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![("sec-fetch-site", "same-site")], false),
            (
                vec![("origin", "https://shop.example"), ("host", "shop.example")],
                true,
            ),
            (
                vec![("origin", "https://evil.example"), ("host", "shop.example")],
                false,
            ),
            (vec![("origin", "null"), ("host", "shop.example")], false),
            (vec![], false),
        ] {
            let mut headers = more.clone();
            headers.push(cookie);
            let taken = shown(&map(&headers), true) == Shown::Cookie("ses_1_2");
            assert_eq!(taken, good, "{more:?}");
        }
    }

    #[test]
    fn digests_are_what_identity_publishes() {
        assert_eq!(
            unhex(&web::hash_token("souk_1_2")),
            Some(digest_of("souk_1_2"))
        );
        assert_eq!(unhex("abc"), None);
        assert_eq!(unhex(&"zz".repeat(32)), None);
    }
}
