//! `cargo xtask openapi`: the API document that lies in the repository, made from the routes.

use std::fs;

use serde_json::Value;

use crate::workspace::{Outcome, Workspace, output};

/// Where it is kept.
const FILE: &str = "docs/openapi.json";

/// `cargo xtask openapi`
#[derive(clap::Args)]
pub struct Args {
    /// Fail when the document differs from what the routes say, and write nothing
    #[arg(long)]
    pub check: bool,
}

/// Writes the document, or compares it.
pub fn run(workspace: &Workspace, args: &Args) -> Outcome {
    let mut souk = workspace.cargo("run --quiet --package souk -- openapi");
    let made = output(&mut souk)?;
    let made: Value = serde_json::from_str(&made)
        .map_err(|e| format!("`souk openapi` did not print JSON: {e}"))?;
    let path = workspace.root.join(FILE);
    if !args.check {
        fs::create_dir_all(path.parent().ok_or("a file without a folder")?)?;
        fs::write(&path, format!("{made:#}\n"))?;
        println!(
            "{FILE} is written: {} paths",
            made["paths"].as_object().map_or(0, |p| p.len())
        );
        return Ok(());
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let kept: Value = serde_json::from_str(&kept).unwrap_or(Value::Null);
    match difference("", &kept, &made) {
        None => Ok(()),
        Some(place) => Err(format!(
            "{FILE} is not what the routes say (first difference at {place}); run `cargo xtask openapi` and commit it"
        ).into()),
    }
}

/// JSON pointer (RFC 6901) of the first place where the two differ.
pub fn difference(at: &str, kept: &Value, made: &Value) -> Option<String> {
    let here = || {
        Some(if at.is_empty() {
            "/".to_owned()
        } else {
            at.to_owned()
        })
    };
    match (kept, made) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.into_iter().find_map(|key| {
                let place = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => difference(&place, a, b),
                    _ => Some(place),
                }
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs
                .into_iter()
                .find_map(|(i, (a, b))| difference(&format!("{at}/{i}"), a, b))
        }
        _ if kept == made => None,
        _ => here(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let kept = json!({"paths": {"/api/x": {"get": {"tags": ["a"]}}}});
        assert_eq!(difference("", &kept, &kept), None);
        let other = json!({"paths": {"/api/x": {"get": {"tags": ["b"]}}}});
        assert_eq!(
            difference("", &kept, &other).as_deref(),
            Some("/paths/~1api~1x/get/tags/0")
        );
        let more = json!({"paths": {"/api/x": {"get": {"tags": ["a"]}}, "/api/y": {}}});
        assert_eq!(
            difference("", &kept, &more).as_deref(),
            Some("/paths/~1api~1y")
        );
        assert_eq!(difference("", &Value::Null, &kept).as_deref(), Some("/"));
    }
}
