//! `cargo xtask chaos`: builds the shop and the suite that breaks it, and lets them loose.

use std::fs;

use crate::workspace::{Outcome, Workspace, succeed};

/// `cargo xtask chaos`
#[derive(clap::Args)]
pub struct Args {
    /// Switch on a bug that is built in on purpose: skip-fencing, ack-before-commit or no-dedup;
    /// the suite must find it
    #[arg(long)]
    inject: Option<String>,
    /// Build with optimisations
    #[arg(long)]
    release: bool,
    /// Handed to the suite, such as `--seeds 200 --from 1 --seconds 8`; `--help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Builds and runs. A seed that fails says where its logs are kept, and can be run again alone.
pub fn run(workspace: &Workspace, args: &Args) -> Outcome {
    let profile = if args.release { "release" } else { "debug" };
    let build = |words: &str| {
        let mut cargo = workspace.cargo(words);
        if args.release {
            cargo.arg("--release");
        }
        succeed(&mut cargo)
    };
    let (bugs, name) = match args.inject {
        Some(_) => (" --features chaos-bugs", "souk-with-bugs"),
        None => ("", "souk"),
    };
    build(&format!("build --package souk{bugs}"))?;
    build("build --package chaos")?;
    let built = workspace.target().join(profile);
    let keep = workspace.target().join("chaos");
    fs::create_dir_all(&keep)?;
    // A copy, so that a build meanwhile does not change the shop under the suite's feet.
    let souk = keep.join(name);
    fs::copy(built.join("souk"), &souk)?;
    let mut suite = std::process::Command::new(built.join("chaos"));
    suite.current_dir(&workspace.root);
    suite.arg("--souk").arg(&souk).arg("--keep").arg(&keep);
    if let Some(bug) = &args.inject {
        suite.args(["--inject", bug]);
    }
    succeed(suite.args(&args.rest))
}
