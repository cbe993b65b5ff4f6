//! Where a replay notes what is done, so that an interrupted one goes on. The journal only saves
//! work: every request carries an idempotency key made from the file, so what it has lost is asked
//! for again and answered as before.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::Path,
    sync::Mutex,
};

use crate::failure::{Context as _, Failure, Result};
use serde::{Deserialize, Serialize};

/// A sale that has come to its end.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Placed {
    /// The invoice.
    pub invoice: String,
    /// The order, if one came to be.
    pub order: Option<String>,
    /// Its payment.
    pub payment: Option<String>,
    /// `confirmed`, `cancelled`, or why it was refused.
    pub status: String,
    /// Captured, pence.
    pub captured: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Run { id: String },
    Sale(Placed),
    Refund { key: String },
    Prepared,
}

/// What an earlier run had done.
#[derive(Default)]
pub struct Done {
    /// Sales by invoice.
    pub sales: HashMap<String, Placed>,
    /// Refunds by key.
    pub refunds: std::collections::HashSet<String>,
    /// Whether catalogue and stock are in place.
    pub prepared: bool,
}

/// An append-only file of JSON lines.
pub struct Journal(Mutex<File>);

impl Journal {
    /// Opens or begins the journal of the run `id` (the same file replayed with the same options).
    pub fn open(path: &Path, id: &str) -> Result<(Self, Done)> {
        let mut done = Done::default();
        let mut known = false;
        if let Ok(file) = File::open(path) {
            for line in BufReader::new(file).lines() {
                let line = line.context("the journal cannot be read")?;
                // The last line of a killed run may be torn: what it said is simply done again.
                match serde_json::from_str(&line) {
                    Ok(Entry::Run { id: other }) if other != id => {
                        return Err(Failure::new(format!(
                            "{} belongs to another replay; remove it or name another with --journal",
                            path.display()
                        )));
                    }
                    Ok(Entry::Run { .. }) => known = true,
                    Ok(Entry::Sale(placed)) => {
                        drop(done.sales.insert(placed.invoice.clone(), placed))
                    }
                    Ok(Entry::Refund { key }) => drop(done.refunds.insert(key)),
                    Ok(Entry::Prepared) => done.prepared = true,
                    Err(_) => {}
                }
            }
        }
        let opened = OpenOptions::new().create(true).append(true).open(path);
        let mut file =
            opened.with_context(|| format!("cannot write the journal {}", path.display()))?;
        // Behind a torn line the next entry must begin on a line of its own.
        file.write_all(b"\n").context("cannot write the journal")?;
        let journal = Self(Mutex::new(file));
        if !known {
            journal.write(&Entry::Run { id: id.to_owned() });
        }
        Ok((journal, done))
    }

    /// Notes that a sale has come to its end.
    pub fn sale(&self, placed: &Placed) {
        self.write(&Entry::Sale(placed.clone()));
    }

    /// Notes a finished refund.
    pub fn refund(&self, key: &str) {
        self.write(&Entry::Refund {
            key: key.to_owned(),
        });
    }

    /// Notes that catalogue and stock are in place.
    pub fn prepared(&self) {
        self.write(&Entry::Prepared);
    }

    fn write(&self, entry: &Entry) {
        if let (Ok(mut file), Ok(mut line)) = (self.0.lock(), serde_json::to_string(entry)) {
            line.push('\n');
            // A journal that cannot be written costs only time at the next run.
            let _ = file.write_all(line.as_bytes());
        }
    }
}
