//! The proof that a generated service works: in a copy of the workspace it is added, built,
//! linted, tested, and found in what the binary serves.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use super::{names::Names, write};
use crate::{
    shop::Shop,
    workspace::{Outcome, Workspace, output, succeed},
};

/// What nobody is ever going to call a service of theirs: a name that is there already cannot be
/// made once more.
pub const NAME: &str = "proofstalls";
const ROUTES: [(&str, &str); 3] = [
    ("/api/proofstalls", "post"),
    ("/api/proofstalls", "get"),
    ("/api/proofstalls/{id}", "get"),
];

/// Adds a service to a copy and puts it to the test.
///
/// The copy lives under the target folder, and only what differs is written to it, so that a second
/// run builds only what has changed; outside crates are shared with the real workspace's builds.
pub fn run(workspace: &Workspace) -> Outcome {
    let started = Instant::now();
    let folder = workspace.target().join("new-service-check");
    let made = Workspace {
        root: folder.join("made"),
    };
    let copy = Workspace {
        root: folder.join("built"),
    };
    mirror(workspace, &made)?;
    let names = Names::new(NAME, None)?;
    write::service(&made, &names)?;
    write::format(&made, &names)?;
    renumber(&made)?;
    mirror(&made, &copy)?;
    let cargo = |words: &str| {
        let mut command = copy.cargo(words);
        command.env("CARGO_TARGET_DIR", workspace.target());
        command
    };
    let strictly = "--all-targets --no-deps -- -D warnings";
    succeed(&mut cargo(&format!(
        "clippy --quiet --package {NAME} {strictly}"
    )))?;
    succeed(&mut cargo(&format!("test --quiet --package {NAME}")))?;
    succeed(&mut cargo("run --quiet --package xtask -- lint --quiet"))?;
    let served = output(&mut cargo("run --quiet --package souk -- openapi"))?;
    let served: serde_json::Value = serde_json::from_str(&served)?;
    for (path, method) in ROUTES {
        if served["paths"][path][method].is_null() {
            return Err(format!("the binary does not document {method} {path}").into());
        }
    }
    succeed(&mut cargo("run --quiet --package xtask -- deploy"))?;
    let place = format!("deploy/kubernetes/base/services/{NAME}/kustomization.yaml");
    if !copy.root.join(&place).is_file() {
        return Err(format!("`cargo xtask deploy` did not write {place}").into());
    }
    let shop = Shop::start(&copy, &workspace.target())?;
    let (status, body) = shop.get(ROUTES[1].0)?;
    // Nobody may list: the gateway knows the route, and the route knows who may call it.
    if status != 401 || !body.contains("unauthenticated") {
        return Err(format!("the gateway answered {status} for the new service: {body}").into());
    }
    println!(
        "a generated service builds, passes its tests and is served ({:.0?})",
        started.elapsed()
    );
    Ok(())
}

/// Gives the copy's crates another version. Cargo tells artefacts apart by name and version, not by
/// the workspace's folder: with the same version the copy's would be taken for the real ones.
fn renumber(workspace: &Workspace) -> Outcome {
    let path = workspace.root.join("Cargo.toml");
    let text = fs::read_to_string(&path)?;
    let (before, rest) = text
        .split_once("[workspace.package]\nversion = \"")
        .ok_or("the root Cargo.toml does not begin [workspace.package] with a version")?;
    let (_, after) = rest.split_once('"').ok_or("a version without its end")?;
    let text = format!("{before}[workspace.package]\nversion = \"0.0.0-check\"{after}");
    Ok(fs::write(path, text)?)
}

/// Makes `to` the same as `from`, without its builds, its history and its hidden files.
fn mirror(from: &Workspace, to: &Workspace) -> Outcome {
    let wanted = tree(&from.root)?;
    if to.root.is_dir() {
        for path in tree(&to.root)? {
            if !wanted.contains(&path) {
                fs::remove_file(to.root.join(path))?;
            }
        }
        // Its empty folder would count as a service that is there already.
        let added = to.root.join("services").join(NAME);
        if !from.root.join("services").join(NAME).is_dir() && added.is_dir() {
            fs::remove_dir_all(added)?;
        }
    }
    for path in &wanted {
        copy_changed(&from.root.join(path), &to.root.join(path))?;
    }
    Ok(())
}

/// The files of a workspace, by their paths in it.
fn tree(root: &Path) -> Outcome<BTreeSet<PathBuf>> {
    let mut found = Vec::new();
    list(root, &mut found)?;
    let relative = found.iter().filter_map(|path| path.strip_prefix(root).ok());
    Ok(relative.map(Path::to_owned).collect())
}

/// Copies a file unless the copy is the same already.
fn copy_changed(from: &Path, to: &Path) -> Outcome {
    let text = fs::read(from)?;
    if fs::read(to).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::create_dir_all(to.parent().ok_or("a file without a folder")?)?;
    fs::write(to, text)?;
    Ok(())
}

fn list(folder: &Path, found: &mut Vec<PathBuf>) -> Outcome {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let hidden = name.starts_with('.') && name != ".cargo";
        let built = name == "target" || path.join("CACHEDIR.TAG").is_file();
        if hidden || built || name == "data" {
            continue;
        }
        match path.is_dir() {
            true => list(&path, found)?,
            false => found.push(path),
        }
    }
    Ok(())
}
