//! A request's way to a service: as many tries as it takes and may take.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderValue, Request, Response, header, request},
};
use tokio::time::{Instant, timeout_at};
use web::{Balance, DEADLINE, DRAINING};

use super::{
    answers::{self, Failure},
    balance,
    connection::{Broken, Connection},
    endpoint::{Endpoint, UnderWay},
    health::Condition,
    measures::Trouble,
    message::{self, Flow, Payload},
    service::{ClientAddress, Service},
};
use crate::headers::FORWARDED_FOR;

/// Connections that were kept are tried so many times before a request counts as failed: a process
/// that restarts closes all of them.
const STALE_AT_MOST: u32 = 300;

/// A request on its way.
pub struct Errand<'a> {
    service: &'a Service,
    parts: request::Parts,
    payload: Payload,
    repeatable: bool,
    /// What it has in common with others that should go to the same process.
    key: Option<u64>,
    deadline: Instant,
    /// Where it has been.
    tried: Vec<Arc<Endpoint>>,
}

impl<'a> Errand<'a> {
    /// A request that is to be answered before `deadline`.
    pub async fn new(
        service: &'a Service,
        request: Request<Body>,
        deadline: Instant,
    ) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let key = match service.members().balance {
            Balance::ResourceHash => balance::resource(parts.uri.path()),
            Balance::ClientHash => client(&parts),
            Balance::RoundRobin | Balance::LeastConnections => None,
        };
        message::prepare(&mut parts);
        let repeatable = message::is_repeatable(&parts.method, &parts.headers);
        let largest = service.settings.replayed_body;
        let payload = timeout_at(deadline, Payload::of(body, repeatable, largest));
        let payload = payload.await.map_err(|_| Failure::BrokenBody)?;
        let payload = payload.map_err(|_| Failure::BrokenBody)?;
        Ok(Self {
            service,
            repeatable: repeatable && payload.is_kept(),
            parts,
            payload,
            key,
            deadline,
            tried: Vec::new(),
        })
    }

    /// Tries until there is an answer, or no use in trying.
    pub async fn run(mut self) -> Result<Response<Body>, Failure> {
        // What became of a try that was sent: as long as this is none, nothing was done.
        let mut uncertain = None;
        for _ in 0..self.service.settings.tries {
            let Some(endpoint) = self.next() else {
                break;
            };
            let mut under_way = endpoint.begin();
            self.tried.push(endpoint);
            match self.send(&mut under_way).await {
                Ok((response, connection)) => {
                    self.judge(&response, &mut under_way);
                    let bad = answers::is_gateway_error(response.status());
                    if bad && self.has_better() && self.may_repeat() {
                        uncertain = Some(Trouble::Answered);
                        continue;
                    }
                    return Ok(passed_on(response, connection, under_way));
                }
                Err(Failure::Trouble(trouble)) => {
                    self.service.measures.trouble(trouble);
                    if under_way.failed() {
                        self.service.measures.ejection();
                    }
                    if trouble != Trouble::Unreachable {
                        uncertain = Some(trouble);
                    }
                }
                Err(of_the_client) => return Err(of_the_client),
            }
            // What was not sent may always be sent elsewhere.
            let again = uncertain.is_none() || self.may_repeat();
            if !again || Instant::now() >= self.deadline {
                break;
            }
        }
        Err(Failure::Trouble(uncertain.unwrap_or(Trouble::Unreachable)))
    }

    fn next(&self) -> Option<Arc<Endpoint>> {
        let members = self.service.members();
        let turn = self.service.next_turn();
        let found = members.choose(turn, self.key, &self.tried);
        // The only process there is may be tried again, unless nobody listens there.
        let again = || match (self.repeatable, self.tried.last()) {
            (true, Some(last)) if last.is_reachable() => members.choose(turn, self.key, &[]),
            _ => None,
        };
        found.or_else(again)
    }

    /// Whether another process is well: an answer is not given up for less.
    fn has_better(&self) -> bool {
        let well = |endpoint: &Arc<Endpoint>| {
            endpoint.condition(Instant::now()) == Condition::Well
                && !self.tried.iter().any(|been| Arc::ptr_eq(been, endpoint))
        };
        self.service.members().all().any(well)
    }

    /// Whether a request that may have had an effect may be sent again.
    fn may_repeat(&self) -> bool {
        if !self.repeatable {
            return false;
        }
        let affordable = self.service.budget.spend();
        match affordable {
            true => self.service.measures.retry(),
            false => self.service.measures.no_budget(),
        }
        affordable
    }

    /// One try, at one process.
    async fn send(
        &mut self,
        endpoint: &mut UnderWay,
    ) -> Result<(Response<hyper::body::Incoming>, Connection), Failure> {
        let failed = |trouble| Err(Failure::Trouble(trouble));
        let per_try = self.service.settings.per_try;
        for _ in 0..STALE_AT_MOST {
            let connection = timeout_at(self.deadline, endpoint.connection()).await;
            let Ok(Ok(mut connection)) = connection else {
                return failed(Trouble::Unreachable);
            };
            let Some(body) = self.payload.take() else {
                return failed(Trouble::Lost);
            };
            let request = self.request(body, endpoint);
            let until = match self.repeatable {
                true => self.deadline.min(Instant::now() + per_try),
                false => self.deadline,
            };
            match timeout_at(until, connection.exchange(request)).await {
                Ok(Ok(response)) => return Ok((response, connection)),
                Ok(Err(Broken::Unsent(request))) => self.payload.put_back(*request),
                Ok(Err(Broken::Lost(error))) => {
                    // The connection can fail because the client's own does.
                    if let Some(failure) = answers::of_the_body(&error) {
                        return Err(failure);
                    }
                    let endpoint = &endpoint.authority;
                    tracing::debug!(endpoint, %error, "a connection was lost");
                    return failed(Trouble::Lost);
                }
                Err(_) => return failed(Trouble::TimedOut),
            }
        }
        failed(Trouble::Unreachable)
    }

    fn request(&mut self, body: Body, endpoint: &Endpoint) -> Request<Body> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let mut request = Request::new(body);
        *request.method_mut() = self.parts.method.clone();
        *request.uri_mut() = self.parts.uri.clone();
        *request.headers_mut() = self.parts.headers.clone();
        let headers = request.headers_mut();
        headers.insert(DEADLINE, HeaderValue::from(left.as_millis() as u64));
        if !headers.contains_key(header::HOST)
            && let Ok(host) = HeaderValue::try_from(&endpoint.authority)
        {
            headers.insert(header::HOST, host);
        }
        request
    }

    /// What an answer says about the process.
    fn judge(&self, response: &Response<hyper::body::Incoming>, under_way: &mut UnderWay) {
        let measures = &self.service.measures;
        if response.headers().contains_key(DRAINING) {
            under_way.drain();
        }
        if !answers::is_gateway_error(response.status()) {
            return under_way.succeeded();
        }
        measures.trouble(Trouble::Answered);
        if under_way.failed() {
            measures.ejection();
        }
    }
}

/// The answer as the client gets it.
fn passed_on(
    response: Response<hyper::body::Incoming>,
    connection: Connection,
    under_way: UnderWay,
) -> Response<Body> {
    let mut response = response.map(|body| Body::new(Flow::new(body, connection, under_way)));
    message::drop_hop_by_hop(response.headers_mut());
    response.headers_mut().remove(DRAINING);
    response
}

/// What a client's requests are recognised by.
fn client(parts: &request::Parts) -> Option<u64> {
    if let Some(ClientAddress(address)) = parts.extensions.get() {
        return Some(match address {
            std::net::IpAddr::V4(address) => balance::hash(&address.octets()),
            std::net::IpAddr::V6(address) => balance::hash(&address.octets()),
        });
    }
    let header = parts.headers.get(FORWARDED_FOR)?;
    Some(balance::hash(header.as_bytes()))
}
