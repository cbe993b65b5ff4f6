//! Events of programs outside of Souk: each becomes a command, committed with a record of where it
//! came from, so that repeats do nothing.

use std::{collections::HashMap, sync::Arc, time::Duration};

use eventlog::{Broker, Inbound};
use kernel::{
    AnyCommand, AppError, Context, IdempotencyKey, InboundHandler, OnInbound, Poison, Stored,
    Submission, with_keys,
};
use ring::digest;
use store::system;

use crate::{
    consumer::{Surround, guarded},
    item::Item,
};

/// The name under which the dead letters of inbound events are kept.
pub(crate) const INBOUND: &str = "inbound";
/// How long to wait before the broker is asked again.
const RETRY: Duration = Duration::from_secs(1);

/// What a service's inbound events need.
pub(crate) struct Runner {
    pub around: Surround,
    pub broker: Arc<dyn Broker>,
    pub handlers: HashMap<&'static str, OnInbound>,
}

/// Handlers by kind.
pub(crate) fn by_kind(handlers: &[InboundHandler]) -> HashMap<&'static str, OnInbound> {
    let handlers = handlers.iter();
    handlers.map(|one| (one.kind, one.handle.clone())).collect()
}

impl Runner {
    /// Runs until the service stops.
    pub async fn run(self) {
        let (stop, service) = (self.around.stop.clone(), self.around.shared.topic.clone());
        loop {
            let mut events = tokio::select! {
                () = stop.cancelled() => return,
                opened = self.broker.inbound(&service) => match opened {
                    Ok(events) => events,
                    Err(error) => {
                        tracing::warn!(%service, %error, "cannot hear from outside; will try again");
                        tokio::select! {
                            () = stop.cancelled() => return,
                            () = tokio::time::sleep(RETRY) => continue,
                        }
                    }
                },
            };
            loop {
                let event = tokio::select! {
                    () = stop.cancelled() => return,
                    event = events.recv() => event,
                };
                let Some(event) = event else { break };
                self.take(event).await;
            }
        }
    }

    async fn take(&self, event: Inbound) {
        let outcome = match self.submit(&event).await {
            Err(AppError::Rejected(rejection)) => self.park(&event, &rejection.to_string()).await,
            Err(AppError::Internal(reason)) => self.park(&event, &reason).await,
            other => other,
        };
        if let Err(error) = &outcome {
            tracing::warn!(service = %self.around.shared.topic, kind = %event.kind, %error, "an event from outside waits");
        }
        // What is not committed is delivered again.
        let _ = event.done.send(outcome.is_ok());
    }

    /// Commits what the event leads to, once.
    async fn submit(&self, event: &Inbound) -> Result<(), AppError> {
        let command = match self.command(event) {
            Ok(command) => command,
            Err(Poison(reason)) => return self.park(event, &reason).await,
        };
        let place = place(event);
        let key = IdempotencyKey {
            scope: format!("inbound:{place}"),
            body: String::new(),
        };
        let done = |_: &(dyn std::any::Any + Send + Sync)| Stored {
            status: 200,
            body: String::new(),
        };
        let submission = Submission {
            context: Context {
                causation: Some(format!("{INBOUND}:{place}").into()),
                actor: Some("system".into()),
                ..Context::default()
            },
            command,
            once: Some((key, Box::new(done))),
        };
        let item = |reply| Item::Command { submission, reply };
        self.around.inlet.send(item).await.map(drop)
    }

    fn command(&self, event: &Inbound) -> Result<Box<dyn AnyCommand>, Poison> {
        let keys = self.around.shared.keys();
        match self.handlers.get(event.kind.as_str()) {
            Some(handle) => with_keys(&keys, || guarded(|| handle(&event.data))),
            None => Err(Poison(format!(
                "nothing handles events of type {}",
                event.kind
            ))),
        }
    }

    /// Keeps a note of an event that could not be handled. What it said is its sender's, who sends
    /// it again once the cause is gone (with a new id).
    async fn park(&self, event: &Inbound, reason: &str) -> Result<(), AppError> {
        tracing::error!(service = %self.around.shared.topic, kind = %event.kind, %reason, "an event from outside was parked as a dead letter");
        let place = place(event);
        let number = i64::from_str_radix(&place[..15], 16).unwrap_or_default();
        let (source, id) = (without_nul(&event.source), without_nul(&event.id));
        let now = self.around.shared.clock.now();
        let kind = without_nul(&event.kind);
        let park = system::park(INBOUND, &source, number, &id, &kind, reason, now);
        self.around.inlet.write(vec![park]).await
    }
}

/// Text from outside, fit for a column.
fn without_nul(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(200).collect()
}

/// What repeats are known by: a hash of source and id, in hexadecimal.
fn place(event: &Inbound) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(&(event.source.len() as u64).to_be_bytes());
    hash.update(event.source.as_bytes());
    hash.update(event.id.as_bytes());
    let digest = hash.finish();
    digest.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}
