//! What is done to accounts, each in one commit over all the streams it takes.

use contracts::identity::{AccountId, CustomerRegistered, SessionStarted, StaffAdded, UserId};
use kernel::{Command, Decider, Personal, Rejection, StreamId, UnitOfWork};

use crate::{
    credential::{CredentialCommand, Credentials},
    customer::{CustomerCommand, Customers},
    email::{EmailCommand, Emails},
    grant::{Grant, not_good, of_account, permissions_of, start_session},
    role::{ADMIN, Roles, may_give},
    staff::{ALL_ADMINS, AdminCommand, Admins, Member, Staff, StaffCommand},
};

/// Opens a customer's account and signs them in.
pub struct RegisterCustomer {
    /// Blind hash of the address.
    pub email_hash: String,
    /// The account.
    pub customer: CustomerRegistered,
    /// Argon2id of the password.
    pub password: Personal<String>,
    /// Their first session; its epoch is set here.
    pub session: SessionStarted,
}

impl Command for RegisterCustomer {
    type Output = Grant;

    fn streams(&self) -> Vec<StreamId> {
        let id = self.customer.customer_id.as_str();
        vec![
            StreamId::new(Emails::CATEGORY, &self.email_hash),
            StreamId::new(Customers::CATEGORY, id),
            StreamId::new(Credentials::CATEGORY, id),
            StreamId::new(
                crate::session::Sessions::CATEGORY,
                self.session.session_id.as_str(),
            ),
        ]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Grant, Rejection> {
        let id = &self.customer.customer_id;
        let account = AccountId::Customer(id.clone());
        work.decide::<Emails>(&self.email_hash, &EmailCommand::Claim(account.clone()))?;
        let register = CustomerCommand::Register(self.customer.clone());
        work.decide::<Customers>(id.as_str(), &register)?;
        set_password(work, &account, &self.password, false, None)?;
        let epoch = work.state::<Credentials>(id.as_str())?.epoch;
        let session = SessionStarted {
            epoch,
            ..self.session.clone()
        };
        start_session(work, &session)?;
        of_account(work, &account)
    }
}

/// Replaces a password that was just checked, ends all sessions and starts a new one.
pub struct ChangePassword {
    /// Argon2id of the new password, sealed for the account's person.
    pub password: Personal<String>,
    /// The new session; its epoch is the one in which the present password was checked.
    pub session: SessionStarted,
}

impl Command for ChangePassword {
    type Output = Grant;

    fn streams(&self) -> Vec<StreamId> {
        let account = self.session.account.as_str();
        vec![
            StreamId::new(Credentials::CATEGORY, account),
            StreamId::new(
                crate::session::Sessions::CATEGORY,
                self.session.session_id.as_str(),
            ),
        ]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Grant, Rejection> {
        let account = &self.session.account;
        let grant = of_account(work, account)?;
        let checked_in = Some(self.session.epoch);
        set_password(work, account, &self.password, false, checked_in)?;
        let epoch = work.state::<Credentials>(account.as_str())?.epoch;
        let session = SessionStarted {
            epoch,
            ..self.session.clone()
        };
        start_session(work, &session)?;
        Ok(grant)
    }
}

fn set_password(
    work: &mut UnitOfWork<'_>,
    account: &AccountId,
    hash: &Personal<String>,
    one_time: bool,
    checked_in: Option<i64>,
) -> Result<(), Rejection> {
    let set = CredentialCommand::Set {
        account: account.clone(),
        hash: hash.clone(),
        one_time,
        checked_in,
    };
    work.decide::<Credentials>(account.as_str(), &set)
        .map(|_| ())
}

/// Adds a member of staff with a one-time password.
pub struct AddStaff {
    /// Blind hash of the address.
    pub email_hash: String,
    /// Who.
    pub staff: StaffAdded,
    /// Argon2id of the one-time password.
    pub password: Personal<String>,
    /// What the adder may do: no role may go beyond.
    pub giver: Vec<String>,
}

impl Command for AddStaff {
    type Output = Member;

    fn streams(&self) -> Vec<StreamId> {
        let id = self.staff.user_id.as_str();
        let mut streams = vec![
            StreamId::new(Emails::CATEGORY, &self.email_hash),
            StreamId::new(Staff::CATEGORY, id),
            StreamId::new(Credentials::CATEGORY, id),
        ];
        streams.extend(role_streams(&self.staff.roles));
        streams
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Member, Rejection> {
        let id = &self.staff.user_id;
        check_roles(work, &self.staff.roles)?;
        let wanted = permissions_of(work, &self.staff.roles)?;
        may_give(&self.giver, &wanted)?;
        let account = AccountId::Staff(id.clone());
        work.decide::<Emails>(&self.email_hash, &EmailCommand::Claim(account.clone()))?;
        work.decide::<Staff>(id.as_str(), &StaffCommand::Add(self.staff.clone()))?;
        set_password(work, &account, &self.password, true, None)?;
        keep_admins(work, id)
    }
}

/// What can be done to a member of staff who exists.
pub enum StaffChange {
    /// Give them exactly these roles.
    SetRoles(Vec<String>),
    /// Lock them out and end their sessions.
    Disable,
    /// Let them in again.
    Enable,
    /// Give them a new one-time password (this is its hash) and end their sessions.
    ResetPassword(Personal<String>),
}

/// Changes a member of staff's account, for someone who may do at least as much as they.
pub struct ChangeStaff {
    /// Who is changed.
    pub user_id: UserId,
    /// How.
    pub change: StaffChange,
    /// What the changer may do.
    pub giver: Vec<String>,
}

impl Command for ChangeStaff {
    type Output = Member;

