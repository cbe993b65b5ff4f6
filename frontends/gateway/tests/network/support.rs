//! Processes of services as tests play them: they answer, hang, close connections, die.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, Response, StatusCode},
};
use gateway::{Network, NetworkSettings};
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use kernel::BoxFuture;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use web::{Balance, Peers, ServicePeers, Upstream as _};

pub type Answer =
    Arc<dyn Fn(Request<Incoming>) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// A process.
pub struct Peer {
    pub address: SocketAddr,
    pub state: Arc<State>,
    stop: watch::Sender<Stop>,
    server: JoinHandle<()>,
}

#[derive(Default)]
pub struct State {
    /// Requests, probes not counted.
    pub requests: AtomicUsize,
    /// Requests being answered.
    pub under_way: AtomicUsize,
    pub connections: AtomicUsize,
    pub not_ready: AtomicBool,
    pub draining: AtomicBool,
    /// Probes since it became unready or began to drain.
    pub refused_probes: AtomicUsize,
    pub last: Mutex<Option<(Method, String, HeaderMap)>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Stop {
    Not,
    /// Connections end when they are idle.
    Gently,
    /// As when the process is killed.
    Dead,
}

impl Peer {
    pub async fn start<F>(answer: impl Fn(Request<Incoming>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        Self::start_at(
            "127.0.0.1:0",
            Arc::new(move |request| Box::pin(answer(request))),
        )
        .await
    }

    /// One that answers with `name`.
    pub async fn named(name: &'static str) -> Self {
        Self::start(move |request| async move {
            // As a service does: the request is read to its end.
            let _ = request.into_body().collect().await;
            Response::new(Body::from(name))
        })
        .await
    }

    pub async fn start_at(address: &str, answer: Answer) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State::default());
        let (stop, stopped) = watch::channel(Stop::Not);
        let server = tokio::spawn(serve(listener, answer, state.clone(), stopped));
        Self {
            address,
            state,
            stop,
            server,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// Connections break, the port is closed.
    pub async fn kill(self) {
        self.stop.send_replace(Stop::Dead);
        self.server.await.expect("it ends");
    }

    /// Says that it is about to stop until that was heard, then lets requests end.
    pub async fn stop_gently(self) {
        self.state.draining.store(true, Ordering::SeqCst);
        let state = self.state.clone();
        // Its second probe is sent after the answer to the first was heard.
        until("the gateway has asked", || {
            state.refused_probes.load(Ordering::SeqCst) > 1
        })
        .await;
        self.stop.send_replace(Stop::Gently);
        self.server.await.expect("it ends");
    }
}

async fn serve(
    listener: TcpListener,
    answer: Answer,
    state: Arc<State>,
    mut stop: watch::Receiver<Stop>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop != Stop::Not) => break,
        };
        let (stream, _) = accepted.expect("a connection");
        let (answer, state) = (answer.clone(), state.clone());
        let mut stop = stop.clone();
        connections.spawn(async move {
            state.connections.fetch_add(1, Ordering::SeqCst);
            let service = service_fn(move |request| handle(answer.clone(), state.clone(), request));
            let mut connection = std::pin::pin!(
                http1::Builder::new().serve_connection(TokioIo::new(stream), service)
            );
            tokio::select! {
                _ = connection.as_mut() => return,
                _ = stop.wait_for(|stop| *stop != Stop::Not) => {}
            }
            if *stop.borrow() == Stop::Dead {
                return;
            }
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn handle(
    answer: Answer,
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let draining = state.draining.load(Ordering::SeqCst);
    let mut response = if request.uri().path() == "/readyz" {
        let refused = draining || state.not_ready.load(Ordering::SeqCst);
        state
            .refused_probes
            .fetch_add(usize::from(refused), Ordering::SeqCst);
        let mut response = Response::new(Body::empty());
        if refused {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        response
    } else {
        state.requests.fetch_add(1, Ordering::SeqCst);
        let seen = (
            request.method().clone(),
            request.uri().to_string(),
            request.headers().clone(),
        );
        *state.last.lock().expect("not poisoned") = Some(seen);
        let _under_way = UnderWay::new(&state.under_way);
        answer(request).await
    };
    if draining {
        let value = || "1".parse().expect("a value");
        response.headers_mut().insert("souk-draining", value());
        let close = "close".parse().expect("a value");
        response.headers_mut().insert("connection", close);
    }
    Ok(response)
}

struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Settings with which tests do not take long.
pub fn quick() -> NetworkSettings {
    NetworkSettings {
        connect: Duration::from_secs(5),
        per_try: Duration::from_secs(5),
        deadline: Duration::from_secs(20),
        probe_every: Duration::from_millis(20),
        resolve_every: Duration::from_millis(20),
        ..NetworkSettings::default()
    }
}

/// Probes that come once, at the beginning, so that only requests tell.
pub fn unwatched() -> NetworkSettings {
    NetworkSettings {
        probe_every: Duration::from_secs(3_600),
        ..quick()
    }
}

pub fn peers(service: &str, urls: &[String]) -> Peers {
    with(service, urls, &[], Balance::RoundRobin)
}

pub fn with(service: &str, urls: &[String], backup: &[String], balance: Balance) -> Peers {
    let parsed = |urls: &[String]| urls.iter().map(|url| url.parse().expect("a URL")).collect();
    let listed = ServicePeers {
        urls: parsed(urls),
        backup: parsed(backup),
        balance,
    };
    Peers {
        secret: None,
        services: BTreeMap::from([(service.to_owned(), listed)]),
    }
}

/// The way to one service.
pub struct Way {
    pub network: Arc<Network>,
    pub peers: watch::Sender<Arc<Peers>>,
}

impl Way {
    pub async fn to(settings: NetworkSettings, processes: &[&Peer]) -> Self {
        let urls: Vec<_> = processes.iter().map(|peer| peer.url()).collect();
        Self::along(settings, peers("orders", &urls)).await
    }

    pub async fn along(settings: NetworkSettings, peers: Peers) -> Self {
        let (sender, receiver) = watch::channel(Arc::new(peers));
        Self {
            network: Network::start(receiver, settings).await,
            peers: sender,
        }
    }

    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        let answer = self.network.call("orders", request);
        let answer = tokio::time::timeout(Duration::from_secs(60), answer).await;
        answer.expect("an answer in time")
    }

    pub async fn get(&self) -> (StatusCode, String) {
        read(self.send(get("/api/orders")).await).await
    }

    /// Something that must not be done twice.
    pub async fn post(&self) -> (StatusCode, String) {
        let request = Request::post("/api/orders").body(Body::from("once"));
        read(self.send(request.expect("a request")).await).await
    }

    /// Something that may be sent twice.
    pub async fn post_with_key(&self) -> (StatusCode, String) {
        let request = Request::post("/api/orders")
            .header("idempotency-key", "k")
            .body(Body::from("keyed"));
        read(self.send(request.expect("a request")).await).await
    }
}

pub fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).expect("a request")
}

pub async fn read(response: Response<Body>) -> (StatusCode, String) {
    let status = response.status();
    let body = response.into_body().collect().await.expect("a body");
    let text = String::from_utf8(body.to_bytes().to_vec()).expect("text");
    (status, text)
}

/// Waits until something is so.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), wait).await;
    waited.unwrap_or_else(|_| panic!("never: {what}"));
}

/// Repeats something until it comes out as wanted.
pub async fn until_answer<T, F: Future<Output = T>>(
    what: &str,
    mut ask: impl FnMut() -> F,
    is_so: impl Fn(&T) -> bool,
) -> T {
    let wait = async {
        loop {
            let answer = ask().await;
            if is_so(&answer) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), wait).await;
    waited.unwrap_or_else(|_| panic!("never: {what}"))
}
