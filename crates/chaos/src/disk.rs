//! A small disk of its own under one service's database, that can be full: a tmpfs on the folder in
//! which PostgreSQL keeps that database. Its write-ahead log, and the other services' databases,
//! are elsewhere: they go on. Needs root, as mounting does.

use std::{
    io::Write as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::error::{Doing as _, Error, Result};

/// As much as a database of a world ever needs, and little enough to fill in a moment.
const SIZE: &str = "160m";

/// Unmounts when we are gone, however we went.
const WATCHDOG: &str = r#"while read -r _; do :; done; umount -l "$1""#;

/// A mounted disk; unmounted when dropped.
pub struct SmallDisk {
    folder: PathBuf,
    watchdog: Child,
}

impl SmallDisk {
    /// Moves what is in `folder` to a small disk that is mounted there; the old folder is left at
    /// `aside`. Nobody may use it meanwhile. `None` when we may not mount.
    pub fn under(folder: &Path, aside: &Path) -> Result<Option<Self>> {
        let what = || format!("cannot put a small disk at {}", folder.display());
        let metadata = folder.metadata().doing(what)?;
        std::fs::rename(folder, aside).doing(what)?;
        std::fs::create_dir(folder).doing(what)?;
        let options = format!(
            "size={SIZE},mode=0700,uid={},gid={}",
            metadata.uid(),
            metadata.gid()
        );
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "souk-chaos"]);
        mount.arg(folder).stderr(Stdio::null());
        if !mount.status().is_ok_and(|status| status.success()) {
            std::fs::remove_dir(folder).doing(what)?;
            std::fs::rename(aside, folder).doing(what)?;
            return Ok(None);
        }
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "sh"])
            .arg(folder)
            .stdin(Stdio::piped())
            .spawn()
            .doing(what)?;
        let disk = Self {
            folder: folder.to_owned(),
            watchdog,
        };
        let mut copy = Command::new("cp");
        let copied = copy.arg("-a").arg(aside.join(".")).arg(folder).status();
        if !copied.is_ok_and(|status| status.success()) {
            return Err(Error::other(what()));
        }
        Ok(Some(disk))
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }

    /// Fills it to the last byte.
    pub fn fill(&self) -> Result<()> {
        let file = std::fs::File::create(self.filler());
        let mut file = file.doing(|| "cannot fill a disk".into())?;
        let piece = vec![0; 1 << 20];
        for piece in [&piece[..], &piece[..4096]] {
            while file.write_all(piece).is_ok() {}
        }
        Ok(())
    }

    /// Gives the room back.
    pub fn free(&self) {
        let _ = std::fs::remove_file(self.filler());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}
