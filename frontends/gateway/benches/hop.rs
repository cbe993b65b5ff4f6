//! What a hop from the gateway to a service costs: `cargo bench -p gateway --bench hop`.
//!
//! Both ends run in this process, so the figures are the processor time of the whole hop: the
//! gateway's side, the kernel's loopback, and the service's side. Compare with the same request
//! in process.

#![allow(clippy::print_stdout, missing_docs)]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, Response},
    routing::post,
};
use gateway::{Network, NetworkSettings};
use http_body_util::BodyExt as _;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use kernel::BoxFuture;
use web::{InProcess, Peers, ServicePeers, Upstream};

const REQUESTS: usize = 60_000;
const AT_ONCE: usize = 32;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut inside = InProcess::default();
        inside.add("orders", service());
        measure("in process", Arc::new(inside)).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, service()).await });
        let listed = ServicePeers {
            urls: vec![url.parse()?],
            ..ServicePeers::default()
        };
        let peers = Peers {
            secret: None,
            services: BTreeMap::from([("orders".to_owned(), listed)]),
        };
        let plain = Plain {
            client: Client::builder(TokioExecutor::new()).build_http(),
            url: url.clone(),
        };
        measure("hyper-util's client", Arc::new(plain)).await;
        let (_sender, receiver) = tokio::sync::watch::channel(Arc::new(peers));
        let network = Network::start(receiver, NetworkSettings::default()).await;
        measure("across the network", network).await;
        Ok(())
    })
}

/// A client that does nothing but send, for comparison.
struct Plain {
    client: Client<HttpConnector, Body>,
    url: String,
}

impl Upstream for Plain {
    fn call(&self, _: &str, mut request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
        let uri = format!("{}{}", self.url, request.uri().path());
        *request.uri_mut() = uri.parse().unwrap_or_default();
        let answer = self.client.request(request);
        Box::pin(async move {
            match answer.await {
                Ok(answer) => answer.map(Body::new),
                Err(_) => Response::default(),
            }
        })
    }

    fn services(&self) -> Vec<String> {
        Vec::new()
    }
}

/// About as much as a checkout's request and answer hold.
fn service() -> Router {
    let answer = Bytes::from(vec![b'x'; 1_500]);
    let handler = move |body: Bytes| async move {
        assert_eq!(body.len(), 400);
        ([("content-type", "application/json")], answer)
    };
    Router::new()
        .route("/readyz", axum::routing::get(async || "ready"))
        .route("/api/orders", post(handler))
}

async fn measure(name: &str, upstream: Arc<dyn Upstream>) {
    run(&upstream, REQUESTS / 10).await;
    let (processor, began) = (processor_time(), Instant::now());
    run(&upstream, REQUESTS).await;
    let (after, took) = (processor_time(), began.elapsed());
    let each = |nth: usize| (after[nth] - processor[nth]).as_secs_f64() * 1e6 / REQUESTS as f64;
    println!(
        "{name:>20}: {:5.1} µs of processor time a request ({:.1} user, {:.1} kernel), {:.0} requests a second",
        each(0) + each(1),
        each(0),
        each(1),
        REQUESTS as f64 / took.as_secs_f64(),
    );
}

async fn run(upstream: &Arc<dyn Upstream>, requests: usize) {
    let made = Arc::new(AtomicUsize::new(0));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let (upstream, made) = (upstream.clone(), made.clone());
        clients.spawn(async move {
            while made.fetch_add(1, Ordering::Relaxed) < requests {
                let answer = upstream.call("orders", request()).await;
                assert!(answer.status().is_success());
                let body = answer.into_body().collect().await;
                assert!(body.is_ok_and(|body| body.to_bytes().len() == 1_500));
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        assert!(client.is_ok());
    }
}

fn request() -> Request<Body> {
    let mut request = Request::new(Body::from(vec![b'x'; 400]));
    *request.method_mut() = axum::http::Method::POST;
    *request.uri_mut() = axum::http::Uri::from_static("/api/orders");
    let headers = request.headers_mut();
    for (name, value) in [
        ("host", "shop.example"),
        ("content-type", "application/json"),
        ("content-length", "400"),
        ("accept", "*/*"),
        ("user-agent", "a-browser/1.0 (of some kind)"),
        ("x-request-id", "0123456789abcdef0123456789abcdef"),
        ("x-forwarded-for", "203.0.113.7"),
        ("idempotency-key", "0123456789abcdef"),
        (
            "authorization",
            "Bearer gst_0123456789abcdef0123456789abcdef",
        ),
    ] {
        headers.insert(name, axum::http::HeaderValue::from_static(value));
    }
    request
}

/// Processor time of this process so far, user and kernel (Linux).
fn processor_time() -> [Duration; 2] {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default();
    // Fields 14 and 15 of proc(5), in hundredths of a second; two stand before the bracket.
    let ticks = fields.split_whitespace().skip(11).take(2);
    let mut times = ticks.map(|field| Duration::from_millis(10 * field.parse().unwrap_or(0)));
    [
        times.next().unwrap_or_default(),
        times.next().unwrap_or_default(),
    ]
}
