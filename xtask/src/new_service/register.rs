//! Making a new service known: four files gain a line or two. Pure functions from text to text,
//! so that nothing is written unless all of them can be.

use super::names::Names;
use crate::workspace::Outcome;

/// The comment in the binary's list of services that new ones are added above.
pub const MARKER: &str = "// new services above this line";

/// `crates/contracts/src/lib.rs`: the module, and its events in `all_event_types`.
pub fn contracts(text: &str, names: &Names) -> Outcome<String> {
    let name = &names.name;
    let module = format!("pub mod {name};");
    let is_module = |line: &str| line.starts_with("pub mod ") && line.ends_with(';');
    let text = insert_sorted(text, is_module, &module)
        .ok_or("crates/contracts/src/lib.rs has no `pub mod` lines to add to")?;
    let add = format!(
        "    add(\"{name}\", {name}::{}Event::TYPES);",
        names.type_name()
    );
    let is_add = |line: &str| line.starts_with("    add(\"");
    insert_after_last(&text, is_add, &add).ok_or_else(|| {
        "crates/contracts/src/lib.rs has no `add(\"service\", …)` line in all_event_types to add to".into()
    })
}

/// The root `Cargo.toml`: the crate among the workspace's dependencies.
pub fn root_manifest(text: &str, names: &Names) -> Outcome<String> {
    let name = &names.name;
    let taken = text.lines().any(|line| {
        let key = line.split('=').next().unwrap_or_default().trim();
        key == name || key.split('.').next() == Some(name)
    });
    if taken {
        return Err(format!(
            "`{name}` is a crate of the workspace or one it depends on; choose another name"
        )
        .into());
    }
    let line = format!("{name} = {{ path = \"services/{name}\" }}");
    let is_service = |line: &str| line.contains("{ path = \"services/");
    insert_after_last(text, is_service, &line)
        .ok_or_else(|| "the root Cargo.toml lists no service among [workspace.dependencies]".into())
}

/// `crates/souk/Cargo.toml`: the binary depends on it. `services`: the services there are.
pub fn souk_manifest(text: &str, names: &Names, services: &[String]) -> Outcome<String> {
    let line = format!("{}.workspace = true", names.name);
    let is_service = |line: &str| {
        let key = line.strip_suffix(".workspace = true");
        key.is_some_and(|key| services.iter().any(|service| service == key))
    };
    insert_after_last(text, is_service, &line)
        .ok_or_else(|| "crates/souk/Cargo.toml depends on no service".into())
}

/// `crates/souk/src/services.rs`: its line in the one list of services.
pub fn list(text: &str, names: &Names) -> Outcome<String> {
    let marker = text
        .lines()
        .find(|line| line.trim() == MARKER)
        .ok_or_else(|| format!("crates/souk/src/services.rs has lost its line `{MARKER}`"))?;
    let indent = &marker[..marker.len() - marker.trim_start().len()];
    let entry = format!("{indent}{}::service(),\n{marker}", names.name);
    Ok(text.replacen(marker, &entry, 1))
}

/// The prefixes that ids already have, from the sources of `contracts` and `kernel`.
pub fn prefixes(sources: &[(String, String)]) -> Vec<String> {
    let quoted = sources
        .iter()
        .flat_map(|(_, text)| text.split('"').skip(1).step_by(2));
    quoted
        .filter(|word| word.len() == 3 && word.bytes().all(|b| b.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect()
}

/// Adds `line` after the last line that `wanted` picks.
fn insert_after_last(text: &str, wanted: impl Fn(&str) -> bool, line: &str) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().rposition(|line| wanted(line))?;
    lines.insert(last + 1, line);
    Some(lines.join("\n") + "\n")
}

/// Adds `line` in its alphabetical place among the lines that `wanted` picks.
fn insert_sorted(text: &str, wanted: impl Fn(&str) -> bool, line: &str) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|line| wanted(line))?;
    let later = (first..lines.len()).find(|i| wanted(lines[*i]) && lines[*i] > line);
    let last = lines.iter().rposition(|line| wanted(line))?;
    lines.insert(later.unwrap_or(last + 1), line);
    Some(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::new("wishlists", None).expect("good names")
    }

    #[test]
    fn the_published_language_gains_a_module_and_its_events() {
        let text = "//! doc\n\npub mod address;\npub mod zebras;\n\nfn all() {\n    add(\"cart\", cart::CartEvent::TYPES);\n    all\n}\n";
        let after = contracts(text, &names()).expect("registered");
        assert_eq!(
            after,
            "//! doc\n\npub mod address;\npub mod wishlists;\npub mod zebras;\n\nfn all() {\n    add(\"cart\", cart::CartEvent::TYPES);\n    add(\"wishlists\", wishlists::WishlistEvent::TYPES);\n    all\n}\n"
        );
        assert!(contracts("fn x() {}\n", &names()).is_err());
    }

    #[test]
    fn the_workspace_gains_a_crate_unless_the_name_is_taken() {
        let text = "cart = { path = \"services/cart\" }\ngateway = { path = \"frontends/gateway\" }\nserde = \"1\"\n";
        let after = root_manifest(text, &names()).expect("registered");
        assert!(after.contains("cart\" }\nwishlists = { path = \"services/wishlists\" }\ngateway"));
        for taken in ["cart", "serde", "gateway"] {
            let names = Names::new(taken, None).expect("good names");
            let error = root_manifest(text, &names).expect_err("taken").to_string();
            assert!(error.contains("choose another name"), "{error}");
        }
    }

    #[test]
    fn the_binary_gains_a_dependency_and_a_line_in_its_list() {
        let text = "[dependencies]\ncart.workspace = true\ngateway.workspace = true\n";
        let after = souk_manifest(text, &names(), &["cart".into()]).expect("registered");
        assert_eq!(
            after,
            "[dependencies]\ncart.workspace = true\nwishlists.workspace = true\ngateway.workspace = true\n"
        );
        let text = format!("vec![\n        cart::service(),\n        {MARKER}\n    ]\n");
        let after = list(&text, &names()).expect("registered");
        assert_eq!(
            after,
            format!(
                "vec![\n        cart::service(),\n        wishlists::service(),\n        {MARKER}\n    ]\n"
            )
        );
        let error = list("vec![]\n", &names())
            .expect_err("no marker")
            .to_string();
        assert!(error.contains(MARKER), "{error}");
    }

    #[test]
    fn used_prefixes_are_found() {
        let source = (
            "a.rs".to_owned(),
            "id!(\n    OrderId, \"ord\"\n);\nlet x = \"order\";".to_owned(),
        );
        assert_eq!(prefixes(&[source]), ["ord"]);
    }
}
