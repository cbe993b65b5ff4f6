//! A strict, streaming reader of CSV (RFC 4180). Strict, because a quote that is never closed must
//! be noticed, not swallow the rest of the file: after a broken record it goes on with the next
//! line. Holds one record at a time, of at most [`MAX_RECORD`] bytes.

use std::{io::Read, ops::Range};

/// Longest record, in bytes. What seems longer is an open quote.
pub(crate) const MAX_RECORD: usize = 1024 * 1024;
const CHUNK: usize = 64 * 1024;

/// One record: its fields without their quotes.
#[derive(Default)]
pub(crate) struct Record {
    /// Its number; the header is 1.
    pub row: u64,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Record {
    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    fn range(&self, index: usize) -> Option<Range<usize>> {
        let end = *self.ends.get(index)?;
        let start = match index {
            0 => 0,
            _ => self.ends[index - 1],
        };
        Some(start..end)
    }

    /// A field as text; `None` when it is not there or not UTF-8.
    pub fn get(&self, index: usize) -> Option<&str> {
        let field = self.text.get(self.range(index)?)?;
        std::str::from_utf8(field).ok()
    }

    /// The first field that is not UTF-8.
    pub fn not_utf8(&self) -> Option<usize> {
        match std::str::from_utf8(&self.text) {
            Ok(_) => None,
            Err(error) => self.ends.iter().position(|end| *end > error.valid_up_to()),
        }
    }

    fn is_blank(&self) -> bool {
        self.ends.len() == 1 && self.text.is_empty()
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    fn end_field(&mut self) {
        self.ends.push(self.text.len());
    }
}

/// Why a record could not be read.
#[derive(Debug)]
pub(crate) enum Broken {
    /// Its quotes do not pair up; the physical line it begins on.
    Quotes(u64),
    /// The file could not be read any further.
    Io(std::io::Error),
}

enum Parsed {
    /// So many bytes were it.
    Complete(usize),
    /// It goes on behind the bytes there are.
    More,
    Broken,
}

/// The records of a file.
pub(crate) struct Records<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    at_end: bool,
    begun: bool,
    line: u64,
    record: Record,
}

impl<R: Read> Records<R> {
    pub fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::with_capacity(2 * CHUNK),
            start: 0,
            at_end: false,
            begun: false,
            line: 1,
            record: Record::default(),
        }
    }

    /// The record read last; after a broken one, the fields in front of the break.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Whether the file begins like UTF-16, which spreadsheets call "Unicode text".
    pub fn is_utf16(&mut self) -> Result<bool, Broken> {
        while self.buffer.len() < 2 && !self.at_end {
            self.fill()?;
        }
        Ok(matches!(
            self.buffer.get(..2),
            Some([0xff, 0xfe] | [0xfe, 0xff])
        ))
    }

    /// Reads the next record that is not blank; `None` at the end.
    pub fn advance(&mut self) -> Option<Result<(), Broken>> {
        loop {
            if !self.begun {
                if let Err(error) = self.skip_mark() {
                    return Some(Err(error));
                }
                self.begun = true;
            }
            let parsed = parse(&self.buffer[self.start..], self.at_end, &mut self.record);
            let available = self.buffer.len() - self.start;
            match parsed {
                Parsed::Complete(0) => return None,
                Parsed::Complete(length) => {
                    self.record.row += 1;
                    self.consume(length);
                    if !self.record.is_blank() {
                        return Some(Ok(()));
                    }
                }
                Parsed::More if available < MAX_RECORD => {
                    if let Err(error) = self.fill() {
                        return Some(Err(error));
                    }
                }
                Parsed::More | Parsed::Broken => {
                    self.record.row += 1;
                    let line = self.line;
                    let skipped = self.skip_line();
                    return Some(skipped.and(Err(Broken::Quotes(line))));
                }
            }
        }
    }

    fn skip_mark(&mut self) -> Result<(), Broken> {
        while self.buffer.len() < 3 && !self.at_end {
            self.fill()?;
        }
        if self.buffer.starts_with(&[0xef, 0xbb, 0xbf]) {
            self.start = 3;
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<(), Broken> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let had = self.buffer.len();
        self.buffer.resize(had + CHUNK, 0);
        let read = loop {
            match self.input.read(&mut self.buffer[had..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(had + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => self.at_end = true,
            Ok(_) => {}
            Err(error) => {
                self.at_end = true;
                return Err(Broken::Io(error));
            }
        }
        Ok(())
    }

    fn consume(&mut self, length: usize) {
        let record = &self.buffer[self.start..self.start + length];
        let lines = record.iter().filter(|byte| **byte == b'\n').count();
        self.line += lines as u64;
        self.start += length;
    }

    /// Goes behind the first line end, wherever the quotes are.
    fn skip_line(&mut self) -> Result<(), Broken> {
        loop {
            let rest = &self.buffer[self.start..];
            let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let length = match end.map(|end| (end, rest.get(end + 1))) {
                // Whether a line feed follows is not known yet.
                Some((end, None)) if rest[end] == b'\r' && !self.at_end => end,
                Some((end, Some(b'\n'))) if rest[end] == b'\r' => end + 2,
                Some((end, _)) => end + 1,
                None => rest.len(),
            };
            let ended = end.is_some_and(|end| length > end) || self.at_end;
            self.consume(length);
            if ended {
                return Ok(());
            }
            self.fill()?;
        }
    }
}

/// Reads one record from the front of `bytes` into `record`.
fn parse(bytes: &[u8], at_end: bool, record: &mut Record) -> Parsed {
    record.clear();
    let mut at = 0;
    if bytes.is_empty() {
        return if at_end {
            Parsed::Complete(0)
        } else {
            Parsed::More
        };
    }
    loop {
        if bytes.get(at) == Some(&b'"') {
            match quoted(&bytes[at + 1..], at_end, &mut record.text) {
                Parsed::Complete(length) => at += 1 + length,
                other => return other,
            }
        } else {
            let field = &bytes[at..];
            let end = field.iter().position(|b| matches!(b, b',' | b'\n' | b'\r'));
            let end = end.unwrap_or(field.len());
            record.text.extend_from_slice(&field[..end]);
            at += end;
        }
        // What stands here ends the field.
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b','), _) => {
                record.end_field();
                at += 1;
            }
            (Some(b'\r'), None) if !at_end => return Parsed::More,
            (Some(b'\r'), Some(b'\n')) => {
                record.end_field();
                return Parsed::Complete(at + 2);
            }
            (Some(_), _) => {
                record.end_field();
                return Parsed::Complete(at + 1);
            }
            (None, _) if at_end => {
                record.end_field();
                return Parsed::Complete(at);
            }
            (None, _) => return Parsed::More,
        }
    }
}

