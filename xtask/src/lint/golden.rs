//! Every event version ever published keeps a golden file, for ever.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;

/// `types`: (service, wire name) of every event; `files`: service → names of its golden files.
pub fn check(
    types: &[(&'static str, &'static str)],
    files: &BTreeMap<String, Vec<String>>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for (service, wire_name) in types {
        let path = format!("services/{service}/golden/{wire_name}.json");
        if !seen.insert(*wire_name) {
            findings.push(Finding::new(
                "golden",
                &path,
                0,
                format!(
                    "{wire_name} is declared twice; a wire name belongs to one event of one service"
                ),
            ));
        }
        if !well_named(service, wire_name) {
            findings.push(Finding::new(
                "golden",
                &path,
                0,
                format!("{wire_name} must be named `{service}.<thing>.<what happened>.v<number>`"),
            ));
        }
        let kept = files
            .get(*service)
            .is_some_and(|names| names.iter().any(|n| n == wire_name));
        if !kept {
            findings.push(Finding::new("golden", &path, 0, format!(
                "{wire_name} has no golden file: write one with `kernel::testing::write_golden` and check it with `assert_golden`"
            )));
        }
    }
    for (service, names) in files {
        for name in names {
            let declared = types.iter().any(|(s, wire)| s == service && wire == name);
            if !declared {
                let path = format!("services/{service}/golden/{name}.json");
                findings.push(Finding::new("golden", &path, 0, format!(
                    "no event of {service} is called {name}: old versions stay readable for ever; restore the type or add its set to `contracts::all_event_types`"
                )));
            }
        }
    }
    findings
}

/// `orders.order.placed.v1`: at least three parts of lower case, then the version.
fn well_named(service: &str, wire_name: &str) -> bool {
    let parts: Vec<&str> = wire_name.split('.').collect();
    let [first, middle @ .., version] = parts.as_slice() else {
        return false;
    };
    let plain = |part: &&str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
    };
    let number = version
        .strip_prefix('v')
        .and_then(|n| n.parse::<u32>().ok());
    *first == service
        && middle.len() >= 2
        && middle.iter().all(plain)
        && number.is_some_and(|n| n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(types: &[(&'static str, &'static str)], names: &[&str]) -> Vec<String> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let files = BTreeMap::from([("orders".to_owned(), names)]);
        check(types, &files)
            .into_iter()
            .map(|f| f.message)
            .collect()
    }

    #[test]
    fn an_event_without_its_golden_file_is_a_finding() {
        let types = [("orders", "orders.order.placed.v1")];
        assert!(found(&types, &["orders.order.placed.v1"]).is_empty());
        let missing = found(&types, &[]);
        assert_eq!(missing.len(), 1);
        assert!(missing[0].contains("has no golden file"), "{missing:?}");
    }

    #[test]
    fn a_golden_file_without_its_event_is_a_finding() {
        let left = found(&[], &["orders.order.placed.v1"]);
        assert_eq!(left.len(), 1);
        assert!(left[0].contains("readable for ever"), "{left:?}");
    }

    #[test]
    fn a_wire_name_says_service_thing_event_and_version_once() {
        for bad in [
            "orders.placed.v1",
            "cart.order.placed.v1",
            "orders.order.placed",
            "orders.order.Placed.v1",
            "orders.order.placed.v0",
        ] {
            let found = found(&[("orders", bad)], &[bad]);
            assert_eq!(found.len(), 1, "{bad}: {found:?}");
        }
        let twice = [("orders", "orders.order.placed.v1"); 2];
        assert_eq!(found(&twice, &["orders.order.placed.v1"]).len(), 1);
    }
}