    fn streams(&self) -> Vec<StreamId> {
        let id = self.user_id.as_str();
        let mut streams = vec![
            StreamId::new(Staff::CATEGORY, id),
            StreamId::new(Credentials::CATEGORY, id),
            StreamId::new(Admins::CATEGORY, ALL_ADMINS),
        ];
        if let StaffChange::SetRoles(roles) = &self.change {
            streams.extend(role_streams(roles));
        }
        streams
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Member, Rejection> {
        let id = self.user_id.as_str();
        let member = work.state::<Staff>(id)?;
        if member.id.is_none() {
            return Err(Rejection::not_found("member of staff"));
        }
        let roles = member.roles.clone();
        let present = permissions_of(work, &roles)?;
        may_give(&self.giver, &present)?;
        let account = AccountId::Staff(self.user_id.clone());
        match &self.change {
            StaffChange::SetRoles(roles) => {
                check_roles(work, roles)?;
                let wanted = permissions_of(work, roles)?;
                may_give(&self.giver, &wanted)?;
                work.decide::<Staff>(id, &StaffCommand::SetRoles(roles.clone()))?;
            }
            StaffChange::Disable => {
                if work.decide::<Staff>(id, &StaffCommand::Disable)? > 0 {
                    let revoke = CredentialCommand::RevokeSessions { account };
                    work.decide::<Credentials>(id, &revoke)?;
                }
            }
            StaffChange::Enable => {
                work.decide::<Staff>(id, &StaffCommand::Enable)?;
            }
            StaffChange::ResetPassword(hash) => set_password(work, &account, hash, true, None)?,
        }
        keep_admins(work, &self.user_id)
    }
}

fn role_streams(roles: &[String]) -> impl Iterator<Item = StreamId> {
    roles
        .iter()
        .map(|name| StreamId::new(Roles::CATEGORY, name))
}

fn check_roles(work: &mut UnitOfWork<'_>, roles: &[String]) -> Result<(), Rejection> {
    if roles.len() > 20 {
        return Err(Rejection::invalid("roles", "must have at most 20 roles"));
    }
    for (i, name) in roles.iter().enumerate() {
        if name.len() > 50 || work.state::<Roles>(name)?.defined.is_none() {
            let detail = "there is no such role; see GET /api/identity/roles";
            return Err(Rejection::invalid(format!("roles[{i}]"), detail));
        }
    }
    Ok(())
}

/// Keeps the circle of administrators true to what `id` now is.
fn keep_admins(work: &mut UnitOfWork<'_>, id: &UserId) -> Result<Member, Rejection> {
    let member = work.state::<Staff>(id.as_str())?.clone();
    let is_admin = member.active && member.roles.iter().any(|role| role == ADMIN);
    let command = match is_admin {
        true => AdminCommand::Grant(id.clone()),
        false => AdminCommand::Withdraw(id.clone()),
    };
    work.decide::<Admins>(ALL_ADMINS, &command)?;
    Ok(member)
}

/// Finds whose an address is and what is known of their password, in one consistent look.
pub struct LookUp {
    /// Blind hash of the address.
    pub email_hash: String,
}

/// An account about to be signed in to.
#[derive(Clone, Debug)]
pub struct Found {
    /// Whose.
    pub account: AccountId,
    /// The password's hash, with the person it is sealed for; `None` once erased.
    pub hash: Option<Personal<String>>,
    /// Whether it may only be used to choose another one.
    pub one_time: bool,
    /// See [`crate::credential::Credential::epoch`].
    pub epoch: i64,
}

impl Command for LookUp {
    type Output = Option<Found>;

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Emails::CATEGORY, &self.email_hash)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Option<Found>, Rejection> {
        let Some(account) = work.state::<Emails>(&self.email_hash)?.account.clone() else {
            return Ok(None);
        };
        match of_account(work, &account) {
            Ok(_) => {}
            Err(refused) if refused == not_good() => return Ok(None),
            // A stream that is not loaded yet: the runtime loads it and asks again.
            Err(other) => return Err(other),
        }
        let credential = work.state::<Credentials>(account.as_str())?;
        Ok(Some(Found {
            hash: credential.hash.clone(),
            one_time: credential.one_time,
            epoch: credential.epoch,
            account,
        }))
    }
}