/// Reads a quoted field from behind its opening quote to behind its closing one.
fn quoted(bytes: &[u8], at_end: bool, text: &mut Vec<u8>) -> Parsed {
    let mut at = 0;
    loop {
        let Some(quote) = bytes[at..].iter().position(|byte| *byte == b'"') else {
            return if at_end { Parsed::Broken } else { Parsed::More };
        };
        text.extend_from_slice(&bytes[at..at + quote]);
        at += quote + 1;
        match bytes.get(at) {
            Some(b'"') => {
                text.push(b'"');
                at += 1;
            }
            Some(b',' | b'\n' | b'\r') => return Parsed::Complete(at),
            Some(_) => return Parsed::Broken,
            None if at_end => return Parsed::Complete(at),
            None => return Parsed::More,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives a few bytes at a time, so that every boundary is met.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    type Rows = Vec<Result<Vec<String>, u64>>;

    fn read(bytes: &[u8], step: usize) -> Rows {
        let mut records = Records::new(Trickle(bytes, step));
        let mut rows = Vec::new();
        while let Some(next) = records.advance() {
            rows.push(match next {
                Ok(()) => {
                    let record = records.record();
                    let fields = (0..record.len()).map(|i| record.get(i).unwrap_or("?").to_owned());
                    Ok(fields.collect())
                }
                Err(Broken::Quotes(line)) => Err(line),
                Err(Broken::Io(error)) => panic!("{error}"),
            });
        }
        rows
    }

    fn ok(fields: &[&str]) -> Result<Vec<String>, u64> {
        Ok(fields.iter().map(|f| (*f).to_owned()).collect())
    }

    #[test]
    fn fields_quotes_and_line_ends() {
        let text = "\u{feff}a,b,c\r\n\"x, \"\"y\"\"\nz\",,\"\"\n\nlast,5\" pipe,é\rend";
        let wanted = vec![
            ok(&["a", "b", "c"]),
            ok(&["x, \"y\"\nz", "", ""]),
            ok(&["last", "5\" pipe", "é"]),
            ok(&["end"]),
        ];
        for step in [1, 2, 3, 7, 1_000] {
            assert_eq!(
                read(text.as_bytes(), step),
                wanted,
                "{step} bytes at a time"
            );
        }
    }

    #[test]
    fn a_broken_record_costs_one_line_not_the_rest() {
        let text = "h,i\nopen,\"never closed\nnext,\"fine\"\n\"ab\"c,1\nlast,row\n";
        for step in [1, 5, 1_000] {
            assert_eq!(
                read(text.as_bytes(), step),
                vec![
                    ok(&["h", "i"]),
                    Err(2),
                    ok(&["next", "fine"]),
                    Err(4),
                    ok(&["last", "row"]),
                ]
            );
        }
    }

    #[test]
    fn an_endless_quote_is_given_up() {
        let mut text = b"a,b\nx,\"".to_vec();
        text.extend(std::iter::repeat_n(b"line\n".as_slice(), MAX_RECORD / 4).flatten());
        let rows = read(&text, CHUNK);
        assert_eq!(rows[1], Err(2));
        assert_eq!(rows[2], ok(&["line"]));
    }

    #[test]
    fn rows_are_numbered_with_blank_ones() {
        let mut records = Records::new("h\n\nx\n".as_bytes());
        let mut numbers = Vec::new();
        while let Some(Ok(())) = records.advance() {
            numbers.push(records.record().row);
        }
        assert_eq!(numbers, [1, 3]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in proptest::collection::vec(
            proptest::collection::vec("[a-z\",\n\r é]{0,8}", 2..5), 1..8), step in 1usize..50)
        {
            let mut text = String::new();
            for row in &rows {
                let fields: Vec<String> =
                    row.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect();
                text.push_str(&fields.join(","));
                text.push_str("\r\n");
            }
            let wanted: Rows = rows.into_iter().map(Ok).collect();
            prop_assert_eq!(read(text.as_bytes(), step), wanted);
        }

        #[test]
        fn any_bytes_are_read_the_same_however_they_arrive(
            bytes in proptest::collection::vec(prop_oneof![
                Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200),
            step in 1usize..20)
        {
            prop_assert_eq!(read(&bytes, step), read(&bytes, 1_000));
        }
    }
}
