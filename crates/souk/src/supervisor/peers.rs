//! `peers.toml`: where the processes of every service are, for each other and for the gateway.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

use crate::failure::{Context as _, Result};

/// The file, written anew and as a whole at every change: whoever reads it sees the state before or
/// the state after.
pub struct Peers {
    path: PathBuf,
    content: Mutex<Content>,
}

#[derive(Serialize)]
struct Content {
    secret_file: String,
    services: BTreeMap<String, Service>,
}

#[derive(Default, Serialize)]
struct Service {
    urls: Vec<String>,
}

impl Peers {
    /// Writes the file with every service, each without a process yet.
    pub fn create<'a>(
        path: &Path,
        secret_file: &str,
        services: impl Iterator<Item = &'a str>,
    ) -> Result<Self> {
        let services = services.map(|name| (name.to_owned(), Service::default()));
        let content = Content {
            secret_file: secret_file.to_owned(),
            services: services.collect(),
        };
        write(path, &content)?;
        Ok(Self {
            path: path.to_owned(),
            content: Mutex::new(content),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many processes of `service` are in the file.
    pub fn count(&self, service: &str) -> usize {
        let content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        content.services.get(service).map_or(0, |s| s.urls.len())
    }

    /// From now on requests may go to `url`. Does nothing if it is there.
    pub fn add(&self, service: &str, url: &str) -> Result<()> {
        self.change(service, |urls| {
            if !urls.iter().any(|there| there == url) {
                urls.push(url.to_owned());
            }
        })
    }

    /// From now on no new request shall go to `url`.
    pub fn remove(&self, service: &str, url: &str) -> Result<()> {
        self.change(service, |urls| urls.retain(|there| there != url))
    }

    fn change(&self, service: &str, change: impl FnOnce(&mut Vec<String>)) -> Result<()> {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut content.services.entry(service.to_owned()).or_default().urls);
        write(&self.path, &content)
    }
}

fn write(path: &Path, content: &Content) -> Result<()> {
    let text = toml::to_string(content).context("the list of processes")?;
    let new = path.with_extension("toml.new");
    let written = std::fs::write(
        &new,
        format!("# Written by the supervisor at every change.\n{text}"),
    );
    written
        .and_then(|()| std::fs::rename(&new, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_always_has_every_service() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("peers.toml");
        let peers = Peers::create(&path, "cluster-secret", ["orders", "cart"].into_iter()).unwrap();
        peers.add("orders", "http://127.0.0.1:1").unwrap();
        peers.add("orders", "http://127.0.0.1:2").unwrap();
        peers.add("orders", "http://127.0.0.1:2").unwrap();
        assert_eq!(peers.count("orders"), 2);
        peers.remove("orders", "http://127.0.0.1:1").unwrap();
        let read: toml::Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        assert_eq!(read["secret_file"].as_str(), Some("cluster-secret"));
        let urls = |service: &str| read["services"][service]["urls"].as_array().unwrap().len();
        assert_eq!((urls("orders"), urls("cart")), (1, 0));
    }
}
