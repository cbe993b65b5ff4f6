//! Programs that tests run beside our own: installed from Debian's packages when they are missing.

use std::process::{Command, Stdio};

use crate::workspace::{Outcome, succeed};

/// A program, where it may also be, its package, and what needs it.
struct Program {
    name: &'static str,
    elsewhere: &'static str,
    package: &'static str,
    needed_for: &'static str,
}

const PROGRAMS: &[Program] = &[
    Program {
        name: "chromium",
        elsewhere: "",
        package: "chromium",
        needed_for: "browser tests",
    },
    Program {
        name: "initdb",
        // Debian keeps the server's programs out of the search path.
        elsewhere: "/usr/lib/postgresql",
        package: "postgresql",
        needed_for: "tests of the PostgreSQL store and of many processes",
    },
    Program {
        name: "nats-server",
        elsewhere: "",
        package: "nats-server",
        needed_for: "tests of the NATS event log and of many processes",
    },
];

/// Installs what is missing, or says what to install.
pub fn install_missing() -> Outcome {
    let missing: Vec<&Program> = PROGRAMS.iter().filter(|program| !there(program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|program| program.package).collect();
    let needed: Vec<String> = missing
        .iter()
        .map(|program| format!("{} ({})", program.package, program.needed_for))
        .collect();
    let advice = format!("install these packages and try again: {}", needed.join(", "));
    let root =
        std::env::var("USER").is_ok_and(|user| user == "root") || runs("test", &["-w", "/usr/bin"]);
    if !root || !runs("apt-get", &["--version"]) {
        return Err(advice.into());
    }
    println!("installing {}", packages.join(" "));
    let update = Command::new("apt-get")
        .args(["update", "--quiet"])
        .stdin(Stdio::null())
        .status();
    update?;
    let mut install = Command::new("apt-get");
    install
        .args(["install", "--yes", "--no-install-recommends"])
        .args(&packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null());
    succeed(&mut install).map_err(|error| format!("{error}; {advice}").into())
}

fn there(program: &Program) -> bool {
    let installed = |version: std::io::Result<std::fs::DirEntry>| {
        version.is_ok_and(|version| version.path().join("bin").join(program.name).exists())
    };
    let elsewhere = std::fs::read_dir(program.elsewhere);
    // Some keep the programs of administrators out of the search path as well.
    let version = format!("PATH=$PATH:/usr/sbin {} --version", program.name);
    runs("sh", &["-c", &version])
        || elsewhere.is_ok_and(|mut versions| versions.any(installed))
}

/// Whether a program can be run so.
pub fn runs(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
