//! The carriers of this shop by name, each behind a time limit and metrics.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use crate::carrier::{Answer, BuyRequest, Carrier, Shipment};

/// How long a carrier may take, unless it is said otherwise.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The carriers by name.
#[derive(Clone, Default)]
pub struct Carriers(BTreeMap<String, Arc<Guarded>>);

impl Carriers {
    /// These carriers; a call without an answer after `timeout` is given up, and what it did is
    /// then unknown.
    pub fn new(carriers: impl IntoIterator<Item = Arc<dyn Carrier>>, timeout: Duration) -> Self {
        let named = |inner: Arc<dyn Carrier>| {
            let name = inner.name().to_owned();
            (name, Arc::new(Guarded { inner, timeout }))
        };
        Self(carriers.into_iter().map(named).collect())
    }

    /// The carrier of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Guarded>> {
        self.0.get(name)
    }

    /// The name of the only carrier, if there is one only.
    pub fn only(&self) -> Option<&str> {
        match self.0.len() {
            1 => self.0.keys().next().map(String::as_str),
            _ => None,
        }
    }
}

/// A carrier that cannot keep its callers waiting.
pub struct Guarded {
    /// The adapter.
    pub inner: Arc<dyn Carrier>,
    timeout: Duration,
}

impl Guarded {
    /// Makes a label.
    pub async fn buy(&self, request: BuyRequest) -> Answer<Shipment> {
        self.guard("buy", self.inner.buy(request)).await
    }

    /// Takes a label back.
    pub async fn void(&self, reference: String) -> Answer<()> {
        self.guard("void", self.inner.void(reference)).await
    }

    /// Asks what became of a label.
    pub async fn find(&self, key: String) -> Answer<Option<Shipment>> {
        self.guard("find", self.inner.find(key)).await
    }

    async fn guard<T>(
        &self,
        call: &'static str,
        made: impl Future<Output = Answer<T>>,
    ) -> Answer<T> {
        let answer = tokio::time::timeout(self.timeout, made).await;
        let answer = answer.unwrap_or_else(|_| Answer::Unknown("no answer in time".into()));
        let outcome = match &answer {
            Answer::Done(_) => "done",
            Answer::Refused(_) => "refused",
            Answer::Unknown(why) => {
                tracing::warn!(carrier = self.inner.name(), call, why, "outcome unknown");
                "unknown"
            }
        };
        let carrier = self.inner.name().to_owned();
        metrics::counter!("souk_shipping_carrier_calls_total", "carrier" => carrier, "call" => call, "outcome" => outcome)
            .increment(1);
        answer
    }
}
