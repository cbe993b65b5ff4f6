//! Whom a server runs as. PostgreSQL refuses to run as root, so root runs it as another user.

use std::{
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Error, Result, error::Doing as _};

/// A user of this machine.
#[derive(Clone, Debug)]
pub struct Owner {
    name: String,
    uid: u32,
    gid: u32,
}

impl Owner {
    /// Whom PostgreSQL must be run as: `None` is ourselves.
    pub fn for_postgres() -> Result<Option<Self>> {
        if id(&["-u"]) != Some(0) {
            return Ok(None);
        }
        let found = ["postgres", "nobody"].into_iter().find_map(|name| {
            Some(Self {
                name: name.to_owned(),
                uid: id(&["-u", name])?,
                gid: id(&["-g", name])?,
            })
        });
        let missing = || Error::Failed {
            program: "id".into(),
            said: "we are root, and there is no user `postgres` or `nobody` to run PostgreSQL as"
                .into(),
        };
        found.map(Some).ok_or_else(missing)
    }

    /// Lets a command run as this user.
    pub fn run(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Makes `folder`, for this user alone. What is above it must let the user through.
    pub fn own(&self, folder: &Path) -> Result<()> {
        let folder = std::path::absolute(folder)
            .doing(|| format!("cannot tell where {} is", folder.display()))?;
        if let Some(closed) = self.closed(&folder) {
            return Err(Error::Unreachable {
                folder: closed,
                user: self.name.clone(),
            });
        }
        std::os::unix::fs::chown(&folder, Some(self.uid), Some(self.gid))
            .doing(|| format!("cannot give {} to {}", folder.display(), self.name))
    }

    /// The first folder above `folder` that the user cannot pass. Folders of the system's directory
    /// for temporary files are opened for passing (not for looking into): they were made for a
    /// test, by us.
    fn closed(&self, folder: &Path) -> Option<PathBuf> {
        let temporary = std::env::temp_dir();
        let mut above: Vec<&Path> = folder.ancestors().skip(1).collect();
        above.reverse();
        for parent in above {
            let Ok(metadata) = parent.metadata() else {
                continue;
            };
            let mode = metadata.permissions().mode();
            let passes = (metadata.uid() == self.uid && mode & 0o100 != 0)
                || (metadata.gid() == self.gid && mode & 0o010 != 0)
                || mode & 0o001 != 0;
            if passes {
                continue;
            }
            let open = std::fs::Permissions::from_mode(mode | 0o011);
            let ours = parent != temporary && parent.starts_with(&temporary);
            if !ours || std::fs::set_permissions(parent, open).is_err() {
                return Some(parent.to_owned());
            }
        }
        None
    }
}

/// Whether PostgreSQL could keep its files in `folder`: always, unless we are root (then it runs as
/// another user, which must be able to pass every folder above).
pub fn enterable(folder: &Path) -> Result<bool> {
    let Some(owner) = Owner::for_postgres()? else {
        return Ok(true);
    };
    let folder = std::path::absolute(folder)
        .doing(|| format!("cannot tell where {} is", folder.display()))?;
    Ok(owner.closed(&folder).is_none())
}

/// Asks the program `id`, which every Unix has.
fn id(args: &[&str]) -> Option<u32> {
    let mut command = Command::new("id");
    let output = command.args(args).stderr(Stdio::null()).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}
