//! The workers: what is asked of the provider, and how its answers are recorded. Each effect may
//! run more than once; the key sent with it is the payment's id and the operation's number, so it
//! takes place once.

use std::sync::Arc;

use contracts::payments::{
    OperationKind, PaymentEvent, PaymentId, PaymentIntended, PaymentOperationRequested,
};
use kernel::{App, AppError, Context, From, Recorded, Worker, WorkerError, with_keys};

use crate::{
    apply::{Apply, Ask},
    patience::Patience,
    payment::{Payment, idempotency_key},
    provider::{Answer, Authorise, Lookup, Operate, ProviderPayment, ProviderStatus},
    registry::{Guarded, Providers},
    rules::Command,
};

/// An event older than this may have been worked on before, or be wanted no more: its payment is
/// looked at first. Younger ones are spared that.
const STALE_AFTER_SECONDS: i64 = 5;

/// What the workers share.
pub struct Work {
    /// Whom they can call.
    pub providers: Providers,
    /// How long they wait before asking again.
    pub patience: Patience,
}

/// Performs what was decided, when the event comes: authorisations, apart from the rest so that a
/// flood of captures does not keep buyers waiting.
pub fn authorise_worker(work: Arc<Work>, concurrency: usize) -> Worker {
    worker(
        "authorise",
        &["payments.payment.intended.v1"],
        work,
        concurrency,
    )
}

/// The same for captures, voids, refunds and inquiries.
pub fn operate_worker(work: Arc<Work>, concurrency: usize) -> Worker {
    const TYPES: &[&str] = &[
        "payments.payment.operation_requested.v1",
        "payments.payment.inquiry_requested.v1",
    ];
    worker("operate", TYPES, work, concurrency)
}

fn worker(
    name: &'static str,
    types: &'static [&'static str],
    work: Arc<Work>,
    concurrency: usize,
) -> Worker {
    Worker {
        name,
        topics: &["payments"],
        types,
        // Its own events, from the first on: what was decided must be done. What is long done is
        // recognised by its age and its state.
        from: From::Beginning,
        concurrency,
        perform: Arc::new(move |app, recorded| {
            let work = work.clone();
            Box::pin(async move { work.perform(&app, &recorded).await })
        }),
    }
}

/// One event being worked on.
struct Task<'a> {
    work: &'a Work,
    app: &'a App,
    context: Context,
    stale: bool,
}

impl Work {
    async fn perform(&self, app: &App, recorded: &Recorded) -> Result<(), WorkerError> {
        let event = with_keys(app.keys(), || recorded.decode::<PaymentEvent>())
            .map_err(|error| WorkerError::Poison(error.to_string()))?;
        let Some(event) = event else { return Ok(()) };
        let task = Task {
            work: self,
            app,
            context: caused_by(recorded),
            stale: app.now() > recorded.at.plus_seconds(STALE_AFTER_SECONDS),
        };
        match &*event {
            PaymentEvent::Intended(intended) => task.intended(intended).await,
            PaymentEvent::OperationRequested(requested) => task.requested(requested).await,
            PaymentEvent::InquiryRequested(e) => task.inquire(&e.payment_id, e.operation).await,
            _ => Ok(()),
        }
    }
}

fn caused_by(recorded: &Recorded) -> Context {
    Context {
        correlation: recorded.meta.correlation.clone(),
        causation: Some(recorded.id().into()),
        trace: recorded.meta.trace.clone(),
        actor: Some("system".into()),
    }
}

