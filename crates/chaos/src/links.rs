//! Every connection between two processes, each through a proxy.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
};

use crate::{
    error::Result,
    proxy::Proxy,
    schedule::{GATEWAY, How, Link, Slot},
};

/// The proxies of a shop.
pub struct Links(HashMap<Link, Vec<Proxy>>);

impl Links {
    /// Proxies for every link; where they lead is said later. A database link has two, one for each
    /// server that may be the primary.
    pub async fn start() -> Result<Self> {
        let mut all = vec![(Link::Provider, 1), (Link::Webhooks, 1)];
        for slot in Slot::all() {
            all.push((Link::Broker(slot), 1));
            all.push((Link::Route(slot), 1));
            if slot.service != GATEWAY {
                all.push((Link::Database(slot), 2));
                all.push((Link::Feed(slot), 1));
            }
        }
        let mut links = HashMap::new();
        for (link, count) in all {
            let mut proxies = Vec::new();
            for _ in 0..count {
                proxies.push(Proxy::start(None).await?);
            }
            links.insert(link, proxies);
        }
        Ok(Self(links))
    }

    /// Where the near end of a link is.
    pub fn addresses(&self, link: Link) -> Vec<SocketAddr> {
        let proxies = self.0.get(&link).map(Vec::as_slice).unwrap_or_default();
        proxies.iter().map(Proxy::address).collect()
    }

    /// The near end of a link that has one proxy.
    pub fn address(&self, link: Link) -> SocketAddr {
        let first = self.addresses(link).first().copied();
        first.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    /// Breaks a link, or heals it.
    pub fn set(&self, link: Link, how: Option<How>) {
        for proxy in self.0.get(&link).into_iter().flatten() {
            proxy.set(how);
        }
    }

    /// Heals all of them.
    pub fn heal(&self) {
        self.0.values().flatten().for_each(|proxy| proxy.set(None));
    }

    /// The far end of a process's own links.
    pub fn process_at(&self, slot: Slot, address: Option<SocketAddr>) {
        for link in [Link::Route(slot), Link::Feed(slot)] {
            self.lead(link, 0, address);
        }
        if slot.service == GATEWAY && slot.number == 1 {
            self.lead(Link::Webhooks, 0, address);
        }
    }

    /// The far end of the link to the payment provider.
    pub fn provider_at(&self, address: Option<SocketAddr>) {
        self.lead(Link::Provider, 0, address);
    }

    /// The far ends of the links to NATS.
    pub fn broker_at(&self, port: u16) {
        let links = self.0.keys().filter(|link| matches!(link, Link::Broker(_)));
        for link in links {
            self.lead(
                *link,
                0,
                Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
            );
        }
    }

    /// The far ends of the links to the two places of PostgreSQL.
    pub fn databases_at(&self, ports: [Option<u16>; 2]) {
        let links = self
            .0
            .keys()
            .filter(|link| matches!(link, Link::Database(_)));
        for link in links {
            for (place, port) in ports.into_iter().enumerate() {
                let address = port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
                self.lead(*link, place, address);
            }
        }
    }

    fn lead(&self, link: Link, place: usize, address: Option<SocketAddr>) {
        if let Some(proxy) = self.0.get(&link).and_then(|proxies| proxies.get(place)) {
            proxy.lead_to(address);
        }
    }
}
