//! Where the other processes of a shop are: a file that may change while everything runs.
//!
//! ```toml
//! secret_file = "cluster-secret"
//! [services.orders]
//! urls = ["http://127.0.0.1:41001", "http://127.0.0.1:41002"]
//! backup = ["http://10.0.1.7:8080"]
//! balance = "least-connections"
//! [services.cart]
//! urls = ["dns+http://cart:8080"]
//! ```

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, de};
use tokio::sync::watch;

use crate::Secret;

/// How often the file is looked at. It is a few lines long.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The secret may come from here when the file names none.
const SECRET: &str = "SOUK_CLUSTER_SECRET";

/// Why there is no list of peers.
#[derive(Debug, thiserror::Error)]
pub enum PeersError {
    /// A file cannot be read.
    #[error("cannot read {path}: {error}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not what it should be. The message names the place, never a secret.
    #[error("{path} is not a list of peers: {error}")]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        error: Box<toml::de::Error>,
    },
}

/// The processes of a shop, as a file lists them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Peers {
    /// What processes show each other on the routes that are theirs alone (`/log`, `/ops`).
    pub secret: Option<Secret>,
    /// The processes of each service.
    pub services: BTreeMap<String, ServicePeers>,
}

/// The processes of one service.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServicePeers {
    /// All of them take requests (active-active).
    pub urls: Vec<PeerUrl>,
    /// These take requests while none of `urls` is well (active-passive).
    #[serde(default)]
    pub backup: Vec<PeerUrl>,
    /// How requests are spread.
    #[serde(default)]
    pub balance: Balance,
}

/// How requests are spread over the processes of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Balance {
    /// Requests for one resource (the first segment of the path with a digit, such as an id) go to
    /// the same process while it is well and no busier than the others: it has the resource's
    /// state at hand. The rest goes in turn.
    #[default]
    ResourceHash,
    /// In turn.
    RoundRobin,
    /// To the one with the fewest requests under way: when requests differ much in length.
    LeastConnections,
    /// A client's requests go to the same process while it is well: when processes keep caches.
    ClientHash,
}

/// An address of the peers file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerUrl {
    /// Whether every address behind the name is a process of its own (`dns+http://`).
    pub every_address: bool,
    /// A name or an address; IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    secret_file: Option<PathBuf>,
    #[serde(default)]
    services: BTreeMap<String, ServicePeers>,
}

impl Peers {
    /// Reads the file.
    pub fn load(path: &Path) -> Result<Self, PeersError> {
        let text = read(path)?;
        let file: File = toml::from_str(&text).map_err(|mut error| {
            // Without the text: what was pasted into the wrong file may be a secret.
            error.set_input(None);
            PeersError::Malformed {
                path: path.to_owned(),
                error: Box::new(error),
            }
        })?;
        let secret = match file.secret_file {
            Some(name) => {
                let folder = path.parent().unwrap_or(Path::new("."));
                Some(read(&folder.join(name))?.trim().to_owned())
            }
            None => std::env::var(SECRET).ok(),
        };
        Ok(Self {
            secret: secret.filter(|secret| !secret.is_empty()).map(Secret),
            services: file.services,
        })
    }

    /// Reads the file and follows its changes until every receiver is dropped. A file that cannot
    /// be read any more, or is malformed, changes nothing: the last good list stays. Needs a Tokio
    /// runtime.
    pub fn watch(path: impl Into<PathBuf>) -> Result<watch::Receiver<Arc<Self>>, PeersError> {
        let path = path.into();
        let (sender, receiver) = watch::channel(Arc::new(Self::load(&path)?));
        tokio::spawn(follow(path, sender));
        Ok(receiver)
    }

    /// Where the processes of a service can be reached, backups last; for a name that stands for
    /// several (`dns+http://`), the name.
    pub fn urls(&self, service: &str) -> Vec<String> {
        let peers = self.services.get(service);
        let urls = peers.map(|peers| peers.urls.iter().chain(&peers.backup));
        let urls = urls.into_iter().flatten();
        urls.map(|url| format!("http://{}", url.authority()))
            .collect()
    }
}

async fn follow(path: PathBuf, sender: watch::Sender<Arc<Peers>>) {
    let mut complained = String::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = sender.closed() => return,
        }
        let path = path.clone();
        let Ok(loaded) = tokio::task::spawn_blocking(move || Peers::load(&path)).await else {
            continue;
        };
        match loaded {
            Ok(peers) => {
                complained.clear();
                sender.send_if_modified(|current| {
                    let changed = **current != peers;
                    if changed {
                        tracing::info!("the list of peers has changed");
                        *current = Arc::new(peers);
                    }
                    changed
                });
            }
            Err(error) => {
                let text = error.to_string();
                if text != complained {
                    tracing::warn!(%error, "the list of peers cannot be used; the last good one stays");
                    complained = text;
                }
            }
        }
    }
}