impl Task<'_> {
    async fn intended(&self, intended: &PaymentIntended) -> Result<(), WorkerError> {
        if self.stale {
            return self.inquire(&intended.payment_id, 0).await;
        }
        self.authorise(intended).await
    }

    async fn requested(&self, requested: &PaymentOperationRequested) -> Result<(), WorkerError> {
        let (id, number) = (&requested.payment_id, requested.operation);
        if self.stale {
            return self.inquire(id, number).await;
        }
        self.operate(id, &requested.provider, requested.into(), number)
            .await
    }

    /// Finds out what became of an operation; sends it again where that is safe and wanted.
    async fn inquire(&self, id: &PaymentId, number: i64) -> Result<(), WorkerError> {
        let payment = self.payment(id).await?;
        let Some(intent) = payment
            .intent
            .as_deref()
            .filter(|_| payment.waits_for(number))
        else {
            return Ok(());
        };
        let Some(operation) = payment.operation(number) else {
            return self.inquire_authorisation(&payment, intent).await;
        };
        // Sending an operation again with its key is the question: the provider answers as before.
        let operation = ToDo {
            kind: operation.kind,
            request: Operate {
                key: idempotency_key(id, number),
                provider_reference: payment
                    .provider_reference
                    .as_deref()
                    .unwrap_or("")
                    .to_owned(),
                amount: payment.money(operation.amount),
            },
        };
        self.operate(id, &intent.method.provider, operation, number)
            .await
    }

    async fn inquire_authorisation(
        &self,
        payment: &Payment,
        intent: &PaymentIntended,
    ) -> Result<(), WorkerError> {
        let id = &intent.payment_id;
        let wanted = !payment.unwanted && self.app.now() <= intent.deadline;
        if wanted && payment.asks == 0 && payment.provider_reference.is_none() {
            // Nobody was left without an answer yet; if it was sent before, the key tells.
            return self.authorise(intent).await;
        }
        let Some(provider) = self.provider(intent) else {
            return self
                .record(id, Ask::Refused(0, "unknown_provider".into()))
                .await;
        };
        let lookup = lookup(id, payment.provider_reference.as_deref());
        let ask = match provider.find(self.app, lookup).await {
            Answer::Done(Some(found)) => Ask::Asked(found),
            Answer::Done(None) if wanted => return self.authorise(intent).await,
            Answer::Done(None) => Ask::At(|moment| Command::NeverHappened { moment }),
            Answer::Refused(_) | Answer::Unknown(_) => Ask::Unknown(0),
        };
        self.record(id, ask).await
    }

    async fn authorise(&self, intent: &PaymentIntended) -> Result<(), WorkerError> {
        let id = &intent.payment_id;
        if intent.amount.amount <= 0 {
            return Ok(());
        }
        let Some(token) = intent.method.token.get() else {
            return self
                .record(id, Ask::Refused(0, "token_erased".into()))
                .await;
        };
        if token.is_empty() {
            return Ok(());
        }
        let Some(provider) = self.provider(intent) else {
            return self
                .record(id, Ask::Refused(0, "unknown_provider".into()))
                .await;
        };
        let request = Authorise {
            key: idempotency_key(id, 0),
            reference: id.to_string(),
            amount: intent.amount,
            token: token.clone(),
        };
        let ask = match provider.authorise(self.app, request).await {
            Answer::Done(payment) if payment.status == ProviderStatus::Pending => Ask::Unknown(0),
            Answer::Done(payment) => told(payment),
            Answer::Refused(code) => Ask::Refused(0, code),
            Answer::Unknown(_) => Ask::Unknown(0),
        };
        self.record(id, ask).await
    }

    async fn operate(
        &self,
        id: &PaymentId,
        provider: &str,
        todo: ToDo,
        number: i64,
    ) -> Result<(), WorkerError> {
        let Some(provider) = self.work.providers.get(provider) else {
            return self
                .record(id, Ask::Refused(number, "unknown_provider".into()))
                .await;
        };
        let reference = todo.request.provider_reference.clone();
        let ask = match provider.operate(self.app, todo.kind, todo.request).await {
            Answer::Done(receipt) => Ask::Now(Command::Answered {
                operation: number,
                receipt,
            }),
            Answer::Unknown(_) => Ask::Unknown(number),
            Answer::Refused(code) => {
                // Something we do not know must have happened: learn it before giving up.
                let lookup = lookup(id, Some(&reference));
                if let Answer::Done(Some(payment)) = provider.find(self.app, lookup).await {
                    self.record(id, told(payment)).await?;
                }
                Ask::Refused(number, code)
            }
        };
        self.record(id, ask).await
    }

    fn provider(&self, intent: &PaymentIntended) -> Option<&Arc<Guarded>> {
        self.work.providers.get(&intent.method.provider)
    }

    async fn payment(&self, id: &PaymentId) -> Result<Payment, WorkerError> {
        let read = self.app.state::<Payment>(id.as_str()).await;
        read.map(|found| found.state).map_err(again)
    }

    async fn record(&self, id: &PaymentId, ask: Ask) -> Result<(), WorkerError> {
        let apply = Apply {
            payment_id: id.clone(),
            patience: self.work.patience,
            ask,
        };
        let done = self.app.execute(&self.context, apply).await;
        done.map(|_| ()).map_err(again)
    }
}

struct ToDo {
    kind: OperationKind,
    request: Operate,
}

impl std::convert::From<&PaymentOperationRequested> for ToDo {
    fn from(requested: &PaymentOperationRequested) -> Self {
        Self {
            kind: requested.kind,
            request: Operate {
                key: idempotency_key(&requested.payment_id, requested.operation),
                provider_reference: requested.provider_reference.clone(),
                amount: requested.amount,
            },
        }
    }
}

fn told(payment: ProviderPayment) -> Ask {
    Ask::Now(Command::Seen {
        payment,
        asked: None,
    })
}

fn lookup(id: &PaymentId, provider_reference: Option<&str>) -> Lookup {
    Lookup {
        reference: id.to_string(),
        provider_reference: provider_reference.map(str::to_owned),
    }
}

/// What the provider answered could not be recorded. The effect is repeated with the same key.
fn again(error: AppError) -> WorkerError {
    match error {
        AppError::Rejected(rejection) => WorkerError::Poison(rejection.to_string()),
        other => WorkerError::Retry(other.to_string()),
    }
}
