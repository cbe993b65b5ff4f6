//! `souk health`: whether a process of this machine answers. For container engines, whose images
//! hold no other program that could ask.

use std::time::Duration;

use crate::failure::{Context as _, Failure, Result};

/// Longer than any living process takes.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks once; anything but a success is a failure.
pub async fn run(url: &str) -> Result<()> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .context("no HTTP client")?;
    let asked = client.get(url).send().await;
    let answer = asked.with_context(|| format!("{url} does not answer"))?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        status => Err(Failure::new(format!("{url} answers {status}"))),
    }
}
