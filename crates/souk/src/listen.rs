//! Where a process listens.

use std::{net::SocketAddr, str::FromStr};

use tokio::net::TcpListener;

use crate::failure::{Context as _, Result};

/// An address, or a socket that whoever started the process holds for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A socket of its own.
    On(SocketAddr),
    /// `stdin`: the socket is the process's standard input, as inetd passes it. It outlives the
    /// process, so that connections wait while one process is replaced by the next.
    Inherited,
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "stdin" => Ok(Self::Inherited),
            _ => text.parse().map(Self::On).map_err(|_| {
                format!("`{text}` is no address such as 127.0.0.1:8080 (or `stdin` for a socket that is passed)")
            }),
        }
    }
}

impl Listen {
    /// Begins to listen.
    pub async fn bind(self) -> Result<TcpListener> {
        match self {
            Self::On(address) => TcpListener::bind(address).await.with_context(|| {
                format!("cannot listen on {address} (--listen chooses another address)")
            }),
            Self::Inherited => inherited(),
        }
    }
}

/// The kernel keeps what waits at the socket while nobody holds it but the supervisor.
#[cfg(unix)]
fn inherited() -> Result<TcpListener> {
    use std::os::fd::AsFd as _;
    let socket = std::io::stdin().as_fd().try_clone_to_owned();
    let listener = std::net::TcpListener::from(socket.context("no standard input")?);
    let usable = listener
        .local_addr()
        .and_then(|_| listener.set_nonblocking(true));
    usable.context("the standard input is no listening socket")?;
    TcpListener::from_std(listener).context("the passed socket")
}

#[cfg(not(unix))]
fn inherited() -> Result<TcpListener> {
    Err(crate::failure::Failure::new(
        "sockets can be passed on Unix only",
    ))
}
