//! What a shop in many processes consists of.

use std::{net::TcpListener, os::fd::OwnedFd, process::Stdio};

use crate::failure::{Context as _, Result};

/// The most processes of one service.
pub const MOST: usize = 64;

/// How it is known that a process may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// It says where it listens, and answers this path with success there.
    Answers(&'static str),
    /// It prints a line: it shares its address with others of its kind, so that asking the address
    /// would not tell which of them answers.
    Says,
}

/// A service, the gateway, or the sandbox payment provider.
#[derive(Debug)]
pub struct Kind {
    /// Such as `orders`.
    pub name: String,
    /// What the program is asked to do.
    pub arguments: Vec<String>,
    /// A listening socket that all processes of the kind share, so that connections wait while one
    /// is replaced by the next; else each finds a port of its own.
    pub listener: Option<TcpListener>,
    /// How it is known to be ready.
    pub ready: Ready,
    /// Whether others find it in `peers.toml`.
    pub in_peers: bool,
    /// Whether two of it may run at the same time.
    pub many: bool,
}

impl Kind {
    /// A service of the shop.
    pub fn service(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            arguments: vec!["run".into(), name.into()],
            listener: None,
            ready: Ready::Answers("/readyz"),
            in_peers: true,
            many: true,
        }
    }

    /// The gateway, on a socket that outlives each of its processes.
    pub fn gateway(listener: TcpListener) -> Self {
        Self {
            listener: Some(listener),
            ready: Ready::Says,
            in_peers: false,
            ..Self::service("gateway")
        }
    }

    /// What a process of this kind reads as its standard input: the listening socket, if there is
    /// one to hand over.
    pub fn input(&self) -> Result<Stdio> {
        let Some(listener) = &self.listener else {
            return Ok(Stdio::null());
        };
        let listener = listener.try_clone().context("the listening socket")?;
        Ok(Stdio::from(OwnedFd::from(listener)))
    }

    /// Where a process of this kind is to listen.
    pub fn listen(&self) -> &'static str {
        match self.listener {
            Some(_) => "stdin",
            None => "127.0.0.1:0",
        }
    }

    /// The shared address, if there is one.
    pub fn address(&self) -> Option<String> {
        let address = self.listener.as_ref()?.local_addr().ok()?;
        Some(format!("http://{address}"))
    }
}
