//! A log file per process, and the important lines on the console.

use std::{
    fs::File,
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tracing::Level;

use crate::failure::{Context as _, Result};

/// A file that is longer at a start is put aside first, bytes.
const LONG: u64 = 10 * 1024 * 1024;
/// How many files put aside are kept.
const KEPT: u32 = 3;
/// A longer line is cut, bytes.
const LINE: usize = 64 * 1024;

/// The console.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    level: Level,
    colour: bool,
}

impl Console {
    /// Shows lines of `level` and worse.
    pub fn new(level: Level) -> Self {
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { level, colour }
    }

    /// The level at which processes log: their files have more than the console.
    pub fn file_level(&self) -> Level {
        self.level.max(Level::INFO)
    }

    fn show(&self, name: &str, line: &str) {
        if self.colour {
            // A colour per service, not per process, out of six that can be read on any ground.
            let service = name.rsplit_once('-').map_or(name, |(service, _)| service);
            let sum = service.bytes().map(u32::from).sum::<u32>();
            eprintln!("\u{1b}[{}m{name:<12}\u{1b}[0m {line}", 31 + sum % 6);
        } else {
            eprintln!("{name:<12} {line}");
        }
    }
}

/// The level of a line as `tracing` writes it, `time LEVEL target: text`. Anything else, such as a
/// panic's words, counts as an error: it must be seen.
fn level(line: &str) -> Level {
    let word = line.split_whitespace().nth(1);
    word.and_then(|word| match word {
        "ERROR" | "WARN" | "INFO" | "DEBUG" | "TRACE" => word.parse().ok(),
        _ => None,
    })
    .unwrap_or(Level::ERROR)
}

/// Opens a process's log, after putting a long one aside.
pub fn open(folder: &Path, name: &str) -> Result<File> {
    let path = folder.join(format!("{name}.log"));
    if std::fs::metadata(&path).is_ok_and(|file| file.len() > LONG) {
        rotate(&path);
    }
    let file = File::options().create(true).append(true).open(&path);
    file.with_context(|| format!("cannot write {}", path.display()))
}

/// `x.log` → `x.log.1` → `x.log.2` …; the oldest goes. A file that cannot be renamed grows on.
fn rotate(path: &Path) {
    let aside = |number: u32| PathBuf::from(format!("{}.{number}", path.display()));
    for number in (1..KEPT).rev() {
        let _ = std::fs::rename(aside(number), aside(number + 1));
    }
    let _ = std::fs::rename(path, aside(1));
}

/// Copies what a process says to its file, and what matters to the console, until it ends.
pub async fn copy(name: String, stream: impl AsyncRead + Unpin, mut file: File, console: Console) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        line.truncate(LINE);
        if line.last() != Some(&b'\n') {
            line.push(b'\n');
        }
        // A full disk must not stop the process; the console still shows the line.
        let _ = file.write_all(&line);
        let text = String::from_utf8_lossy(&line);
        if level(&text) <= console.level {
            console.show(&name, text.trim_end());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_no_log_lines_are_errors() {
        assert_eq!(level("2026-01-01T00:00:00Z  INFO souk: hello"), Level::INFO);
        assert_eq!(level("thread 'main' panicked at"), Level::ERROR);
        assert_eq!(level(""), Level::ERROR);
        assert!(Level::ERROR <= Level::WARN && Level::INFO > Level::WARN);
    }

    #[test]
    fn a_long_log_is_put_aside_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..5 {
            let mut file = open(folder.path(), "orders-1").unwrap();
            file.set_len(LONG + 1).unwrap();
            writeln!(file, "{round}").unwrap();
        }
        let mut names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "orders-1.log",
                "orders-1.log.1",
                "orders-1.log.2",
                "orders-1.log.3"
            ]
        );
    }

    #[tokio::test]
    async fn everything_reaches_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = open(folder.path(), "orders-1").unwrap();
        let said: &[u8] = b"one\ntwo \xff\nthree";
        copy("orders-1".into(), said, file, Console::new(Level::ERROR)).await;
        let text = std::fs::read(folder.path().join("orders-1.log")).unwrap();
        assert_eq!(text, b"one\ntwo \xff\nthree\n");
    }
}
