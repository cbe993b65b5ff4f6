//! The command line: what can be asked of `souk`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Run the whole shop in this process, on embedded storage.
    Up(Up),
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
    /// Print the AsyncAPI document of all events, as it lies in docs/asyncapi.json
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
