//! Size and shape: small files, finished code, routes that say who may call, crates that inherit
//! the workspace's lints, services that say what they own.

use super::{
    Finding,
    source::{Source, has_word},
};

/// From here on a file is worth a look.
const LONG: usize = 300;
/// From here on it must be split (or be excepted with a reason).
const TOO_LONG: usize = 500;

/// Lines of shipped code per file; tests do not count.
pub fn size(source: &Source) -> Vec<Finding> {
    let lines = source.shipped().count();
    let message = |limit: usize| {
        format!("{lines} lines without tests, more than {limit}: split it by what it is about")
    };
    match lines {
        n if n > TOO_LONG => vec![Finding::new("size", &source.path, 0, message(TOO_LONG))],
        n if n > LONG => vec![Finding::new("size", &source.path, 0, message(LONG)).warning()],
        _ => Vec::new(),
    }
}

/// Unfinished code and tests that do not run.
pub fn unfinished(source: &Source) -> Vec<Finding> {
    let words = [
        ("todo!", "finish it"),
        (
            "unimplemented!",
            "implement it, or refuse with a clear error",
        ),
        ("#[ignore", "make the test run everywhere, or remove it"),
    ];
    let found = source.numbered().flat_map(|(number, line)| {
        let hits = words
            .into_iter()
            .filter(|(word, _)| has_word(&line.code, word));
        hits.map(move |(word, advice)| (number, format!("`{word}`: {advice}")))
    });
    found
        .map(|(number, message)| Finding::new("unfinished", &source.path, number, message))
        .collect()
}

/// Services add routes through `web::Routes` only, whose every entry declares its access. A router
/// made by hand would let a route in that nobody guards.
pub fn routes(source: &Source) -> Vec<Finding> {
    let in_service = source.path.starts_with("services/") && source.path.contains("/src/");
    if !in_service {
        return Vec::new();
    }
    let by_hand = [
        "Router::new",
        "axum::routing",
        ".route(",
        ".nest(",
        ".merge(Router",
    ];
    let found = source.shipped().filter_map(|(number, line)| {
        let word = by_hand
            .into_iter()
            .find(|word| has_word(&line.code, word))?;
        let message = format!(
            "`{word}` makes a route that declares no permission: use `web::Routes` with an `Access`"
        );
        Some(Finding::new("route", &source.path, number, message))
    });
    found.collect()
}

/// Every crate inherits the workspace's lints.
pub fn manifests(files: &[(String, String)]) -> Vec<Finding> {
    let bare = files.iter().filter(|(_, text)| {
        let text: String = text.split_whitespace().collect();
        text.contains("[package]") && !text.contains("[lints]workspace=true")
    });
    bare.map(|(path, _)| {
        let message =
            "does not inherit the workspace's lints: add `[lints]` with `workspace = true`";
        Finding::new("manifest", path, 0, message)
    })
    .collect()
}

/// A service's README says what it owns, listens to and publishes. `text`: its content, if it exists.
pub fn readme(path: &str, text: Option<&str>) -> Vec<Finding> {
    let lines = text.unwrap_or_default().lines();
    match lines.filter(|line| !line.trim().is_empty()).count() {
        n if n >= 4 => Vec::new(),
        _ => {
            let message = "a service needs a README.md of about twelve lines: owns what, listens to what, publishes what, invariants";
            vec![Finding::new("readme", path, 0, message)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rule: fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> Vec<Finding> {
        rule(&Source::scan(path, text))
    }

    #[test]
    fn a_long_file_is_a_warning_and_a_longer_one_an_error() {
        let of = |n: usize| found(size, "crates/a/src/b.rs", &"let x = 1;\n".repeat(n));
        assert!(of(250).is_empty());
        assert!(of(350)[0].warning);
        assert!(!of(550)[0].warning);
    }

    #[test]
    fn tests_do_not_count() {
        let tests = format!(
            "#[cfg(test)]\nmod tests {{\n{}}}\n",
            "fn x() {}\n".repeat(600)
        );
        assert!(found(size, "crates/a/src/b.rs", &tests).is_empty());
    }

    #[test]
    fn unfinished_code_is_a_finding_in_tests_too() {
        let text = "fn a() { todo!() }\nfn b() { unimplemented!() }\n#[test]\n#[ignore]\nfn c() {}\n// todo! in words\n";
        let lines: Vec<_> = found(unfinished, "crates/a/src/b.rs", text)
            .iter()
            .map(|f| f.line)
            .collect();
        assert_eq!(lines, [1, 2, 4]);
    }

    #[test]
    fn a_route_that_declares_no_permission_is_a_finding() {
        let path = "services/cart/src/http.rs";
        for text in [
            "let r = axum::Router::new();",
            "use axum::routing::get;",
            "r.route(\"/x\", get(h))",
        ] {
            let hits = found(routes, path, text);
            assert_eq!(hits.len(), 1, "{text}");
            assert!(hits[0].message.contains("declares no permission"));
        }
        let declared = "web::Routes::new().get(\"/api/x\", Access::Public, list, |d| d)";
        assert!(found(routes, path, declared).is_empty());
        assert!(found(routes, "frontends/gateway/src/lib.rs", "Router::new()").is_empty());
    }

    #[test]
    fn a_crate_without_the_lints_is_a_finding() {
        let file = |text: &str| ("crates/a/Cargo.toml".to_owned(), text.to_owned());
        assert_eq!(manifests(&[file("[package]\nname = \"a\"\n")]).len(), 1);
        assert!(manifests(&[file("[package]\n\n[lints]\nworkspace = true\n")]).is_empty());
    }

    #[test]
    fn a_service_without_a_readme_is_a_finding() {
        assert_eq!(readme("services/a/README.md", None).len(), 1);
        assert_eq!(readme("services/a/README.md", Some("# a\n")).len(), 1);
        assert!(
            readme(
                "services/a/README.md",
                Some("# a\nOwns x.\nListens to y.\nPublishes z.\n")
            )
            .is_empty()
        );
    }
}
