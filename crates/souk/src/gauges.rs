//! Figures that are looked up instead of counted: how many events are parked.

use std::time::Duration;

use runtime::Ops;
use tokio::task::JoinHandle;

/// How often it is looked.
const PAUSE: Duration = Duration::from_secs(15);

/// Looks for as long as it is kept.
pub struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Begins to look.
pub fn watch(ops: Ops) -> Watch {
    metrics::describe_gauge!(
        "souk_dead_letters",
        "Events that a service could not handle and has parked"
    );
    Watch(tokio::spawn(async move {
        loop {
            look(&ops).await;
            tokio::time::sleep(PAUSE).await;
        }
    }))
}

async fn look(ops: &Ops) {
    // A database that is away shows elsewhere; the last figures stay.
    let Ok(parked) = ops.dead_letters().await else {
        return;
    };
    for service in ops.services() {
        let of_service = parked.iter().filter(|letter| letter.service == service);
        metrics::gauge!("souk_dead_letters", "service" => service).set(of_service.count() as f64);
    }
}
