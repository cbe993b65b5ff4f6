//! A Rust file taken apart just enough for the rules: code without comments and literals, the
//! literals, the comments, and which lines are tests. Not a parser: a rule that needs more
//! belongs into the compiler.

/// A line of a file.
#[derive(Debug, Default)]
pub struct Line {
    /// The code; comments are gone and literals are empty.
    pub code: String,
    /// The text of the comments on it.
    pub comment: String,
    /// Part of a test.
    pub test: bool,
}

/// A string literal.
#[derive(Debug)]
pub struct Literal {
    /// The line it begins on, from 1.
    pub line: usize,
    /// What stands between the quotes.
    pub text: String,
}

/// A file.
pub struct Source {
    /// From the root, with forward slashes.
    pub path: String,
    /// All lines.
    pub lines: Vec<Line>,
    /// All string literals.
    pub literals: Vec<Literal>,
}

impl Source {
    /// Takes `text` apart.
    pub fn scan(path: &str, text: &str) -> Self {
        let mut scanner = Scanner {
            chars: text.chars().collect(),
            at: 0,
            lines: vec![Line::default()],
            literals: Vec::new(),
        };
        scanner.run();
        let mut source = Self {
            path: path.to_owned(),
            lines: scanner.lines,
            literals: scanner.literals,
        };
        source.mark_tests();
        source
    }

    /// Lines of shipped code with their numbers.
    pub fn shipped(&self) -> impl Iterator<Item = (usize, &Line)> {
        self.numbered().filter(|(_, line)| !line.test)
    }

    /// All lines with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, &Line)> {
        self.lines
            .iter()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }

    /// Whether the line (from 1) is part of a test.
    pub fn is_test(&self, line: usize) -> bool {
        self.lines
            .get(line.saturating_sub(1))
            .is_some_and(|line| line.test)
    }

    fn mark_tests(&mut self) {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let whole = self
            .path
            .split('/')
            .any(|part| part == "tests" || part == "benches")
            || matches!(name, "tests.rs" | "testing.rs")
            || name.ends_with("_tests.rs");
        if whole {
            self.lines.iter_mut().for_each(|line| line.test = true);
            return;
        }
        let mut from = 0;
        while let Some(start) =
            (from..self.lines.len()).find(|i| is_test_attribute(&self.lines[*i].code))
        {
            let end = self.item_end(start);
            self.lines[start..=end]
                .iter_mut()
                .for_each(|line| line.test = true);
            from = end + 1;
        }
    }

    /// The line on which the item whose attribute stands on line `start` ends.
    fn item_end(&self, start: usize) -> usize {
        let (mut nesting, mut braces) = (0i32, 0i32);
        for (index, line) in self.lines.iter().enumerate().skip(start) {
            for c in line.code.chars() {
                match c {
                    '(' | '[' => nesting += 1,
                    ')' | ']' => nesting -= 1,
                    '{' => braces += 1,
                    '}' => {
                        braces -= 1;
                        if braces == 0 && nesting == 0 && !line.code.trim_end().ends_with(';') {
                            return index;
                        }
                    }
                    ';' if braces == 0 && nesting == 0 => return index,
                    _ => {}
                }
            }
        }
        self.lines.len() - 1
    }
}

fn is_test_attribute(code: &str) -> bool {
    let code = code.trim_start();
    ["#[cfg(test)]", "#[cfg(all(test", "#[test]", "#[tokio::test"]
        .iter()
        .any(|attribute| code.starts_with(attribute))
}

/// Whether `word` stands in `code` by itself (not inside a longer name). A word that ends in a
/// sign such as `(` or `!` may be followed by anything.
pub fn has_word(code: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        let starts = !word.starts_with(is_name) || before.is_none_or(|c| !is_name(c));
        let ends = !word.ends_with(is_name) || after.is_none_or(|c| !is_name(c));
        starts && ends
    })
}

struct Scanner {
    chars: Vec<char>,
    at: usize,
    lines: Vec<Line>,
    literals: Vec<Literal>,
}

