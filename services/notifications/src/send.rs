//! The worker: writes messages and hands them to their channel, and records what came of it. A
//! message may be handed over more than once (when the outcome is not known); it has the same
//! reference each time.

use std::sync::Arc;

use contracts::notifications::{MessageClass, MessageEvent, MessageQueued};
use kernel::{App, AppError, Context, From, Recorded, Worker, WorkerError, with_keys};
use web::hash_token;

use crate::{
    Shared,
    address::{self, Address},
    channels::{NotSent, Outgoing},
    commands::OnMessage,
    message::{Ask, Message, MessageState},
    reader::Reader,
    render::{self, Unwritten},
};

/// Sends what is due.
pub fn worker(shared: Arc<Shared>) -> Worker {
    Worker {
        name: "send",
        topics: &["notifications"],
        types: &[
            "notifications.message.queued.v1",
            "notifications.message.due.v1",
        ],
        // Its own events, from the first on: what was queued must be sent. What is over is
        // recognised by its state.
        from: From::Beginning,
        concurrency: shared.config.concurrency,
        perform: Arc::new(move |app, recorded| {
            let shared = shared.clone();
            Box::pin(async move { perform(&shared, &app, &recorded).await })
        }),
    }
}

async fn perform(shared: &Shared, app: &App, recorded: &Recorded) -> Result<(), WorkerError> {
    let event = with_keys(app.keys(), || recorded.decode::<MessageEvent>())
        .map_err(|error| WorkerError::Poison(error.to_string()))?;
    let (id, attempt) = match event.as_deref() {
        Some(MessageEvent::Queued(queued)) => (&queued.message_id, 1),
        Some(MessageEvent::Due(due)) => (&due.message_id, due.attempt),
        _ => return Ok(()),
    };
    let message = app.state::<Message>(id).await.map_err(again)?.state;
    let Some(queued) = message.queued.clone() else {
        return Ok(());
    };
    // The attempt is over: the event is told again.
    if message.pending != Some(attempt) {
        return Ok(());
    }
    let ask = attempted(shared, app, &message, &queued, attempt).await?;
    count(&queued, &ask);
    let context = Context {
        correlation: recorded.meta.correlation.clone(),
        causation: Some(recorded.id().into()),
        trace: recorded.meta.trace.clone(),
        actor: Some("system".into()),
    };
    let record = OnMessage {
        id: id.clone(),
        ask,
    };
    let recorded = app.execute(&context, record).await;
    recorded.map(drop).map_err(again)
}

/// Makes an attempt; answers what is to be recorded of it.
async fn attempted(
    shared: &Shared,
    app: &App,
    message: &MessageState,
    queued: &MessageQueued,
    attempt: i64,
) -> Result<Ask, WorkerError> {
    let Some(to) = queued.to.get() else {
        return Ok(Ask::Suppress(attempt, "erased".into()));
    };
    if let Some(reason) = unwanted(app, queued, to).await.map_err(again)? {
        return Ok(Ask::Suppress(attempt, reason.into()));
    }
    let (written, unsubscribe) = match render::write(app, shared, queued) {
        Ok(written) => written,
        Err(Unwritten::Erased) => return Ok(Ask::Suppress(attempt, "erased".into())),
        Err(Unwritten::Template(place)) => {
            return Ok(Ask::Failed(attempt, None, format!("template:{place}")));
        }
    };
    let name = queued.data.get().and_then(|data| data["name"].as_str());
    let outgoing = Outgoing {
        message_id: queued.message_id.clone(),
        reference: reference(message, queued),
        to: to.clone(),
        name: name.map(str::to_owned),
        subject: written.rendered.subject,
        text: written.rendered.text,
        html: written.rendered.html,
        unsubscribe,
        at: app.now(),
    };
    let driver = shared.config.drivers.of(queued.channel);
    Ok(match driver.send(&outgoing).await {
        Ok(provider_id) => Ask::Sent(attempt, driver.name().into(), provider_id),
        Err(NotSent::Never(reason)) => Ask::Failed(attempt, None, reason),
        Err(NotSent::Later(reason)) => {
            let failed = attempt - message.patience_from;
            let pause = shared.config.patience.after(failed);
            let retry_at = pause.map(|seconds| app.now().plus_seconds(seconds));
            Ask::Failed(attempt, retry_at, reason)
        }
    })
}

/// Why a message that needs its reader's leave is not to be sent, if so. Asked right before it is
/// sent: a wish to hear no more may have come meanwhile.
async fn unwanted(
    app: &App,
    queued: &MessageQueued,
    to: &str,
) -> Result<Option<&'static str>, AppError> {
    let class = queued.kind.class();
    if class == MessageClass::Transactional {
        return Ok(None);
    }
    if class == MessageClass::Marketing {
        let reader = queued.customer_id.as_ref().map(|id| id.as_str());
        let consent = match reader {
            Some(id) => app.state::<Reader>(id).await?.state.consent,
            None => false,
        };
        if !consent {
            return Ok(Some("no_consent"));
        }
    }
    let key = address::key(app, to);
    let known = app.state::<Address>(&key).await?.state;
    Ok(match (known.bounced, known.unsubscribed) {
        (true, _) => Some("bounced"),
        (_, true) => Some("unsubscribed"),
        _ => None,
    })
}

/// By which a receiver recognises a repeat. When staff send a message again it is a new one to
/// them, or it would be thrown away as a repeat.
fn reference(message: &MessageState, queued: &MessageQueued) -> String {
    let hash = hash_token(&queued.message_id);
    let short = hash.get(..40).unwrap_or(&hash);
    match message.resends {
        0 => short.to_owned(),
        again => format!("{short}.{again}"),
    }
}

fn count(queued: &MessageQueued, ask: &Ask) {
    let outcome = match ask {
        Ask::Sent(..) => "sent",
        Ask::Failed(_, Some(_), _) => "retrying",
        Ask::Failed(..) => "failed",
        _ => "suppressed",
    };
    let channel = queued.channel.as_str();
    metrics::counter!("souk_messages_total", "channel" => channel, "outcome" => outcome)
        .increment(1);
}

/// What came of it could not be recorded; the attempt is made again with the same reference.
fn again(error: AppError) -> WorkerError {
    match error {
        AppError::Rejected(rejection) => WorkerError::Poison(rejection.to_string()),
        other => WorkerError::Retry(other.to_string()),
    }
}
