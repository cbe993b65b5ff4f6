//! What becomes of messages on their way: headers that belong to one connection stay behind
//! (RFC 9110, 7.6.1), bodies flow through.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header, request},
};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming, SizeHint};

use super::{connection::Connection, endpoint::UnderWay};

/// Headers that concern one connection. (`te: trailers` and `expect` too: both ends of the gateway
/// speak for themselves.)
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
];

/// Takes out what belongs to one connection.
pub fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Makes a request's head ready for a connection of its own; the host is added per process.
pub fn prepare(parts: &mut request::Parts) {
    drop_hop_by_hop(&mut parts.headers);
    if parts.uri.authority().is_some() {
        // HTTP/2 and proxies' clients name the host here.
        if let Some(authority) = parts.uri.authority()
            && !parts.headers.contains_key(header::HOST)
            && let Some(host) = authority.as_str().rsplit('@').next()
            && let Ok(host) = HeaderValue::try_from(host)
        {
            parts.headers.insert(header::HOST, host);
        }
        let path = parts.uri.path_and_query().cloned();
        parts.uri = path.map_or(Uri::from_static("/"), Uri::from);
    }
    parts.version = Version::HTTP_11;
}

/// Whether the request may be sent twice: it changes nothing, or says how to notice (a key).
pub fn is_repeatable(method: &Method, headers: &HeaderMap) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
        || headers.contains_key("idempotency-key")
}

/// A request's body, kept if it may be needed again.
pub enum Payload {
    /// Can be sent any number of times.
    Kept(Bytes),
    /// Can be sent once.
    Once(Body),
    /// Was sent.
    Spent,
}

impl Payload {
    /// Reads the body in when it is small and `keep` says so.
    pub async fn of(body: Body, keep: bool, largest: u64) -> Result<Self, axum::Error> {
        if body.is_end_stream() {
            return Ok(Self::Kept(Bytes::new()));
        }
        let small = body.size_hint().upper().is_some_and(|size| size <= largest);
        match keep && small {
            true => Ok(Self::Kept(body.collect().await?.to_bytes())),
            false => Ok(Self::Once(body)),
        }
    }

    /// The body to be sent; `None` when it cannot be sent again.
    pub fn take(&mut self) -> Option<Body> {
        match std::mem::replace(self, Self::Spent) {
            Self::Kept(bytes) => {
                *self = Self::Kept(bytes.clone());
                Some(match bytes.is_empty() {
                    true => Body::empty(),
                    false => Body::from(bytes),
                })
            }
            Self::Once(body) => Some(body),
            Self::Spent => None,
        }
    }

    /// Puts back what was not sent.
    pub fn put_back(&mut self, request: Request<Body>) {
        if let Self::Spent = self {
            *self = Self::Once(request.into_body());
        }
    }

    /// Whether it can be sent more than once.
    pub fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }
}

/// An answer's body, which drives its connection as it is read, and gives it back at its end.
pub struct Flow {
    incoming: Incoming,
    connection: Option<Connection>,
    under_way: Option<UnderWay>,
}

impl Flow {
    /// The body of an answer that came over `connection`.
    pub fn new(incoming: Incoming, connection: Connection, under_way: UnderWay) -> Self {
        let mut flow = Self {
            incoming,
            connection: Some(connection),
            under_way: Some(under_way),
        };
        if flow.incoming.is_end_stream() {
            flow.finish();
        }
        flow
    }

    /// All has come: the connection can carry the next request.
    fn finish(&mut self) {
        if let Some(under_way) = self.under_way.take()
            && let Some(connection) = self.connection.take()
        {
            under_way.keep(connection);
        }
    }

    /// It broke off.
    fn give_up(&mut self) {
        self.connection = None;
        if let Some(mut under_way) = self.under_way.take() {
            under_way.failed();
        }
    }
}

impl HttpBody for Flow {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut polled = Pin::new(&mut self.incoming).poll_frame(context);
        if polled.is_pending()
            && let Some(connection) = &mut self.connection
        {
            connection.drive(context);
            polled = Pin::new(&mut self.incoming).poll_frame(context);
        }
        match &polled {
            Poll::Ready(Some(Ok(_))) if self.incoming.is_end_stream() => self.finish(),
            Poll::Ready(None) => self.finish(),
            Poll::Ready(Some(Err(_))) => self.give_up(),
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        HttpBody::size_hint(&self.incoming)
    }
}
