//! From the peers file to processes: names are looked up, what is known about a process that stays
//! is kept.

use std::{collections::HashMap, io, net::SocketAddr, sync::Arc, time::Duration};

use futures_util::future::join_all;
use kernel::BoxFuture;
use tokio::time::timeout;
use web::{PeerUrl, ServicePeers};

use super::{endpoint::Endpoint, members::Members, settings::NetworkSettings};

/// How long a name may take to be looked up.
const PATIENCE: Duration = Duration::from_secs(3);

/// Looks a name up: all its addresses.
pub type Lookup =
    Arc<dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// The resolver of this machine.
pub fn system() -> Lookup {
    Arc::new(|name, port| {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, port)).await?.collect()) })
    })
}

/// Names and the addresses last found behind them.
pub struct Names {
    lookup: Lookup,
    known: HashMap<(String, u16), Vec<SocketAddr>>,
}

impl Names {
    /// Nothing is known yet.
    pub fn new(lookup: Lookup) -> Self {
        Self {
            lookup,
            known: HashMap::new(),
        }
    }

    /// Looks all names of these services up, at once. A name that cannot be found keeps the
    /// addresses it had.
    pub async fn refresh<'a>(&mut self, services: impl Iterator<Item = &'a ServicePeers>) {
        let urls = services.flat_map(|peers| peers.urls.iter().chain(&peers.backup));
        let names = urls.filter(|url| url.every_address);
        let mut names: Vec<_> = names.map(|url| (url.host.clone(), url.port)).collect();
        names.sort();
        names.dedup();
        self.known.retain(|name, _| names.contains(name));
        let lookups = names.into_iter().map(|(host, port)| {
            let found = timeout(PATIENCE, (self.lookup)(host.clone(), port));
            async move { ((host, port), found.await) }
        });
        for (name, found) in join_all(lookups).await {
            match found {
                Ok(Ok(mut addresses)) if !addresses.is_empty() => {
                    addresses.sort();
                    addresses.dedup();
                    self.known.insert(name, addresses);
                }
                Ok(Ok(_)) | Err(_) => {
                    tracing::warn!(name = name.0, "no address found; the old ones stay");
                }
                Ok(Err(error)) => {
                    tracing::warn!(name = name.0, %error, "cannot be looked up; the old addresses stay");
                }
            }
        }
    }

    /// The processes of a service; those in `before` stay what they are.
    pub fn members(
        &self,
        peers: &ServicePeers,
        before: &Members,
        settings: &Arc<NetworkSettings>,
    ) -> Members {
        let start = |urls: &[PeerUrl], taken: &[Arc<Endpoint>]| {
            let mut endpoints: Vec<Arc<Endpoint>> = Vec::new();
            for authority in urls.iter().flat_map(|url| self.authorities(url)) {
                let same = |endpoint: &&Arc<Endpoint>| endpoint.authority == authority;
                if endpoints.iter().chain(taken).any(|known| same(&known)) {
                    continue;
                }
                let known = before.all().find(same).cloned();
                let start = || Endpoint::start(authority.clone(), settings.clone());
                endpoints.push(known.unwrap_or_else(start));
            }
            endpoints
        };
        let primary = start(&peers.urls, &[]);
        Members {
            backup: start(&peers.backup, &primary),
            primary,
            balance: peers.balance,
        }
    }

    fn authorities(&self, url: &PeerUrl) -> Vec<String> {
        if !url.every_address {
            return vec![url.authority()];
        }
        let known = self.known.get(&(url.host.clone(), url.port));
        let known = known.into_iter().flatten();
        known.map(ToString::to_string).collect()
    }
}
