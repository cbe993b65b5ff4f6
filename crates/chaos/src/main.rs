//! `chaos`: the command line of the suite, called by `cargo xtask chaos`.
#![allow(clippy::print_stderr)]

use std::{path::PathBuf, process::ExitCode};

use chaos::{Config, Load, Suite};
use clap::Parser;

/// Break a whole shop in every way there is, and check that nothing is lost.
#[derive(Parser)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 10)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Seconds of faults for each seed.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Buyers at once.
    #[arg(long, default_value_t = 6)]
    buyers: u64,
    /// Seeds that share a world before a new one is made.
    #[arg(long, default_value_t = 20)]
    per_world: u32,
    /// Read models that are rebuilt and compared after each seed.
    #[arg(long, default_value_t = 4)]
    rebuilds: usize,
    /// Switch on a bug that is built in on purpose (needs a build with the feature chaos-bugs):
    /// skip-fencing, ack-before-commit or no-dedup.
    #[arg(long)]
    inject: Option<String>,
    /// Stop at the first seed that fails.
    #[arg(long)]
    stop: bool,
    /// Only print the schedules.
    #[arg(long)]
    dry: bool,
    /// The `souk` program.
    #[arg(long)]
    souk: PathBuf,
    /// Where the remains of failed seeds are kept.
    #[arg(long, default_value = "target/chaos")]
    keep: PathBuf,
    /// What processes log.
    #[arg(long, default_value = "warn")]
    log: String,
    /// An instance that gave no sign for so long is taken for dead, milliseconds.
    #[arg(long, default_value_t = 1_500)]
    lease_ms: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let suite = Suite {
        config: Config {
            souk: args.souk,
            lease_ms: args.lease_ms,
            bug: args.inject,
            log: args.log,
        },
        load: Load {
            buyers: args.buyers,
            length: args.seconds * 1_000,
            rebuilds: args.rebuilds,
            lease_ms: args.lease_ms,
        },
        seeds: (args.from..args.from + args.seeds).collect(),
        per_world: args.per_world,
        keep: args.keep,
        stop_at_first: args.stop,
    };
    if args.dry {
        for seed in &suite.seeds {
            eprint!("{}", chaos::run::schedule(*seed, &suite.load));
        }
        return ExitCode::SUCCESS;
    }
    match chaos::suite(&suite).await {
        Ok(results) => chaos::verdict(&results),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
