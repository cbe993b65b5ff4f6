//! Everything under `deploy/`, judged one by one: syntax and schemas by the official programs, and
//! what no schema knows by looking at the rendered result.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::{
    broker,
    generate::{Graph, services},
    tools::Tools,
};
use crate::workspace::{Outcome, Workspace, output, succeed};

/// What the judges look at.
pub struct Judge<'a> {
    pub workspace: &'a Workspace,
    pub graph: &'a Graph,
    pub tools: Tools,
    /// For what they write; removed at the end.
    pub scratch: tempfile::TempDir,
}

/// One of the judges.
type Judged = fn(&Judge) -> Outcome;

/// Runs all judges; stops at the first that finds something.
pub fn run(workspace: &Workspace, graph: &Graph) -> Outcome {
    let judge = Judge {
        workspace,
        graph,
        tools: Tools::ready(workspace)?,
        scratch: tempfile::tempdir()?,
    };
    let judges: [(&str, Judged); 8] = [
        ("scripts", |judge| judge.scripts()),
        ("Dockerfile", |judge| judge.dockerfile()),
        ("compose.yaml", |judge| judge.compose()),
        ("Kubernetes manifests", |judge| judge.kubernetes()),
        ("NATS configuration", |judge| judge.nats()),
        ("Prometheus configuration", |judge| judge.prometheus()),
        ("systemd units", |judge| judge.systemd()),
        ("settings", |judge| judge.known_settings()),
    ];
    for (what, judged) in judges {
        judged(&judge).map_err(|error| format!("{what}: {error}"))?;
        println!("{what}: good");
    }
    Ok(())
}

