//! What a shop in many processes consists of.

use std::{
    ffi::{OsStr, OsString},
    net::TcpListener,
    os::fd::OwnedFd,
    path::Path,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::failure::{Context as _, Result};

/// The most processes of one service.
pub const MOST: usize = 64;

/// The name of the public port among the services.
pub const GATEWAY: &str = "gateway";
/// The name of the payment provider.
pub const SANDBOX: &str = "sandbox";

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
    pub arguments: Vec<OsString>,
    /// The same, until the shop is open for the first time: who needs an answer asks once.
    pub at_first: Vec<OsString>,
    /// Whether that is over.
    pub opened: AtomicBool,
    /// A listening socket that all processes of the kind share, so that connections wait while one
    /// is replaced by the next; else each finds a port of its own.
    pub listener: Option<TcpListener>,
    /// How it is known to be ready.
    pub ready: Ready,
    /// Whether others find it in `peers.toml`.
    pub in_peers: bool,
    /// Whether it is a part of the shop: has a slot, may have several processes, and is told where
    /// databases and broker are.
    pub ours: bool,
}

impl Kind {
    /// A service of the shop.
    pub fn service(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            arguments: vec!["run".into(), name.into()],
            at_first: Vec::new(),
            opened: AtomicBool::new(false),
            listener: None,
            ready: Ready::Answers("/readyz"),
            in_peers: true,
            ours: true,
        }
    }

    /// The gateway, on a socket that outlives each of its processes.
    pub fn gateway(listener: TcpListener) -> Self {
        Self {
            listener: Some(listener),
            ready: Ready::Says,
            in_peers: false,
            ..Self::service(GATEWAY)
        }
    }

    /// The sandbox payment provider: the outside world. Only one may use its folder.
    pub fn sandbox(listener: TcpListener, folder: &Path, shop: &str) -> Self {
        let arguments = [SANDBOX.as_ref(), "--data".as_ref(), folder.as_os_str()];
        let shop = ["--shop".as_ref(), OsStr::new(shop)];
        Self {
            name: SANDBOX.to_owned(),
            arguments: arguments
                .into_iter()
                .chain(shop)
                .map(OsStr::to_owned)
                .collect(),
            ours: false,
            ..Self::gateway(listener)
        }
    }

    /// What the program is asked to do at this start.
    pub fn arguments(&self) -> impl Iterator<Item = &OsString> {
        let opened = self.opened.load(Ordering::Relaxed);
        let at_first = self.at_first.iter().filter(move |_| !opened);
        self.arguments.iter().chain(at_first)
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
