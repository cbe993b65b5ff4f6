//! What the store must be asked before a batch is decided, beside the streams: the records of
//! idempotent requests, and whether due timers still stand.

use std::{collections::HashMap, sync::Arc};

use kernel::{KeyRing, Statement, Stored, Timestamp};
use store::{Rows, StoreError, system};

use crate::{item::Item, plan::records_owner};

/// Answers of the store for one batch.
#[derive(Default)]
pub(crate) struct Known {
    /// Body hash and answer by scope.
    answers: HashMap<String, (String, Stored)>,
    /// When timers are due, by key.
    timers: HashMap<String, Timestamp>,
}

impl Known {
    /// What the store must be asked for `items`.
    pub fn questions(items: &[Item]) -> Vec<Statement> {
        items.iter().filter_map(question).collect()
    }

    /// The store's answers to [`Known::questions`].
    pub fn answered(
        items: &[Item],
        answers: Vec<Rows>,
        keys: &Arc<dyn KeyRing>,
    ) -> Result<Self, StoreError> {
        let mut known = Self::default();
        let asking = items.iter().filter(|item| question(item).is_some());
        for (item, rows) in asking.zip(answers) {
            known.take(item, &rows, keys)?;
        }
        Ok(known)
    }

    fn take(
        &mut self,
        item: &Item,
        rows: &Rows,
        keys: &Arc<dyn KeyRing>,
    ) -> Result<(), StoreError> {
        let Some(row) = rows.first() else {
            return Ok(());
        };
        match item {
            Item::Timer { timer, .. } => {
                self.timers.insert(timer.key.clone(), row.get(0));
            }
            Item::Command { submission, .. } => {
                let Some((key, _)) = &submission.once else {
                    return Ok(());
                };
                let data = |reason: String| StoreError::Data(reason);
                let sealed: Vec<u8> = row.get(1);
                let plain = keys.open(&records_owner(), &sealed);
                let plain = plain.map_err(|e| data(e.to_string()))?.unwrap_or_default();
                let stored = serde_json::from_slice(&plain).map_err(|e| data(e.to_string()))?;
                self.answers.insert(key.scope.clone(), (row.get(0), stored));
            }
            _ => {}
        }
        Ok(())
    }

    /// The record of a request.
    pub fn answer(&self, scope: &str) -> Option<&(String, Stored)> {
        self.answers.get(scope)
    }

    /// When a timer is due, if it stands.
    pub fn timer(&self, key: &str) -> Option<Timestamp> {
        self.timers.get(key).copied()
    }
}

fn question(item: &Item) -> Option<Statement> {
    match item {
        Item::Command { submission, .. } => {
            let (key, _) = submission.once.as_ref()?;
            Some(system::recall_answer(&key.scope))
        }
        Item::Timer { timer, .. } => Some(system::timer_due(&timer.key)),
        _ => None,
    }
}
