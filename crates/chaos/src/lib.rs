//! The chaos suite: a whole shop of real processes is broken in every way there is, under load, and
//! afterwards nothing acknowledged may be lost, nobody charged twice or for nothing, and every unit
//! accounted for. What is broken, and when, is a pure function of a seed.
//!
//! [`suite`] plays seeds one after another; `cargo xtask chaos` is its command line. How it works,
//! and why so, is docs/adr/0015.
//!
//! A tool that prints is its purpose.
#![allow(clippy::print_stdout)]

pub mod api;
pub mod book;
mod buyers;
mod disk;
mod engines;
pub mod error;
pub mod facts;
mod links;
mod logs;
mod models;
mod plans;
pub mod process;
pub mod proxy;
pub mod random;
pub mod rules;
pub mod run;
pub mod schedule;
mod storm;
pub mod world;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use error::{Error, Result};
pub use run::{Load, Outcome};
pub use world::Config;

use crate::{book::Violation, schedule::Schedule, world::World};

/// Which seeds, on what.
#[derive(Clone, Debug)]
pub struct Suite {
    /// How a shop is run.
    pub config: Config,
    /// How each seed is run.
    pub load: Load,
    /// The seeds, in order.
    pub seeds: Vec<u64>,
    /// Seeds that share a world, one after another.
    pub per_world: u32,
    /// Where the remains of failed seeds are kept, a folder each.
    pub keep: PathBuf,
    /// Stops at the first seed that fails.
    pub stop_at_first: bool,
}

/// What came of each seed.
pub type Results = Vec<(u64, Outcome)>;

/// Plays the seeds; says how each went.
pub async fn suite(suite: &Suite) -> Result<Results> {
    let mut results = Results::new();
    let mut world: Option<Arc<World>> = None;
    let mut compared = HashMap::new();
    for seed in &suite.seeds {
        let schedule = run::schedule(*seed, &suite.load);
        say(&schedule.to_string());
        let mut current = match world.take() {
            Some(world) if world.runs < suite.per_world => world,
            _ => {
                compared.clear();
                begin(&suite.config).await?
            }
        };
        if let Some(world) = Arc::get_mut(&mut current) {
            world.runs += 1;
        }
        let outcome = run::run(&current, &schedule, &suite.load, &mut compared).await;
        // A shop of which nothing can be asked is not well either.
        let outcome = outcome.unwrap_or_else(|error| Outcome {
            violations: vec![Violation::new(
                "the shop can be examined",
                error.to_string(),
            )],
            ..Outcome::default()
        });
        say(&summary(*seed, &outcome));
        let good = outcome.violations.is_empty();
        if !good {
            keep(&suite.keep, &schedule, &current, &report(&outcome))?;
        }
        results.push((*seed, outcome));
        match good {
            true => world = Some(current),
            false if suite.stop_at_first => break,
            // What a broken shop does next is nobody's fault.
            false => {}
        }
    }
    Ok(results)
}

async fn begin(config: &Config) -> Result<Arc<World>> {
    let since = std::time::Instant::now();
    let world = World::start(config).await?;
    logs::install_witness(&world).await?;
    say(&format!(
        "a new world, after {:.1} s",
        since.elapsed().as_secs_f64()
    ));
    Ok(Arc::new(world))
}

/// One line for people.
fn summary(seed: u64, outcome: &Outcome) -> String {
    let verdict = match outcome.violations.first() {
        None => "ok".to_owned(),
        Some(first) => format!("VIOLATED {first}"),
    };
    let mut line = format!(
        "seed {seed}: {:.1} s, {} faults, {} acknowledged, {} confirmed, {} cancelled, quiet after {:.1} s: {verdict}",
        outcome.took.as_secs_f64(),
        outcome.faults,
        outcome.acknowledged,
        outcome.confirmed,
        outcome.cancelled,
        outcome.quiet_after.as_secs_f64(),
    );
    for note in &outcome.notes {
        line += &format!("\n  note: {note}");
    }
    line
}

fn report(outcome: &Outcome) -> String {
    let all = outcome
        .violations
        .iter()
        .map(|violation| format!("{violation}\n"));
    format!("{outcome:#?}\n\nviolated:\n{}", all.collect::<String>())
}

fn keep(folder: &Path, schedule: &Schedule, world: &World, report: &str) -> Result<()> {
    let folder = folder.join(schedule.seed.to_string());
    world.keep_logs(&folder)?;
    let path = folder.join("report.txt");
    let written = std::fs::write(&path, format!("{schedule}\n{report}"));
    error::Doing::doing(written, || format!("cannot write {}", path.display()))?;
    say(&format!("  everything about it is in {}", folder.display()));
    Ok(())
}

fn say(text: &str) {
    println!("{}", text.trim_end());
}

/// Sums up; success when no rule was broken.
pub fn verdict(results: &Results) -> std::process::ExitCode {
    let failed: Vec<String> = results
        .iter()
        .filter(|(_, outcome)| !outcome.violations.is_empty())
        .map(|(seed, _)| seed.to_string())
        .collect();
    let sum = |of: fn(&Outcome) -> usize| results.iter().map(|(_, o)| of(o)).sum::<usize>();
    say(&format!(
        "{} seeds: {} faults, {} orders acknowledged, {} confirmed, {} cancelled",
        results.len(),
        sum(|o| o.faults),
        sum(|o| o.acknowledged),
        sum(|o| o.confirmed),
        sum(|o| o.cancelled),
    ));
    match failed.as_slice() {
        [] => {
            say("every rule held");
            std::process::ExitCode::SUCCESS
        }
        failed => {
            say(&format!("seeds that broke a rule: {}", failed.join(", ")));
            std::process::ExitCode::FAILURE
        }
    }
}
