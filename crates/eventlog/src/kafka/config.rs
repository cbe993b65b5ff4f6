//! Where Kafka is and what its topics keep.
//!
//! `kafka://host:9092,other:9092?replicas=3&properties=/run/kafka.properties`

use std::{fmt, time::Duration};

use rdkafka::ClientConfig;

/// Settings that cannot be used. Never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No server is named.
    #[error("name a Kafka server, as in kafka://host:9092")]
    NoServer,
    /// A setting behind the `?` is unknown or wrong.
    #[error("the Kafka setting `{0}` is not valid: {1}")]
    Setting(String, &'static str),
    /// The file with further properties cannot be used.
    #[error("the file of Kafka properties cannot be used: {0}")]
    Properties(String),
    /// The client refused the settings.
    #[error("cannot make a Kafka client: {0}")]
    Client(String),
}

/// Where Kafka is and what it keeps.
#[derive(Clone)]
pub struct Config {
    servers: String,
    /// Further properties of librdkafka: logins and the like.
    properties: Vec<(String, String)>,
    /// The first part of all topics' names.
    pub prefix: String,
    /// Copies of each partition.
    pub replicas: i32,
    /// How long topics keep events.
    pub max_age: Duration,
    /// How many bytes a partition keeps at most.
    pub max_bytes: i64,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("servers", &self.servers)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// From a URL: servers with commas between, and settings behind a `?`: `prefix`, `replicas`,
    /// `max_age_s`, `max_bytes`, and `properties`, a file of `name=value` lines for librdkafka
    /// (`sasl.username` and so on), where secrets belong.
    pub fn parse(url: &str) -> Result<Self, ConfigError> {
        let plain = url.strip_prefix("kafka://").unwrap_or(url);
        let (servers, settings) = plain.split_once('?').unwrap_or((plain, ""));
        if servers.is_empty() || servers.contains(['@', '/']) {
            return Err(ConfigError::NoServer);
        }
        let mut config = Self {
            servers: servers.to_owned(),
            properties: Vec::new(),
            prefix: "souk".into(),
            replicas: 1,
            max_age: Duration::from_secs(3600),
            max_bytes: 1024 * 1024 * 1024,
        };
        for setting in settings.split('&').filter(|s| !s.is_empty()) {
            let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
            let wrong = |reason| ConfigError::Setting(name.to_owned(), reason);
            let number = || {
                let number = value.parse::<u32>().ok().filter(|n| *n > 0);
                number.ok_or_else(|| wrong("a whole number above 0"))
            };
            match name {
                "prefix" if is_name(value) => config.prefix = value.to_owned(),
                "prefix" => return Err(wrong("letters, digits, - and _")),
                "replicas" => config.replicas = number()?.min(99) as i32,
                "max_age_s" => config.max_age = Duration::from_secs(number()?.into()),
                "max_bytes" => config.max_bytes = number()?.into(),
                "properties" => config.properties = properties(value)?,
                _ => return Err(wrong("there is no such setting")),
            }
        }
        Ok(config)
    }

    /// What all clients have in common.
    pub(super) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", &self.servers)
            .set("client.id", "souk")
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "2000");
        for (name, value) in &self.properties {
            client.set(name, value);
        }
        client
    }
}

fn properties(path: &str) -> Result<Vec<(String, String)>, ConfigError> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|e| ConfigError::Properties(e.kind().to_string()))?;
    let lines = text.lines().map(str::trim);
    let meant = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pair = |line: &str| {
        let (name, value) = line.split_once('=')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    meant
        .map(|line| {
            pair(line).ok_or_else(|| ConfigError::Properties("a line is not name=value".into()))
        })
        .collect()
}

/// Whether `text` can be part of a topic's name.
pub(super) fn is_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_it_all() {
        let config = Config::parse("kafka://a:1,b:2?prefix=shop&replicas=3").expect("settings");
        assert_eq!((config.servers.as_str(), config.replicas), ("a:1,b:2", 3));
        for wrong in [
            "kafka://",
            "kafka://u:p@h",
            "kafka://h?speed=1",
            "kafka://h?replicas=0",
        ] {
            assert!(Config::parse(wrong).is_err(), "{wrong}");
        }
    }
}
