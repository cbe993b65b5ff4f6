//! Durable timers: rows that were committed with the events that set them, turned into commands
//! when they fall due. The row goes in the same commit as the command's events.

use std::{collections::HashMap, time::Duration};

use kernel::{AnyCommand, AppError, OnTimer, Poison, Timer, TimerHandler, Timestamp, with_keys};
use store::system;
use tokio::sync::watch;

use crate::{
    consumer::{Surround, guarded, query},
    item::Item,
    tenancy,
};

/// How many due timers are taken at once.
const CHUNK: i64 = 256;
/// The longest wait: a jump of the wall clock is noticed within it.
const LONGEST: Duration = Duration::from_secs(30);
/// The same where other instances set timers too, of which nothing tells.
const LONGEST_SHARED: Duration = Duration::from_secs(1);
/// How often expired records of idempotent requests are dropped.
const SWEEP_SECONDS: i64 = 3600;

pub(crate) struct Runner {
    pub around: Surround,
    pub handlers: HashMap<&'static str, OnTimer>,
    /// The earliest timer set since it was last looked.
    pub hint: watch::Receiver<Timestamp>,
    /// To reset the hint.
    pub reset: watch::Sender<Timestamp>,
}

/// Handlers by kind.
pub(crate) fn by_kind(handlers: &[TimerHandler]) -> HashMap<&'static str, OnTimer> {
    handlers
        .iter()
        .map(|handler| (handler.kind, handler.handle.clone()))
        .collect()
}

impl Runner {
    pub async fn run(mut self) {
        let stop = self.around.stop.clone();
        let jumped = self.reset.clone();
        let look_again = move || jumped.send_modify(|_| {});
        self.around.shared.clock.on_jump(Box::new(look_again));
        let mut swept = Timestamp(0);
        let mut tenant = self.around.tenancy.tenant();
        loop {
            // Nothing is under way here, so there is nothing to let go.
            tenant.turn();
            tenant.confirm();
            if !tenant.holds(tenancy::TIMERS) {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tenant.changed() => continue,
                }
            }
            // Reset before looking, so that a timer set meanwhile wakes the next wait.
            self.reset.send_replace(Timestamp(i64::MAX));
            self.hint.mark_unchanged();
            let now = self.around.shared.clock.now();
            if now >= swept.plus_seconds(SWEEP_SECONDS) {
                swept = now;
                let _ = self
                    .around
                    .inlet
                    .write(vec![system::forget_answers(now)])
                    .await;
            }
            let wait = match self.fire(now).await {
                Ok(true) if !stop.is_cancelled() => continue,
                Ok(_) => self.until_next(now).await,
                Err(reason) => {
                    tracing::warn!(%reason, "timers wait for the store");
                    self.around.tenancy.suspect();
                    Duration::from_millis(500)
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tenant.changed() => {}
                () = tokio::time::sleep(wait) => {}
                changed = self.hint.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Fires what is due; answers whether there may be more.
    async fn fire(&self, now: Timestamp) -> Result<bool, String> {
        let rows = query(&self.around, system::due_timers(now, CHUNK))
            .await
            .map_err(|e| e.to_string())?;
        let due: Vec<Timer> = rows
            .iter()
            .map(|row| Timer {
                key: row.get(0),
                due: row.get(1),
                kind: row.get(2),
                data: row.get(3),
            })
            .collect();
        let more = due.len() as i64 == CHUNK;
        let fired = due.into_iter().map(|timer| {
            let command = self.command(&timer);
            self.fire_one(timer, command)
        });
        for result in futures_util::future::join_all(fired).await {
            result.map_err(|e| e.to_string())?;
        }
        Ok(more)
    }

    /// Hands a due timer over. One that fails on its data is parked, so that it is not in the way
    /// of the others for ever.
    async fn fire_one(
        &self,
        timer: Timer,
        command: Result<Box<dyn AnyCommand>, Poison>,
    ) -> Result<(), AppError> {
        match self.send(timer.clone(), command).await {
            Err(AppError::Unavailable(reason)) => Err(AppError::Unavailable(reason)),
            Err(error) => self.send(timer, Err(Poison(error.to_string()))).await,
            Ok(()) => Ok(()),
        }
    }

    async fn send(
        &self,
        timer: Timer,
        command: Result<Box<dyn AnyCommand>, Poison>,
    ) -> Result<(), AppError> {
        let sent = self.around.inlet.send(|reply| Item::Timer {
            timer,
            command,
            reply,
        });
        sent.await
    }

    fn command(&self, timer: &Timer) -> Result<Box<dyn AnyCommand>, Poison> {
        let keys = self.around.shared.keys();
        match self.handlers.get(timer.kind.as_str()) {
            Some(handle) => with_keys(&keys, || guarded(|| handle(timer))),
            None => Err(Poison(format!(
                "nothing handles timers of kind {}",
                timer.kind
            ))),
        }
    }

    async fn until_next(&self, now: Timestamp) -> Duration {
        let rows = query(&self.around, system::next_timer())
            .await
            .unwrap_or_default();
        let next: Option<i64> = rows.first().and_then(|row| row.get(0));
        let micros = next.map_or(i64::MAX, |due| (due - now.0).max(0));
        let longest = match self.around.shared.sole_owner {
            true => LONGEST,
            false => LONGEST_SHARED,
        };
        Duration::from_micros(micros.unsigned_abs()).min(longest)
    }
}

/// The pair of ends that carries the hint.
pub(crate) fn hint() -> (watch::Sender<Timestamp>, watch::Receiver<Timestamp>) {
    watch::channel(Timestamp(i64::MAX))
}
