//! Which crate may depend on which: the graph of ARCHITECTURE.md.

use cargo_metadata::{DependencyKind, MetadataCommand};

use super::Finding;
use crate::workspace::{Outcome, Workspace};

/// One dependency between two crates of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Folder of the crate that depends, from the root, such as `services/cart`.
    pub from: String,
    /// Folder of the crate it depends on.
    pub to: String,
    /// Only for tests, examples and benches.
    pub dev: bool,
}

/// What a crate is, as far as the graph is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'a> {
    Crate(&'a str),
    Service(&'a str),
    Frontend(&'a str),
    Xtask,
}

impl<'a> Part<'a> {
    fn of(folder: &'a str) -> Option<Self> {
        match folder.split_once('/') {
            Some(("crates", name)) => Some(Self::Crate(name)),
            Some(("services", name)) => Some(Self::Service(name)),
            Some(("frontends", name)) => Some(Self::Frontend(name)),
            None if folder == "xtask" => Some(Self::Xtask),
            _ => None,
        }
    }

    /// The crates of ours that may be used in code that ships. `None`: all of them.
    fn allowed(self) -> Option<&'static [&'static str]> {
        Some(match self {
            Self::Crate("souk") => return None,
            Self::Crate("contracts" | "store") => &["kernel"],
            Self::Crate("eventlog") => &["kernel", "store"],
            Self::Crate("runtime") => &["kernel", "store", "eventlog"],
            Self::Crate("web" | "importers" | "pricing-engine") => &["kernel", "contracts"],
            Self::Service(_) => &["kernel", "contracts", "web", "pricing-engine", "labels"],
            Self::Frontend(_) => &["kernel", "contracts", "web"],
            Self::Crate("chaos") => &["scratch"],
            Self::Xtask => &["contracts"],
            // kernel, labels, sandbox and scratch use nothing of ours; a new crate must be given its place here.
            Self::Crate(_) => &[],
        })
    }

    /// What tests may use beside that: something to run a service on, and an outside world.
    fn allowed_in_tests(self) -> &'static [&'static str] {
        match self {
            Self::Crate("kernel" | "labels" | "sandbox" | "scratch") => &[],
            // These talk to database servers and brokers; services do not know which.
            Self::Crate("store" | "eventlog" | "runtime") | Self::Frontend("gateway") => {
                &["sandbox", "importers", "runtime", "store", "scratch"]
            }
            _ => &["sandbox", "importers", "runtime", "store"],
        }
    }
}

/// Every edge between crates of the workspace, from `cargo metadata`.
pub fn read(workspace: &Workspace) -> Outcome<Vec<Edge>> {
    let metadata = MetadataCommand::new()
        .current_dir(&workspace.root)
        .no_deps()
        .exec()?;
    let mut edges = Vec::new();
    for package in &metadata.packages {
        let folder = package
            .manifest_path
            .parent()
            .ok_or("a package without a folder")?;
        let from = workspace.relative(folder.as_std_path());
        for dependency in &package.dependencies {
            // Crates of ours, and only they, are depended on by path.
            if let Some(path) = &dependency.path {
                edges.push(Edge {
                    from: from.clone(),
                    to: workspace.relative(path.as_std_path()),
                    dev: dependency.kind == DependencyKind::Development,
                });
            }
        }
    }
    Ok(edges)
}

/// The edges that the design does not allow.
pub fn check(edges: &[Edge]) -> Vec<Finding> {
    edges.iter().filter_map(refused).collect()
}

