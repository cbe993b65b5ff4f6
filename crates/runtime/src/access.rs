//! How one batch reaches the store: like everybody, or while it holds the head of the log.

use std::sync::Arc;

use store::{
    Batch, Committed, HeldHead, LoadStream, LoadedStream, Rows, Statement, Store, StoreError,
};

/// A batch's way to the store.
pub(crate) enum Access {
    /// Others may commit meanwhile.
    Open(Arc<dyn Store>),
    /// Nobody else commits until this one has.
    Held(Box<dyn HeldHead>),
}

impl Access {
    pub async fn load(
        &mut self,
        streams: Vec<LoadStream>,
    ) -> Result<Vec<LoadedStream>, StoreError> {
        match self {
            _ if streams.is_empty() => Ok(Vec::new()),
            Self::Open(store) => store.load(streams).await,
            Self::Held(head) => head.load(streams).await,
        }
    }

    pub async fn query(&mut self, statements: Vec<Statement>) -> Result<Vec<Rows>, StoreError> {
        match self {
            _ if statements.is_empty() => Ok(Vec::new()),
            Self::Open(store) => store.query(statements).await,
            Self::Held(head) => head.query(statements).await,
        }
    }

    /// Both, side by side where that can be.
    pub async fn ask(
        &mut self,
        statements: Vec<Statement>,
        streams: Vec<LoadStream>,
    ) -> Result<(Vec<Rows>, Vec<LoadedStream>), StoreError> {
        match self {
            Self::Open(store) if !statements.is_empty() && !streams.is_empty() => {
                tokio::try_join!(store.query(statements), store.load(streams))
            }
            _ => Ok((self.query(statements).await?, self.load(streams).await?)),
        }
    }

    pub async fn commit(self, batch: Batch) -> Result<Committed, StoreError> {
        match self {
            Self::Open(store) => store.commit(batch).await,
            Self::Held(head) => head.commit(batch).await,
        }
    }
}
