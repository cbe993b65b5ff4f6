//! A key ring whose database is away: what cannot be opened meanwhile is not damaged.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use kernel::{
    BoxFuture, From, KeyRing, KeyRingError, Module, PersonId, Reaction, Subscription, Worker,
    WorkerError, sql, with_keys,
};
use runtime::{KeyVault, Lapses, Runtime, SystemClock};

use crate::{
    life::{anyone, app, config, number, start, until},
    personal::OwnerEvent,
    toys::{bank, open},
};

/// A ring that can be away.
struct Distant {
    ring: Arc<dyn KeyVault>,
    away: AtomicBool,
    in_vain: AtomicU64,
}

impl KeyRing for Distant {
    fn seal(&self, person: &PersonId, plain: &[u8]) -> Result<Vec<u8>, KeyRingError> {
        self.ring.seal(person, plain)
    }

    fn open(&self, person: &PersonId, sealed: &[u8]) -> Result<Option<Vec<u8>>, KeyRingError> {
        if self.away.load(Ordering::SeqCst) {
            self.in_vain.fetch_add(1, Ordering::SeqCst);
            return Err(KeyRingError("nobody answers".into()));
        }
        self.ring.open(person, sealed)
    }

    fn blind(&self, purpose: &str, value: &str) -> String {
        self.ring.blind(purpose, value)
    }
}

impl KeyVault for Distant {
    fn has_pending(&self) -> bool {
        self.ring.has_pending()
    }

    fn persist(self: Arc<Self>) -> BoxFuture<'static, Result<(), KeyRingError>> {
        self.ring.clone().persist()
    }

    fn lapses(&self) -> Lapses {
        Lapses {
            unreachable: self.in_vain.load(Ordering::SeqCst),
            ..self.ring.lapses()
        }
    }

    fn prefetch(
        self: Arc<Self>,
        persons: Vec<PersonId>,
    ) -> BoxFuture<'static, Result<(), KeyRingError>> {
        self.ring.clone().prefetch(persons)
    }

    fn erasures(&self) -> u64 {
        self.ring.erasures()
    }

    fn erase(self: Arc<Self>, person: PersonId) -> BoxFuture<'static, Result<(), KeyRingError>> {
        self.ring.clone().erase(person)
    }

    fn ring(self: Arc<Self>) -> Arc<dyn KeyRing> {
        self
    }
}

/// Hears of new accounts and writes to their owners; both open the owner's name.
fn letters(heard: &Arc<AtomicUsize>, written: &Arc<AtomicUsize>) -> Module {
    let (heard, written) = (heard.clone(), written.clone());
    Module::new("letters")
        .subscription(Subscription::new("owners", &["bank"], move |event| {
            if event.decode::<OwnerEvent>()?.is_some() {
                heard.fetch_add(1, Ordering::SeqCst);
            }
            Ok(Reaction::none())
        }))
        .worker(Worker {
            name: "writer",
            topics: &["bank"],
            types: &["bank.account.opened.v1"],
            from: From::Beginning,
            concurrency: 2,
            perform: Arc::new(move |app, event| {
                let written = written.clone();
                Box::pin(async move {
                    with_keys(app.keys(), || event.decode::<OwnerEvent>())
                        .map_err(|error| WorkerError::Poison(error.to_string()))?;
                    written.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                })
            }),
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_parked_while_the_key_ring_is_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    for id in ["a", "b"] {
        let opened = open(id, id, "Ann");
        let opened = app(&shop, "bank").execute(&anyone(), opened).await;
        opened.expect("committed");
    }
    shop.shutdown().await;

    let mut config = config(folder.path(), Arc::new(SystemClock));
    let ring = Arc::new(Distant {
        ring: config.keyring.clone(),
        away: AtomicBool::new(true),
        in_vain: AtomicU64::new(0),
    });
    config.keyring = ring.clone();
    let (heard, written) = (Arc::default(), Arc::default());
    let modules = vec![bank(), letters(&heard, &written)];
    let shop = Runtime::start(config, modules).await.expect("it starts");
    until("both have tried more than once", || async {
        ring.in_vain.load(Ordering::SeqCst) > 6
    })
    .await;
    let letters = app(&shop, "letters");
    let parked = || sql!("SELECT count(*) FROM dead_letters");
    assert_eq!(number(&letters, parked()).await, 0);
    ring.away.store(false, Ordering::SeqCst);
    until("everything is heard and done", || async {
        heard.load(Ordering::SeqCst) >= 2 && written.load(Ordering::SeqCst) >= 2
    })
    .await;
    assert_eq!(number(&letters, parked()).await, 0);
    shop.shutdown().await;
}
