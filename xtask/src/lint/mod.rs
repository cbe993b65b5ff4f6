//! The rules of the design that the compiler does not know. Each rule is a pure function over data
//! (edges, names, one source file), so that its tests can show it failing on a made-up example.

mod allow;
mod edges;
mod golden;
mod purity;
mod shape;
mod source;
mod sql;

use std::{collections::BTreeMap, fmt, fs};

use crate::workspace::{Outcome, Workspace};
use allow::AllowList;
use source::Source;

/// `cargo xtask lint`
#[derive(clap::Args)]
pub struct Args {
    /// Leave out the warnings (files that grow long)
    #[arg(long)]
    pub quiet: bool,
}

/// Something that is not as the design wants it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// File or folder, from the root.
    pub path: String,
    /// Line, from 1; 0 when it is about the whole file.
    pub line: usize,
    /// The rule's name, as the allow-list knows it.
    pub rule: &'static str,
    /// What is wrong and what to do.
    pub message: String,
    /// A warning does not fail the run.
    pub warning: bool,
}

impl Finding {
    fn new(rule: &'static str, path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            rule,
            message: message.into(),
            warning: false,
        }
    }

    fn warning(mut self) -> Self {
        self.warning = true;
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = if self.warning { "warning" } else { "error" };
        let line = if self.line == 0 { 1 } else { self.line };
        write!(
            f,
            "{level}[{}] {}:{line}: {}",
            self.rule, self.path, self.message
        )
    }
}

/// Rules over one source file.
const FILE_RULES: &[fn(&Source) -> Vec<Finding>] = &[
    shape::size,
    shape::unfinished,
    shape::routes,
    purity::floats,
    purity::clock,
    sql::portability,
];

/// Runs every rule over the workspace.
pub fn run(workspace: &Workspace, args: &Args) -> Outcome {
    let mut findings = edges::check(&edges::read(workspace)?);
    findings.extend(golden::check(
        &contracts::all_event_types(),
        &golden_files(workspace)?,
    ));
    findings.extend(shape::manifests(&workspace.files("Cargo.toml")?));
    for service in workspace.services()? {
        let readme = format!("services/{service}/README.md");
        let text = fs::read_to_string(workspace.root.join(&readme)).ok();
        findings.extend(shape::readme(&readme, text.as_deref()));
    }
    let files = workspace.files(".rs")?;
    for (path, text) in &files {
        let source = Source::scan(path, text);
        findings.extend(FILE_RULES.iter().flat_map(|rule| rule(&source)));
    }
    for (path, text) in workspace.files(".sql")? {
        findings.extend(sql::script(&path, &text));
    }
    let list = fs::read_to_string(workspace.root.join(allow::FILE)).unwrap_or_default();
    let findings = AllowList::parse(&list).apply(findings);
    report(findings, files.len(), args)
}

/// Service → the names (without `.json`) of its golden files.
fn golden_files(workspace: &Workspace) -> Outcome<BTreeMap<String, Vec<String>>> {
    let mut found = BTreeMap::new();
    for service in workspace.services()? {
        let folder = workspace
            .root
            .join("services")
            .join(&service)
            .join("golden");
        let mut names = Vec::new();
        if folder.is_dir() {
            for entry in fs::read_dir(folder)? {
                let name = entry?.file_name().to_string_lossy().into_owned();
                names.push(name.strip_suffix(".json").unwrap_or(&name).to_owned());
            }
        }
        names.sort();
        found.insert(service, names);
    }
    Ok(found)
}

fn report(mut findings: Vec<Finding>, files: usize, args: &Args) -> Outcome {
    findings.sort();
    let (warnings, errors): (Vec<_>, Vec<_>) = findings.into_iter().partition(|f| f.warning);
    if !args.quiet {
        warnings.iter().for_each(|finding| println!("{finding}"));
    }
    errors.iter().for_each(|finding| println!("{finding}"));
    println!(
        "lint: {files} files, {} errors, {} warnings",
        errors.len(),
        warnings.len()
    );
    match errors.len() {
        0 => Ok(()),
        count => Err(format!("lint found {count} thing(s) to put right").into()),
    }
}
