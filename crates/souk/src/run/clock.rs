//! A wall clock that can be set wrong, for tests of what a wrong clock does.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use kernel::{Clock, Timestamp};
use runtime::SystemClock;

/// Between two looks at the file.
const LOOK: Duration = Duration::from_millis(50);

/// The clock of this process: the machine's, unless `file` says by how many milliseconds it is
/// wrong. The file is read again and again. Monotonic time is never wrong.
pub fn clock(file: Option<PathBuf>) -> Arc<dyn Clock> {
    let Some(file) = file else {
        return Arc::new(SystemClock);
    };
    let offset = Arc::new(AtomicI64::new(read(&file)));
    let written = offset.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LOOK).await;
            written.store(read(&file), Ordering::Relaxed);
        }
    });
    Arc::new(Wrong(offset))
}

/// Microseconds; none when the file says nothing.
fn read(file: &PathBuf) -> i64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let millis: i64 = text.trim().parse().unwrap_or(0);
    millis.saturating_mul(1_000)
}

struct Wrong(Arc<AtomicI64>);

impl Clock for Wrong {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.0.load(Ordering::Relaxed))
    }
}