impl Judge<'_> {
    pub fn path(&self, path: &str) -> PathBuf {
        self.workspace.root.join("deploy").join(path)
    }

    pub fn text(&self, path: &str) -> Outcome<String> {
        fs::read_to_string(self.path(path)).map_err(|e| format!("cannot read {path}: {e}").into())
    }

    fn scripts(&self) -> Outcome {
        for script in [
            "postgres/10-souk.sh",
            "compose/make-secrets",
            "kubernetes/make-secrets",
        ] {
            succeed(Command::new("sh").arg("-n").arg(self.path(script)))?;
        }
        Ok(())
    }

    fn dockerfile(&self) -> Outcome {
        succeed(
            self.tools
                .command("hadolint")
                .arg(self.path("docker/Dockerfile")),
        )
    }

    /// A copy of the compose folder with the secrets that its own script makes.
    fn compose_folder(&self) -> Outcome<PathBuf> {
        let folder = self.scratch.path().join("deploy");
        for path in [
            "compose/compose.yaml",
            "compose/peers.toml",
            "compose/make-secrets",
            "nats/nats.conf",
        ] {
            let to = folder.join(path);
            fs::create_dir_all(to.parent().ok_or("a file without a folder")?)?;
            fs::copy(self.path(path), to)?;
        }
        output(&mut Command::new(folder.join("compose/make-secrets")))?;
        Ok(folder.join("compose"))
    }

    fn compose(&self) -> Outcome {
        let folder = self.compose_folder()?;
        let mut config = self.tools.command("docker-compose");
        config.args(["--project-directory"]).arg(&folder);
        config.arg("--file").arg(folder.join("compose.yaml"));
        config.args(["config", "--format", "json"]);
        let whole: Value = serde_json::from_str(&output(&mut config)?)?;
        let containers = &whole["services"];
        for name in services(self.graph).chain(["gateway", "migrate"]) {
            let container = &containers[name];
            let is_ours = container["image"]
                .as_str()
                .is_some_and(|image| image.starts_with("souk:"));
            if !is_ours {
                return Err(format!("there is no {name}").into());
            }
            confined(container).map_err(|what| format!("{name}: {what}"))?;
            if name != "gateway" && !container["ports"].is_null() {
                return Err(format!("{name} has a public port").into());
            }
            // A service knows its own passwords, and no other's.
            let environment = container["environment"].to_string();
            let others = services(self.graph).filter(|other| *other != name);
            for other in others {
                if environment.contains(&format!("souk_{other}:")) {
                    return Err(format!("{name} is told the password of {other}").into());
                }
            }
        }
        Ok(())
    }

    fn nats(&self) -> Outcome {
        let conf = self.text("nats/nats.conf")?;
        broker::check(&conf, self.graph, self.scratch.path())
    }

    fn prometheus(&self) -> Outcome {
        let mut config = self.tools.command("promtool");
        config.args(["check", "config", "--syntax-only"]);
        succeed(config.arg(self.path("prometheus/prometheus.yml")))?;
        let mut rules = self.tools.command("promtool");
        succeed(
            rules
                .args(["check", "rules"])
                .arg(self.path("prometheus/rules.yml")),
        )?;
        let mut tests = self.tools.command("promtool");
        succeed(
            tests
                .args(["test", "rules"])
                .arg(self.path("prometheus/rules-test.yml")),
        )?;
        self.alerts()
    }

    /// An alert on a figure that nobody reports never fires; one that the runbook does not explain
    /// helps nobody at night.
    fn alerts(&self) -> Outcome {
        let rules = self.text("prometheus/rules.yml")?;
        let sources = self.workspace.files(".rs")?;
        let words = rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for metric in words.filter(|word| word.starts_with("souk_")) {
            let name = metric.trim_end_matches("_bucket");
            let quoted = format!("\"{name}\"");
            if !sources.iter().any(|(path, text)| {
                !path.starts_with("xtask/") && path.contains("/src/") && text.contains(&quoted)
            }) {
                return Err(format!("no process reports {metric}").into());
            }
        }
        let runbook = fs::read_to_string(self.workspace.root.join("docs/runbook.md"))?;
        let alerts = rules
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- alert: "));
        for alert in alerts {
            if !runbook.contains(alert) {
                return Err(
                    format!("docs/runbook.md does not say what to do about {alert}").into(),
                );
            }
        }
        Ok(())
    }

    /// A name that souk does not read would be a setting without effect.
    fn known_settings(&self) -> Outcome {
        let sources = self.workspace.files(".rs")?;
        let known = |name: &str| {
            let quoted = format!("\"{name}\"");
            sources
                .iter()
                .any(|(path, text)| path.starts_with("crates/") && text.contains(&quoted))
        };
        for file in files_below(&self.path(""))? {
            let text = fs::read_to_string(&file).unwrap_or_default();
            for line in text
                .lines()
                .map(str::trim)
                .filter(|line| !line.starts_with('#'))
            {
                for name in line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
                    let name_ends = [
                        "_PASSWORD",
                        "_URL",
                        "PUBLISH",
                        "_VERSION",
                        "_RUN",
                        "_SERVICE",
                    ];
                    let of_ours = name.strip_prefix("SOUK_").is_some_and(|rest| {
                        rest.chars().next().is_some_and(|c| c.is_ascii_uppercase())
                    });
                    // Names that only the files themselves use end in one of these.
                    let local =
                        name != "SOUK_URL" && name_ends.iter().any(|end| name.ends_with(end));
                    if of_ours && !local && !name.ends_with('_') && !known(name) {
                        let file = self.workspace.relative(&file);
                        return Err(format!("{file}: souk does not read {name}").into());
                    }
                }
            }
        }
        Ok(())
    }
}

fn confined(container: &Value) -> Result<(), &'static str> {
    let has = |list: &Value, what: &str| {
        list.as_array()
            .is_some_and(|list| list.iter().any(|one| one == what))
    };
    match () {
        () if container["read_only"] != true => Err("its file system can be written"),
        () if !has(&container["cap_drop"], "ALL") => Err("it keeps capabilities"),
        () if !has(&container["security_opt"], "no-new-privileges:true") => {
            Err("it may gain privileges")
        }
        () if container["mem_limit"].is_null() => Err("its memory is not limited"),
        () => Ok(()),
    }
}

/// All files in and under a folder.
pub fn files_below(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => files.extend(files_below(&path)?),
            false => files.push(path),
        }
    }
    Ok(files)
}
