//! Queries answered by standbys, as far as these have got.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use kernel::{Rows, Statement};
use tokio::time::{Instant, timeout};

use super::{
    questions,
    reader::Readers,
    server::{Purpose, Server},
    session::Step,
};

/// How long a standby is given before the database itself is asked.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a standby that did not answer is left alone.
const REST: Duration = Duration::from_secs(2);

/// The standbys of a database.
pub(super) struct Replicas {
    readers: Readers,
    resting: Mutex<Option<Instant>>,
}

impl Replicas {
    /// The server's standbys, if it has any.
    pub fn of(server: &Server, most: usize) -> Option<Self> {
        server.has_replicas().then(|| Self {
            readers: Readers::new(server.clone(), Purpose::Replica, most),
            resting: Mutex::default(),
        })
    }

    /// The answers of a standby that has everything up to `floor`, and how far it is; `None` if
    /// there is none now, or if it has trouble: then the database itself must be asked.
    pub async fn ask(&self, floor: i64, statements: &[Statement]) -> Option<(i64, Vec<Rows>)> {
        if self.rests() {
            return None;
        }
        let asking = self.readers.ask(|| with_head(statements), Duration::ZERO);
        let Ok(Ok(answers)) = timeout(PATIENCE, asking).await else {
            let until = Instant::now() + REST;
            *self.resting.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
            return None;
        };
        let (position, answers) = split_head(answers);
        (position >= floor).then_some((position, answers))
    }

    fn rests(&self) -> bool {
        let until = *self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// Ends it.
    pub fn close(&self) {
        self.readers.close();
    }
}

/// The statements with the head of the log before them, all of one moment.
pub(super) fn with_head(statements: &[Statement]) -> Vec<Step<'_>> {
    let mut steps = vec![questions::head()];
    steps.extend(statements.iter().map(Step::from));
    steps
}

/// The head's position, and the other answers.
pub(super) fn split_head(mut answers: Vec<Rows>) -> (i64, Vec<Rows>) {
    let rest = answers.split_off(answers.len().min(1));
    let head = answers.first().and_then(|rows| rows.first());
    (head.map_or(0, |row| row.get(0)), rest)
}
