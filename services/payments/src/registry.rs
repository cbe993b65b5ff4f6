//! The providers of this shop by name, each behind a time limit, a circuit breaker and metrics.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use kernel::App;

use crate::{
    breaker::{Breaker, BreakerConfig},
    provider::{Answer, Authorise, Lookup, Operate, Provider, ProviderPayment, Receipt},
};
use contracts::payments::OperationKind;

/// How calls to providers are made.
#[derive(Clone, Copy, Debug)]
pub struct CallConfig {
    /// A call without an answer after this long is given up; what it did is then unknown.
    pub timeout: Duration,
    /// When a silent provider is left alone.
    pub breaker: BreakerConfig,
}

impl Default for CallConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            breaker: BreakerConfig::default(),
        }
    }
}

/// The providers by name.
#[derive(Clone, Default)]
pub struct Providers(BTreeMap<String, Arc<Guarded>>);

impl Providers {
    /// These providers, called as `config` says.
    pub fn new(providers: impl IntoIterator<Item = Arc<dyn Provider>>, config: CallConfig) -> Self {
        let guarded = |inner: Arc<dyn Provider>| Guarded {
            breaker: Breaker::new(config.breaker),
            timeout: config.timeout,
            inner,
        };
        let named = |inner: Arc<dyn Provider>| (inner.name().to_owned(), Arc::new(guarded(inner)));
        Self(providers.into_iter().map(named).collect())
    }

    /// The provider of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Guarded>> {
        self.0.get(name)
    }
}

/// A provider that cannot keep its callers waiting.
pub struct Guarded {
    /// The adapter.
    pub inner: Arc<dyn Provider>,
    breaker: Breaker,
    timeout: Duration,
}

impl Guarded {
    /// Holds money.
    pub async fn authorise(&self, app: &App, request: Authorise) -> Answer<ProviderPayment> {
        self.guard(app, "authorise", || self.inner.authorise(request))
            .await
    }

    /// Captures, voids or refunds.
    pub async fn operate(
        &self,
        app: &App,
        kind: OperationKind,
        request: Operate,
    ) -> Answer<Receipt> {
        match kind {
            OperationKind::Capture => {
                self.guard(app, "capture", || self.inner.capture(request))
                    .await
            }
            OperationKind::Void => self.guard(app, "void", || self.inner.void(request)).await,
            OperationKind::Refund => {
                self.guard(app, "refund", || self.inner.refund(request))
                    .await
            }
            OperationKind::Authorise => Answer::Refused("not_an_operation".into()),
        }
    }

    /// Asks what became of a payment.
    pub async fn find(&self, app: &App, lookup: Lookup) -> Answer<Option<ProviderPayment>> {
        self.guard(app, "find", || self.inner.find(lookup)).await
    }

    async fn guard<T, F: Future<Output = Answer<T>>>(
        &self,
        app: &App,
        call: &'static str,
        make: impl FnOnce() -> F,
    ) -> Answer<T> {
        let answer = match self.breaker.admits(app.now()) {
            false => Answer::Unknown("the provider is being left alone".into()),
            true => {
                let answer = tokio::time::timeout(self.timeout, make()).await;
                let answer = answer.unwrap_or_else(|_| Answer::Unknown("no answer in time".into()));
                let answered = !matches!(answer, Answer::Unknown(_));
                self.breaker.record(answered, app.now());
                answer
            }
        };
        let outcome = match &answer {
            Answer::Done(_) => "done",
            Answer::Refused(_) => "refused",
            Answer::Unknown(why) => {
                tracing::warn!(provider = self.inner.name(), call, why, "outcome unknown");
                "unknown"
            }
        };
        let provider = self.inner.name().to_owned();
        metrics::counter!("souk_payments_provider_calls_total", "provider" => provider, "call" => call, "outcome" => outcome)
            .increment(1);
        answer
    }
}
