//! Argon2id (RFC 9106), kept off the threads that serve requests and never more than a few at a
//! time: each takes some 20 MB and a core for tens of milliseconds.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::Error as HashError,
};
use kernel::{AppError, Ids};
use tokio::sync::Semaphore;

use crate::config::Config;

/// Hashes and checks passwords.
pub struct Hasher {
    argon2: Argon2<'static>,
    /// A hash of nothing, of the same cost: checked against when there is no account, so that the
    /// answer takes as long.
    decoy: String,
    at_once: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
}

impl Hasher {
    /// A hasher of the cost the configuration says.
    ///
    /// # Errors
    /// When Argon2 does not take the configured cost.
    pub fn new(config: &Config) -> Result<Self, AppError> {
        let (memory, passes) = (config.argon2_memory_kib, config.argon2_passes);
        let params = Params::new(memory, passes, 1, None)
            .map_err(|_| AppError::Internal("the configured Argon2 cost is not valid".into()))?;
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            decoy: format!(
                "$argon2id$v=19$m={memory},t={passes},p=1${}${}",
                "c291ay1kZWNveS1zYWx0",
                "A".repeat(43)
            ),
            at_once: Arc::new(Semaphore::new(config.argon2_at_once.max(1))),
            waiting: AtomicUsize::new(0),
            most_waiting: config.argon2_waiting,
        })
    }

    /// The PHC string of `password`, with a fresh salt.
    pub async fn hash(&self, ids: &dyn Ids, password: String) -> Result<String, AppError> {
        let salt = ids.secret();
        let argon2 = self.argon2.clone();
        let hashed = self
            .run(move || argon2.hash_password_with_salt(password.as_bytes(), &salt[..16]))
            .await?;
        hashed
            .map(|hash| hash.to_string())
            .map_err(|error| AppError::Internal(format!("Argon2: {error}")))
    }

    /// Whether `password` is the one `hash` was made of. Without a hash the answer is no, and
    /// takes as long.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, AppError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.clone());
        let argon2 = self.argon2.clone();
        let checked = self
            .run(move || argon2.verify_password(password.as_bytes(), hash.as_str()))
            .await?;
        match checked {
            Ok(()) => Ok(known),
            Err(HashError::PasswordInvalid) => Ok(false),
            Err(error) => Err(AppError::Internal(format!("Argon2: {error}"))),
        }
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let _place = Place::take(&self.waiting, self.most_waiting)?;
        let permit = self.at_once.clone().acquire_owned().await;
        let permit = permit.map_err(|_| AppError::Unavailable("shutting down".into()))?;
        // The permit goes along: a caller that hangs up does not free the core it still uses.
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await
            .map_err(|_| AppError::Internal("a password hash was cut short".into()))
    }
}

/// A place in the queue, given back when dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, most: usize) -> Result<Self, AppError> {
        let place = Self(waiting);
        match waiting.fetch_add(1, Ordering::Relaxed) < most {
            true => Ok(place),
            false => Err(AppError::Unavailable("too many sign-ins at once".into())),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use kernel::testing::CountingIds;

    use super::*;

    fn cheap() -> Config {
        Config {
            argon2_memory_kib: 64,
            argon2_passes: 1,
            ..Config::default()
        }
    }

    #[tokio::test]
    async fn the_right_password_and_no_other_is_accepted() {
        let hasher = Hasher::new(&cheap()).expect("a hasher");
        let ids = CountingIds::default();
        let hash = hasher.hash(&ids, "correct horse".into()).await;
        let hash = hash.expect("hashed");
        assert!(
            hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"),
            "PHC string form"
        );
        let verify = |password: &str| hasher.verify(password.to_owned(), Some(hash.clone()));
        assert!(verify("correct horse").await.expect("checked"));
        assert!(!verify("correct horsf").await.expect("checked"));
        assert!(!verify("").await.expect("checked"));
    }

    #[tokio::test]
    async fn an_account_that_does_not_exist_has_no_right_password() {
        let hasher = Hasher::new(&cheap()).expect("a hasher");
        assert!(!hasher.verify("anything".into(), None).await.expect("no"));
    }

    #[tokio::test]
    async fn two_hashes_of_one_password_differ() {
        let hasher = Hasher::new(&cheap()).expect("a hasher");
        let ids = CountingIds::default();
        let one = hasher.hash(&ids, "correct horse".into()).await;
        let two = hasher.hash(&ids, "correct horse".into()).await;
        assert_ne!(one.expect("hashed"), two.expect("hashed"));
    }

    #[tokio::test]
    async fn a_full_queue_turns_callers_away() {
        let config = Config {
            argon2_waiting: 0,
            ..cheap()
        };
        let hasher = Hasher::new(&config).expect("a hasher");
        let refused = hasher.verify("x".into(), None).await;
        assert!(matches!(refused, Err(AppError::Unavailable(_))));
        assert_eq!(
            hasher.waiting.load(Ordering::Relaxed),
            0,
            "place given back"
        );
    }
}
