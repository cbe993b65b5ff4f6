//! The parts of `deploy/` that follow from the list of services and from who listens to whom. Whole
//! files say in their first line that they are written; in others, only what stands between two
//! marks is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use crate::workspace::{Outcome, Workspace};

/// Whose events each service reads; as `souk services --json` prints it. The gateway is a listener.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// The listener that is no service.
pub const GATEWAY: &str = "gateway";

macro_rules! template {
    ($name:literal) => {
        include_str!(concat!("../../templates/deploy/", $name, ".txt"))
    };
}

/// The first instance of the first service; others follow at steps of [`PORTS_PER_SERVICE`].
const FIRST_PORT: usize = 8101;
const PORTS_PER_SERVICE: usize = 10;
const WRITTEN: &str = "# Written by `cargo xtask deploy`.\n";

/// The services of a graph, sorted.
pub fn services(graph: &Graph) -> impl Iterator<Item = &str> {
    graph.keys().map(String::as_str).filter(|n| *n != GATEWAY)
}

/// Every file that is made or partly made, with its content as it should be.
pub fn files(workspace: &Workspace, graph: &Graph) -> Outcome<Vec<(String, String)>> {
    let mut files = vec![
        (
            "deploy/compose/peers.toml".into(),
            peers(graph, |name, _| format!("dns+http://{name}:8080")),
        ),
        (
            "deploy/kubernetes/base/peers.toml".into(),
            peers(graph, |name, _| format!("dns+http://souk-{name}:8080")),
        ),
        (
            "deploy/systemd/etc/peers.toml".into(),
            peers(graph, |_, port| format!("http://127.0.0.1:{port}")),
        ),
        (
            "deploy/kubernetes/base/network/services.yaml".into(),
            policies(graph),
        ),
    ];
    for (name, port) in ports(graph) {
        let kustomization = match name {
            // Both call the outside world.
            "payments" | "shipping" => template!("kustomization-payments"),
            "identity" => template!("kustomization-identity"),
            _ => template!("kustomization"),
        };
        files.push((
            format!("deploy/kubernetes/base/services/{name}/kustomization.yaml"),
            fill(kustomization, name),
        ));
        let mut environment = fill(template!("systemd"), name).replace("@port@", &port.to_string());
        if matches!(name, "payments" | "shipping") {
            environment.push_str(template!("systemd-payments"));
        }
        files.push((format!("deploy/systemd/etc/{name}-1.env"), environment));
    }
    for (path, marks) in partly(graph) {
        let text = fs::read_to_string(workspace.root.join(path))
            .map_err(|e| format!("cannot read {path}: {e}"))?;
        let text = marks.iter().try_fold(text, |text, (mark, content)| {
            between(&text, mark, content).ok_or(format!("{path} has no marks for its {mark}"))
        })?;
        files.push((path.into(), text));
    }
    Ok(files)
}

/// Files with marks: what stands between them.
fn partly(graph: &Graph) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let each = |line: &dyn Fn(&str) -> String| services(graph).map(line).collect::<String>();
    let compose = |name: &str| match name {
        "payments" | "shipping" => fill(template!("compose-payments"), name),
        "identity" => fill(template!("compose-identity"), name),
        _ => fill(template!("compose-service"), name),
    };
    let password = |name: &str, what: &str| {
        let variable = format!("SOUK_{}_{what}_PASSWORD", name.to_uppercase());
        format!("      {variable}: ${{{variable}:?see make-secrets}}\n")
    };
    vec![
        (
            "deploy/compose/compose.yaml",
            vec![
                (
                    "services",
                    services(graph).map(compose).collect::<Vec<_>>().join("\n"),
                ),
                ("database passwords", each(&|name| password(name, "DB"))),
                ("broker passwords", each(&|name| password(name, "BROKER"))),
            ],
        ),
        (
            "deploy/nats/nats.conf",
            vec![("services", each(&|name| fill(template!("nats-user"), name)))],
        ),
        (
            "deploy/kubernetes/base/kustomization.yaml",
            vec![("services", each(&|name| format!("  - services/{name}\n")))],
        ),
        (
            "deploy/prometheus/prometheus.yml",
            vec![("services", each(&|name| format!("          - {name}\n")))],
        ),
        (
            "deploy/systemd/souk.target",
            vec![(
                "services",
                each(&|name| format!("Wants=souk@{name}-1.service\n")),
            )],
        ),
    ]
}

