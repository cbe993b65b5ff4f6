//! Programs that tests run beside our own: installed from Debian's packages when they are missing.

use std::process::{Command, Stdio};

use crate::workspace::{Outcome, succeed};

/// A program: what succeeds where it is installed, its package, and what needs it.
struct Program {
    probe: &'static str,
    package: &'static str,
    needed_for: &'static str,
}

const PROGRAMS: &[Program] = &[
    Program {
        probe: "chromium --version",
        package: "chromium",
        needed_for: "tests of pages",
    },
    Program {
        // Debian keeps the server's programs out of the search path.
        probe: "initdb --version || ls /usr/lib/postgresql/*/bin/initdb",
        package: "postgresql",
        needed_for: "tests of the PostgreSQL store and of many processes",
    },
    Program {
        probe: "PATH=$PATH:/usr/sbin nats-server --version",
        package: "nats-server",
        needed_for: "tests of the NATS event log and of many processes",
    },
    Program {
        probe: "pdftoppm -v && pdftotext -v",
        package: "poppler-utils",
        needed_for: "tests of shipping labels",
    },
    Program {
        probe: "zbarimg --version",
        package: "zbar-tools",
        needed_for: "tests of shipping labels",
    },
    Program {
        probe: "python3 -c 'import venv, ensurepip'",
        package: "python3-venv",
        needed_for: "the example in Python, and what judges the files under deploy/",
    },
    Program {
        probe: "systemd-analyze --version",
        package: "systemd",
        needed_for: "what judges the files under deploy/",
    },
];

/// Installs what is missing, or says what to install.
pub fn install_missing() -> Outcome {
    let missing: Vec<&Program> = PROGRAMS
        .iter()
        .filter(|program| !runs("sh", &["-c", program.probe]))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|program| program.package).collect();
    let needed: Vec<String> = missing
        .iter()
        .map(|program| format!("{} ({})", program.package, program.needed_for))
        .collect();
    let advice = format!(
        "install these packages and try again: {}",
        needed.join(", ")
    );
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

/// Whether a program can be run so.
fn runs(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
