//! Posts one webhook: signed, over kept-alive connections, within a time limit.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::clock::now_seconds;
use crate::signature;

/// A receiver's answer is read up to here, to keep the connection; a longer one closes it.
const MAX_ANSWER: usize = 64 * 1024;

/// The way to the one receiver.
pub struct Sender {
    client: Client<HttpConnector, Full<Bytes>>,
    url: Uri,
    secret: Vec<u8>,
    timeout: Duration,
}

impl Sender {
    /// Posts to `url`, signing with `secret`.
    pub fn new(url: Uri, secret: &str, timeout: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(timeout));
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(20))
            .pool_max_idle_per_host(16)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self {
            client,
            url,
            secret: secret.as_bytes().to_vec(),
            timeout,
        }
    }

    /// Posts `body`; answers whether the receiver said 2xx in time.
    pub async fn post(&self, body: &str) -> bool {
        let signature = signature::sign(&self.secret, now_seconds(), body.as_bytes());
        let mut request = Request::post(self.url.clone()).header(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if let Ok(signature) = HeaderValue::try_from(signature) {
            request = request.header(signature::HEADER, signature);
        }
        let Ok(request) = request.body(Full::from(body.to_owned())) else {
            return false;
        };
        let exchange = async {
            let answer = self.client.request(request).await.ok()?;
            let accepted = answer.status().is_success();
            // Reading the rest only serves the connection; the receiver has decided already.
            let _ = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
            Some(accepted)
        };
        tokio::time::timeout(self.timeout, exchange)
            .await
            .ok()
            .flatten()
            .unwrap_or(false)
    }
}
