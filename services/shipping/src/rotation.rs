//! How quote keys follow one another: a durable timer calls for the next key, a worker (the only
//! one with a source of randomness) makes it, another timer retires the one before.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use contracts::shipping::{QuoteKeyPublished, QuoteKeysEvent};
use kernel::{
    App, AppError, Command, Context, Decider, From, Personal, Poison, Recorded, Rejection,
    StreamId, Timer, Timestamp, UnitOfWork, Worker, WorkerError,
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::{
    config::Config,
    keys::{ALL_KEYS, KeyCommand, QuoteKeys},
};

/// Timer kind: the next key is wanted.
pub const ROTATE: &str = "rotate-quote-key";
/// Timer kind: the last quote of a key has expired.
pub const RETIRE: &str = "retire-quote-key";

/// The reserved person under whose key the private parts are sealed. Must never be erased.
const SHOP: &str = "per_souk";

/// Times around a key.
#[derive(Clone, Copy, Debug)]
pub struct KeyTimes {
    seconds: i64,
    lead: i64,
    last_quote: i64,
}

impl std::convert::From<&Config> for KeyTimes {
    fn from(config: &Config) -> Self {
        Self {
            seconds: config.key_seconds,
            lead: config.key_lead_seconds,
            last_quote: config.quote_seconds + config.key_retire_margin_seconds,
        }
    }
}

/// Makes the first quote key if there is none. To be run at every start, before requests are
/// served; quotes make it themselves if nobody did.
///
/// # Errors
/// When the store cannot be written.
pub async fn bootstrap(app: &App) -> Result<(), AppError> {
    ensure_key(app, KeyTimes::from(&Config::default())).await
}

/// The same with these times.
pub async fn ensure_key(app: &App, times: KeyTimes) -> Result<(), AppError> {
    if app.state::<QuoteKeys>(ALL_KEYS).await?.state.published > 0 {
        return Ok(());
    }
    let first = PublishKey::generate(app, times, 0, app.now())?;
    let context = Context {
        correlation: "bootstrap".into(),
        actor: Some("system".into()),
        ..Context::default()
    };
    app.execute(&context, first).await
}

/// Takes a new key in and sets the timers around it.
struct PublishKey {
    key: KeyCommand,
    not_before: Timestamp,
    times: KeyTimes,
}

impl PublishKey {
    /// A fresh key that follows the first `after` keys and signs from `not_before` on.
    fn generate(
        app: &App,
        times: KeyTimes,
        after: i64,
        not_before: Timestamp,
    ) -> Result<Self, AppError> {
        let seed = app.ids().secret();
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed)
            .map_err(|_| AppError::Internal("a quote key could not be made".into()))?;
        let shop = SHOP
            .parse()
            .map_err(|_| AppError::Internal("the shop's person is no id".into()))?;
        let public = QuoteKeyPublished {
            kid: app.ids().next(),
            x: BASE64URL.encode(pair.public_key()),
            not_before,
        };
        Ok(Self {
            key: KeyCommand::Publish {
                after,
                public,
                private: Personal::new(shop, BASE64URL.encode(seed)),
            },
            not_before,
            times,
        })
    }
}

fn all_keys() -> Vec<StreamId> {
    vec![StreamId::new(QuoteKeys::CATEGORY, ALL_KEYS)]
}

impl Command for PublishKey {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        all_keys()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let before = work.state::<QuoteKeys>(ALL_KEYS)?.keys.clone();
        if work.decide::<QuoteKeys>(ALL_KEYS, &self.key)? == 0 {
            return Ok(());
        }
        for old in before {
            work.set_timer(Timer {
                key: format!("{RETIRE}:{}", old.kid),
                due: self.not_before.plus_seconds(self.times.last_quote),
                kind: RETIRE.into(),
                data: old.kid,
            });
        }
        let published = work.state::<QuoteKeys>(ALL_KEYS)?.published;
        let wanted = self.times.seconds - self.times.lead;
        work.set_timer(Timer {
            key: ROTATE.into(),
            due: self.not_before.plus_seconds(wanted),
            kind: ROTATE.into(),
            data: published.to_string(),
        });
        Ok(())
    }
}

/// What a due [`ROTATE`] timer leads to.
pub fn on_rotate(timer: &Timer) -> Result<KeyCommand, Poison> {
    let published = timer.data.parse();
    let published = published.map_err(|_| Poison("a rotation timer without a number".into()))?;
    Ok(KeyCommand::CallFor { published })
}

/// What a due [`RETIRE`] timer leads to.
pub struct RetireKey(pub String);

impl Command for RetireKey {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        all_keys()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let retire = KeyCommand::Retire {
            kid: self.0.clone(),
            now: work.now(),
        };
        work.decide::<QuoteKeys>(ALL_KEYS, &retire).map(|_| ())
    }
}

/// Makes the key that was called for. Doing it twice makes one.
pub fn key_maker(times: KeyTimes) -> Worker {
    Worker {
        name: "quote-key-maker",
        topics: &["shipping"],
        types: &["shipping.quote_key.rotation_due.v1"],
        from: From::Beginning,
        concurrency: 1,
        perform: Arc::new(move |app, event| {
            Box::pin(async move { make_next(&app, times, &event).await })
        }),
    }
}

async fn make_next(app: &App, times: KeyTimes, event: &Recorded) -> Result<(), WorkerError> {
    let decoded = event.decode::<QuoteKeysEvent>();
    let decoded = decoded.map_err(|e| WorkerError::Poison(e.to_string()))?;
    let Some(QuoteKeysEvent::RotationDue(due)) = decoded.as_deref() else {
        return Ok(());
    };
    let not_before = app.now().plus_seconds(times.lead);
    let publish = PublishKey::generate(app, times, due.published, not_before)
        .map_err(|e| WorkerError::Retry(e.to_string()))?;
    let done = app.execute(&crate::work::caused_by(event), publish).await;
    done.map_err(|e| WorkerError::Retry(e.to_string()))
}
