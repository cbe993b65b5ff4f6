//! What can go wrong with the suite itself. What goes wrong with the shop is a violation.

/// Answers of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// The suite cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A server program.
    #[error(transparent)]
    Engine(#[from] scratch::Error),
    /// The operating system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A look into a database.
    #[error("{what}: {source}")]
    Sql {
        /// What was being looked for.
        what: String,
        /// Why not.
        source: tokio_postgres::Error,
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// Says what was being done when something was refused.
pub trait Doing<T> {
    /// With these words.
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

impl<T> Doing<T> for std::result::Result<T, tokio_postgres::Error> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Sql {
            what: what(),
            source,
        })
    }
}

impl Error {
    /// In words alone.
    pub fn other(words: impl Into<String>) -> Self {
        Self::Other(words.into())
    }
}
