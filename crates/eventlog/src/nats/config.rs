//! Where NATS is, how to log in, and what its streams keep: one URL.
//!
//! `nats://user:password@host:4222,nats://other:4222?creds=/run/nats.creds&replicas=3`

use std::{fmt, path::PathBuf, time::Duration};

use async_nats::{ConnectOptions, ServerAddr};

use crate::cloudevents::percent_decode;

/// Settings that cannot be used. Never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// An address is none.
    #[error("the NATS address {0} is not valid; it looks like nats://host:4222")]
    Address(String),
    /// Something in it looks like part of a password, and is not shown.
    #[error(
        "the NATS URL cannot be read; in a password `,` is written %2C, `?` %3F, `/` %2F and `@` %40"
    )]
    Unescaped,
    /// A setting behind the `?` is unknown or wrong.
    #[error("the NATS setting `{0}` is not valid: {1}")]
    Setting(String, &'static str),
    /// A file cannot be read.
    #[error("the NATS setting `{setting}` names a file that cannot be used: {reason}")]
    File {
        /// Which setting.
        setting: &'static str,
        /// Why.
        reason: String,
    },
    /// The client refused the settings.
    #[error("cannot connect to NATS: {0}")]
    Connect(String),
}

/// Where streams are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// On disk.
    File,
    /// In memory: faster, and empty after a restart, which costs Souk nothing.
    Memory,
}

/// Where NATS is and what it keeps.
#[derive(Clone)]
pub struct Config {
    servers: Vec<String>,
    login: Option<(String, String)>,
    token_file: Option<PathBuf>,
    creds: Option<PathBuf>,
    nkey_file: Option<PathBuf>,
    ca: Option<PathBuf>,
    certificate: Option<(PathBuf, PathBuf)>,
    /// The first part of all subjects, and of the streams' names.
    pub prefix: String,
    /// Where streams are kept.
    pub storage: Storage,
    /// Copies of each stream in a cluster.
    pub replicas: usize,
    /// How long streams keep events.
    pub max_age: Duration,
    /// How many bytes a stream keeps at most; the server reserves them.
    pub max_bytes: i64,
    /// Whether streams are made and changed; off where an administrator does it.
    pub manage: bool,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The login is left out, and the servers' names are without it.
        f.debug_struct("Config")
            .field("servers", &self.servers)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// From a URL: servers with commas between, each perhaps with `user:password@` or `token@`
    /// (the first one's counts), and settings behind a `?`: `creds`, `nkey_file`, `token_file`,
    /// `ca`, `cert` and `key` (files), `prefix`, `storage` (`file` or `memory`), `replicas`,
    /// `max_age_s`, `max_bytes`, `manage` (`true` or `false`).
    pub fn parse(url: &str) -> Result<Self, ConfigError> {
        let (servers, settings) = url.split_once('?').unwrap_or((url, ""));
        if settings.contains('@') {
            return Err(ConfigError::Unescaped);
        }
        let mut config = Self {
            servers: Vec::new(),
            login: None,
            token_file: None,
            creds: None,
            nkey_file: None,
            ca: None,
            certificate: None,
            prefix: "souk".into(),
            storage: Storage::File,
            replicas: 1,
            max_age: Duration::from_secs(3600),
            max_bytes: 256 * 1024 * 1024,
            manage: true,
        };
        for server in servers.split(',').map(str::trim) {
            let (scheme, rest) = server.split_once("://").unwrap_or(("nats", server));
            let (login, host) = match rest.rsplit_once('@') {
                Some((login, host)) => (Some(login), host),
                None => (None, rest),
            };
            let plain = format!("{scheme}://{host}");
            if host.is_empty() || plain.parse::<ServerAddr>().is_err() {
                let port = host.rsplit_once(':').map_or("", |(_, port)| port);
                return Err(match port.bytes().all(|b| b.is_ascii_digit()) {
                    true => ConfigError::Address(plain),
                    false => ConfigError::Unescaped,
                });
            }
            config.servers.push(plain);
            if let (Some(login), None) = (login, &config.login) {
                let (user, word) = login.split_once(':').unwrap_or((login, ""));
                let decode = |text: &str| percent_decode(text).unwrap_or_default().into_owned();
                config.login = Some((decode(user), decode(word)));
            }
        }
        let (mut cert, mut key) = (None, None);
        for setting in settings.split('&').filter(|s| !s.is_empty()) {
            let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
            let value = percent_decode(value).unwrap_or_default().into_owned();
            match name {
                "cert" => cert = Some(PathBuf::from(value)),
                "key" => key = Some(PathBuf::from(value)),
                _ => config.set(name, value)?,
            }
        }
        config.certificate = match (cert, key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => return Err(invalid("cert", "cert and key go together")),
        };
        Ok(config)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), ConfigError> {
        let whole = |value: &str| value.parse::<u32>().ok().filter(|n| *n > 0);
        let number = || whole(&value).ok_or_else(|| invalid(name, "a whole number above 0"));
        match name {
            "creds" => self.creds = Some(value.into()),
            "nkey_file" => self.nkey_file = Some(value.into()),
            "token_file" => self.token_file = Some(value.into()),
            "ca" => self.ca = Some(value.into()),
            "prefix" if is_token(&value) => self.prefix = value,
            "prefix" => return Err(invalid(name, "letters, digits, - and _")),
            "storage" => {
                self.storage = match value.as_str() {
                    "file" => Storage::File,
                    "memory" => Storage::Memory,
                    _ => return Err(invalid(name, "file or memory")),
                }
            }
            "replicas" => self.replicas = number()? as usize,
            "max_age_s" => self.max_age = Duration::from_secs(number()?.into()),
            "max_bytes" => {
                let bytes = value.parse::<i64>().ok().filter(|n| *n > 0);
                self.max_bytes = bytes.ok_or_else(|| invalid(name, "a whole number above 0"))?;
            }
            "manage" => {
                let manage = value.parse();
                self.manage = manage.map_err(|_| invalid(name, "true or false"))?;
            }
            _ => return Err(invalid(name, "there is no such setting")),
        }
        Ok(())
    }

