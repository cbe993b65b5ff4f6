//! `cargo xtask deploy` writes the parts of `deploy/` that follow from the list of services;
//! `cargo xtask deploy-check` has everything there judged by the official programs and schemas.

mod broker;
mod check;
mod edges;
mod generate;
mod manifests;
mod tools;
mod units;

use std::fs;

use crate::workspace::{Outcome, Workspace, output};

use generate::Graph;

/// Writes what is made, and removes what was made for services that are gone.
pub fn write(workspace: &Workspace) -> Outcome {
    let files = generate::files(workspace, &graph(workspace)?)?;
    let mut written = 0;
    for (path, text) in &files {
        let file = workspace.root.join(path);
        if fs::read_to_string(&file).is_ok_and(|kept| kept == *text) {
            continue;
        }
        fs::create_dir_all(file.parent().ok_or("a file without a folder")?)?;
        fs::write(&file, text)?;
        println!("{path} is written");
        written += 1;
    }
    println!("{written} of {} files were written", files.len());
    Ok(())
}

/// Everything under `deploy/`, judged.
pub fn check(workspace: &Workspace) -> Outcome {
    let graph = graph(workspace)?;
    for (path, text) in generate::files(workspace, &graph)? {
        let kept = fs::read_to_string(workspace.root.join(&path)).unwrap_or_default();
        if kept != text {
            return Err(format!(
                "{path} is not what the services say; run `cargo xtask deploy` and commit it"
            )
            .into());
        }
    }
    check::run(workspace, &graph)
}

fn graph(workspace: &Workspace) -> Outcome<Graph> {
    let mut souk = workspace.cargo("run --quiet --package souk -- services --json");
    let graph = serde_json::from_str(&output(&mut souk)?);
    Ok(graph.map_err(|e| format!("`souk services --json` cannot be read: {e}"))?)
}
