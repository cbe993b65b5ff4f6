//! The sockets at which strangers knock. They belong to the supervisor, which hands them to one
//! process after the other, so that nobody finds a door closed while processes are replaced.

use std::net::{SocketAddr, TcpListener};

use crate::{
    cli::Up,
    failure::{Context as _, Result},
};

/// The public sockets of a shop.
pub struct Doors {
    /// The gateway's.
    pub gateway: TcpListener,
    /// The sandbox payment provider's.
    pub provider: TcpListener,
}

impl Doors {
    /// Begins to listen: connections wait until somebody answers.
    pub fn open(up: &Up) -> Result<Self> {
        Ok(Self {
            gateway: bind(up.listen, "--listen")?,
            provider: bind(up.sandbox_listen, "--sandbox-listen")?,
        })
    }

    /// Where the shop is.
    pub fn url(&self) -> Result<String> {
        url(&self.gateway)
    }

    /// Where the provider is.
    pub fn provider_url(&self) -> Result<String> {
        url(&self.provider)
    }
}

fn bind(address: SocketAddr, option: &str) -> Result<TcpListener> {
    TcpListener::bind(address)
        .with_context(|| format!("cannot listen on {address} ({option} chooses another address)"))
}

fn url(listener: &TcpListener) -> Result<String> {
    let address = listener.local_addr().context("no address")?;
    Ok(format!("http://{address}"))
}
