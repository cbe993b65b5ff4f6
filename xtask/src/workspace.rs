//! Where the workspace is, how to call cargo in it, and how to walk its files.

use std::{
    env,
    error::Error,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// What a task answers. The error is one sentence for a person; the tools print it and stop.
pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// A checkout of the workspace.
pub struct Workspace {
    /// The folder that holds the root `Cargo.toml`.
    pub root: PathBuf,
}

impl Workspace {
    /// The workspace this tool was built in.
    pub fn find() -> Outcome<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.parent().ok_or("xtask has no parent folder")?;
        if !root.join("Cargo.toml").is_file() {
            return Err(format!("{} holds no workspace any more", root.display()).into());
        }
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// A cargo command that runs in the root, with the toolchain this tool was started with.
    /// `words`: its arguments, separated by spaces.
    pub fn cargo(&self, words: &str) -> Command {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = Command::new(cargo);
        command.current_dir(&self.root).args(words.split(' '));
        command
    }

    /// Where cargo puts what it builds.
    pub fn target(&self) -> PathBuf {
        match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => self.root.join(folder),
            None => self.root.join("target"),
        }
    }

    /// All files of the workspace whose name ends in `ending`, sorted, as (path from the root with
    /// forward slashes, content). Hidden folders and build folders are left out.
    pub fn files(&self, ending: &str) -> Outcome<Vec<(String, String)>> {
        let mut found = Vec::new();
        for part in ["crates", "services", "frontends", "xtask"] {
            let folder = self.root.join(part);
            if folder.is_dir() {
                self.walk(&folder, ending, &mut found)?;
            }
        }
        found.sort();
        Ok(found)
    }

    fn walk(&self, folder: &Path, ending: &str, found: &mut Vec<(String, String)>) -> Outcome {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') || name == "target" {
                continue;
            }
            if path.is_dir() {
                self.walk(&path, ending, found)?;
            } else if name.ends_with(ending) {
                let text = fs::read_to_string(&path)
                    .map_err(|e| format!("cannot read {}: {e}", path.display()))?;
                found.push((self.relative(&path), text));
            }
        }
        Ok(())
    }

    /// The names of the folders directly under `services/`, sorted.
    pub fn services(&self) -> Outcome<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.root.join("services"))? {
            let entry = entry?;
            if entry.path().join("Cargo.toml").is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// `path` from the root, with forward slashes.
    pub fn relative(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.root).unwrap_or(path);
        let parts = path.components().map(|c| c.as_os_str().to_string_lossy());
        parts.collect::<Vec<_>>().join("/")
    }
}

/// Runs a command to its end; a failure names the command.
pub fn succeed(command: &mut Command) -> Outcome {
    let shown = shown(command);
    let status = command.status().map_err(|e| not_started(&shown, &e))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("`{shown}` failed ({status})").into()),
    }
}

/// The standard output of a command that must succeed; its errors go to the terminal.
pub fn output(command: &mut Command) -> Outcome<String> {
    let shown = shown(command);
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|e| not_started(&shown, &e))?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => Err(format!("`{shown}` failed ({})", output.status).into()),
    }
}

/// The command as a person would type it.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

fn not_started(shown: &str, error: &io::Error) -> String {
    format!("cannot start `{shown}`: {error}")
}
