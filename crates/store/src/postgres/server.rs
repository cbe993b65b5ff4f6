//! Where a database is and how it is connected to.

use std::time::Duration;

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{
    Config,
    config::{LoadBalanceHosts, TargetSessionAttrs},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    failure::{self, Failure},
    session::Session,
};
use crate::StoreError;

/// How long one attempt to connect may take, with the greetings.
const CONNECT: Duration = Duration::from_secs(5);
/// How long is waited for a server that is away before that is answered.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Commits: of several hosts the one that takes writes.
    Write,
    /// Queries that see every commit: the same host, but writing is refused.
    Read,
    /// Queries that may be a little behind: a standby.
    Replica,
}

/// A database on one server, or on several of which one is the primary.
#[derive(Clone)]
pub(super) struct Server {
    config: Config,
    replicas: Option<Config>,
    tls: MakeRustlsConnect,
}

impl Server {
    /// Reads `postgres://user:password@host,host/database?…`. Beside what tokio-postgres knows:
    /// `sslrootcert` (a PEM file; without it the usual public roots) and `replicas` (hosts with
    /// ports, commas between).
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        let bad = |why: String| {
            StoreError::Unavailable(format!("the database's URL cannot be read: {why}"))
        };
        let (mut root, mut replicas) = (None, None);
        let (base, parameters) = url.split_once('?').unwrap_or((url, ""));
        let others: Vec<&str> = parameters
            .split('&')
            .filter(|parameter| match parameter.split_once('=') {
                Some(("sslrootcert", path)) => root.replace(path).is_some_and(|_| false),
                Some(("replicas", hosts)) => replicas.replace(hosts).is_some_and(|_| false),
                _ => !parameter.is_empty(),
            })
            .collect();
        let plain = format!("{base}?{}", others.join("&"));
        // The error names an option, never what stands in the URL.
        let mut config: Config = plain
            .parse()
            .map_err(|e: tokio_postgres::Error| bad(failure::line_error(&e)))?;
        if config.get_dbname().is_none() || config.get_hosts().is_empty() {
            return Err(bad("it needs a host and a database".into()));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(3));
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(Duration::from_secs(10));
        }
        if config.get_hosts().len() > 1 {
            // In another order each time: a host that takes connections and then says nothing
            // uses up the time of an attempt, and the next one must not begin with it again.
            config.load_balance_hosts(LoadBalanceHosts::Random);
        }
        config
            .keepalives_idle(Duration::from_secs(10))
            .keepalives_interval(Duration::from_secs(3))
            .keepalives_retries(3);
        let replicas = replicas.map(|hosts| standbys(&config, hosts)).transpose();
        let replicas = replicas.map_err(|()| bad("`replicas` is no list of hosts".into()))?;
        let tls = tls(root).map_err(bad)?;
        Ok(Self {
            config,
            replicas,
            tls,
        })
    }

    /// Names the connections, for those who look at the server, unless the URL does.
    pub fn named(mut self, application: &str) -> Self {
        if self.config.get_application_name().is_none() {
            self.config.application_name(application);
        }
        if let Some(replicas) = &mut self.replicas {
            replicas.application_name(application);
        }
        self
    }

    /// Whether there are standbys to ask.
    pub fn has_replicas(&self) -> bool {
        self.replicas.is_some()
    }

    /// Connects, once.
    pub async fn connect(&self, purpose: Purpose) -> Result<Session, Failure> {
        let mut config = match (purpose, &self.replicas) {
            (Purpose::Replica, Some(replicas)) => replicas.clone(),
            _ => self.config.clone(),
        };
        if purpose != Purpose::Replica {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let connecting = timeout(CONNECT, config.connect(self.tls.clone())).await;
        let connected = connecting
            .map_err(|_| Failure::Lost("the server does not answer".into()))?
            .map_err(|error| failure::sort(&error))?;
        let session = Session::start(connected.0, connected.1);
        timeout(CONNECT, session.prepare_session(purpose))
            .await
            .map_err(|_| Failure::Lost("the server does not answer".into()))??;
        Ok(session)
    }

    /// Connects, trying again until `give_up`.
    pub async fn reach(&self, purpose: Purpose, give_up: Instant) -> Result<Session, StoreError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let why = match self.connect(purpose).await {
                Ok(session) => return Ok(session),
                Err(Failure::Refused(error)) => return Err(error),
                Err(Failure::Lost(why) | Failure::Again(why)) => why,
                Err(other) => format!("{other:?}"),
            };
            if Instant::now() + pause >= give_up {
                return Err(StoreError::Unavailable(format!("PostgreSQL: {why}")));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Makes the database if there is none, through the server's own database `postgres`.
    /// Several processes may try at once.
    ///
    /// It sorts and compares text by its bytes, as SQLite does, so that queries answer the same.
    pub async fn create_database(&self, give_up: Instant) -> Result<(), StoreError> {
        let missing = |error: &StoreError| matches!(error, StoreError::Unavailable(text) if text.contains("3D000"));
        match self.reach(Purpose::Write, give_up).await {
            Ok(_) => return Ok(()),
            Err(error) if missing(&error) => {}
            Err(error) => return Err(error),
        }
        let mut there = self.clone();
        there.config.dbname("postgres");
        let session = there.reach(Purpose::Write, give_up).await?;
        let name = self.config.get_dbname().unwrap_or_default();
        let quoted = name.replace('"', "\"\"");
        let create = format!(
            "CREATE DATABASE \"{quoted}\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
        );
        match session.script(&create).await {
            Ok(()) => {
                tracing::info!(database = name, "made the database");
                Ok(())
            }
            // Another process was faster, or is about to be.
            Err(_) if self.reach(Purpose::Write, give_up).await.is_ok() => Ok(()),
            Err(Failure::Refused(StoreError::Unavailable(why) | StoreError::Data(why))) => {
                let text = format!("there is no database {name}, and it cannot be made: {why}");
                Err(StoreError::Unavailable(text))
            }
            Err(other) => Err(StoreError::Unavailable(format!("{other:?}"))),
        }
    }
}

/// The same database on other hosts.
fn standbys(primary: &Config, hosts: &str) -> Result<Config, ()> {
    let mut config = Config::new();
    for host in hosts.split(',') {
        let (name, port) = host.rsplit_once(':').unwrap_or((host, "5432"));
        config.host(name).port(port.parse().map_err(|_| ())?);
    }
    if let Some(user) = primary.get_user() {
        config.user(user);
    }
    if let Some(password) = primary.get_password() {
        config.password(password);
    }
    config
        .dbname(primary.get_dbname().unwrap_or_default())
        .ssl_mode(primary.get_ssl_mode())
        .connect_timeout(Duration::from_secs(1))
        .tcp_user_timeout(Duration::from_secs(5))
        .load_balance_hosts(LoadBalanceHosts::Random);
    Ok(config)
}

/// Certificates are always verified where TLS is spoken (`sslmode=require` insists on it).
fn tls(root: Option<&str>) -> Result<MakeRustlsConnect, String> {
    let Some(path) = root else {
        return Ok(MakeRustlsConnect::with_webpki_roots());
    };
    let unreadable = |e: &dyn std::fmt::Display| format!("`sslrootcert` {path}: {e}");
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| unreadable(&e))? {
        let certificate = certificate.map_err(|e| unreadable(&e))?;
        roots.add(certificate).map_err(|e| unreadable(&e))?;
    }
    let provider = rustls::crypto::ring::default_provider();
    let builder = ClientConfig::builder_with_provider(provider.into());
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_with_several_hosts_and_own_parameters_are_read() {
        let url = "postgres://ann:secret@a:5432,b:5433/souk?replicas=c:1,d&sslmode=disable";
        let server = Server::parse(url).expect("readable");
        assert_eq!(server.config.get_hosts().len(), 2);
        assert_eq!(server.config.get_ports(), [5432, 5433]);
        let order = server.config.get_load_balance_hosts();
        assert_eq!(order, LoadBalanceHosts::Random);
        let replicas = server.replicas.expect("replicas");
        assert_eq!(replicas.get_ports(), [1, 5432]);
        assert_eq!(replicas.get_dbname(), Some("souk"));
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_its_password() {
        for url in [
            "postgres://ann:secret@a/souk?colour=secret",
            "postgres://ann:secret@a",
            "postgres://ann:secret@a:secret/souk",
            "postgres://ann:secret@a/souk?replicas=b:secret",
            "secret",
        ] {
            let error = Server::parse(url).map(|_| ()).expect_err("unreadable");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
