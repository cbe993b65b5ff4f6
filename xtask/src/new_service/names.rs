//! The names of a new service, checked before anything is written.

use crate::workspace::Outcome;

/// What a service and its things are called.
#[derive(Debug, PartialEq)]
pub struct Names {
    /// The service, its crate and its topic: `wishlists`.
    pub name: String,
    /// One of what it keeps: `wishlist`. Its decider's module and category.
    pub thing: String,
}

/// Words that would clash with Rust, with the platform's types or with a service's own files.
const TAKEN: &[&str] = &[
    "abstract",
    "access",
    "alloc",
    "app",
    "as",
    "async",
    "await",
    "become",
    "bool",
    "box",
    "break",
    "caller",
    "char",
    "command",
    "const",
    "context",
    "continue",
    "core",
    "crate",
    "ctx",
    "decide",
    "decider",
    "do",
    "dyn",
    "else",
    "enum",
    "event",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "golden",
    "header",
    "http",
    "if",
    "impl",
    "in",
    "json",
    "let",
    "list",
    "loop",
    "macro",
    "match",
    "mod",
    "module",
    "move",
    "mut",
    "option",
    "override",
    "page",
    "path",
    "priv",
    "problem",
    "proc",
    "projection",
    "pub",
    "query",
    "queries",
    "recorded",
    "ref",
    "rejection",
    "response",
    "result",
    "return",
    "route",
    "routes",
    "row",
    "self",
    "service",
    "src",
    "state",
    "statement",
    "static",
    "std",
    "stored",
    "str",
    "string",
    "struct",
    "super",
    "test",
    "tests",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "value",
    "vec",
    "view",
    "views",
    "virtual",
    "where",
    "while",
    "yield",
];

impl Names {
    /// Checks the names; `thing` is worked out from the plural when it is not given.
    pub fn new(name: &str, thing: Option<&str>) -> Outcome<Self> {
        well_formed("NAME", name)?;
        let thing = thing.map_or_else(|| singular(name), str::to_owned);
        well_formed("--thing", &thing)?;
        if TAKEN.contains(&name) {
            return Err(format!(
                "`{name}` is a word of Rust or of the platform; choose another name"
            )
            .into());
        }
        if TAKEN.contains(&thing.as_str()) {
            return Err(format!(
                "`{thing}` is a word of Rust or of the platform; choose another with --thing"
            )
            .into());
        }
        Ok(Self {
            name: name.to_owned(),
            thing,
        })
    }

    /// `Wishlist`: the beginning of its types.
    pub fn type_name(&self) -> String {
        let mut letters = self.thing.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect()
    }

    /// A prefix of three letters for its ids that is not in `used`.
    pub fn prefix(&self, used: &[String]) -> Outcome<String> {
        let letters: Vec<char> = self
            .thing
            .chars()
            .filter(char::is_ascii_lowercase)
            .collect();
        for second in 1..letters.len() {
            for third in second + 1..letters.len() {
                let prefix: String = [letters[0], letters[second], letters[third]]
                    .iter()
                    .collect();
                if !used.contains(&prefix) {
                    return Ok(prefix);
                }
            }
        }
        Err(format!(
            "no id prefix of three letters of `{}` is free; choose another with --thing",
            self.thing
        )
        .into())
    }
}

fn well_formed(what: &str, word: &str) -> Outcome {
    let plain = word
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let starts = word.starts_with(|c: char| c.is_ascii_lowercase());
    match plain && starts && (3..=24).contains(&word.len()) {
        true => Ok(()),
        false => Err(format!(
            "{what} `{word}` must have 3 to 24 lower-case letters and digits and begin with a letter, such as `wishlists`"
        ).into()),
    }
}

fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for ending in ["xes", "ches", "shes", "sses"] {
        if name.ends_with(ending) {
            return name[..name.len() - 2].to_owned();
        }
    }
    match name.strip_suffix('s') {
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) => stem.to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plural_gives_its_singular() {
        for (name, thing) in [
            ("wishlists", "wishlist"),
            ("categories", "category"),
            ("boxes", "box1"),
            ("search", "search"),
            ("status", "status"),
            ("leases", "lease"),
        ] {
            let given = (thing == "box1").then_some("box1");
            assert_eq!(
                Names::new(name, given).map(|n| n.thing).ok().as_deref(),
                Some(thing)
            );
        }
    }

    #[test]
    fn names_that_cannot_be_crates_are_refused_with_advice() {
        for bad in [
            "",
            "ab",
            "Wishlists",
            "wish-lists",
            "wish_lists",
            "1st",
            "../x",
            "wish lists",
            &"x".repeat(25),
        ] {
            let error = Names::new(bad, None).expect_err("refused").to_string();
            assert!(error.contains("lower-case letters"), "{bad}: {error}");
        }
        for taken in ["types", "events", "boxes", "queries", "tests"] {
            let error = Names::new(taken, None).expect_err("refused").to_string();
            assert!(error.contains("choose another"), "{taken}: {error}");
        }
    }

    #[test]
    fn an_id_prefix_is_never_used_twice() {
        let names = Names::new("wishlists", None).expect("good names");
        assert_eq!(names.prefix(&[]).ok().as_deref(), Some("wis"));
        assert_eq!(names.prefix(&["wis".into()]).ok().as_deref(), Some("wih"));
        assert_eq!(names.type_name(), "Wishlist");
    }
}
