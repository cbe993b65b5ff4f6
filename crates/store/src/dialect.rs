//! From portable SQL to SQLite's: types, `STRICT`, and placeholders bound by number. PostgreSQL takes
//! portable SQL as it is.

/// `$n` becomes `?n`: SQLite numbers `$n` by first appearance, `?n` by n.
pub(crate) fn placeholders(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut chars = sql.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        quoted ^= c == '\'';
        match c {
            '$' if !quoted && chars.peek().is_some_and(char::is_ascii_digit) => out.push('?'),
            _ => out.push(c),
        }
    }
    out
}

/// Splits a script at semicolons and translates each statement of a schema.
pub(crate) fn schema_statements(script: &str) -> Vec<String> {
    let statements = statements(script).into_iter();
    statements.map(|text| schema_statement(&text)).collect()
}

/// Splits a script at semicolons; comments are left out.
pub(crate) fn statements(script: &str) -> Vec<String> {
    let without_comments: Vec<&str> = script
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .collect();
    without_comments
        .join("\n")
        .split(';')
        .map(str::trim)
        .filter(|statement| !statement.is_empty())
        .map(str::to_owned)
        .collect()
}

fn schema_statement(statement: &str) -> String {
    let mut text = String::with_capacity(statement.len() + 8);
    let mut word = String::new();
    for c in statement.chars().chain(std::iter::once(' ')) {
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        match word.to_ascii_uppercase().as_str() {
            "BIGINT" => text.push_str("INTEGER"),
            "BYTEA" => text.push_str("BLOB"),
            _ => text.push_str(&word),
        }
        word.clear();
        text.push(c);
    }
    let mut text = text.trim_end().to_owned();
    if text.to_ascii_uppercase().starts_with("CREATE TABLE") {
        text.push_str(" STRICT");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_bound_by_number() {
        assert_eq!(
            placeholders("UPDATE t SET a = $2 WHERE b = $1"),
            "UPDATE t SET a = ?2 WHERE b = ?1"
        );
        assert_eq!(placeholders("SELECT '$1' || $1"), "SELECT '$1' || ?1");
    }

    #[test]
    fn types_become_sqlites_and_tables_strict() {
        let found = schema_statements(
            "-- why\nCREATE TABLE t (a BIGINT NOT NULL, b BYTEA);\nCREATE INDEX t_a ON t (a);",
        );
        assert_eq!(
            found,
            [
                "CREATE TABLE t (a INTEGER NOT NULL, b BLOB) STRICT",
                "CREATE INDEX t_a ON t (a)"
            ]
        );
    }
}
