//! The front desk: what signing in takes, shared by the HTTP handlers.

use contracts::identity::{
    AccountId, SessionStarted,
    api::{AccessToken, SignedIn},
};
use kernel::{App, AppError, Rejection, RejectionKind, Timestamp};
use web::Problem;

use crate::{
    accounts::{Found, LookUp},
    config::Config,
    email,
    grant::Grant,
    password::Hasher,
    secret::{Token, new_session},
    signer::Signer,
    throttle::{Attempt, Throttle},
};

/// Everything but the runtime that handlers need.
pub struct Desk {
    /// What is configured.
    pub config: Config,
    /// Argon2id.
    pub hasher: Hasher,
    /// Access tokens.
    pub signer: Signer,
    throttle: Throttle,
}

/// The one answer to a wrong e-mail address, a wrong password and a locked account.
fn wrong() -> Rejection {
    Rejection::new(
        RejectionKind::Unauthenticated,
        "wrong-credentials",
        "the e-mail address or the password is wrong",
    )
}

impl Desk {
    /// A desk by this configuration.
    ///
    /// # Errors
    /// When Argon2 does not take the configured cost.
    pub fn new(config: Config) -> Result<Self, AppError> {
        Ok(Self {
            hasher: Hasher::new(&config)?,
            config,
            signer: Signer::default(),
            throttle: Throttle::default(),
        })
    }

    /// The account of `email`, if `password` is its password. Unknown addresses, wrong passwords
    /// and locked accounts get the same answer after the same work.
    pub async fn check(
        &self,
        app: &App,
        email: &str,
        password: String,
        address: Option<&str>,
    ) -> Result<Found, Problem> {
        // Text that is no address has no account: the same answer again.
        let email_hash = match email::normalise(email) {
            Ok(email) => app.keys().blind("email", &email),
            Err(_) => app.keys().blind("no-email", email),
        };
        let attempt = Attempt::new(&email_hash, address);
        self.throttle
            .begin(&attempt, app.now())
            .map_err(too_many_attempts)?;
        let context = kernel::Context::default();
        let found = app.execute(&context, LookUp { email_hash }).await?;
        let hash = found.as_ref().and_then(|found| {
            let hash = found.hash.as_ref()?;
            hash.get().cloned()
        });
        let right = self.hasher.verify(password, hash).await?;
        let found = found.filter(|_| right).ok_or_else(wrong)?;
        self.throttle.succeeded(&attempt);
        Ok(found)
    }

    /// Counts a registration from `address`, so that one client cannot test who has an account, or
    /// open accounts, without end.
    pub fn slow_down(&self, app: &App, address: Option<&str>) -> Result<(), Problem> {
        let Some(address) = address else {
            return Ok(());
        };
        self.throttle
            .begin(&Attempt::registering(address), app.now())
            .map_err(too_many_attempts)
    }

    /// A new session of `account`, begun in credential epoch `epoch`, and its token.
    pub fn session(&self, app: &App, account: AccountId, epoch: i64) -> (SessionStarted, Token) {
        let (session_id, token) = new_session(app.ids());
        let seconds = match account {
            AccountId::Staff(_) => self.config.staff_session_seconds,
            AccountId::Customer(_) => self.config.customer_session_seconds,
        };
        let session = SessionStarted {
            session_id,
            account,
            secret_hash: token.hash(),
            epoch,
            expires_at: app.now().plus_seconds(seconds),
        };
        (session, token)
    }

    /// An access token for `grant`.
    pub async fn access_token(&self, app: &App, grant: &Grant) -> Result<AccessToken, AppError> {
        let seconds = self.config.token_seconds;
        self.signer.sign(app, grant, seconds).await
    }

    /// The answer to someone who has just signed in.
    pub async fn signed_in(
        &self,
        app: &App,
        grant: &Grant,
        session: &Token,
        session_expires_at: Timestamp,
    ) -> Result<SignedIn, AppError> {
        let token = self.access_token(app, grant).await?;
        Ok(SignedIn {
            account: grant.subject.clone(),
            access_token: token.access_token,
            token_type: token.token_type,
            expires_in: token.expires_in,
            session_token: session.reveal().to_owned(),
            session_expires_at,
        })
    }
}

fn too_many_attempts(seconds: u64) -> Problem {
    let rejection = Rejection::new(
        RejectionKind::TooMany,
        "too-many-attempts",
        "too many attempts to sign in; wait before the next one",
    );
    Problem::from(rejection).retry_after(seconds)
}
