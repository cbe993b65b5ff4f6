//! A keep-alive connection that costs the load generator little.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::failure::{Context as _, Result};

/// One connection to the shop.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    address: String,
}

impl Connection {
    /// Connects to `host:port`.
    pub async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .context("cannot connect")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .context("no connection")?;
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self {
            sender,
            address: address.to_owned(),
        })
    }

    /// One request, the whole answer.
    pub async fn request(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<(StatusCode, Bytes)> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.address);
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(body))
            .context("a malformed request")?;
        // Nothing is sent yet: a shop that said with its last answer that it would close the
        // connection has kept its word.
        if self.sender.ready().await.is_err() {
            *self = Self::open(&self.address.clone()).await?;
            self.sender
                .ready()
                .await
                .context("the connection is closed")?;
        }
        let response = self
            .sender
            .send_request(request)
            .await
            .context("no answer")?;
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .context("no whole answer")?
            .to_bytes();
        Ok((status, body))
    }
}
