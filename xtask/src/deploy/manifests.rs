//! The Kubernetes manifests: rendered as they are applied, judged by Kubernetes' own schemas, and what
//! no schema knows.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::{
    check::{Judge, files_below},
    edges,
    generate::services,
    tools::fed,
};
use crate::workspace::{Outcome, output};

/// The oldest Kubernetes that the manifests are for, and the newest whose schemas there are.
const VERSIONS: [&str; 2] = ["1.34.0", "1.37.0"];

impl Judge<'_> {
    /// Every overlay.
    pub fn kubernetes(&self) -> Outcome {
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
            python.arg(script).args(VERSIONS),
            self.scratch.path(),
            manifests,
        )?;
        Ok(serde_json::from_str(&json)?)
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
