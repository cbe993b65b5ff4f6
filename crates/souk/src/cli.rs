//! The command line: what can be asked of `souk`.

mod mail;
#[cfg(unix)]
mod processes;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;

use crate::listen::Listen;
pub use mail::MailOptions;
#[cfg(unix)]
use processes::count;
#[cfg(unix)]
pub use processes::{On, Processes, Shown};

/// Souk: a composable, event-driven commerce platform.
///
/// Without a command it starts a shop with a demo catalogue and prints where to go.
#[derive(Parser)]
#[command(name = "souk", version, max_term_width = 110)]
pub struct Cli {
    /// What to do; `up` unless given.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How much to log: error, warn, info, debug or trace.
    #[arg(long, global = true, env = "SOUK_LOG", default_value = "warn")]
    pub log: tracing::Level,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run the whole shop: in this process on embedded storage, or in many with --processes.
    Up(Up),
    /// Run some of the services, or the gateway, in this process, over PostgreSQL and a message
    /// broker; any number of such processes make a shop.
    Run(Run),
    /// Run the sandbox payment provider.
    Sandbox(Sandbox),
    /// Bring the databases of services up to date, and end: before a new version is started.
    Migrate(Migrate),
    /// Carry a shop from embedded storage to PostgreSQL, its whole history, checked event by event.
    MoveData(MoveData),
    /// Show the processes of a shop that runs in many.
    #[cfg(unix)]
    Ps {
        #[command(flatten)]
        what: Shown,
        #[command(flatten)]
        on: On,
    },
    /// Change how many processes a service has, while it runs.
    #[cfg(unix)]
    Scale {
        /// Such as `orders=3`.
        #[arg(required = true, value_parser = count)]
        service: Vec<(String, usize)>,
        #[command(flatten)]
        on: On,
    },
    /// Replace processes one by one, without a request lost.
    #[cfg(unix)]
    Restart {
        /// The services; everything unless given.
        service: Vec<String>,
        #[command(flatten)]
        on: On,
    },
    /// End a shop that runs in many processes.
    #[cfg(unix)]
    Down {
        #[command(flatten)]
        on: On,
    },
    /// Bring products in from another shop's export; running it again updates them.
    Import(Import),
    /// Drive real order history through the public API, and check every penny and unit.
    Replay(Replay),
    /// Look at the events services publish.
    Events {
        #[command(subcommand)]
        command: Events,
        #[command(flatten)]
        to: Target,
    },
    /// Events that a service could not handle.
    DeadLetters {
        #[command(subcommand)]
        command: DeadLetters,
        #[command(flatten)]
        to: Target,
    },
    /// Read models.
    Projections {
        #[command(subcommand)]
        command: Projections,
        #[command(flatten)]
        to: Target,
    },
    /// Check a data directory, and a running shop if there is one.
    Doctor {
        /// The data directory.
        #[arg(long, default_value = "souk-data")]
        data: PathBuf,
        #[command(flatten)]
        to: Target,
    },
    /// Print the OpenAPI document of all services.
    Openapi,
    /// Print the services there are, and who listens to whom.
    Services {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ask a process of this machine whether it is alive; for container engines.
    Health {
        /// Whom to ask.
        #[arg(default_value = "http://127.0.0.1:8080/healthz")]
        url: String,
    },
    /// Print the AsyncAPI document of all events.
    Asyncapi,
    /// Put load on a running shop and measure it.
    #[command(hide = true)]
    Bench(crate::bench::Bench),
}

#[derive(Args, Clone)]
pub struct Up {
    /// Where the databases are kept.
    #[arg(long, env = "SOUK_DATA", default_value = "souk-data")]
    pub data: PathBuf,
    /// The public address.
    #[arg(long, env = "SOUK_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Keep everything in a temporary directory and delete it at the end.
    #[arg(long, conflicts_with = "data")]
    pub ephemeral: bool,
    /// Begin with an empty catalogue.
    #[arg(long)]
    pub no_demo: bool,
    /// Make an API key with all permissions at the start and write it to this file.
    #[arg(long)]
    pub api_key_file: Option<PathBuf>,
    /// Where the sandbox payment provider listens; any free port of this machine unless given.
    #[arg(long, env = "SOUK_SANDBOX_LISTEN", default_value = "127.0.0.1:0")]
    pub sandbox_listen: SocketAddr,
    /// A call to the payment provider without an answer for so long is given up, milliseconds.
    #[arg(long, env = "SOUK_PROVIDER_TIMEOUT_MS", hide = true)]
    pub provider_timeout_ms: Option<u64>,
    /// An order that is not confirmed so long after its checkout is given up, seconds.
    #[arg(long, env = "SOUK_CONFIRM_WITHIN_SECONDS", hide = true)]
    pub confirm_within_seconds: Option<i64>,
    #[command(flatten)]
    pub mail: MailOptions,
    #[cfg(unix)]
    #[command(flatten)]
    pub processes: Processes,
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let network = text
        .parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| format!("`{text}` is no address or network such as 10.0.0.0/8"))
}

