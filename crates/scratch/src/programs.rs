//! Where the servers' programs are.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Where distributions put PostgreSQL's programs, which are not in the search path: a folder per
/// version under the first part, with the programs in the second.
const POSTGRES_HOMES: &[(&str, &str)] = &[
    ("/usr/lib/postgresql", "bin"),
    ("/usr/lib64/pgsql", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
];

/// The folder with `initdb`, `postgres` and `pg_basebackup`: the search path's, else the newest
/// installed.
pub fn postgres() -> Result<PathBuf> {
    let in_path = in_path("initdb").and_then(|program| program.canonicalize().ok());
    let in_path = in_path.and_then(|program| program.parent().map(Path::to_owned));
    in_path
        .filter(|folder| complete(folder))
        .or_else(newest_postgres)
        .ok_or(Error::Missing {
            program: "postgres",
            package: "postgresql",
        })
}

/// The NATS server.
pub fn nats() -> Result<PathBuf> {
    let usual = ["/usr/sbin/nats-server", "/usr/local/bin/nats-server"];
    in_path("nats-server")
        .or_else(|| usual.map(PathBuf::from).into_iter().find(|p| p.is_file()))
        .ok_or(Error::Missing {
            program: "nats-server",
            package: "nats-server",
        })
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn complete(folder: &Path) -> bool {
    let needed = ["initdb", "postgres", "psql", "pg_basebackup"];
    needed.iter().all(|program| folder.join(program).is_file())
}

fn newest_postgres() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for (home, programs) in POSTGRES_HOMES {
        for entry in std::fs::read_dir(home).into_iter().flatten().flatten() {
            let folder = entry.path().join(programs);
            if complete(&folder) {
                found.push((version(&entry.file_name().to_string_lossy()), folder));
            }
        }
    }
    found.into_iter().max().map(|(_, folder)| folder)
}

/// `15` → 15, `postgresql@17` → 17, anything else 0.
fn version(name: &str) -> u32 {
    let number = name.rsplit(['@', '-']).next().unwrap_or(name);
    let number = number.split('.').next().unwrap_or(number);
    number.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version("9.6") < version("15"));
        assert_eq!(version("postgresql@17"), 17);
        assert_eq!(version("nats"), 0);
    }
}
