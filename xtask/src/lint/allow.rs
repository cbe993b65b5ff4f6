//! The allow-list: exceptions from the rules, each with its reason. An entry that is no longer
//! needed is itself a finding, so the list can only shrink by accident, never grow.

use super::Finding;

/// Where it is kept.
pub const FILE: &str = "xtask/lint-allow.txt";

struct Entry {
    line: usize,
    rule: String,
    path: String,
    reason: String,
}

/// The parsed list.
pub struct AllowList {
    entries: Vec<Entry>,
}

impl AllowList {
    /// One entry per line: `rule path reason…`; `#` begins a comment.
    pub fn parse(text: &str) -> Self {
        let entries = text.lines().enumerate().filter_map(|(index, line)| {
            let line_text = line.trim();
            if line_text.is_empty() || line_text.starts_with('#') {
                return None;
            }
            let mut words = line_text.splitn(3, char::is_whitespace);
            let mut next = || words.next().unwrap_or_default().trim().to_owned();
            Some(Entry {
                line: index + 1,
                rule: next(),
                path: next(),
                reason: next(),
            })
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// The findings that are not excepted, plus one for every entry that gives no reason or
    /// excepts nothing.
    pub fn apply(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let matches = |e: &Entry, f: &Finding| e.rule == f.rule && e.path == f.path;
        let mut left: Vec<Finding> = Vec::new();
        for entry in &self.entries {
            let complaint = if entry.reason.split_whitespace().count() < 3 {
                "needs a reason: `rule path why this one is different`"
            } else if !findings.iter().any(|finding| matches(entry, finding)) {
                "excepts nothing any more; remove the line"
            } else {
                continue;
            };
            let message = format!("the entry `{} {}` {complaint}", entry.rule, entry.path);
            left.push(Finding::new("allow-list", FILE, entry.line, message));
        }
        let kept = findings
            .into_iter()
            .filter(|finding| !self.entries.iter().any(|entry| matches(entry, finding)));
        left.extend(kept);
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(path: &str) -> Finding {
        Finding::new("size", path, 0, "too long")
    }

    #[test]
    fn an_entry_with_a_reason_excepts_one_rule_on_one_file() {
        let list = AllowList::parse("# why\nsize a.rs it is one table and reads top to bottom\n");
        let left = list.apply(vec![finding("a.rs"), finding("b.rs")]);
        assert_eq!(left, [finding("b.rs")]);
    }

    #[test]
    fn an_entry_without_a_reason_or_without_a_use_is_a_finding() {
        let left = AllowList::parse("size a.rs\nsize b.rs it was long once upon a time\n")
            .apply(vec![finding("a.rs")]);
        let lines: Vec<_> = left.iter().map(|f| (f.rule, f.line)).collect();
        assert_eq!(lines, [("allow-list", 1), ("allow-list", 2)]);
        assert!(left[1].message.contains("remove the line"));
    }
}
