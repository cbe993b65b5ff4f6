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
mod metrics;
mod operate;
mod ops_http;
mod replay;
mod serve;
mod services;
mod shop;
mod target;
mod up;

use clap::Parser as _;
use cli::{Cli, Command};
use failure::Result;

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
    match runtime.block_on(run(cli.command)) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("souk: {failure}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(command: Option<Command>) -> Result<()> {
    match command {
        None => up::run(cli::Up::default()).await,
        Some(Command::Up(up)) => up::run(up).await,
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
    use tracing_subscriber::{filter::LevelFilter, prelude::*};
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(true);
    tracing_subscriber::registry()
        .with(layer)
        .with(LevelFilter::from_level(level))
        .init();
}
