//! `cargo xtask new-service`: a service that builds, is served by the gateway and passes its
//! tests, with no other edit by hand.

mod check;
mod names;
mod register;
mod write;

use crate::workspace::{Outcome, Workspace};
use names::Names;

/// `cargo xtask new-service`
#[derive(clap::Args)]
pub struct Args {
    /// Plural, lower-case letters and digits, such as `wishlists`
    #[arg(required_unless_present = "check")]
    name: Option<String>,
    /// What one of them is called, when it is not the name without its plural s
    #[arg(long)]
    thing: Option<String>,
    /// Prove that it works: add a service to a copy of the workspace, build and test it there, and
    /// see that the gateway serves it
    #[arg(long, conflicts_with_all = ["name", "thing"])]
    check: bool,
}

/// Shows that a generated service works.
pub fn prove(workspace: &Workspace) -> Outcome {
    check::run(workspace)
}

/// Runs the task.
pub fn run(workspace: &Workspace, args: &Args) -> Outcome {
    let Some(name) = args.name.as_deref().filter(|_| !args.check) else {
        return check::run(workspace);
    };
    let names = Names::new(name, args.thing.as_deref())?;
    write::service(workspace, &names)?;
    write::format(workspace, &names)?;
    println!("services/{name} is there, and the shop serves it at /api/{name}.");
    println!();
    println!("  its tests             cargo test -p {name}");
    println!(
        "  its rules             services/{name}/src/{}.rs",
        names.thing
    );
    println!("  its events            crates/contracts/src/{name}.rs");
    println!("  the API document      cargo xtask openapi");
    println!("  its deployment        cargo xtask deploy");
    println!("  everything            cargo xtask test");
    Ok(())
}
