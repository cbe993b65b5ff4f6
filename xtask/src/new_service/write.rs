//! Writing the folder. All texts are made before the first is written, so a refusal leaves the
//! workspace as it was.

use std::fs;

use super::{names::Names, register};
use crate::workspace::{Outcome, Workspace, succeed};

/// Path (with `@…@` words) and content of every file of a service.
const TEMPLATES: &[(&str, &str)] = &[
    (
        "services/@name@/Cargo.toml",
        include_str!("../../templates/Cargo.toml.txt"),
    ),
    (
        "services/@name@/README.md",
        include_str!("../../templates/README.md.txt"),
    ),
    (
        "services/@name@/src/lib.rs",
        include_str!("../../templates/lib.rs.txt"),
    ),
    (
        "services/@name@/src/@thing@.rs",
        include_str!("../../templates/decider.rs.txt"),
    ),
    (
        "services/@name@/src/views.rs",
        include_str!("../../templates/views.rs.txt"),
    ),
    (
        "services/@name@/src/queries.rs",
        include_str!("../../templates/queries.rs.txt"),
    ),
    (
        "services/@name@/src/http.rs",
        include_str!("../../templates/http.rs.txt"),
    ),
    (
        "services/@name@/tests/flow.rs",
        include_str!("../../templates/flow.rs.txt"),
    ),
    (
        "services/@name@/tests/support/mod.rs",
        include_str!("../../templates/support.rs.txt"),
    ),
    (
        "services/@name@/golden/@name@.@thing@.created.v1.json",
        include_str!("../../templates/golden.json.txt"),
    ),
    (
        "crates/contracts/src/@name@.rs",
        include_str!("../../templates/contracts.rs.txt"),
    ),
];

