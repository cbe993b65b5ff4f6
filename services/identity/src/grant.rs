//! What an access token may say about someone, worked out from the streams at this moment.

use contracts::identity::{AccountId, ApiKeyId, SessionId, SessionStarted, UserId};
use kernel::{
    Command, Decider, PersonId, Personal, Rejection, RejectionKind, StreamId, UnitOfWork,
};

use crate::{
    api_key::ApiKeys,
    credential::Credentials,
    customer::Customers,
    role::Roles,
    session::{SessionCommand, Sessions},
    staff::Staff,
};

/// Who someone is and what they may do.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// `usr_…`, `cus_…` or `key_…`.
    pub subject: String,
    /// What they may do; none for customers.
    pub permissions: Vec<String>,
    /// For customers: whose key seals their data.
    pub person: Option<PersonId>,
}

/// The one answer to every credential that is not good, whatever is wrong with it.
pub fn not_good() -> Rejection {
    Rejection::new(
        RejectionKind::Unauthenticated,
        "not-signed-in",
        "the session or API key is not known, has ended or was revoked; sign in again",
    )
}

/// What the roles named allow; a role that is gone allows nothing.
pub fn permissions_of(
    work: &mut UnitOfWork<'_>,
    roles: &[String],
) -> Result<Vec<String>, Rejection> {
    let mut permissions = Vec::new();
    for name in roles {
        if let Some(role) = &work.state::<Roles>(name)?.defined {
            permissions.extend(role.permissions.iter().cloned());
        }
    }
    permissions.sort();
    permissions.dedup();
    Ok(permissions)
}

/// What `account` may do now; refused as [`not_good`] when it may not sign in.
pub fn of_account(work: &mut UnitOfWork<'_>, account: &AccountId) -> Result<Grant, Rejection> {
    match account {
        AccountId::Staff(id) => of_staff(work, id),
        AccountId::Customer(id) => {
            let customer = work.state::<Customers>(id.as_str())?;
            // An erased customer's account is as good as gone, also before it is closed.
            let usable = |email: &&Personal<String>| email.get().is_some() && !customer.closed;
            let email = customer.email.as_ref().filter(usable);
            Ok(Grant {
                subject: id.as_str().to_owned(),
                permissions: Vec::new(),
                person: Some(email.ok_or_else(not_good)?.person().clone()),
            })
        }
    }
}

fn of_staff(work: &mut UnitOfWork<'_>, id: &UserId) -> Result<Grant, Rejection> {
    let member = work.state::<Staff>(id.as_str())?;
    if !member.active {
        return Err(not_good());
    }
    let roles = member.roles.clone();
    Ok(Grant {
        subject: id.as_str().to_owned(),
        permissions: permissions_of(work, &roles)?,
        person: None,
    })
}

/// Exchanges a session for what it stands for.
pub struct RedeemSession {
    /// Which.
    pub id: SessionId,
    /// Hash of the token that was sent.
    pub secret_hash: String,
}

impl Command for RedeemSession {
    type Output = Grant;

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Sessions::CATEGORY, self.id.as_str())]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Grant, Rejection> {
        let now = work.now();
        let session = work.state::<Sessions>(self.id.as_str())?;
        let (account, epoch) = session
            .redeem(&self.secret_hash, now)
            .ok_or_else(not_good)?;
        let account = account.clone();
        if work.state::<Credentials>(account.as_str())?.epoch != epoch {
            return Err(not_good());
        }
        of_account(work, &account)
    }
}

/// Exchanges an API key for what it stands for.
pub struct RedeemApiKey {
    /// Which.
    pub id: ApiKeyId,
    /// Hash of the token that was sent.
    pub secret_hash: String,
}

impl Command for RedeemApiKey {
    type Output = Grant;

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(ApiKeys::CATEGORY, self.id.as_str())]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Grant, Rejection> {
        let now = work.now();
        let key = work.state::<ApiKeys>(self.id.as_str())?;
        let key = key.redeem(&self.secret_hash, now).ok_or_else(not_good)?;
        Ok(Grant {
            subject: self.id.as_str().to_owned(),
            permissions: key.permissions.clone(),
            person: None,
        })
    }
}

/// Starts a session for someone whose password was just checked.
pub struct SignIn {
    /// The session; its epoch is the one in which the password was checked.
    pub session: SessionStarted,
}

impl Command for SignIn {
    type Output = Grant;

    fn streams(&self) -> Vec<StreamId> {
        let account = self.session.account.as_str();
        vec![
            StreamId::new(Sessions::CATEGORY, self.session.session_id.as_str()),
            StreamId::new(Credentials::CATEGORY, account),
        ]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Grant, Rejection> {
        let account = &self.session.account;
        if work.state::<Credentials>(account.as_str())?.epoch != self.session.epoch {
            return Err(not_good());
        }
        let grant = of_account(work, account)?;
        start_session(work, &self.session)?;
        Ok(grant)
    }
}

/// Starts `session` as part of a larger command.
pub fn start_session(work: &mut UnitOfWork<'_>, session: &SessionStarted) -> Result<(), Rejection> {
    let start = SessionCommand::Start(session.clone());
    let id = session.session_id.as_str();
    work.decide::<Sessions>(id, &start).map(|_| ())
}
