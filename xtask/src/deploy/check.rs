//! Everything under `deploy/`, judged one by one: syntax and schemas by the official programs, and
//! what no schema knows by looking at the rendered result.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::{
    broker, edges,
    generate::{Graph, services},
    tools::{Tools, fed},
};
use crate::workspace::{Outcome, Workspace, output, succeed};

/// The oldest Kubernetes that the manifests are for, and the newest whose schemas there are.
const KUBERNETES: [&str; 2] = ["1.34.0", "1.37.0"];
/// What a unit may be exposed to, in `systemd-analyze security`'s tenths; 100 is everything.
const EXPOSURE: &str = "20";

/// What the judges look at.
struct Judge<'a> {
    workspace: &'a Workspace,
    graph: &'a Graph,
    tools: Tools,
    /// For what they write; removed at the end.
    scratch: tempfile::TempDir,
}

/// Runs all judges; stops at the first that finds something.
pub fn run(workspace: &Workspace, graph: &Graph) -> Outcome {
    let judge = Judge {
        workspace,
        graph,
        tools: Tools::ready(workspace)?,
        scratch: tempfile::tempdir()?,
    };
    let judges: [(&str, fn(&Judge) -> Outcome); 7] = [
        ("scripts", |judge| judge.scripts()),
        ("Dockerfile", |judge| judge.dockerfile()),
        ("compose.yaml", |judge| judge.compose()),
        ("Kubernetes manifests", |judge| judge.kubernetes()),
        ("NATS configuration", |judge| judge.nats()),
        ("Prometheus configuration", |judge| judge.prometheus()),
        ("systemd units", |judge| judge.systemd()),
    ];
    for (what, judged) in judges {
        judged(&judge).map_err(|error| format!("{what}: {error}"))?;
        println!("{what}: good");
    }
    Ok(())
}

