//! Who may reach whom, as the rendered network policies have it, against what services listen to.
//! It reads the policies as a cluster does, so it notices whatever rendering made of them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::generate::{GATEWAY, Graph, services};
use crate::workspace::Outcome;

const COMPONENT: &str = "app.kubernetes.io/component";

/// From whom to whom.
type Edges = BTreeSet<(String, String)>;

/// Checks that pods of the shop may reach each other exactly as the design says.
pub fn check(documents: &[Value], graph: &Graph) -> Outcome {
    let wanted = wanted(graph);
    let policies: Vec<&Value> = documents
        .iter()
        .filter(|document| document["kind"] == "NetworkPolicy")
        .collect();
    let denied = policies.iter().any(|policy| {
        let types = policy["spec"]["policyTypes"].as_array().map_or(0, Vec::len);
        policy["spec"]["podSelector"] == serde_json::json!({}) && types == 2
    });
    if !denied {
        return Err("no network policy denies everything that is not allowed".into());
    }
    // Both ends must agree: what one may send, the other may receive.
    for (direction, side) in [("egress", "to"), ("ingress", "from")] {
        let allowed = allowed(&policies, documents, direction, side, graph);
        if let Some((from, to)) = allowed.difference(&wanted).next() {
            return Err(format!("{direction} lets {from} reach {to}; the design does not").into());
        }
        if let Some((from, to)) = wanted.difference(&allowed).next() {
            return Err(format!("{direction} keeps {from} from {to}, whom it needs").into());
        }
    }
    Ok(())
}

fn wanted(graph: &Graph) -> Edges {
    let edge = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let mut edges: Edges = services(graph).map(|name| edge(GATEWAY, name)).collect();
    for (listener, topics) in graph {
        edges.extend(topics.iter().map(|topic| edge(listener, topic)));
    }
    edges
}

/// The edges between processes of the shop that some policy allows, in one direction.
fn allowed(
    policies: &[&Value],
    documents: &[Value],
    direction: &str,
    side: &str,
    graph: &Graph,
) -> Edges {
    let pods: Vec<(&str, &Value)> = documents
        .iter()
        .filter(|document| document["kind"] == "Deployment")
        .map(|document| &document["spec"]["template"]["metadata"]["labels"])
        .filter_map(|labels| Some((labels[COMPONENT].as_str()?, labels)))
        .filter(|(name, _)| graph.contains_key(*name))
        .collect();
    let mut edges = Edges::new();
    for policy in policies {
        let spec = &policy["spec"];
        let peers = list(&spec[direction]).flat_map(|rule| list(&rule[side]));
        for peer in peers {
            // Other namespaces and addresses are nobody of the shop's.
            if !peer["namespaceSelector"].is_null() || !peer["ipBlock"].is_null() {
                continue;
            }
            for (here, _) in pods
                .iter()
                .filter(|(_, l)| matches(&spec["podSelector"], l))
            {
                for (there, _) in pods
                    .iter()
                    .filter(|(_, l)| matches(&peer["podSelector"], l))
                {
                    let (here, there) = ((*here).to_owned(), (*there).to_owned());
                    edges.insert(match direction {
                        "egress" => (here, there),
                        _ => (there, here),
                    });
                }
            }
        }
    }
    edges
}

/// Whether a label selector selects these labels.
fn matches(selector: &Value, labels: &Value) -> bool {
    let by_label = selector["matchLabels"].as_object();
    let equal = by_label.is_none_or(|wanted| wanted.iter().all(|(k, v)| labels[k] == *v));
    equal
        && list(&selector["matchExpressions"]).all(|expression| {
            let value = &labels[expression["key"].as_str().unwrap_or_default()];
            let among = list(&expression["values"]).any(|one| one == value);
            match expression["operator"].as_str() {
                Some("In") => among,
                Some("NotIn") => !among,
                Some("Exists") => !value.is_null(),
                _ => value.is_null(),
            }
        })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_select_as_in_a_cluster() {
        let labels = json!({"a": "1", "b": "2"});
        assert!(matches(&json!({}), &labels));
        assert!(matches(&json!({"matchLabels": {"a": "1"}}), &labels));
        assert!(!matches(
            &json!({"matchLabels": {"a": "1", "c": "3"}}),
            &labels
        ));
        let expression = |operator: &str, values: &[&str]| {
            let one = json!({"key": "b", "operator": operator, "values": values});
            json!({ "matchExpressions": [one] })
        };
        assert!(matches(&expression("In", &["2", "3"]), &labels));
        assert!(!matches(&expression("NotIn", &["2"]), &labels));
        assert!(matches(&expression("NotIn", &["3"]), &labels));
    }

    #[test]
    fn a_policy_too_much_and_one_too_little_are_found() {
        let graph = Graph::from([
            ("a".to_owned(), BTreeSet::new()),
            (GATEWAY.to_owned(), BTreeSet::new()),
        ]);
        let pod = |name: &str| {
            let labels = json!({ COMPONENT: name });
            json!({"kind": "Deployment", "spec": {"template": {"metadata": {"labels": labels}}}})
        };
        let policy = |spec: Value| json!({"kind": "NetworkPolicy", "spec": spec});
        let of = |name: &str| json!({"matchLabels": {COMPONENT: name}});
        let deny = policy(json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}));
        let out = |from: &str, to: &str| {
            policy(json!({"podSelector": of(from), "egress": [{"to": [{"podSelector": of(to)}]}]}))
        };
        let into = |to: &str, from: &str| {
            policy(
                json!({"podSelector": of(to), "ingress": [{"from": [{"podSelector": of(from)}]}]}),
            )
        };
        let mut all = vec![pod("a"), pod(GATEWAY), deny, out(GATEWAY, "a")];
        let error = check(&all, &graph).expect_err("no ingress").to_string();
        assert!(error.contains("keeps gateway from a"), "{error}");
        all.push(into("a", GATEWAY));
        check(&all, &graph).expect("as wanted");
        all.push(out("a", GATEWAY));
        let error = check(&all, &graph).expect_err("too much").to_string();
        assert!(error.contains("lets a reach gateway"), "{error}");
    }
}
