//! What programs outside of Souk say to a service.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use eventlog::{Broker, Delivery, Inbound, LogError, LogHead};
use kernel::{BoxFuture, Recorded};
use tokio::sync::{mpsc, oneshot};

/// Programs outside of Souk, and a broker that knows nothing but them.
#[derive(Default)]
pub struct Outside {
    ears: Mutex<HashMap<String, Vec<mpsc::Sender<Inbound>>>>,
}

impl Outside {
    /// Says something to the `n`th instance (in the order of their starts) of a service; answers
    /// whether it was acknowledged.
    pub async fn say(
        &self,
        service: &str,
        n: usize,
        (source, id): (&str, &str),
        kind: &str,
        data: &str,
    ) -> bool {
        let ear = self.ears.lock().expect("not poisoned")[service][n].clone();
        let (done, answer) = oneshot::channel();
        let event = Inbound {
            source: source.into(),
            id: id.into(),
            kind: kind.into(),
            data: data.into(),
            done,
        };
        ear.send(event).await.expect("it listens");
        answer.await.expect("an answer")
    }

    /// How many instances of a service listen.
    pub fn listeners(&self, service: &str) -> usize {
        let ears = self.ears.lock().expect("not poisoned");
        ears.get(service).map_or(0, Vec::len)
    }
}

fn nothing<T>() -> Result<T, LogError> {
    Err(LogError::Unavailable("there is no broker".into()))
}

impl Broker for Outside {
    fn publish<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: &'a [Arc<Recorded>],
    ) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(async { nothing() })
    }

    fn announce<'a>(&'a self, _: &'a str, _: &'a LogHead) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(async { nothing() })
    }

    fn tail<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<mpsc::Receiver<Delivery>, LogError>> {
        Box::pin(async { nothing() })
    }

    fn newest<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<LogHead>, LogError>> {
        Box::pin(async { nothing() })
    }

    fn retained<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: i64,
        _: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>> {
        Box::pin(async { nothing() })
    }

    fn inbound<'a>(
        &'a self,
        service: &'a str,
    ) -> BoxFuture<'a, Result<mpsc::Receiver<Inbound>, LogError>> {
        Box::pin(async move {
            let (ear, events) = mpsc::channel(4);
            let mut ears = self.ears.lock().expect("not poisoned");
            ears.entry(service.to_owned()).or_default().push(ear);
            Ok(events)
        })
    }
}