/// Writes the service and registers it. Answers the files it wrote or changed.
pub fn service(workspace: &Workspace, names: &Names) -> Outcome<Vec<String>> {
    let folder = format!("services/{}", names.name);
    if workspace.root.join(&folder).exists() {
        return Err(format!("{folder} is there already").into());
    }
    let mut files = registered(workspace, names)?;
    let prefix = names.prefix(&used_prefixes(workspace)?)?;
    let fill = |text: &str| {
        text.replace("@name@", &names.name)
            .replace("@thing@", &names.thing)
            .replace("@Thing@", &names.type_name())
            .replace("@prefix@", &prefix)
    };
    files.extend(
        TEMPLATES
            .iter()
            .map(|(path, text)| (fill(path), fill(text))),
    );
    for (path, text) in &files {
        let path = workspace.root.join(path);
        fs::create_dir_all(path.parent().ok_or("a file without a folder")?)?;
        fs::write(&path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// Puts the new files into the formatter's shape: longer names wrap differently.
pub fn format(workspace: &Workspace, names: &Names) -> Outcome {
    let words = format!("fmt --package {} --package contracts", names.name);
    succeed(&mut workspace.cargo(&words))
}

/// The files that list services, with the new one in them.
fn registered(workspace: &Workspace, names: &Names) -> Outcome<Vec<(String, String)>> {
    let read = |path: &str| {
        let text = fs::read_to_string(workspace.root.join(path));
        text.map_err(|e| format!("cannot read {path}: {e}"))
    };
    let services = workspace.services()?;
    let (contracts, root) = ("crates/contracts/src/lib.rs", "Cargo.toml");
    let (souk, list) = ("crates/souk/Cargo.toml", "crates/souk/src/services.rs");
    Ok(vec![
        (root.into(), register::root_manifest(&read(root)?, names)?),
        (
            contracts.into(),
            register::contracts(&read(contracts)?, names)?,
        ),
        (
            souk.into(),
            register::souk_manifest(&read(souk)?, names, &services)?,
        ),
        (list.into(), register::list(&read(list)?, names)?),
    ])
}

fn used_prefixes(workspace: &Workspace) -> Outcome<Vec<String>> {
    let mut sources = workspace.files(".rs")?;
    sources.retain(|(path, _)| {
        path.starts_with("crates/contracts/") || path.starts_with("crates/kernel/")
    });
    Ok(register::prefixes(&sources))
}

#[cfg(test)]
mod tests {
    use super::{super::check::NAME as UNUSED, *};

    /// A copy of those files of the real workspace that a new service touches or is checked against.
    fn copy() -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().expect("a folder");
        let real = Workspace::find().expect("the workspace");
        let mut paths = vec![
            "Cargo.toml".to_owned(),
            "crates/souk/Cargo.toml".into(),
            "crates/souk/src/services.rs".into(),
        ];
        let sources = real.files(".rs").expect("sources");
        paths.extend(
            sources
                .into_iter()
                .map(|(path, _)| path)
                .filter(|path| path.starts_with("crates/contracts/")),
        );
        for service in real.services().expect("services") {
            paths.push(format!("services/{service}/Cargo.toml"));
        }
        for path in paths {
            let to = folder.path().join(&path);
            fs::create_dir_all(to.parent().expect("a folder")).expect("made");
            fs::copy(real.root.join(&path), to).unwrap_or_else(|e| panic!("{path}: {e}"));
        }
        let root = folder.path().to_owned();
        (folder, Workspace { root })
    }

    fn read(workspace: &Workspace, path: &str) -> String {
        fs::read_to_string(workspace.root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    #[test]
    fn a_new_service_is_complete_and_registered() {
        let (_folder, workspace) = copy();
        let names = Names::new(UNUSED, None).expect("good names");
        let used = used_prefixes(&workspace).expect("prefixes");
        let id = format!("\"{}_", names.prefix(&used).expect("a free prefix"));
        let written = service(&workspace, &names).expect("written");
        for path in &written {
            let text = read(&workspace, path);
            for word in ["@name@", "@thing@", "@Thing@", "@prefix@"] {
                assert!(!text.contains(word), "{path} still has {word}");
            }
        }
        for (path, wanted) in [
            (
                "Cargo.toml",
                "proofstalls = { path = \"services/proofstalls\" }",
            ),
            ("crates/souk/Cargo.toml", "proofstalls.workspace = true"),
            ("crates/souk/src/services.rs", "proofstalls::service(),"),
            ("crates/contracts/src/lib.rs", "pub mod proofstalls;"),
            (
                "crates/contracts/src/lib.rs",
                "add(\"proofstalls\", proofstalls::ProofstallEvent::TYPES);",
            ),
            (
                "crates/contracts/src/proofstalls.rs",
                "\"proofstalls.proofstall.created.v1\"",
            ),
            ("services/proofstalls/src/lib.rs", "pub mod proofstall;"),
            (
                "services/proofstalls/src/http.rs",
                "Access::Permission(\"proofstalls:write\")",
            ),
            (
                "services/proofstalls/golden/proofstalls.proofstall.created.v1.json",
                &*id,
            ),
        ] {
            assert!(read(&workspace, path).contains(wanted), "{path}: {wanted}");
        }
        let lines = read(&workspace, "services/proofstalls/README.md")
            .lines()
            .count();
        assert!((8..=20).contains(&lines), "README of {lines} lines");
    }

    #[test]
    fn a_refusal_changes_nothing() {
        let (_folder, workspace) = copy();
        let names = Names::new(UNUSED, None).expect("good names");
        service(&workspace, &names).expect("written");
        let before = read(&workspace, "Cargo.toml");
        let again = service(&workspace, &names)
            .expect_err("it is there")
            .to_string();
        assert!(again.contains("there already"), "{again}");
        let taken = Names::new("serde", Some("thing")).expect("good names");
        assert!(service(&workspace, &taken).is_err());
        assert!(!workspace.root.join("services/serde").exists());
        assert_eq!(read(&workspace, "Cargo.toml"), before);
    }
}
