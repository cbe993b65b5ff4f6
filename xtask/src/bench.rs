//! `cargo xtask bench`: what a release build does on this machine.

use crate::workspace::{Outcome, Workspace, succeed};

/// `cargo xtask bench`
#[derive(clap::Args)]
pub struct Args {
    /// Handed to `souk bench`, such as `checkout --seconds 10`; all measurements unless given
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub rest: Vec<String>,
}

/// Builds in release mode and measures. Figures are for comparison in one run: the load shares the
/// machine with the shop.
pub fn run(workspace: &Workspace, args: &Args) -> Outcome {
    let mut souk = workspace.cargo("run --release --package souk -- bench");
    succeed(souk.args(&args.rest))
}
