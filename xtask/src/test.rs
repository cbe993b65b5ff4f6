//! `cargo xtask test`: everything that must hold before a change is merged, step by step, with the
//! time each took, ending in one line as cargo's own test runs do.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    asyncapi, deploy, lint, new_service, openapi, programs, tour,
    workspace::{Outcome, Workspace, shown, succeed},
};

/// `cargo xtask test`
#[derive(clap::Args)]
pub struct Args {
    /// Leave out the generated service, which builds the workspace's crates a second time, and
    /// Kafka, which compiles its library from C
    #[arg(long)]
    quick: bool,
}

/// Tests counted over all test binaries.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Counts {
    /// Adds a summary line of a test binary, if `line` is one.
    fn read(&mut self, line: &str) {
        let plain = without_colours(line);
        let Some(summary) = plain.trim_start().strip_prefix("test result: ") else {
            return;
        };
        let parts = summary.split([';', '.']).map(str::trim);
        for part in parts {
            let Some((number, what)) = part.split_once(' ') else {
                continue;
            };
            let count = number.parse::<usize>().unwrap_or(0);
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }
}

/// Runs all steps; stops at the first that fails.
pub fn run(workspace: &Workspace, args: &Args) -> Outcome {
    let started = Instant::now();
    let mut counts = Counts::default();
    let result = steps(workspace, args, &mut counts);
    let verdict = if result.is_ok() { "ok" } else { "FAILED" };
    if let Err(error) = &result {
        eprintln!("error: {error}");
        counts.failed = counts.failed.max(1);
    }
    println!();
    println!(
        "test result: {verdict}. {} passed; {} failed; {} ignored; 0 measured; 0 filtered out; finished in {:.2}s",
        counts.passed,
        counts.failed,
        counts.ignored,
        started.elapsed().as_secs_f64()
    );
    result.map_err(|_| "the run stopped at the step above".into())
}

fn steps(workspace: &Workspace, args: &Args, counts: &mut Counts) -> Outcome {
    step("programs", programs::install_missing)?;
    step("format", || {
        succeed(&mut workspace.cargo("fmt --all --check"))
    })?;
    step("clippy", || {
        let clippy = "clippy --workspace --all-targets -- -D warnings";
        succeed(&mut workspace.cargo(clippy))
    })?;
    step("lint", || lint::run(workspace, &lint::Args { quiet: true }))?;
    step("tests", || {
        counted(&mut workspace.cargo("test --workspace"), counts)
    })?;
    if !args.quick {
        step("kafka", || {
            let packages = "--package eventlog --package souk --features souk/kafka";
            let kafka = format!("test {packages} --test contract --test kafka kafka_");
            counted(&mut workspace.cargo(&kafka), counts)
        })?;
    }
    step("openapi", || {
        openapi::run(workspace, &openapi::Args { check: true })
    })?;
    step("asyncapi", || {
        asyncapi::run(workspace, &asyncapi::Args { check: true })
    })?;
    step("deploy", || deploy::check(workspace))?;
    step("tour", || tour::run(workspace))?;
    if !args.quick {
        step("new service", || new_service::prove(workspace))?;
    }
    Ok(())
}

fn step(name: &str, work: impl FnOnce() -> Outcome) -> Outcome {
    println!("==> {name}");
    let started = Instant::now();
    let result = work().map_err(|error| format!("{name}: {error}").into());
    println!("<== {name}: {}", spent(started.elapsed()));
    result
}

fn spent(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// Runs tests, shows what they print, and counts.
fn counted(command: &mut Command, counts: &mut Counts) -> Outcome {
    let shown = shown(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let lines = child.stdout.take().ok_or("no output of the tests")?;
    for line in BufReader::new(lines).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        counts.read(&line);
    }
    match child.wait()? {
        status if status.success() => Ok(()),
        status => Err(format!("`{shown}` failed ({status})").into()),
    }
}

/// Terminal colours are escape sequences that end in `m`.
fn without_colours(line: &str) -> String {
    let mut plain = String::new();
    let mut parts = line.split('\u{1b}');
    plain.extend(parts.next());
    for part in parts {
        plain.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_all_binaries_are_added_up() {
        let mut counts = Counts::default();
        for line in [
            "test kernel::money ... ok",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.52s",
            "test result: \u{1b}[32mok\u{1b}[0m. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.10s",
        ] {
            counts.read(line);
        }
        assert_eq!(
            counts,
            Counts {
                passed: 15,
                failed: 2,
                ignored: 1
            }
        );
    }

    #[test]
    fn times_are_easy_to_read() {
        assert_eq!(spent(Duration::from_millis(1234)), "1.2 s");
        assert_eq!(spent(Duration::from_secs(125)), "2 min 05 s");
    }
}