/// Each service with the port of its first instance on a plain server.
fn ports(graph: &Graph) -> impl Iterator<Item = (&str, usize)> {
    let ports = (FIRST_PORT..).step_by(PORTS_PER_SERVICE);
    services(graph).zip(ports)
}

fn fill(template: &str, name: &str) -> String {
    let upper = name.to_uppercase();
    template.replace("@name@", name).replace("@NAME@", &upper)
}

fn peers(graph: &Graph, url: impl Fn(&str, usize) -> String) -> String {
    let head = "# Where the processes are. It is read again when it changes. The bearer secret between\n\
                # processes is SOUK_CLUSTER_SECRET.\n";
    ports(graph).fold(format!("{WRITTEN}{head}"), |text, (name, port)| {
        text + &format!("\n[services.{name}]\nurls = [\"{}\"]\n", url(name, port))
    })
}

/// A service is asked by the gateway, and by those who read its history; nobody else. So a service
/// that was broken into reaches nothing but what it listens to.
fn policies(graph: &Graph) -> String {
    let head = "# Who may reach whom: the edges of the design, from what each service listens to.\n\
                # Services never call services; what crosses here is /log, the history of a producer.\n";
    let mut text = format!("{WRITTEN}{head}");
    for (name, heard) in graph {
        text += &fill(template!("network"), name);
        let mut callers: BTreeSet<&str> = listeners(graph, name);
        let mut called: BTreeSet<&str> = heard.iter().map(String::as_str).collect();
        if name == GATEWAY {
            // Whoever calls it is named in everyone.yaml.
            called.extend(services(graph));
        } else {
            callers.insert(GATEWAY);
        }
        text += &rule("ingress", "from", &callers);
        text += &rule("egress", "to", &called);
    }
    text
}

/// Who reads the events of `name`.
fn listeners<'a>(graph: &'a Graph, name: &str) -> BTreeSet<&'a str> {
    let heard = graph.iter().filter(|(_, topics)| topics.contains(name));
    heard.map(|(listener, _)| listener.as_str()).collect()
}

fn rule(direction: &str, side: &str, others: &BTreeSet<&str>) -> String {
    if others.is_empty() {
        return String::new();
    }
    let others = others.iter().copied().collect::<Vec<_>>().join(", ");
    format!(
        "  {direction}:\n    - {side}:\n        - podSelector:\n            matchExpressions:\n              \
         - {{key: app.kubernetes.io/component, operator: In, values: [{others}]}}\n      \
         ports: [{{protocol: TCP, port: 8080}}]\n"
    )
}

/// `text` with `content` between its two marks; `None` when they are missing.
fn between(text: &str, mark: &str, content: &str) -> Option<String> {
    let begin = format!("# -- {mark} (written by cargo xtask deploy) --\n");
    let end = format!("# -- end of {mark} --");
    let start = text.find(&begin)? + begin.len();
    let stop = start + text[start..].find(&end)?;
    let indent = text[..stop].rfind('\n').map_or(0, |line| line + 1);
    Some(format!("{}{content}{}", &text[..start], &text[indent..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        Graph::from([
            ("a".to_owned(), set(&[])),
            ("b".to_owned(), set(&["a"])),
            (GATEWAY.to_owned(), set(&["b"])),
        ])
    }

    #[test]
    fn what_stands_between_the_marks_is_replaced() {
        let text =
            "one\n  # -- x (written by cargo xtask deploy) --\nold\n  # -- end of x --\ntwo\n";
        let new = between(text, "x", "new\n").expect("marks");
        assert!(new.contains("--\nnew\n  # -- end of x --\ntwo\n"), "{new}");
        assert_eq!(between(&new, "x", "new\n").as_deref(), Some(new.as_str()));
        assert_eq!(between(text, "y", ""), None);
    }

    #[test]
    fn a_producer_is_reached_by_its_listeners_and_the_gateway() {
        let text = policies(&graph());
        let parts: Vec<&str> = text.split("---\n").collect();
        assert!(parts[1].contains("values: [b, gateway]"), "{}", parts[1]);
        assert!(!parts[1].contains("egress"), "{}", parts[1]);
        assert!(parts[2].contains("values: [gateway]") && parts[2].contains("values: [a]"));
        assert!(parts[3].contains("values: [a, b]") && !parts[3].contains("ingress"));
    }
}
