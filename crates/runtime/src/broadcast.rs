//! Live feeds: every instance hears events without keeping a record of where it is.

use std::{sync::Arc, time::Duration};

use eventlog::Log;
use kernel::{Broadcast, From, with_keys};
use tokio_util::sync::CancellationToken;

use crate::{
    KeyVault,
    consumer::{CHUNK, Stand, caught_up, guarded},
};

/// How long to wait before the log is asked again.
const RETRY: Duration = Duration::from_millis(500);

/// What a feed needs: also in a process without any service.
#[derive(Clone)]
pub(crate) struct Ears {
    pub log: Arc<dyn Log>,
    pub keyring: Arc<dyn KeyVault>,
    pub stop: CancellationToken,
}

/// Feeds one topic to one listener until the process stops.
pub(crate) async fn run(ears: Ears, broadcast: Broadcast, topic: &'static str, stand: Stand) {
    let mut head = match ears.log.watch(topic) {
        Ok(head) => head,
        Err(error) => {
            return tracing::error!(%error, feed = broadcast.name, "a live feed cannot start");
        }
    };
    let keys = ears.keyring.clone().ring();
    // Where the topic's producer is elsewhere, its head must be heard of first.
    let first = loop {
        let known = tokio::select! {
            () = ears.stop.cancelled() => return,
            known = ears.log.head(topic) => known,
        };
        match known {
            Ok(head) => break head.position,
            Err(error) => tracing::warn!(%error, feed = broadcast.name, "a live feed waits"),
        }
        tokio::time::sleep(RETRY).await;
    };
    let mut position = match broadcast.from {
        From::Now => first,
        From::Beginning => 0,
    };
    loop {
        match ears.log.read(topic, position, CHUNK).await {
            Ok(events) => {
                with_keys(&keys, || {
                    for event in &events {
                        let heard = guarded(|| {
                            (broadcast.listen)(event);
                            Ok(())
                        });
                        if heard.is_err() {
                            tracing::error!(feed = broadcast.name, event = %event.id(), "a live feed's listener panicked");
                        }
                    }
                });
                position = events.last().map_or(position, |event| event.position);
            }
            Err(error) => {
                tracing::warn!(%error, feed = broadcast.name, "a live feed cannot read; will try again");
                tokio::time::sleep(RETRY).await;
            }
        }
        if position >= first.max(*head.borrow()) {
            caught_up(&stand);
        }
        tokio::select! {
            () = ears.stop.cancelled() => return,
            found = head.wait_for(|head| *head > position) => if found.is_err() { return },
        }
    }
}
