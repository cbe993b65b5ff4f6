//! A second PostgreSQL server that follows a first, and can take its place.

use std::{path::Path, time::Duration};

use crate::{Error, Postgres, Result, error::last_words, postgres::said, server::wait_until};

/// How long a standby may take to begin following.
const FOLLOW: Duration = Duration::from_secs(60);

impl Postgres {
    /// A standby of `primary` in a new folder: a copy, kept up by streaming, that can be read.
    /// With `sync`, the primary acknowledges a commit only when the standby has it on disk (and
    /// waits for ever if there is no standby: `ALTER SYSTEM RESET synchronous_standby_names`).
    /// Returns when it follows.
    pub fn standby_of(primary: &Self, folder: &Path, sync: bool) -> Result<Self> {
        let mut options = primary.options.clone();
        options.port = None;
        let mut standby = Self::prepare(folder, options)?;
        let name = name(&standby.folder);
        let source = format!(
            "host=127.0.0.1 port={} user=postgres application_name={name}",
            primary.port()
        );
        let mut copy = standby.program("pg_basebackup");
        copy.arg("-D").arg(standby.data()).args(["-d", &source]);
        copy.args(["-X", "stream", "-R", "-c", "fast", "--no-sync"]);
        said(&mut copy)?;
        standby.start_again()?;
        if sync {
            let set = format!("ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 ({name})'");
            primary.sql("postgres", &set)?;
            primary.sql("postgres", "SELECT pg_reload_conf()")?;
        }
        let wanted = if sync { "streaming|sync" } else { "streaming|" };
        let look = format!(
            "SELECT state, sync_state FROM pg_stat_replication WHERE application_name = '{name}'"
        );
        let follows = wait_until(FOLLOW, || {
            primary
                .sql("postgres", &look)
                .is_ok_and(|state| state.starts_with(wanted))
        });
        match follows {
            true => Ok(standby),
            false => Err(Error::TooLong {
                what: "following the primary".into(),
                seconds: FOLLOW.as_secs(),
                said: last_words(&standby.log()),
            }),
        }
    }

    /// Makes a standby a primary; returns when it can be written. Nothing is done about the old
    /// primary: whoever promotes must know that it is dead.
    pub fn promote(&self) -> Result<()> {
        self.sql("postgres", "SELECT pg_promote(true, 60)")?;
        let writable = wait_until(FOLLOW, || {
            self.sql("postgres", "SELECT pg_is_in_recovery()")
                .is_ok_and(|answer| answer == "f")
        });
        match writable {
            true => Ok(()),
            false => Err(Error::TooLong {
                what: "the promotion".into(),
                seconds: FOLLOW.as_secs(),
                said: last_words(&self.log()),
            }),
        }
    }
}

/// A name for the primary to know the standby by, from its folder's.
fn name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .flat_map(char::to_lowercase)
        .collect();
    format!("standby_{plain}")
}
