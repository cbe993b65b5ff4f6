//! The engines under the shop: a PostgreSQL primary with a synchronous standby, and NATS. Every
//! call blocks.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use scratch::{Nats, NatsOptions, Postgres, PostgresOptions};

use crate::{
    disk::SmallDisk,
    error::{Doing as _, Error, Result},
    schedule::{BUSY, SERVICES},
};

/// How long a standby may take to catch up after its primary was restarted.
const IN_SYNC: Duration = Duration::from_secs(3);

/// Two places for a server each, of which one holds the primary.
pub struct Databases {
    folder: PathBuf,
    servers: [Option<Postgres>; 2],
    primary: usize,
    /// The primary's small disks, by service.
    disks: HashMap<&'static str, SmallDisk>,
    /// Servers made so far, for a folder of its own each.
    made: u32,
}

/// The name of a service's database.
pub fn database(service: &str) -> String {
    format!("souk_{service}")
}

impl Databases {
    /// A primary with empty databases for all services and the key ring, and its standby.
    pub fn start(folder: &Path) -> Result<Self> {
        let options = PostgresOptions {
            fsync: true,
            max_connections: 400,
            settings: vec![
                "wal_level=replica".into(),
                "max_wal_senders=6".into(),
                "synchronous_commit=on".into(),
                "wal_receiver_status_interval=1".into(),
                "wal_retrieve_retry_interval=100ms".into(),
                "hot_standby=on".into(),
                // Otherwise a crash is followed by seconds of fsync, file by file.
                "recovery_init_sync_method=syncfs".into(),
                "log_min_messages=log".into(),
                "log_line_prefix=%m [%p] ".into(),
            ],
            ..PostgresOptions::default()
        };
        let primary = Postgres::start(&folder.join("postgres1"), options)?;
        for service in SERVICES.into_iter().chain(["keyring"]) {
            primary.create_database(&database(service))?;
        }
        let mut databases = Self {
            folder: folder.to_owned(),
            servers: [Some(primary), None],
            primary: 0,
            disks: HashMap::new(),
            made: 1,
        };
        databases.repair()?;
        Ok(databases)
    }

    /// The ports of the two places; `None` where there is no server.
    pub fn ports(&self) -> [Option<u16>; 2] {
        [0, 1].map(|place| self.servers[place].as_ref().map(Postgres::port))
    }

    /// Where a database is now.
    pub fn url(&self, database: &str) -> String {
        let primary = self.servers[self.primary].as_ref();
        primary.map_or_else(String::new, |primary| primary.url(database))
    }

    /// Log files of the servers there are.
    pub fn logs(&self) -> Vec<PathBuf> {
        self.servers.iter().flatten().map(Postgres::log).collect()
    }

    /// Whether a service's disk can be full.
    pub fn has_disk(&self, service: &str) -> bool {
        self.disks.contains_key(service)
    }

    fn primary(&mut self) -> Result<&mut Postgres> {
        let primary = self.servers[self.primary].as_mut();
        primary.ok_or_else(|| Error::other("there is no primary"))
    }

    /// Kills the primary with all its processes, and starts it again after a while.
    pub fn restart(&mut self, down: Duration) -> Result<()> {
        let primary = self.primary()?;
        primary.kill()?;
        std::thread::sleep(down);
        Ok(primary.start_again()?)
    }

    /// The primary is gone with its disk; after a while the standby takes its place. `false` when
    /// no operator would do that, because the standby is not in sync.
    pub fn lose_primary(&mut self, after: Duration) -> Result<bool> {
        if !self.in_sync()? {
            return Ok(false);
        }
        let lost = self.servers[self.primary].take();
        let mut lost = lost.ok_or_else(|| Error::other("there is no primary"))?;
        lost.kill()?;
        let log = lost.log();
        let folder = log.parent().map(Path::to_owned);
        drop(lost);
        self.disks.clear();
        // Moved away, not deleted: that would take longer than the loss should last.
        if let Some(folder) = folder {
            let gone = std::fs::rename(&folder, folder.with_extension("lost"));
            gone.doing(|| "a disk cannot be lost".into())?;
        }
        std::thread::sleep(after);
        self.primary = 1 - self.primary;
        self.primary()?.promote()?;
        Ok(true)
    }

    fn in_sync(&mut self) -> Result<bool> {
        let standby = self.servers[1 - self.primary].is_some();
        let primary = self.primary()?;
        let look = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'";
        let since = Instant::now();
        if !standby {
            return Ok(false);
        }
        while since.elapsed() <= IN_SYNC {
            if primary.sql("postgres", look)? == "1" {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(false)
    }

    /// Everything whole again: a primary with small disks, and a standby in sync.
    pub fn repair(&mut self) -> Result<()> {
        self.free_disks();
        self.primary()?.start_again()?;
        if self.disks.is_empty() {
            self.mount_disks()?;
        }
        let other = 1 - self.primary;
        if let Some(standby) = &mut self.servers[other] {
            standby.start_again()?;
        } else {
            self.made += 1;
            let folder = self.folder.join(format!("postgres{}", self.made));
            let standby = Postgres::standby_of(self.primary()?, &folder, true)?;
            self.servers[other] = Some(standby);
        }
        match self.in_sync()? {
            true => Ok(()),
            false => Err(Error::other("the standby does not follow its primary")),
        }
    }

    fn mount_disks(&mut self) -> Result<()> {
        let primary = self.primary()?;
        let names = "SELECT datname, oid FROM pg_database";
        let oids: HashMap<String, String> = primary
            .sql("postgres", names)?
            .lines()
            .filter_map(|line| line.split_once('|'))
            .map(|(name, oid)| (name.to_owned(), oid.to_owned()))
            .collect();
        let log = primary.log();
        let data = log.parent().map(|folder| folder.join("data").join("base"));
        let data = data.ok_or_else(|| Error::other("PostgreSQL has no folder"))?;
        primary.stop()?;
        let mut disks = HashMap::new();
        for service in BUSY {
            let aside = self.folder.join(format!("aside-{}-{service}", self.made));
            if let Some(oid) = oids.get(&database(service))
                && let Some(disk) = SmallDisk::under(&data.join(oid), &aside)?
            {
                disks.insert(service, disk);
            }
        }
        self.disks = disks;
        Ok(self.primary()?.start_again()?)
    }

    /// The disk of a service is full for a while; `false` when it has none that could be.
    pub fn fill_disk(&self, service: &str) -> Result<bool> {
        match self.disks.get(service) {
            Some(disk) => disk.fill().map(|()| true),
            None => Ok(false),
        }
    }

    /// There is room again, everywhere.
    pub fn free_disks(&self) {
        self.disks.values().for_each(SmallDisk::free);
    }
}

impl Drop for Databases {
    fn drop(&mut self) {
        // Before the disks go from under them.
        self.servers = [None, None];
    }
}

/// A NATS server that can be killed and is started again with the same streams.
pub fn broker(folder: &Path) -> Result<Nats> {
    std::fs::create_dir_all(folder).doing(|| format!("cannot make {}", folder.display()))?;
    Ok(Nats::start(&folder.join("nats"), NatsOptions::default())?)
}

#[cfg(test)]
#[path = "engines_tests.rs"]
mod tests;