fn read(path: &Path) -> Result<String, PeersError> {
    std::fs::read_to_string(path).map_err(|error| PeersError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

impl PeerUrl {
    /// `host:port`, with brackets around IPv6.
    pub fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl FromStr for PeerUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("an address looks like http://host:port")?;
        let every_address = match scheme {
            "http" => false,
            "dns+http" => true,
            _ => return Err("addresses of peers begin with http:// or dns+http://"),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#', '@']) {
            return Err("an address of a peer has a host and a port, nothing else");
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or("a bracket is missing")?;
                (host, rest.strip_prefix(':').unwrap_or("80"))
            }
            None => authority.rsplit_once(':').unwrap_or((authority, "80")),
        };
        let port = port.parse().map_err(|_| "the port is not a number")?;
        let valid = |letter: char| letter.is_ascii_alphanumeric() || "-._:%".contains(letter);
        let bracketed = authority.starts_with('[');
        if host.is_empty() || !host.chars().all(valid) || (host.contains(':') && !bracketed) {
            return Err("the host is not a name or an address");
        }
        Ok(Self {
            every_address,
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for PeerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.every_address {
            "dns+http"
        } else {
            "http"
        };
        write!(f, "{scheme}://{}", self.authority())
    }
}

impl<'de> Deserialize<'de> for PeerUrl {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn write(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("peers.toml");
        // As the supervisor does it: nobody sees half a file.
        let draft = folder.join("draft");
        std::fs::write(&draft, text).expect("written");
        std::fs::rename(draft, &path).expect("renamed");
        path
    }

    #[test]
    fn the_file_says_where_services_are() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("cluster-secret"), "s3cret\n").expect("written");
        let path = write(
            folder.path(),
            r#"
            secret_file = "cluster-secret"
            [services.orders]
            urls = ["http://127.0.0.1:41001", "http://[::1]:41002/"]
            backup = ["http://spare:80"]
            balance = "least-connections"
            [services.cart]
            urls = ["dns+http://cart:8080"]
            "#,
        );
        let peers = Peers::load(&path).expect("peers");
        assert_eq!(peers.secret, Some(Secret("s3cret".into())));
        assert_eq!(
            peers.urls("orders"),
            [
                "http://127.0.0.1:41001",
                "http://[::1]:41002",
                "http://spare:80"
            ]
        );
        assert_eq!(peers.urls("cart"), ["http://cart:8080"]);
        assert!(peers.urls("nobody").is_empty());
        assert_eq!(peers.services["orders"].balance, Balance::LeastConnections);
        assert!(peers.services["cart"].urls[0].every_address);
    }

    #[test]
    fn what_is_wrong_is_named_and_never_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        for (text, says) in [
            ("[services.a]\nurls = [\"https://a\"]", "http://"),
            ("[services.a]\nurl = []", "url"),
            ("[services.a]\nurls = [\"http://a:x\"]", "port"),
            (
                "[services.a]\nurls = [\"http://u:p@a:1\"]",
                "host and a port",
            ),
            ("[services.a]\nurls = []\nbalance = \"best\"", "balance"),
        ] {
            let path = write(folder.path(), text);
            let error = Peers::load(&path).expect_err(text).to_string();
            let told = error.contains(says) || says == "balance" && error.contains("best");
            assert!(told, "{error}");
            assert!(!error.contains("u:p@"), "{error}");
        }
    }

    #[tokio::test]
    async fn changes_are_followed_and_mistakes_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = write(folder.path(), "[services.a]\nurls = [\"http://a:1\"]");
        let mut peers = Peers::watch(&path).expect("peers");
        assert_eq!(peers.borrow_and_update().urls("a"), ["http://a:1"]);
        write(folder.path(), "[services.a]\nurls = [");
        write(folder.path(), "[services.a]\nurls = [\"http://b:2\"]");
        let changed = tokio::time::timeout(Duration::from_secs(20), peers.changed()).await;
        changed.expect("in time").expect("watched");
        assert_eq!(peers.borrow().urls("a"), ["http://b:2"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            if let Ok(url) = text.parse::<PeerUrl>() {
                let again: PeerUrl = url.to_string().parse().expect("what was written is read");
                prop_assert_eq!(again, url);
            }
        }

        #[test]
        fn addresses_are_read(host in "[a-z][a-z0-9.-]{0,20}", port: u16, every: bool) {
            let url = PeerUrl { every_address: every, host, port };
            prop_assert_eq!(url.to_string().parse::<PeerUrl>(), Ok(url));
        }
    }
}
