//! One HTTP/1.1 connection to a process. The task that makes a request also drives its connection:
//! a request costs no second task and no hop between threads.

use std::{
    future::{Future as _, poll_fn},
    io,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, Response},
};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

/// Reads and writes when polled; ends when the connection does.
type Driver = Pin<Box<http1::Connection<TokioIo<TcpStream>, Body>>>;

/// A connection that carries one request at a time.
pub struct Connection {
    sender: SendRequest<Body>,
    /// `None` once the connection is closed.
    driver: Option<Driver>,
}

/// How a request over a connection failed.
pub enum Broken {
    /// Nothing of the request was written; here it is.
    Unsent(Box<Request<Body>>),
    /// The connection ended before the answer began. What became of the request is not known.
    Lost(hyper::Error),
}

impl Connection {
    /// Connects; `host:port`.
    pub async fn open(authority: &str, patience: Duration) -> io::Result<Self> {
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        let stream = timeout(patience, TcpStream::connect(authority))
            .await
            .map_err(late)??;
        stream.set_nodelay(true)?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        Ok(Self {
            sender,
            driver: Some(Box::pin(driver)),
        })
    }

    /// Whether it can still carry a request, as far as this side knows.
    pub async fn is_usable(&mut self) -> bool {
        poll_fn(|context| {
            self.drive(context);
            Poll::Ready(self.driver.is_some() && self.sender.is_ready())
        })
        .await
    }

    /// Sends a request (in origin form, with `Host`) and waits for the head of the answer. The body
    /// comes as this connection is [driven](Self::drive).
    pub async fn exchange(&mut self, request: Request<Body>) -> Result<Response<Incoming>, Broken> {
        let mut answer = pin!(self.sender.try_send_request(request));
        let answer = poll_fn(|context| {
            self.drive(context);
            answer.as_mut().poll(context)
        });
        answer
            .await
            .map_err(|mut failed| match failed.take_message() {
                Some(request) => Broken::Unsent(Box::new(request)),
                None => Broken::Lost(failed.into_error()),
            })
    }

    /// Reads and writes what can be read and written now.
    pub fn drive(&mut self, context: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && driver.as_mut().poll(context).is_ready()
        {
            self.driver = None;
        }
    }

    /// Whether the other side has closed it.
    pub fn is_closed(&self) -> bool {
        self.driver.is_none() || self.sender.is_closed()
    }
}
