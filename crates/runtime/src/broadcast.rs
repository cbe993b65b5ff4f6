//! Live feeds: every instance hears events without keeping a record of where it is.

use kernel::{Broadcast, From, with_keys};

use crate::consumer::{CHUNK, CaughtUp, Surround, guarded};

/// Feeds one topic to one listener until the process stops.
pub(crate) async fn run(
    around: Surround,
    broadcast: Broadcast,
    topic: &'static str,
    caught_up: CaughtUp,
) {
    let mut head = match around.log.watch(topic) {
        Ok(head) => head,
        Err(error) => {
            return tracing::error!(%error, feed = broadcast.name, "a live feed cannot start");
        }
    };
    let keys = around.shared.keys();
    let mut position = if broadcast.from == From::Now {
        *head.borrow()
    } else {
        0
    };
    loop {
        match around.log.read(topic, position, CHUNK).await {
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
                tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            }
        }
        if position >= *head.borrow() {
            caught_up.send_if_modified(|done| !std::mem::replace(done, true));
        }
        tokio::select! {
            () = around.stop.cancelled() => return,
            found = head.wait_for(|head| *head > position) => if found.is_err() { return },
        }
    }
}