fn refused(edge: &Edge) -> Option<Finding> {
    let manifest = format!("{}/Cargo.toml", edge.from);
    let finding = |message: String| Some(Finding::new("edge", &manifest, 0, message));
    let (Some(from), Some(to)) = (Part::of(&edge.from), Part::of(&edge.to)) else {
        return finding(format!(
            "{} → {}: crates live in crates/, services/, frontends/ or xtask; move it there",
            edge.from, edge.to
        ));
    };
    let allowed = from.allowed()?;
    let in_tests = if edge.dev {
        from.allowed_in_tests()
    } else {
        &[]
    };
    if let Part::Crate(name) = to
        && (allowed.contains(&name) || in_tests.contains(&name))
    {
        return None;
    }
    let advice = match (from, to) {
        (Part::Service(_), Part::Service(other)) => format!(
            "services never call services: subscribe to the events of `{other}` in `contracts` and keep your own copy"
        ),
        (Part::Service(_), Part::Crate("store" | "eventlog" | "runtime")) => {
            "a service is written against the kernel and does not know what runs it; use `kernel::App`".into()
        }
        (Part::Crate("kernel"), _) => {
            "the kernel is the vocabulary of all and depends on nothing of ours".into()
        }
        _ => match allowed {
            [] => format!("{} may depend on nothing of ours", edge.from),
            _ => format!("{} may depend on {} only", edge.from, allowed.join(", ")),
        },
    };
    finding(format!(
        "{} → {} is not an edge of the design: {advice}",
        edge.from, edge.to
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(from: &str, to: &str, dev: bool) -> Vec<String> {
        let edge = Edge {
            from: from.into(),
            to: to.into(),
            dev,
        };
        check(&[edge]).into_iter().map(|f| f.message).collect()
    }

    #[test]
    fn a_service_that_depends_on_another_is_refused() {
        let found = messages("services/orders", "services/payments", false);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("subscribe to the events of `payments`"),
            "{found:?}"
        );
        assert_eq!(
            messages("services/orders", "services/payments", true).len(),
            1
        );
    }

    #[test]
    fn a_service_does_not_reach_below_the_kernel_except_in_tests() {
        for below in ["crates/store", "crates/runtime", "crates/eventlog"] {
            assert_eq!(messages("services/cart", below, false).len(), 1, "{below}");
        }
        assert!(messages("services/cart", "crates/runtime", true).is_empty());
        assert!(messages("services/payments", "crates/sandbox", true).is_empty());
    }

    #[test]
    fn the_kernel_depends_on_nothing_of_ours() {
        assert_eq!(
            messages("crates/kernel", "crates/contracts", false).len(),
            1
        );
        assert_eq!(messages("crates/kernel", "crates/store", true).len(), 1);
    }

    #[test]
    fn real_servers_are_for_the_tests_of_what_talks_to_them() {
        for part in ["crates/store", "crates/eventlog", "crates/runtime"] {
            assert!(messages(part, "crates/scratch", true).is_empty(), "{part}");
            assert_eq!(messages(part, "crates/scratch", false).len(), 1, "{part}");
        }
        assert!(messages("frontends/gateway", "crates/scratch", true).is_empty());
        assert_eq!(messages("services/cart", "crates/scratch", true).len(), 1);
    }

    #[test]
    fn the_edges_of_the_design_are_allowed() {
        for (from, to) in [
            ("crates/contracts", "crates/kernel"),
            ("crates/store", "crates/kernel"),
            ("crates/eventlog", "crates/store"),
            ("crates/runtime", "crates/eventlog"),
            ("crates/web", "crates/contracts"),
            ("crates/importers", "crates/contracts"),
            ("crates/pricing-engine", "crates/contracts"),
            ("services/cart", "crates/web"),
            ("services/cart", "crates/pricing-engine"),
            ("frontends/gateway", "crates/web"),
            ("crates/souk", "services/cart"),
            ("crates/souk", "frontends/gateway"),
            ("xtask", "crates/contracts"),
        ] {
            assert!(messages(from, to, false).is_empty(), "{from} → {to}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for (from, to) in [
            ("crates/store", "crates/runtime"),
            ("crates/web", "crates/runtime"),
            ("crates/sandbox", "crates/kernel"),
            ("crates/contracts", "services/cart"),
            ("crates/pricing-engine", "crates/web"),
            ("crates/pricing-engine", "crates/store"),
            ("frontends/storefront", "crates/pricing-engine"),
            ("frontends/storefront", "services/catalog"),
            ("frontends/storefront", "frontends/gateway"),
            ("crates/common", "crates/kernel"),
            ("elsewhere/thing", "crates/kernel"),
        ] {
            assert_eq!(messages(from, to, false).len(), 1, "{from} → {to}");
        }
    }
}