    pub(super) fn addresses(&self) -> Result<Vec<ServerAddr>, ConfigError> {
        let parse = |server: &String| {
            let address = server.parse::<ServerAddr>();
            address.map_err(|_| ConfigError::Address(server.clone()))
        };
        self.servers.iter().map(parse).collect()
    }

    pub(super) async fn options(&self) -> Result<ConnectOptions, ConfigError> {
        let mut options = ConnectOptions::new().name("souk");
        match &self.login {
            Some((token, word)) if word.is_empty() => options = options.token(token.clone()),
            Some((user, word)) => options = options.user_and_password(user.clone(), word.clone()),
            None => {}
        }
        if let Some(path) = &self.token_file {
            options = options.token(secret("token_file", path)?);
        }
        if let Some(path) = &self.nkey_file {
            options = options.nkey(secret("nkey_file", path)?);
        }
        if let Some(path) = &self.creds {
            let loaded = options.credentials_file(path).await;
            options = loaded.map_err(|e| unreadable("creds", &e))?;
        }
        if let Some(path) = &self.ca {
            options = options.add_root_certificates(path.clone());
        }
        if let Some((cert, key)) = &self.certificate {
            options = options.add_client_certificate(cert.clone(), key.clone());
        }
        Ok(options)
    }
}

fn invalid(name: &str, reason: &'static str) -> ConfigError {
    ConfigError::Setting(name.to_owned(), reason)
}

fn unreadable(setting: &'static str, error: &std::io::Error) -> ConfigError {
    ConfigError::File {
        setting,
        reason: error.kind().to_string(),
    }
}

fn secret(setting: &'static str, path: &PathBuf) -> Result<String, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|e| unreadable(setting, &e))?;
    Ok(text.trim().to_owned())
}

/// Whether `text` can be one part of a subject and of a stream's name.
pub(super) fn is_token(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_it_all_and_is_not_printed() {
        let url = "nats://souk:s%3Acret@a:4222,tls://b:4223?prefix=shop&storage=memory&replicas=3&max_age_s=60&max_bytes=5";
        let config = Config::parse(url).expect("settings");
        assert_eq!(config.servers, ["nats://a:4222", "tls://b:4223"]);
        assert_eq!(config.login, Some(("souk".into(), "s:cret".into())));
        assert_eq!(
            (config.prefix.as_str(), config.storage),
            ("shop", Storage::Memory)
        );
        assert_eq!((config.replicas, config.max_bytes), (3, 5));
        assert!(!format!("{config:?}").contains("cret"));
    }

    #[test]
    fn what_is_wrong_is_named_without_secrets() {
        for (url, named) in [
            ("nats://u:secret@", "nats://"),
            ("nats://u:secret@h:99999", "nats://h:99999"),
            ("nats://u:my,secret@h", "%2C"),
            ("nats://u:secret,x@h", "%2C"),
            ("nats://u:12?secret@h", "%3F"),
            ("nats://u:secret@h?speed=1", "speed"),
            ("nats://u:secret@h?storage=tape", "storage"),
            ("nats://u:secret@h?replicas=0", "replicas"),
            ("nats://u:secret@h?prefix=a.b", "prefix"),
            ("nats://u:secret@h?cert=/x", "cert"),
        ] {
            let error = Config::parse(url).expect_err(url).to_string();
            assert!(
                error.contains(named) && !error.contains("secret"),
                "{error}"
            );
        }
    }
}
