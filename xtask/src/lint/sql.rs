//! SQL of the services must run on SQLite and on PostgreSQL as it stands.

use super::{Finding, source::Source};

/// What only one of the two databases understands (or understands in its own way), and what to
/// write instead.
const NOT_PORTABLE: &[(&str, &str)] = &[
    (
        "INSERT OR REPLACE",
        "write INSERT … ON CONFLICT (…) DO UPDATE SET x = excluded.x",
    ),
    (
        "INSERT OR IGNORE",
        "write INSERT … ON CONFLICT (…) DO NOTHING",
    ),
    (
        "REPLACE INTO",
        "write INSERT … ON CONFLICT (…) DO UPDATE SET x = excluded.x",
    ),
    ("AUTOINCREMENT", "ids are prefixed TEXT from `app.ids()`"),
    ("SERIAL", "ids are prefixed TEXT from `app.ids()`"),
    (
        "JSON_EXTRACT",
        "keep what is searched in a column of its own, the document as TEXT",
    ),
    (
        "JSONB",
        "keep what is searched in a column of its own, the document as TEXT",
    ),
    (
        "->>",
        "keep what is searched in a column of its own, the document as TEXT",
    ),
    ("INTEGER", "numbers are BIGINT"),
    ("BOOLEAN", "booleans are BIGINT 0 and 1"),
    ("BLOB", "bytes are BYTEA; the SQLite adapter maps it"),
    ("REAL", "money and rates are BIGINT"),
    ("DOUBLE PRECISION", "money and rates are BIGINT"),
    ("TIMESTAMP", "times are BIGINT microseconds UTC"),
    ("VARCHAR", "text is TEXT"),
    ("IFNULL", "write COALESCE"),
    ("ILIKE", "keep a lower-case column and compare with LIKE"),
    ("GLOB", "write LIKE"),
    ("NOCASE", "keep a lower-case column"),
    ("ROWID", "tables have keys of their own"),
    ("STRFTIME", "times come from the event, as microseconds"),
    ("DATETIME", "times come from the event, as microseconds"),
    (
        "CURRENT_TIMESTAMP",
        "times come from the event, as microseconds",
    ),
    ("NOW(", "times come from the event, as microseconds"),
    (
        "RANDOM(",
        "randomness comes from `app.ids()`, never from the database",
    ),
    ("::", "casts are written CAST(x AS type)"),
];

/// The literals of a service's file that are SQL.
pub fn portability(source: &Source) -> Vec<Finding> {
    if !source.path.starts_with("services/") {
        return Vec::new();
    }
    let statements = source
        .literals
        .iter()
        .filter(|literal| !source.is_test(literal.line) && is_sql(&literal.text));
    statements
        .flat_map(|literal| smells(&source.path, literal.line, &literal.text))
        .collect()
}

/// A migration script.
pub fn script(path: &str, text: &str) -> Vec<Finding> {
    match path.starts_with("services/") {
        true => smells(path, 1, text),
        false => Vec::new(),
    }
}

fn is_sql(text: &str) -> bool {
    let text = text.trim_start();
    [
        "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "ALTER ", "DROP ", "WITH ",
        "REPLACE ",
    ]
    .iter()
    .any(|verb| text.get(..verb.len()).is_some_and(|start| start == *verb))
}

fn smells(path: &str, line: usize, text: &str) -> Vec<Finding> {
    let upper = outside_quotes(text).to_uppercase();
    let hits = NOT_PORTABLE
        .iter()
        .filter(|(smell, _)| contains(&upper, smell));
    let mut findings: Vec<Finding> = hits
        .map(|(smell, advice)| {
            let message =
                format!("`{smell}` does not run alike on SQLite and PostgreSQL: {advice}");
            Finding::new("sql", path, line, message)
        })
        .collect();
    if upper.contains('?') {
        findings.push(Finding::new(
            "sql",
            path,
            line,
            "`?` is no portable placeholder: write $1, $2, …",
        ));
    }
    findings
}

/// The text without what stands between single quotes.
fn outside_quotes(text: &str) -> String {
    text.split('\'').step_by(2).collect::<Vec<_>>().join("''")
}

fn contains(upper: &str, smell: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    upper.match_indices(smell).any(|(at, _)| {
        let before = upper[..at].chars().next_back();
        let after = upper[at + smell.len()..].chars().next();
        let is_word = smell.starts_with(is_name);
        let ends = !smell.ends_with(is_name) || after.is_none_or(|c| !is_name(c));
        !is_word || (before.is_none_or(|c| !is_name(c)) && ends)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sql: &str) -> usize {
        let text = format!("const Q: &str = \"{sql}\";");
        portability(&Source::scan("services/a/src/views.rs", &text)).len()
    }

    #[test]
    fn sql_of_one_database_is_a_finding() {
        for bad in [
            "INSERT OR REPLACE INTO t VALUES ($1)",
            "CREATE TABLE t (id BIGINT PRIMARY KEY AUTOINCREMENT)",
            "SELECT json_extract(doc, '$.a') FROM t",
            "SELECT doc ->> 'a' FROM t",
            "CREATE TABLE t (n INTEGER)",
            "SELECT a FROM t WHERE id = ?",
            "SELECT a::text FROM t",
            "UPDATE t SET at = now()",
        ] {
            assert!(found(bad) > 0, "{bad}");
        }
    }

    #[test]
    fn portable_sql_and_prose_are_not() {
        for good in [
            "INSERT INTO t (id, n) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = excluded.n",
            "CREATE TABLE t (id TEXT PRIMARY KEY, n BIGINT NOT NULL, at BIGINT NOT NULL)",
            "SELECT a FROM t WHERE note = 'what now?' AND kind <> 'JSONB'",
            "is this an INTEGER?",
        ] {
            assert_eq!(found(good), 0, "{good}");
        }
    }

    #[test]
    fn only_services_are_held_to_it() {
        let text = "const Q: &str = \"INSERT OR REPLACE INTO t VALUES ($1)\";";
        assert!(portability(&Source::scan("crates/store/src/sqlite.rs", text)).is_empty());
        assert_eq!(
            script("services/a/migrations/001.sql", "CREATE TABLE t (n SERIAL)").len(),
            1
        );
    }
}
