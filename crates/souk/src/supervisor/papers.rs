//! What identity's first process leaves for whoever opens the shop: the first administrator's
//! one-time password, and a key for the demo catalogue. In closed files, never in a log.

use std::{ffi::OsString, path::PathBuf};

use serde::Deserialize;

use super::ground::Folder;
use crate::{
    cli::Up,
    failure::{Context as _, Result},
};

/// Where the papers are.
pub struct Papers {
    admin: PathBuf,
    key: Option<PathBuf>,
    /// The key is for us alone, and goes when the shop is open.
    key_is_ours: bool,
    done: PathBuf,
    /// Whether an empty catalogue is to be filled.
    pub demo: bool,
}

/// The first account.
#[derive(Deserialize)]
pub struct Admin {
    /// The login.
    pub email: String,
    /// Shown once.
    pub password: String,
}

impl Papers {
    /// What is needed for this start.
    pub fn of(up: &Up, folder: &Folder) -> Result<Self> {
        let done = folder.data.join("demo-catalogue");
        let demo = !up.no_demo && !done.exists();
        let asked = up.api_key_file.as_ref();
        let asked = asked.map(std::path::absolute).transpose();
        let asked = asked.context("--api-key-file")?;
        let papers = Self {
            admin: folder.run.join("admin.json"),
            key_is_ours: asked.is_none(),
            key: asked.or_else(|| demo.then(|| folder.run.join("api-key"))),
            done,
            demo,
        };
        // Left by a start that was broken off. (A password that nobody has seen yet is kept.)
        papers.burn_key();
        Ok(papers)
    }

    /// What identity's process is asked for.
    pub fn asked_for(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["--admin-file".into(), self.admin.clone().into()];
        if let Some(key) = &self.key {
            arguments.extend(["--api-key-file".into(), key.clone().into()]);
        }
        arguments
    }

    /// The key.
    pub fn key(&self) -> Result<String> {
        let path = self.key.clone().unwrap_or_default();
        let key = std::fs::read_to_string(path).context("the API key")?;
        Ok(key.trim().to_owned())
    }

    /// The first account, if one was made.
    pub fn admin(&self) -> Result<Option<Admin>> {
        match std::fs::read_to_string(&self.admin) {
            Ok(text) => serde_json::from_str(&text)
                .map(Some)
                .context("the first account"),
            Err(_) => Ok(None),
        }
    }

    /// Later starts need not look.
    pub fn demo_is_there(&self) -> Result<()> {
        std::fs::write(&self.done, "The demo catalogue was made once.\n")
            .context("the data directory")
    }

    /// What was shown or used is not kept.
    pub fn burn(&self) {
        let _ = std::fs::remove_file(&self.admin);
        self.burn_key();
    }

    fn burn_key(&self) {
        if let Some(key) = self.key.as_ref().filter(|_| self.key_is_ours) {
            let _ = std::fs::remove_file(key);
        }
    }
}
