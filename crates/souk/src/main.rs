//! `souk`: every service in one binary, and the commands to run and look after them.
#![allow(clippy::print_stdout, clippy::print_stderr)] // A command talks to a person.

mod bench;
mod cli;
mod client;
mod demo;
mod doctor;
mod failure;
mod gauges;
mod graph;
mod health;
mod import;
mod listen;
mod metrics;
mod move_data;
mod operate;
mod ops_http;
mod provider;
mod replay;
mod run;
mod serve;
mod services;
mod shop;
#[cfg(unix)]
mod supervisor;
mod target;
mod up;

use clap::Parser as _;
use cli::{Cli, Command};
use failure::Result;

// Without huge pages (feature `no_thp`): a service's process is idle with 35 MB instead of 50.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    log_to_stderr(cli.log);
    // The one place that chooses how TLS is done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("souk: cannot start: {error}");
            return std::process::ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli.command, cli.log)) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("souk: {failure}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(command: Option<Command>, log: tracing::Level) -> Result<()> {
    match command {
        None => up::run(cli::Up::default()).await,
        #[cfg(unix)]
        Some(Command::Up(up)) if up.processes.processes => supervisor::run(up, log).await,
        Some(Command::Up(up)) => up::run(up).await,
        Some(Command::Run(run)) => run::run(run).await,
        Some(Command::Sandbox(sandbox)) => run::sandbox(sandbox).await,
        Some(Command::Migrate(migrate)) => run::migrate(migrate).await,
        Some(Command::MoveData(moving)) => move_data::run(moving).await,
        #[cfg(unix)]
        Some(Command::Ps { on, what }) => supervisor::commands::ps(&on.data, &what).await,
        #[cfg(unix)]
        Some(Command::Scale { service, on }) => {
            supervisor::commands::scale(&on.data, service).await
        }
        #[cfg(unix)]
        Some(Command::Restart { service, on }) => {
            supervisor::commands::restart(&on.data, service).await
        }
        #[cfg(unix)]
        Some(Command::Down { on }) => supervisor::commands::down(&on.data).await,
        Some(Command::Import(import)) => import::run(import).await,
        Some(Command::Replay(replay)) => replay::run(replay).await,
        Some(Command::Events { command, to }) => operate::events(command, to).await,
        Some(Command::DeadLetters { command, to }) => operate::dead_letters(command, to).await,
        Some(Command::Projections { command, to }) => operate::projections(command, to).await,
        Some(Command::Doctor { data, to }) => doctor::run(&data, to).await,
        Some(Command::Openapi) => {
            println!("{}", services::openapi()?);
            Ok(())
        }
        Some(Command::Services { json }) => graph::print(json),
        Some(Command::Health { url }) => health::run(&url).await,
        Some(Command::Asyncapi) => {
            // Made by `cargo xtask asyncapi`, which also checks that it is what the types say.
            print!("{}", include_str!("../../../docs/asyncapi.json"));
            Ok(())
        }
        Some(Command::Bench(bench)) => bench::run(bench).await,
    }
}

fn log_to_stderr(level: tracing::Level) {
    use std::io::IsTerminal as _;
    use tracing_subscriber::{filter::LevelFilter, prelude::*};
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(true);
    tracing_subscriber::registry()
        .with(layer)
        .with(LevelFilter::from_level(level))
        .init();
}
