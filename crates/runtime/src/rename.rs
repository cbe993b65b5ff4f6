//! Statements and schemas of a projection on tables of other names: a rebuild's.

/// `sql` with every table of `tables` (as a whole word) carrying `suffix`.
pub(crate) fn rename(sql: &str, tables: &[&str], suffix: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 16);
    let mut word = String::new();
    for c in sql.chars().chain(std::iter::once('\n')) {
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        out.push_str(&word);
        if tables.contains(&word.as_str()) {
            out.push_str(suffix);
        }
        word.clear();
        out.push(c);
    }
    out.pop();
    out
}

/// The same for a schema, where index names must be new as well.
pub(crate) fn rename_schema(schema: &str, tables: &[&str], suffix: &str) -> String {
    let mut out = String::new();
    let mut after_index = false;
    for piece in rename(schema, tables, suffix).split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        out.push_str(word);
        if after_index && !word.is_empty() {
            out.push_str(suffix);
        }
        after_index = word.eq_ignore_ascii_case("INDEX") || (after_index && word.is_empty());
        out.push_str(&piece[word.len()..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_table_names_are_renamed() {
        let sql = "INSERT INTO orders (id, orders_total) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET x = orders.x";
        let expected = "INSERT INTO orders__1 (id, orders_total) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET x = orders__1.x";
        assert_eq!(rename(sql, &["orders"], "__1"), expected);
    }

    #[test]
    fn index_names_are_new_too() {
        let schema = "CREATE TABLE a (id TEXT); CREATE INDEX a_by_id ON a (id);";
        assert_eq!(
            rename_schema(schema, &["a"], "__1"),
            "CREATE TABLE a__1 (id TEXT); CREATE INDEX a_by_id__1 ON a__1 (id);"
        );
    }
}