impl Default for Up {
    fn default() -> Self {
        Up::parse_defaults()
    }
}

impl Up {
    fn parse_defaults() -> Self {
        #[derive(Parser)]
        struct Only {
            #[command(flatten)]
            up: Up,
        }
        Only::parse_from(["souk"]).up
    }
}

/// Where the engines are that processes share.
#[derive(Args, Clone)]
pub struct Engines {
    /// PostgreSQL, one database per service: `{service}` stands for its name (souk_orders …).
    #[arg(
        long,
        visible_alias = "to",
        env = "SOUK_DATABASE",
        hide_env_values = true
    )]
    pub database: String,
    /// The database of the key ring.
    #[arg(long, env = "SOUK_KEYRING", hide_env_values = true)]
    pub keyring: String,
}

#[derive(Args, Clone)]
pub struct Run {
    /// Services (orders,payments …), or `gateway`.
    #[arg(required = true, value_delimiter = ',')]
    pub services: Vec<String>,
    /// The name of this instance's place, such as orders-1: no two processes have it at once, and
    /// whoever has it next takes over from the last one.
    #[arg(long, env = "SOUK_SLOT")]
    pub slot: Option<String>,
    /// The internal address (for the gateway: the public one), or `stdin` for a socket that is
    /// passed as standard input.
    #[arg(long, env = "SOUK_LISTEN", default_value = "127.0.0.1:0")]
    pub listen: Listen,
    /// PostgreSQL, one database per service: `{service}` stands for its name (souk_orders …).
    #[arg(long, env = "SOUK_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
    /// The database of the key ring.
    #[arg(long, env = "SOUK_KEYRING", hide_env_values = true)]
    pub keyring: Option<String>,
    /// The message broker: nats://host:4222 or kafka://host:9092.
    #[arg(long, env = "SOUK_EVENTS", hide_env_values = true)]
    pub events: String,
    /// The file that says where the other processes are.
    #[arg(long, env = "SOUK_PEERS")]
    pub peers: PathBuf,
    /// Write the address that was taken to this file.
    #[arg(long)]
    pub address_file: Option<PathBuf>,
    /// identity: write the first administrator's one-time password to this file, if one is made.
    #[arg(long)]
    pub admin_file: Option<PathBuf>,
    /// identity: make an API key with all permissions and write it to this file.
    #[arg(long)]
    pub api_key_file: Option<PathBuf>,
    /// payments, shipping, gateway: where the payment provider (and the carrier) is.
    #[arg(long, env = "SOUK_PROVIDER", default_value = "http://127.0.0.1:8090")]
    pub provider: String,
    /// payments, shipping: the file with the provider's keys (or SOUK_PROVIDER_KEY and SOUK_WEBHOOK_SECRET).
    #[arg(long, env = "SOUK_PROVIDER_KEYS")]
    pub provider_keys: Option<PathBuf>,
    /// gateway: proxies in front of it, whose X-Forwarded-For is believed: addresses or networks,
    /// as in 10.0.0.0/8,192.0.2.7. Without it every client behind a proxy counts as one.
    #[arg(long, env = "SOUK_TRUSTED_PROXIES", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// gateway: tell browsers to come back by HTTPS only: where a proxy in front of it ends TLS.
    #[arg(long, env = "SOUK_HSTS")]
    pub hsts: bool,
    /// An instance that gave no sign for so long is taken for dead, milliseconds.
    #[arg(long, env = "SOUK_LEASE_MS", default_value_t = 5000)]
    pub lease_ms: u64,
    /// A call to the payment provider without an answer for so long is given up, milliseconds.
    #[arg(long, env = "SOUK_PROVIDER_TIMEOUT_MS", hide = true)]
    pub provider_timeout_ms: Option<u64>,
    /// An order that is not confirmed so long after its checkout is given up, seconds.
    #[arg(long, env = "SOUK_CONFIRM_WITHIN_SECONDS", hide = true)]
    pub confirm_within_seconds: Option<i64>,
    #[command(flatten)]
    pub mail: MailOptions,
    /// A file with the milliseconds by which this process's wall clock is to be wrong, for tests.
    #[arg(long, hide = true)]
    pub clock_offset_file: Option<PathBuf>,
}

