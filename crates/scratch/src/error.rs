//! What can go wrong, and what to do about it.

use std::path::{Path, PathBuf};

/// Answers of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A server cannot be started or spoken to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program is not installed.
    #[error(
        "the program `{program}` is not installed; on Debian and Ubuntu: apt-get install {package}"
    )]
    Missing {
        /// The program that was looked for.
        program: &'static str,
        /// Debian's package that brings it.
        package: &'static str,
    },
    /// PostgreSQL refuses to run as root, and the user it runs as instead cannot reach the folder.
    #[error(
        "PostgreSQL does not run as root, and the user `{user}` it is run as cannot enter {}: choose a folder that others may enter, such as one under /var/lib",
        folder.display()
    )]
    Unreachable {
        /// The first folder on the way that cannot be entered.
        folder: PathBuf,
        /// Whom PostgreSQL is run as.
        user: String,
    },
    /// The operating system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A program ended with an error, or a server ended when it should have started.
    #[error("{program} failed: {said}")]
    Failed {
        /// The program.
        program: String,
        /// Its last words.
        said: String,
    },
    /// A server did not get as far as it should in time.
    #[error("{what} took longer than {seconds} s: {said}")]
    TooLong {
        /// What was waited for.
        what: String,
        /// How long, seconds.
        seconds: u64,
        /// The last lines of its log.
        said: String,
    },
    /// The server was stopped or killed, and not started again.
    #[error("the server is not running")]
    NotRunning,
}

/// Says what was being done when the operating system refused.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io {
            what: what(),
            source,
        })
    }
}

/// The end of a log file, for an error message.
pub(crate) fn last_words(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
