//! Lives of a shop over one folder: started, used, stopped in order or crashed.

use std::{future::Future, path::Path, sync::Arc, time::Duration};

use kernel::{App, Clock, Context, Module, Row, Statement};
use runtime::{RandomIds, Runtime, RuntimeConfig, SystemClock};

/// How long a condition may take to come true before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// How the tests start a runtime.
pub fn config(folder: &Path, clock: Arc<dyn Clock>) -> RuntimeConfig {
    RuntimeConfig::embedded(folder, clock, Arc::new(RandomIds)).expect("a key ring")
}

/// Starts `modules` over `folder` with the real clock.
pub async fn start(folder: &Path, modules: Vec<Module>) -> Runtime {
    let started = Runtime::start(config(folder, Arc::new(SystemClock)), modules).await;
    let runtime = started.unwrap_or_else(|error| panic!("{error}"));
    runtime.wait_ready().await;
    runtime
}

/// Nobody in particular.
pub fn anyone() -> Context {
    Context::default()
}

/// Waits until `condition` answers true, giving way to everything else meanwhile.
pub async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let waiting = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
        panic!("it never came true that {what}");
    }
}

/// All rows of a statement.
pub async fn rows(app: &App, statement: Statement) -> Vec<Row> {
    app.query(statement)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The number in the first column of the first row; 0 without one.
pub async fn number(app: &App, statement: Statement) -> i64 {
    rows(app, statement)
        .await
        .first()
        .map_or(0, |row| row.get(0))
}

/// A service's handle.
pub fn app(runtime: &Runtime, name: &str) -> App {
    runtime
        .app(name)
        .unwrap_or_else(|| panic!("no service {name}"))
}