#[derive(Args, Clone)]
pub struct Sandbox {
    /// Where it listens; `stdin` for a socket that is passed as standard input.
    #[arg(long, env = "SOUK_LISTEN", default_value = "127.0.0.1:8090")]
    pub listen: Listen,
    /// Its own folder; it makes its keys there (keys.json).
    #[arg(long, env = "SOUK_DATA", default_value = "souk-data/sandbox-provider")]
    pub data: PathBuf,
    /// The shop that its webhooks go to.
    #[arg(long, env = "SOUK_URL", default_value = "http://127.0.0.1:8080")]
    pub shop: String,
    /// Write the address that was taken to this file.
    #[arg(long)]
    pub address_file: Option<PathBuf>,
}

#[derive(Args, Clone)]
pub struct MoveData {
    /// The shop's data directory: sqlite:DIR. The shop may run until the last step.
    #[arg(long)]
    pub from: String,
    #[command(flatten)]
    pub engines: Engines,
}

#[derive(Args, Clone)]
pub struct Migrate {
    /// Services; all of them unless given.
    #[arg(value_delimiter = ',')]
    pub services: Vec<String>,
    #[command(flatten)]
    pub engines: Engines,
}

/// A running shop, or a data directory to start one on.
#[derive(Args, Clone)]
pub struct Target {
    /// A running shop.
    #[arg(long, env = "SOUK_URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// API key for it (souk_…).
    #[arg(long, env = "SOUK_API_KEY", hide_env_values = true)]
    pub key: Option<String>,
}

/// A running shop, or a data directory on which one is started for the time of the command.
#[derive(Args, Clone)]
pub struct Shop {
    /// A running shop.
    #[arg(long, env = "SOUK_URL")]
    pub url: Option<String>,
    /// API key for it (souk_…).
    #[arg(long, env = "SOUK_API_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// Start a shop on this data directory for the time of the command.
    #[arg(long, conflicts_with = "url")]
    pub data: Option<PathBuf>,
}

#[derive(Args)]
pub struct Import {
    /// The format of the file.
    pub format: Format,
    /// The file (CSV).
    pub file: PathBuf,
    /// Currency of its prices.
    #[arg(long, default_value = "GBP")]
    pub currency: kernel::Currency,
    #[command(flatten)]
    pub shop: Shop,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    /// Shopify's product export.
    Shopify,
    /// WooCommerce's product export.
    Woocommerce,
}

#[derive(Args)]
pub struct Replay {
    /// What kind of history.
    pub kind: History,
    /// The file, plain or gzipped.
    pub file: PathBuf,
    #[command(flatten)]
    pub shop: Shop,
    /// Only the first so many rows.
    #[arg(long)]
    pub rows: Option<usize>,
    /// Invoices under way at once.
    #[arg(long, default_value_t = 64)]
    pub parallel: usize,
    /// Write the reconciliation here as JSON.
    #[arg(long)]
    pub report: Option<PathBuf>,
    /// Where progress is kept, so that an interrupted replay goes on; beside the data, or in the
    /// current directory, unless given.
    #[arg(long)]
    pub journal: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum History {
    /// The UCI Online Retail data set (CSV).
    OnlineRetail,
}

#[derive(Subcommand)]
pub enum Events {
    /// Follow a service's events as they happen.
    Tail {
        /// The service; all of them unless given.
        topic: Option<String>,
        /// Begin behind this position instead of now.
        #[arg(long)]
        after: Option<i64>,
        /// Stop after so many events.
        #[arg(long)]
        count: Option<usize>,
    },
    /// Show one event whole (personal fields stay sealed).
    Show {
        /// `topic:position`, as `tail` prints it.
        id: String,
    },
}

#[derive(Subcommand)]
pub enum DeadLetters {
    /// What is parked, and why.
    List,
    /// Handle parked events again, in order.
    Redrive {
        /// The service that parked them.
        service: String,
        /// Only this subscription's.
        subscription: Option<String>,
    },
}

#[derive(Subcommand)]
pub enum Projections {
    /// The read models of every service.
    List,
    /// Build a read model anew from the log, beside the one that answers meanwhile.
    Rebuild {
        /// The service.
        service: String,
        /// One projection; all of the service's unless given.
        projection: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_addresses_or_networks() {
        let read = |text: &str| network(text).map(|net| net.to_string());
        assert_eq!(read("192.0.2.7").as_deref(), Ok("192.0.2.7/32"));
        assert_eq!(read("10.0.0.0/8").as_deref(), Ok("10.0.0.0/8"));
        assert_eq!(read("2001:db8::1").as_deref(), Ok("2001:db8::1/128"));
        assert!(read("proxy.example").is_err());
    }
}
