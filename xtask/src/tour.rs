//! `cargo xtask tour`: starts a shop that keeps nothing and walks the README's tour through it.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{
    shop::Shop,
    workspace::{Outcome, Workspace, succeed},
};

/// Builds the binary, starts it on a free port, and runs docs/tour.sh against it.
pub fn run(workspace: &Workspace) -> Outcome {
    let shop = Shop::start(workspace, &workspace.target())?;
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::iter::once(shop.folder.clone())
        .chain(env::split_paths(&path))
        .collect();
    let mut tour = Command::new("sh");
    tour.arg("docs/tour.sh")
        .current_dir(&workspace.root)
        .stdin(Stdio::null())
        .env("PATH", env::join_paths(folders)?)
        .env("SOUK_URL", &shop.url)
        .env("SOUK_ADMIN_PASSWORD", &shop.password);
    succeed(&mut tour)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The commands of the README's tour: lines of its `sh` blocks.
    fn commands(readme: &str) -> Vec<&str> {
        let tour = readme
            .split("\n## ")
            .find(|part| part.starts_with("A five-minute tour"));
        let blocks = tour.unwrap_or_default().split("```sh\n").skip(1);
        blocks
            .flat_map(|block| block.split("```").next().unwrap_or_default().lines())
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect()
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
