//! The other side: a process that a supervisor started ends when the supervisor is gone, even if
//! that was killed without a chance to end anybody.

use std::{os::unix::process::parent_id, time::Duration};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// Returns when the supervisor that started this process is gone; never without one.
pub async fn gone() {
    let supervisor = std::env::var("SOUK_SUPERVISOR").ok();
    let Some(supervisor) = supervisor.and_then(|pid| pid.parse::<u32>().ok()) else {
        return std::future::pending().await;
    };
    // An orphan gets another parent.
    while parent_id() == supervisor {
        tokio::time::sleep(LOOK).await;
    }
    tracing::warn!("the supervisor is gone");
}
