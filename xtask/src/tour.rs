//! `cargo xtask tour`: starts a shop that keeps nothing and walks the README's tour through it.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use crate::workspace::{Outcome, Workspace, succeed};

/// Kills the shop when the tour is over, however it ends.
struct Shop(Child);

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Builds the binary, starts it on a free port, and runs docs/tour.sh against it.
pub fn run(workspace: &Workspace) -> Outcome {
    succeed(&mut workspace.cargo("build --quiet --package souk"))?;
    let folder = workspace.target().join("debug");
    let mut shop = Shop(
        Command::new(folder.join("souk"))
            .args(["up", "--ephemeral", "--listen", "127.0.0.1:0"])
            .current_dir(&workspace.root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?,
    );
    let output = shop.0.stdout.take().ok_or("the shop has no output")?;
    let (mut url, mut password) = (None, None);
    let mut lines = BufReader::new(output).lines();
    while url.is_none() || password.is_none() {
        let line = lines.next().ok_or("the shop ended before it was ready")??;
        url = url.or_else(|| address(&line));
        password = password.or_else(|| one_time_password(&line));
    }
    // What else it prints must go somewhere, or it would wait for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::iter::once(folder)
        .chain(std::env::split_paths(&path))
        .collect();
    let mut tour = Command::new("sh");
    tour.arg("docs/tour.sh")
        .current_dir(&workspace.root)
        .stdin(Stdio::null())
        .env("PATH", std::env::join_paths(folders)?)
        .env("SOUK_URL", url.unwrap_or_default())
        .env("SOUK_ADMIN_PASSWORD", password.unwrap_or_default());
    succeed(&mut tour)
}

/// The first address of the shop in a line of its greeting.
fn address(line: &str) -> Option<String> {
    let from = line.find("http://")?;
    let rest = &line[from..];
    let end = rest.find(|c: char| c.is_whitespace()).unwrap_or(rest.len());
    Some(rest[..end].trim_end_matches('/').to_owned())
}

/// The administrator's password in a line of its greeting: `admin@…  /  password`.
fn one_time_password(line: &str) -> Option<String> {
    let (who, password) = line.split_once(" / ")?;
    who.contains('@').then(|| password.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The commands of the README's tour: lines of its `sh` blocks.
    fn commands(readme: &str) -> Vec<&str> {
        let blocks = readme.split("```sh\n").skip(1);
        blocks
            .flat_map(|block| block.split("```").next().unwrap_or_default().lines())
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect()
    }

    #[test]
    fn the_greeting_says_where_the_shop_is_and_how_to_get_in() {
        let greeting = "  Shop          http://127.0.0.1:4711/";
        assert_eq!(address(greeting).as_deref(), Some("http://127.0.0.1:4711"));
        assert_eq!(address("Souk is open after 0.2 s."), None);
        let account = "  admin@souk.local  /  quiet-brass-lantern";
        assert_eq!(
            one_time_password(account).as_deref(),
            Some("quiet-brass-lantern")
        );
        assert_eq!(one_time_password("First start: a one-time password"), None);
    }

    #[test]
    fn the_tour_that_is_tested_is_the_one_that_is_written() {
        let root = Workspace::find().expect("the workspace").root;
        let readme = fs::read_to_string(root.join("README.md")).expect("a README");
        let script = fs::read_to_string(root.join("docs/tour.sh")).expect("a script");
        let found = commands(&readme);
        assert!(found.len() > 30, "the tour has gone: {found:?}");
        // Where the shop is and what it printed are the script's parameters.
        let given = |line: &&str| {
            ["SOUK=", "PATH=", "ONCE=", "echo "]
                .iter()
                .any(|start| line.starts_with(start))
        };
        for line in found.into_iter().filter(|line| !given(line)) {
            assert!(
                script.contains(line),
                "docs/tour.sh lacks this line of the README: {line}"
            );
        }
    }
}