impl Scanner {
    fn run(&mut self) {
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                ('/', Some('/')) => self.line_comment(),
                ('/', Some('*')) => self.block_comment(),
                ('"', _) => self.literal(None),
                ('r', Some('"' | '#')) if !self.inside_name() => match self.raw_hashes() {
                    Some(hashes) => self.literal(Some(hashes)),
                    None => self.code(c),
                },
                ('\'', _) => self.quote(),
                _ => self.code(c),
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn line(&mut self) -> &mut Line {
        if self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        let last = self.lines.len() - 1;
        &mut self.lines[last]
    }

    /// Takes one character that is not code; a line break is still a line break.
    fn skip(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        if c == '\n' {
            self.lines.push(Line::default());
        }
        Some(c)
    }

    fn code(&mut self, c: char) {
        if c != '\n' {
            self.line().code.push(c);
        }
        self.skip();
    }

    fn inside_name(&self) -> bool {
        // `br"…"` and `cr"…"` are literals too; any other letter before makes it a name.
        let before = |n: usize| {
            self.at
                .checked_sub(n)
                .and_then(|at| self.chars.get(at))
                .copied()
        };
        let is_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        match before(1) {
            Some('b' | 'c') => is_name(before(2)),
            other => is_name(other),
        }
    }

    fn raw_hashes(&self) -> Option<usize> {
        let hashes = (1..).take_while(|n| self.peek(*n) == Some('#')).count();
        (self.peek(1 + hashes) == Some('"')).then_some(hashes)
    }

    fn line_comment(&mut self) {
        while let Some(c) = self.peek(0).filter(|c| *c != '\n') {
            self.line().comment.push(c);
            self.at += 1;
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.peek(0).is_some() {
            let step = match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => 1,
                (Some('*'), Some('/')) => -1,
                _ => 0,
            };
            if step == 0 {
                if let Some(c) = self.skip().filter(|c| *c != '\n') {
                    self.line().comment.push(c);
                }
                continue;
            }
            self.at += 2;
            depth += step;
            if depth == 0 {
                return;
            }
        }
    }

    fn literal(&mut self, raw: Option<usize>) {
        let line = self.lines.len();
        self.line().code.push_str("\"\"");
        self.at += raw.map_or(1, |hashes| hashes + 2);
        let mut text = String::new();
        while let Some(c) = self.skip() {
            match raw {
                None if c == '\\' => text.extend(self.skip().map(|_| ' ')),
                None if c == '"' => break,
                Some(hashes) if c == '"' && (0..hashes).all(|n| self.peek(n) == Some('#')) => {
                    self.at += hashes;
                    break;
                }
                _ => text.push(c),
            }
        }
        self.literals.push(Literal { line, text });
    }

    /// A character literal or a lifetime.
    fn quote(&mut self) {
        if self.peek(1) == Some('\\') {
            self.at += 3;
            while self.skip().is_some_and(|c| c != '\'') {}
            self.line().code.push_str("' '");
        } else if self.peek(2) == Some('\'') {
            self.at += 3;
            self.line().code.push_str("' '");
        } else {
            self.code('\'');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_not_code() {
        let text = "let a = \"f64 // no\"; // f32\n/* f64 /* nested */ f64 */ let b = r#\"say \"f64\"\"#;\nlet c = '\"'; let d: &'static str = \"\\\"x\";";
        let source = Source::scan("a.rs", text);
        let code: Vec<&str> = source.lines.iter().map(|line| line.code.as_str()).collect();
        assert_eq!(
            code,
            [
                "let a = \"\"; ",
                " let b = \"\";",
                "let c = ' '; let d: &'static str = \"\";"
            ]
        );
        assert_eq!(source.lines[0].comment, "// f32");
        let literals: Vec<_> = source
            .literals
            .iter()
            .map(|l| (l.line, l.text.as_str()))
            .collect();
        assert_eq!(literals, [(1, "f64 // no"), (2, "say \"f64\""), (3, " x")]);
    }

    #[test]
    fn a_literal_over_several_lines_keeps_the_count() {
        let source = Source::scan("a.rs", "let s = \"a\n b\";\nlet t = 1;");
        assert_eq!(source.literals[0].line, 1);
        assert_eq!(source.lines[2].code, "let t = 1;");
    }

    #[test]
    fn tests_are_known_by_attribute_and_by_file() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { let x = [1; 2]; }\n}\nfn c() {}\n#[cfg(test)]\nuse x::{y, z};\nfn d() {}";
        let source = Source::scan("crates/a/src/a.rs", text);
        let shipped: Vec<_> = source.shipped().map(|(number, _)| number).collect();
        assert_eq!(shipped, [1, 6, 9]);
        for path in [
            "services/a/tests/flow.rs",
            "services/a/src/cart_tests.rs",
            "services/a/src/tests.rs",
        ] {
            assert_eq!(Source::scan(path, text).shipped().count(), 0, "{path}");
        }
    }

    #[test]
    fn a_word_is_not_part_of_a_name() {
        assert!(has_word("x as f64;", "f64"));
        assert!(!has_word("let of64 = 1;", "f64"));
        assert!(!has_word("let f64_bits = 1;", "f64"));
        assert!(has_word("todo!()", "todo!"));
    }
}
