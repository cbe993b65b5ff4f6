//! Serving the public port: HTTP/1.1 (and HTTP/2 with prior knowledge) until told to stop.

use axum::Router;
use futures_util::future::BoxFuture;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::watch};

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How long a client may take to send its request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long requests under way have to end.
const GRACE: Duration = Duration::from_secs(3);
/// How long connections without a request are kept at the end. A client may be about to send one:
/// it gets its answer, and is told in it that the connection ends.
const LINGER: Duration = Duration::from_millis(500);
/// Between two looks whether any connection is left.
const LOOK: Duration = Duration::from_millis(10);

/// How much of a body that nobody reads is still taken in, bytes.
const DRAIN_LIMIT: usize = 64 * 1024 * 1024;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Accepts connections until `stop` is true, then lets requests under way end.
pub async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    let closing = Arc::new(AtomicBool::new(false));
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(hyper_util::rt::TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .pipeline_flush(true);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, usually: give connections time to close.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(Peered {
            router: router.clone(),
            peer,
            closing: closing.clone(),
        });
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let connection = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            // A broken connection is the client's affair.
            let _ = connection.await;
        });
    }
    drop(listener);
    closing.store(true, Ordering::Relaxed);
    let empty = async {
        while graceful.count() > 0 {
            tokio::time::sleep(LOOK).await;
        }
    };
    let _ = tokio::time::timeout(LINGER, empty).await;
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

/// The router, told who is at the other end.
#[derive(Clone)]
struct Peered {
    router: Router,
    peer: SocketAddr,
    closing: Arc<AtomicBool>,
}

impl tower::Service<http::Request<hyper::body::Incoming>> for Peered {
    type Response = axum::response::Response;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<hyper::body::Incoming>) -> Self::Future {
        request
            .extensions_mut()
            .insert(axum::extract::ConnectInfo(self.peer));
        let one = request.version() <= http::Version::HTTP_11;
        let request = request.map(|body| axum::body::Body::new(Drained(Some(body))));
        let (answer, closing) = (self.router.call(request), self.closing.clone());
        Box::pin(async move {
            let mut response = answer.await?;
            if one && closing.load(Ordering::Relaxed) {
                let close = http::HeaderValue::from_static("close");
                response
                    .headers_mut()
                    .insert(http::header::CONNECTION, close);
            }
            Ok(response)
        })
    }
}

/// A request's body. What a handler leaves of it is read and thrown away, within limits: closing a
/// connection with unread bytes resets it, and the client would never see why it was refused.
struct Drained(Option<hyper::body::Incoming>);

impl hyper::body::Body for Drained {
    type Data = bytes::Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        match &mut self.0 {
            Some(body) => std::pin::Pin::new(body).poll_frame(context),
            None => std::task::Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(hyper::body::Body::is_end_stream)
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.0
            .as_ref()
            .map(hyper::body::Body::size_hint)
            .unwrap_or_default()
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        use http_body_util::{BodyExt as _, Limited};
        let Some(body) = self
            .0
            .take()
            .filter(|body| !hyper::body::Body::is_end_stream(body))
        else {
            return;
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let mut body = std::pin::pin!(Limited::new(body, DRAIN_LIMIT));
            let all = async { while let Some(Ok(_)) = body.frame().await {} };
            let _ = tokio::time::timeout(DRAIN_TIME, all).await;
        });
    }
}
