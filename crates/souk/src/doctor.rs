//! `souk doctor`: is the data directory sound, and is the shop well?

use std::path::Path;

use crate::{
    cli::Target,
    client::Client,
    failure::{Failure, Result},
    shop,
};

/// Runs the command.
pub async fn run(data: &Path, to: Target) -> Result<()> {
    let mut bad = 0;
    let mut say = |good: bool, text: String| {
        println!("{} {text}", if good { "ok  " } else { "BAD " });
        bad += usize::from(!good);
    };
    let running = Client::new(&to.url, to.key.clone()).map_err(|e| Failure::new(e.to_string()))?;
    let readiness = running.text("/readyz").await;
    let answers = readiness.is_ok();
    match readiness {
        Ok((status, text)) => say(
            status.is_success(),
            format!("shop at {}: {}", to.url, text.trim()),
        ),
        Err(error) => println!(
            "--   no shop answers at {} ({error}); start one with `souk up`",
            to.url
        ),
    }
    if answers && to.key.is_some() {
        match running
            .get::<Vec<serde_json::Value>>("/api/ops/dead-letters")
            .await
        {
            Ok(letters) => say(
                letters.is_empty(),
                format!("{} dead letters", letters.len()),
            ),
            Err(error) => say(false, format!("dead letters cannot be listed: {error}")),
        }
    }
    if !data.exists() {
        println!("--   no data directory {} yet", data.display());
    } else {
        match shop::lock(data) {
            Ok(_lock) => check_files(data, &mut say),
            Err(_) => println!(
                "--   {} is in use by a running shop; its files are not opened",
                data.display()
            ),
        }
    }
    match bad {
        0 => Ok(()),
        _ => Err(Failure::new(format!("{bad} things are not well"))),
    }
}

fn check_files(data: &Path, say: &mut impl FnMut(bool, String)) {
    let files = std::fs::read_dir(data)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    for path in files.filter(|path| path.extension().is_some_and(|ending| ending == "db")) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        match store::sqlite::check(&path) {
            Ok(head) => say(
                true,
                format!(
                    "{name}: sound{}",
                    head.map(|h| format!(", {h} events")).unwrap_or_default()
                ),
            ),
            Err(error) => say(false, format!("{name}: {error}")),
        }
    }
}