impl Judge<'_> {
    fn path(&self, path: &str) -> PathBuf {
        self.workspace.root.join("deploy").join(path)
    }

    fn text(&self, path: &str) -> Outcome<String> {
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

    fn kubernetes(&self) -> Outcome {
        let overlays = self.path("kubernetes/overlays");
        for overlay in ["dev", "production"] {
            self.overlay(&overlays.join(overlay))
                .map_err(|error| format!("overlay {overlay}: {error}"))?;
        }
        self.overlay(&self.scaled()?)
            .map_err(|error| format!("component scale-on-lag: {error}").into())
    }

    /// A copy with an overlay that uses the component: Kustomize looks at no file outside.
    fn scaled(&self) -> Outcome<PathBuf> {
        let copy = self.scratch.path().join("kubernetes");
        let from = self.path("kubernetes");
        for file in files_below(&from)? {
            let to = copy.join(file.strip_prefix(&from)?);
            fs::create_dir_all(to.parent().ok_or("a file without a folder")?)?;
            fs::copy(&file, to)?;
        }
        let overlay = copy.join("overlays/scaled");
        fs::create_dir_all(&overlay)?;
        let text = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n\
                    resources: [../production]\ncomponents: [../../components/scale-on-lag]\n";
        fs::write(overlay.join("kustomization.yaml"), text)?;
        Ok(overlay)
    }

    fn overlay(&self, folder: &Path) -> Outcome {
        let rendered = output(self.tools.command("kustomize").arg("build").arg(folder))?;
        if folder.ends_with("scaled") && !rendered.contains("souk_subscription_lag") {
            return Err("no service is scaled on its lag".into());
        }
        let documents = self.valid(&rendered)?;
        let secrets = output(
            Command::new(self.path("kubernetes/make-secrets")).args(["--namespace", "souk"]),
        )?;
        let secrets = self.valid(&secrets)?;
        referenced(&documents, &secrets)?;
        edges::check(&documents, self.graph)?;
        for name in services(self.graph).chain(["gateway"]) {
            for kind in [
                "Deployment",
                "Service",
                "HorizontalPodAutoscaler",
                "PodDisruptionBudget",
            ] {
                let wanted = format!("souk-{name}");
                let found = documents.iter().find(|document| {
                    document["kind"] == kind && document["metadata"]["name"] == wanted.as_str()
                });
                let found = found.ok_or(format!("{name} has no {kind}"))?;
                // What selects pods must select this service's only.
                let selected = &found["spec"]["selector"];
                let labels = if kind == "Service" {
                    selected
                } else {
                    &selected["matchLabels"]
                };
                if kind != "HorizontalPodAutoscaler"
                    && labels["app.kubernetes.io/component"] != name
                {
                    return Err(format!("the {kind} of {name} selects others' pods").into());
                }
                if kind == "HorizontalPodAutoscaler"
                    && found["spec"]["scaleTargetRef"]["name"] != wanted.as_str()
                {
                    return Err(format!("the autoscaler of {name} scales another").into());
                }
            }
        }
        Ok(())
    }

    fn valid(&self, manifests: &str) -> Outcome<Vec<Value>> {
        let script = self.workspace.root.join("xtask/src/deploy/kubernetes.py");
        let mut python = self.tools.command("python");
        let json = fed(
            python.arg(script).args(KUBERNETES),
            self.scratch.path(),
            manifests,
        )?;
        Ok(serde_json::from_str(&json)?)
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
            if !sources
                .iter()
                .any(|(path, text)| path.contains("/src/") && text.contains(&quoted))
            {
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

    fn systemd(&self) -> Outcome {
        // systemd looks whether programs and files are there; so a root of its own, with stand-ins.
        let root = self.scratch.path().join("root");
        let units = root.join("etc/systemd/system");
        fs::create_dir_all(&units)?;
        for folder in ["usr/bin", "usr/lib/systemd/system"] {
            fs::create_dir_all(root.join(folder))?;
        }
        let program = root.join("usr/bin/souk");
        fs::copy("/bin/true", &program)?;
        for stand_in in [
            "network-online.target",
            "multi-user.target",
            "sysinit.target",
            "basic.target",
            "shutdown.target",
            "system.slice",
            "-.slice",
        ] {
            fs::write(
                root.join("usr/lib/systemd/system").join(stand_in),
                "[Unit]\nDefaultDependencies=no\n",
            )?;
        }
        let files = [
            "souk.target",
            "souk@.service",
            "souk-migrate.service",
            "souk-sandbox.service",
        ];
        for file in files {
            fs::copy(self.path("systemd").join(file), units.join(file))?;
        }
        let root_option = format!("--root={}", root.display());
        for unit in [
            "souk.target",
            "souk@orders-1.service",
            "souk-migrate.service",
            "souk-sandbox.service",
        ] {
            let mut verify = self.tools.command("systemd-analyze");
            let judged = verify
                .args(["verify", "--man=no", &root_option, unit])
                .output()?;
            let said = String::from_utf8_lossy(&judged.stderr);
            if !judged.status.success() || !said.trim().is_empty() {
                return Err(format!("{unit}: {said}").into());
            }
            if unit.ends_with(".service") {
                let mut security = self.tools.command("systemd-analyze");
                security.args(["security", "--no-pager", "--offline=true", &root_option]);
                security.arg(format!("--threshold={EXPOSURE}")).arg(unit);
                let judged = security.output()?;
                if !judged.status.success() {
                    let said = String::from_utf8_lossy(&judged.stdout).into_owned();
                    return Err(format!("{unit} may do too much:\n{said}").into());
                }
            }
        }
        for name in services(self.graph).chain(["gateway"]) {
            let environment = self.text(&format!("systemd/etc/{name}-1.env"))?;
            if !environment.contains(&format!("SOUK_RUN={name}")) {
                return Err(format!("{name}-1.env does not run {name}").into());
            }
        }
        self.known_settings()
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

/// Every secret that a pod is given by reference is one that `make-secrets` makes, with that key.
fn referenced(documents: &[Value], secrets: &[Value]) -> Outcome {
    if documents
        .iter()
        .any(|document| document["kind"] == "Secret")
    {
        return Err("a secret stands in the manifests; they may only refer to it".into());
    }
    let mut references = Vec::new();
    documents
        .iter()
        .for_each(|document| collect(document, &mut references));
    for (name, key) in references {
        let secret = secrets
            .iter()
            .find(|secret| secret["metadata"]["name"] == name.as_str());
        let secret = secret.ok_or(format!("make-secrets makes no {name}"))?;
        if key
            .as_ref()
            .is_some_and(|key| secret["stringData"][key].is_null())
        {
            return Err(format!(
                "make-secrets makes no {} in {name}",
                key.unwrap_or_default()
            )
            .into());
        }
    }
    Ok(())
}

fn collect(value: &Value, found: &mut Vec<(String, Option<String>)>) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                match field.as_str() {
                    "secretKeyRef" | "secretRef" => {
                        found.extend(text(&value["name"]).map(|name| (name, text(&value["key"]))));
                    }
                    "secret" if value["secretName"].is_string() => {
                        found.extend(text(&value["secretName"]).map(|name| (name, None)));
                    }
                    _ => collect(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

fn files_below(folder: &Path) -> Outcome<Vec<PathBuf>> {
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
