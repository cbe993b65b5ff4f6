//! A product file as a table: columns by name, and rows that cannot be read told apart.

use std::{collections::HashMap, io::Read};

use crate::{
    RowIssue,
    records::{Broken, Record, Records},
};

/// The columns of a file, by name; case and spaces around do not matter.
pub(crate) struct Columns {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Columns {
    fn read(record: &Record) -> Self {
        let names: Vec<String> = (0..record.len())
            .map(|i| record.get(i).unwrap_or_default().trim().to_owned())
            .collect();
        let mut places = HashMap::new();
        for (place, name) in names.iter().enumerate() {
            places.entry(name.to_lowercase()).or_insert(place);
        }
        Self { names, places }
    }

    /// Where a column is.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(&name.to_lowercase()).copied()
    }

    /// All names, in their order.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// What the next row is.
pub(crate) enum Next {
    /// A row, to be had from [`Table::row`].
    Row,
    /// One that cannot be used; fields in front of the trouble may be had from [`Table::row`].
    Unreadable(RowIssue),
}

/// A file with a header.
pub(crate) struct Table<R> {
    records: Records<R>,
    required: &'static [&'static str],
    columns: Option<Columns>,
    /// The last record was broken; until one has the right number of fields, what follows are
    /// pieces of it, not worth a message each.
    recovering: bool,
    ended: bool,
}

impl<R: Read> Table<R> {
    /// A table that must have the columns `required`.
    pub fn new(input: R, required: &'static [&'static str]) -> Self {
        Self {
            records: Records::new(input),
            required,
            columns: None,
            recovering: false,
            ended: false,
        }
    }

    /// The row read last.
    pub fn row(&self) -> Row<'_> {
        Row {
            record: self.records.record(),
            columns: self.columns.as_ref(),
        }
    }

    /// Reads the next row; `None` at the end, which a file without the right header is at once.
    pub fn advance(&mut self) -> Option<Next> {
        if self.columns.is_none()
            && !self.ended
            && let Err(issue) = self.header()
        {
            self.ended = true;
            return Some(Next::Unreadable(issue));
        }
        while !self.ended {
            match self.records.advance() {
                None => self.ended = true,
                Some(Ok(())) => {
                    let trouble = self.trouble();
                    if let Some(issue) = trouble {
                        if self.recovering {
                            continue;
                        }
                        return Some(Next::Unreadable(issue));
                    }
                    self.recovering = false;
                    return Some(Next::Row);
                }
                Some(Err(Broken::Quotes(line))) => {
                    if std::mem::replace(&mut self.recovering, true) {
                        continue;
                    }
                    let message = format!("its quotes do not pair up (line {line} of the file)");
                    return Some(Next::Unreadable(self.issue(None, message)));
                }
                Some(Err(Broken::Io(error))) => {
                    self.ended = true;
                    let message = format!("the file cannot be read any further: {error}");
                    return Some(Next::Unreadable(self.issue(None, message)));
                }
            }
        }
        None
    }

    /// What makes the present row useless.
    fn trouble(&self) -> Option<RowIssue> {
        let record = self.records.record();
        let columns = self.columns.as_ref()?;
        if record.len() != columns.names.len() {
            let message = format!(
                "it has {} fields, the header has {}",
                record.len(),
                columns.names.len()
            );
            return Some(self.issue(None, message));
        }
        let place = record.not_utf8()?;
        let column = columns.names.get(place).map(String::as_str);
        Some(self.issue(column, "is not UTF-8; save the file as CSV in UTF-8".into()))
    }

    fn issue(&self, column: Option<&str>, message: String) -> RowIssue {
        RowIssue::new(self.records.record().row, column, message)
    }

    fn header(&mut self) -> Result<(), RowIssue> {
        let wrong = |message: String| RowIssue::new(1, None, message);
        if let Ok(true) = self.records.is_utf16() {
            return Err(wrong("the file is UTF-16; save it as CSV in UTF-8".into()));
        }
        match self.records.advance() {
            None => return Err(wrong("the file is empty".into())),
            Some(Ok(())) => {}
            Some(Err(Broken::Quotes(_))) => {
                return Err(wrong("the quotes of the header do not pair up".into()));
            }
            Some(Err(Broken::Io(error))) => {
                return Err(wrong(format!("the file cannot be read: {error}")));
            }
        }
        let columns = Columns::read(self.records.record());
        let missing: Vec<&str> = self
            .required
            .iter()
            .copied()
            .filter(|name| columns.place(name).is_none())
            .collect();
        if !missing.is_empty() {
            let separated = match columns.names.as_slice() {
                [only] if only.contains(';') => {
                    " (fields must be parted by commas, not semicolons)"
                }
                [only] if only.contains('\t') => " (fields must be parted by commas, not tabs)",
                _ => "",
            };
            let missing = missing.join("`, `");
            return Err(wrong(format!(
                "the header lacks the column `{missing}`{separated}"
            )));
        }
        self.columns = Some(columns);
        Ok(())
    }

    /// The columns, once a row was read.
    pub fn columns(&self) -> Option<&Columns> {
        self.columns.as_ref()
    }
}

/// A row, by column name.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    record: &'a Record,
    columns: Option<&'a Columns>,
}

impl<'a> Row<'a> {
    /// Its number.
    pub fn number(&self) -> u64 {
        self.record.row
    }

    /// A field, trimmed; `None` when the row does not have it.
    pub fn find(&self, column: &str) -> Option<&'a str> {
        let place = self.columns?.place(column)?;
        self.record.get(place).map(str::trim)
    }

    /// A field, trimmed; empty when the file does not have it.
    pub fn get(&self, column: &str) -> &'a str {
        self.find(column).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(bytes: &[u8]) -> Vec<String> {
        let mut table = Table::new(bytes, &["A", "B"]);
        let mut found = Vec::new();
        while let Some(next) = table.advance() {
            found.push(match next {
                Next::Row => format!("{}{}", table.row().get("a"), table.row().get("B")),
                Next::Unreadable(issue) => issue.to_string(),
            });
        }
        found
    }

    #[test]
    fn a_wrong_header_ends_it_with_one_message() {
        for (bytes, message) in [
            (&b""[..], "row 1: the file is empty"),
            (b"A,C\n1,2\n", "row 1: the header lacks the column `B`"),
            (
                b"A;B\n1;2\n",
                "row 1: the header lacks the column `A`, `B` (fields must be parted by commas, not semicolons)",
            ),
            (
                b"\xff\xfeA\0,\0B\0",
                "row 1: the file is UTF-16; save it as CSV in UTF-8",
            ),
            (
                b"\"A,B\n1,2\n",
                "row 1: the quotes of the header do not pair up",
            ),
        ] {
            assert_eq!(messages(bytes), [message]);
        }
    }

    #[test]
    fn unreadable_rows_are_told_once_and_the_others_kept() {
        let bytes = b"A,B\n1,2\n3\nx,\xff\n\"4,\nrest of it\n\"5\",\"6\"\n7,8\n";
        assert_eq!(
            messages(bytes),
            [
                "12",
                "row 3: it has 1 fields, the header has 2",
                "row 4, B: is not UTF-8; save the file as CSV in UTF-8",
                "row 5: its quotes do not pair up (line 5 of the file)",
                "56",
                "78",
            ]
        );
    }
}
