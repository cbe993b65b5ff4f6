//! Reading other services' history: any of a service's instances will do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use kernel::{BoxFuture, Recorded};

use super::{Head, Secret};
use crate::{
    History, LogError, LogHead,
    cloudevents::{self, Decoder},
};

/// How long reaching an instance may take, and its whole answer.
const CONNECT: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(15);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 * 1024 * 1024;

/// Where the instances of a topic's producer are at the moment: base URLs such as
/// `http://10.0.0.7:41001`.
pub type Resolve = Arc<dyn Fn(&str) -> Vec<String> + Send + Sync>;

/// The history of topics, read over HTTP from their producers.
pub struct HttpHistory {
    resolve: Resolve,
    secret: Secret,
    client: Client<HttpConnector, Empty<Bytes>>,
    /// Which instance to ask first: the last one that answered.
    first: AtomicUsize,
}

/// Why one instance gave no answer.
enum Failed {
    /// Another one may.
    Here(String),
    /// The answer is no, whomever one asks.
    Everywhere(LogError),
}

impl HttpHistory {
    /// Reads from where `resolve` says.
    pub fn new(resolve: Resolve, secret: Secret) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(4)
            .build(connector);
        Self {
            resolve,
            secret,
            client,
            first: AtomicUsize::new(0),
        }
    }

    /// Asks one instance after the other.
    async fn get(&self, topic: &str, query: &str) -> Result<Bytes, LogError> {
        let instances = (self.resolve)(topic);
        if instances.is_empty() {
            let text = format!("no instance of {topic} is known");
            return Err(LogError::Unavailable(text));
        }
        let first = self.first.load(Ordering::Relaxed);
        let mut reasons = Vec::new();
        for turn in 0..instances.len() {
            let place = first.wrapping_add(turn);
            let base = &instances[place % instances.len()];
            let url = format!("{}/log/{topic}{query}", base.trim_end_matches('/'));
            let asked = tokio::time::timeout(ANSWER, self.ask(topic, &url));
            let late = || Err(Failed::Here("no answer in time".into()));
            match asked.await.unwrap_or_else(|_| late()) {
                Ok(body) => {
                    self.first.store(place, Ordering::Relaxed);
                    return Ok(body);
                }
                Err(Failed::Everywhere(error)) => return Err(error),
                Err(Failed::Here(reason)) => reasons.push(format!("{base}: {reason}")),
            }
        }
        Err(LogError::Unavailable(reasons.join("; ")))
    }

    async fn ask(&self, topic: &str, url: &str) -> Result<Bytes, Failed> {
        let here = |error: &dyn std::error::Error| Failed::Here(error.to_string());
        let request = Request::get(url)
            .header(header::AUTHORIZATION, self.secret.header())
            .body(Empty::new());
        let request = request.map_err(|e| here(&e))?;
        let response = self.client.request(request).await.map_err(|e| here(&e))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST).collect().await;
        let body = body.map_err(|_| Failed::Here("its answer broke off or was too long".into()))?;
        let body = body.to_bytes();
        match status {
            StatusCode::OK => Ok(body),
            StatusCode::CONFLICT => {
                let head = serde_json::from_slice::<Head>(&body).map_err(|e| here(&e))?;
                Err(Failed::Everywhere(LogError::Restored {
                    topic: topic.to_owned(),
                    head: head.position,
                }))
            }
            status => Err(Failed::Here(format!("answered {status}"))),
        }
    }
}

impl History for HttpHistory {
    fn head<'a>(&'a self, topic: &'a str) -> BoxFuture<'a, Result<LogHead, LogError>> {
        Box::pin(async move {
            let body = self.get(topic, "/head").await?;
            let head: Head = serde_json::from_slice(&body)
                .map_err(|e| LogError::Unavailable(format!("not a head: {e}")))?;
            Ok(LogHead {
                position: head.position,
                incarnation: head.incarnation,
            })
        })
    }

    fn read<'a>(
        &'a self,
        topic: &'a str,
        incarnation: &'a str,
        after: i64,
        limit: usize,
        max_bytes: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>> {
        Box::pin(async move {
            let query = format!(
                "?after={after}&limit={limit}&max_bytes={max_bytes}&incarnation={}",
                escaped(incarnation)
            );
            let body = self.get(topic, &query).await?;
            let wrong = |e| LogError::Unavailable(format!("a page of {topic}: {e}"));
            let mut decoder = Decoder::new(topic);
            let found = cloudevents::read_batch(&body).map_err(wrong)?;
            let read = found
                .iter()
                .map(|(found, data)| Ok(decoder.event(found, data.as_bytes())?.0));
            read.collect::<Result<_, _>>().map_err(wrong)
        })
    }
}

/// Text for a query (RFC 3986).
fn escaped(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes().fold(String::new(), |mut out, byte| {
        match plain(byte) {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}
