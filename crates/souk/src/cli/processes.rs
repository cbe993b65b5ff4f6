//! What can be asked of a shop that runs in many processes.

use std::path::PathBuf;

use clap::Args;

/// A shop in many processes.
#[derive(Args, Clone)]
pub struct Processes {
    /// Each service in processes of its own, with PostgreSQL and NATS: your own (--database,
    /// --events), or started here if their programs are installed.
    #[arg(long, conflicts_with = "ephemeral")]
    pub processes: bool,
    /// PostgreSQL, as in postgres://souk@db.example/{service}: a database per service.
    #[arg(
        long,
        env = "SOUK_DATABASE",
        hide_env_values = true,
        requires = "processes"
    )]
    pub database: Option<String>,
    /// The PostgreSQL database of the keys; souk_keyring beside the others unless given.
    #[arg(
        long,
        env = "SOUK_KEYRING",
        hide_env_values = true,
        requires = "processes"
    )]
    pub keyring: Option<String>,
    /// The broker, as in nats://nats.example:4222 (or kafka://kafka.example:9092, if souk was built
    /// with Kafka).
    #[arg(
        long,
        env = "SOUK_EVENTS",
        hide_env_values = true,
        requires = "processes"
    )]
    pub events: Option<String>,
    /// How many processes a service begins with, such as orders=2; one unless given.
    #[arg(long, value_parser = count, requires = "processes")]
    pub scale: Vec<(String, usize)>,
    /// Between how many processes a service may change by itself, such as orders=1..4.
    #[arg(long, requires = "processes")]
    pub autoscale: Vec<crate::supervisor::Rule>,
    /// The program that is started for each process.
    #[arg(long, hide = true, requires = "processes")]
    pub program: Option<PathBuf>,
}

/// A shop that runs in many processes, known by its data directory.
#[derive(Args)]
pub struct On {
    /// Its data directory.
    #[arg(long, env = "SOUK_DATA", default_value = "souk-data")]
    pub data: PathBuf,
}

/// What `souk ps` shows.
#[derive(Args)]
pub struct Shown {
    /// Only the processes of this service, or this process.
    pub service: Option<String>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    /// Only the process ids, for `kill` and the like.
    #[arg(long, conflicts_with = "json")]
    pub pids: bool,
}

/// `orders=3`
pub(super) fn count(text: &str) -> Result<(String, usize), String> {
    let wrong = || format!("`{text}` is not like `orders=3`");
    let (service, count) = text.split_once('=').ok_or_else(wrong)?;
    let count = count.trim().parse().map_err(|_| wrong())?;
    Ok((service.trim().to_owned(), count))
}
