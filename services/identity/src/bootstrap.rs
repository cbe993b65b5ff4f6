//! What a shop needs before anyone can sign in: a signing key, the first roles, an administrator.

use contracts::identity::{ApiKeyIssued, RoleDefined, StaffAdded, UserId};
use kernel::{
    App, AppError, Command, Context, PersonId, Personal, Rejection, StreamId, UnitOfWork,
};

use crate::{
    accounts::{AddStaff, ChangeStaff, LookUp, StaffChange},
    api_key::{ApiKeyCommand, ApiKeys},
    config::Config,
    email,
    keys::{ALL_KEYS, SigningKeys},
    password::Hasher,
    role::{ADMIN, FIRST_ROLES, RoleCommand, Roles},
    rotation::{KeepRotating, PublishKey},
    secret::{new_api_key, one_time_password},
    staff::{ALL_ADMINS, Admins},
};

/// The first administrator's address.
const FIRST_ADMIN: &str = "admin@souk.local";

/// A password made by the shop, to be shown once. Its `Debug` does not show it.
pub struct OneTimePassword {
    /// Whose.
    pub email: String,
    /// Good only for choosing another one (`POST /api/identity/password`).
    pub password: String,
}

impl std::fmt::Debug for OneTimePassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OneTimePassword({}, ***)", self.email)
    }
}

fn by_system() -> Context {
    Context {
        correlation: "bootstrap".into(),
        actor: Some("system".into()),
        ..Context::default()
    }
}

/// [`bootstrap_with`] the default configuration.
///
/// # Errors
/// See [`bootstrap_with`].
pub async fn bootstrap(app: &App) -> Result<Option<OneTimePassword>, AppError> {
    bootstrap_with(app, &Config::default()).await
}

/// To be run at every start, before requests are served: makes the first signing key, the first
/// roles and the first administrator, whichever are missing. Answers the administrator's one-time
/// password if one was made.
///
/// # Errors
/// When the store cannot be written; running it again then does what is left to do.
pub async fn bootstrap_with(
    app: &App,
    config: &Config,
) -> Result<Option<OneTimePassword>, AppError> {
    ensure_key(app, config).await?;
    app.execute(&by_system(), FirstRoles).await?;
    let admins = app.state::<Admins>(ALL_ADMINS).await?.state;
    if !admins.members.is_empty() {
        return Ok(None);
    }
    match first_admin(app, config).await {
        Ok(admin) => Ok(Some(admin)),
        Err(error) => {
            // Another instance, started in the same moment, may have made the first one.
            let admins = app.state::<Admins>(ALL_ADMINS).await?.state;
            if admins.members.is_empty() {
                Err(error)
            } else {
                Ok(None)
            }
        }
    }
}

/// Makes an API key named `name` and answers the key itself: for tools that start a shop on a
/// data directory of their own. Nobody checks who asks: for the binary alone.
///
/// # Errors
/// When the name or a permission is malformed, or the store cannot be written.
pub async fn bootstrap_api_key(
    app: &App,
    name: &str,
    permissions: &[&str],
) -> Result<String, AppError> {
    let (key_id, token) = new_api_key(app.ids());
    let issue = ApiKeyCommand::Issue(ApiKeyIssued {
        key_id: key_id.clone(),
        name: name.to_owned(),
        permissions: permissions.iter().map(|p| (*p).to_owned()).collect(),
        secret_hash: token.hash(),
        expires_at: None,
    });
    let command = kernel::Decide::<ApiKeys>::new(key_id.as_str(), issue);
    app.execute(&by_system(), command).await?;
    Ok(token.reveal().to_owned())
}

/// Gives the member of staff with this address a new one-time password: the way back in when the
/// last administrator's password is lost. Nobody checks who asks: for the binary alone.
///
/// # Errors
/// When no member of staff has this address, or the store cannot be written.
pub async fn reset_password(
    app: &App,
    config: &Config,
    email: &str,
) -> Result<OneTimePassword, AppError> {
    let email = email::normalise(email)?;
    let email_hash = app.keys().blind("email", &email);
    let found = app.execute(&by_system(), LookUp { email_hash }).await?;
    let Some((contracts::identity::AccountId::Staff(user_id), Some(hash))) =
        found.map(|found| (found.account, found.hash))
    else {
        return Err(Rejection::not_found("member of staff").into());
    };
    let password = one_time_password(app.ids());
    let new_hash = Hasher::new(config)?
        .hash(app.ids(), password.clone())
        .await?;
    let command = ChangeStaff {
        user_id,
        change: StaffChange::ResetPassword(Personal::new(hash.person().clone(), new_hash)),
        giver: vec!["*".into()],
    };
    app.execute(&by_system(), command).await?;
    Ok(OneTimePassword { email, password })
}

async fn ensure_key(app: &App, config: &Config) -> Result<(), AppError> {
    let roll = app.state::<SigningKeys>(ALL_KEYS).await?.state;
    if roll.published == 0 {
        let first = PublishKey::generate(app, config, 0, app.now())?;
        return app.execute(&by_system(), first).await;
    }
    app.execute(&by_system(), KeepRotating(config.clone()))
        .await
}

async fn first_admin(app: &App, config: &Config) -> Result<OneTimePassword, AppError> {
    let password = one_time_password(app.ids());
    let hash = Hasher::new(config)?
        .hash(app.ids(), password.clone())
        .await?;
    let person = PersonId::generate(app.ids());
    let email = FIRST_ADMIN.to_owned();
    let add = AddStaff {
        email_hash: app.keys().blind("email", &email),
        staff: StaffAdded {
            user_id: UserId::generate(app.ids()),
            email: Personal::new(person.clone(), email.clone()),
            name: Personal::new(person.clone(), "Administrator".into()),
            roles: vec![ADMIN.into()],
        },
        password: Personal::new(person, hash),
        giver: vec!["*".into()],
    };
    app.execute(&by_system(), add).await?;
    Ok(OneTimePassword { email, password })
}

/// Defines the roles of a new shop that were never defined or removed before.
struct FirstRoles;

impl Command for FirstRoles {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        let names = FIRST_ROLES.iter().map(|(name, ..)| name);
        names
            .map(|name| StreamId::new(<Roles as kernel::Decider>::CATEGORY, name))
            .collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        for (name, description, permissions) in FIRST_ROLES {
            if work.version::<Roles>(name)? == 0 {
                let define = RoleCommand::Define(RoleDefined {
                    name: (*name).to_owned(),
                    description: (*description).to_owned(),
                    permissions: permissions.iter().map(|p| (*p).to_owned()).collect(),
                });
                work.decide::<Roles>(name, &define)?;
            }
        }
        Ok(())
    }
}
