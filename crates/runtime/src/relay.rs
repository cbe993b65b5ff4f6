//! What looks after a service's publications, run by whoever holds the lease for it.

use std::time::Duration;

use crate::{consumer::Surround, tenancy::RELAY};

/// How long it has to come to an end; two at once do no harm.
const GRACE: Duration = Duration::from_millis(300);

/// How long before one that ended is begun again.
const AGAIN: Duration = Duration::from_secs(1);

/// Runs it while the lease is held.
pub(crate) async fn run(around: Surround) {
    let mut tenant = around.tenancy.tenant();
    'held: while !around.stop.is_cancelled() {
        tenant.turn();
        tenant.confirm();
        if !tenant.holds(RELAY) {
            tokio::select! {
                () = around.stop.cancelled() => return,
                () = tenant.changed() => continue,
            }
        }
        let stop = around.stop.child_token();
        let (log, topic) = (around.log.clone(), around.shared.topic.clone());
        let until = stop.clone();
        let mut running = tokio::spawn(async move { log.relay(&topic, until).await });
        while tenant.holds(RELAY) && !stop.is_cancelled() {
            // Held: nothing to let go.
            tenant.confirm();
            tokio::select! {
                // Asked first: a relay that was told to stop has ended as it should.
                biased;
                () = stop.cancelled() => {}
                () = tenant.changed() => tenant.turn(),
                // It ends by itself only if something is badly wrong; then it is begun again.
                ended = &mut running => {
                    tracing::error!(topic = %around.shared.topic, ?ended, "the relay has ended; beginning again");
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(AGAIN) => continue 'held,
                    }
                }
            }
        }
        stop.cancel();
        if tokio::time::timeout(GRACE, &mut running).await.is_err() {
            running.abort();
        }
    }
}
