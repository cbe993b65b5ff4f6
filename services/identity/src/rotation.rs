//! How signing keys follow one another: a durable timer calls for the next key, a worker (the only
//! one with a source of randomness) makes it, another timer retires the one before.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use contracts::identity::{SigningKeyPublished, SigningKeysEvent};
use kernel::{
    App, AppError, Command, Context, From, Personal, Poison, Recorded, Rejection, StreamId, Timer,
    Timestamp, UnitOfWork, Worker, WorkerError,
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::{
    config::Config,
    keys::{ALL_KEYS, KeyCommand, KeyRoll, SigningKeys},
};

/// Timer kind: the next key is wanted.
pub const ROTATE: &str = "rotate-signing-key";
/// Timer kind: the last token of a key has expired.
pub const RETIRE: &str = "retire-signing-key";

/// The reserved person under whose key the private parts are sealed. Must never be erased.
const SHOP: &str = "per_souk";

/// Takes a new key in and sets the timers around it.
pub struct PublishKey {
    key: KeyCommand,
    not_before: Timestamp,
    config: Config,
}

impl PublishKey {
    /// A fresh key that follows the first `after` keys and signs from `not_before` on.
    pub fn generate(
        app: &App,
        config: &Config,
        after: i64,
        not_before: Timestamp,
    ) -> Result<Self, AppError> {
        let seed = app.ids().secret();
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed)
            .map_err(|_| AppError::Internal("a signing key could not be made".into()))?;
        let shop = SHOP
            .parse()
            .map_err(|_| AppError::Internal("the shop's person is no id".into()))?;
        let public = SigningKeyPublished {
            kid: app.ids().next(),
            alg: "EdDSA".into(),
            x: BASE64URL.encode(pair.public_key()),
            not_before,
        };
        let key = KeyCommand::Publish {
            after,
            public,
            private: Personal::new(shop, BASE64URL.encode(seed)),
        };
        Ok(Self {
            key,
            not_before,
            config: config.clone(),
        })
    }
}

fn all_keys() -> Vec<StreamId> {
    vec![StreamId::new(
        <SigningKeys as kernel::Decider>::CATEGORY,
        ALL_KEYS,
    )]
}

impl Command for PublishKey {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        all_keys()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let before = work.state::<SigningKeys>(ALL_KEYS)?.keys.clone();
        if work.decide::<SigningKeys>(ALL_KEYS, &self.key)? == 0 {
            return Ok(());
        }
        let last_token = self.config.token_seconds + self.config.key_retire_margin_seconds;
        for old in before {
            work.set_timer(Timer {
                key: format!("{RETIRE}:{}", old.kid),
                due: self.not_before.plus_seconds(last_token),
                kind: RETIRE.into(),
                data: old.kid,
            });
        }
        KeepRotating(self.config.clone()).handle(work)
    }
}

/// Sets the timer for the next key by the present configuration.
pub struct KeepRotating(pub Config);

impl Command for KeepRotating {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        all_keys()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let roll = work.state::<SigningKeys>(ALL_KEYS)?;
        if roll.due == roll.published {
            return Ok(()); // called for; the worker is at it
        }
        if let Some(timer) = rotation_timer(roll, &self.0) {
            work.set_timer(timer);
        }
        Ok(())
    }
}

fn rotation_timer(roll: &KeyRoll, config: &Config) -> Option<Timer> {
    let wanted = config.key_seconds - config.key_lead_seconds;
    Some(Timer {
        key: ROTATE.into(),
        due: roll.newest()?.not_before.plus_seconds(wanted),
        kind: ROTATE.into(),
        data: roll.published.to_string(),
    })
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
        work.decide::<SigningKeys>(ALL_KEYS, &retire).map(|_| ())
    }
}

/// Makes the key that was called for. Doing it twice makes one.
pub fn key_maker(config: Config) -> Worker {
    Worker {
        name: "signing-key-maker",
        topics: &["identity"],
        types: &["identity.signing_key.rotation_due.v1"],
        from: From::Beginning,
        concurrency: 1,
        perform: Arc::new(move |app, event| {
            let config = config.clone();
            Box::pin(async move { make_next(&app, &config, &event).await })
        }),
    }
}

async fn make_next(app: &App, config: &Config, event: &Recorded) -> Result<(), WorkerError> {
    let decoded = event.decode::<SigningKeysEvent>();
    let decoded = decoded.map_err(|e| WorkerError::Poison(e.to_string()))?;
    let Some(SigningKeysEvent::RotationDue(due)) = decoded.as_deref() else {
        return Ok(());
    };
    let not_before = app.now().plus_seconds(config.key_lead_seconds);
    let publish = PublishKey::generate(app, config, due.published, not_before)
        .map_err(|e| WorkerError::Retry(e.to_string()))?;
    let context = Context {
        correlation: event.meta.correlation.clone(),
        causation: Some(event.id().into()),
        actor: Some("system".into()),
        ..Context::default()
    };
    let done = app.execute(&context, publish).await;
    done.map_err(|e| WorkerError::Retry(e.to_string()))
}
