//! How an account proves who it is: its password's hash, and how often its sessions were cut off.

use contracts::identity::{
    AccountId, CredentialEvent, CredentialRemoved, CredentialSet, SessionsRevoked,
};
use kernel::{Decider, Personal, Rejection};
use serde::{Deserialize, Serialize};

/// Shortest password, in characters.
pub const MIN_PASSWORD: usize = 10;
/// Longest password, in characters.
pub const MAX_PASSWORD: usize = 200;

/// Checks a password someone chose; `field` is named when it will not do. Length is what counts
/// (NIST SP 800-63B): there are no rules about kinds of characters.
pub fn check_password(password: &str, email: &str, field: &str) -> Result<(), Rejection> {
    let length = password.chars().count();
    if !(MIN_PASSWORD..=MAX_PASSWORD).contains(&length) {
        let detail = format!("must have {MIN_PASSWORD} to {MAX_PASSWORD} characters");
        return Err(Rejection::invalid(field, detail));
    }
    let mut chars = password.chars();
    let first = chars.next();
    if chars.all(|c| Some(c) == first) || password.to_lowercase() == email {
        return Err(Rejection::invalid(
            field,
            "must be harder to guess: not one character repeated, not the e-mail address",
        ));
    }
    Ok(())
}

/// What is known of an account's password.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Credential {
    /// Argon2id in PHC form.
    pub hash: Option<Personal<String>>,
    /// Good only for choosing another one.
    pub one_time: bool,
    /// Raised whenever all sessions are cut off: by a new password or on demand.
    pub epoch: i64,
}

/// What can be asked of a credential.
pub enum CredentialCommand {
    /// Set the password.
    Set {
        /// Whose.
        account: AccountId,
        /// Its hash.
        hash: Personal<String>,
        /// See [`Credential::one_time`].
        one_time: bool,
        /// The epoch in which the present password was checked, if that was needed.
        checked_in: Option<i64>,
    },
    /// Cut all sessions off.
    RevokeSessions {
        /// Whose.
        account: AccountId,
    },
    /// Take the password away, and cut all sessions off.
    Remove {
        /// Whose.
        account: AccountId,
    },
}

/// The rules of credentials.
pub struct Credentials;

impl Decider for Credentials {
    const CATEGORY: &'static str = "credential";
    type State = Credential;
    type Command = CredentialCommand;
    type Event = CredentialEvent;

    fn decide(
        state: &Credential,
        command: &CredentialCommand,
    ) -> Result<Vec<CredentialEvent>, Rejection> {
        match command {
            CredentialCommand::Set {
                account,
                hash,
                one_time,
                checked_in,
            } => {
                if checked_in.is_some_and(|epoch| epoch != state.epoch) {
                    return Err(Rejection::conflict(
                        "password-changed",
                        "the password was changed by someone else in the meantime",
                    ));
                }
                Ok(vec![
                    CredentialSet {
                        account: account.clone(),
                        hash: hash.clone(),
                        one_time: *one_time,
                    }
                    .into(),
                ])
            }
            CredentialCommand::RevokeSessions { account } => Ok(vec![
                SessionsRevoked {
                    account: account.clone(),
                }
                .into(),
            ]),
            CredentialCommand::Remove { .. } if state.hash.is_none() => Ok(Vec::new()),
            CredentialCommand::Remove { account } => Ok(vec![
                CredentialRemoved {
                    account: account.clone(),
                }
                .into(),
            ]),
        }
    }

    fn evolve(state: &mut Credential, event: &CredentialEvent) {
        state.epoch += 1;
        match event {
            CredentialEvent::Set(set) => {
                state.hash = Some(set.hash.clone());
                state.one_time = set.one_time;
            }
            CredentialEvent::Removed(_) => state.hash = None,
            CredentialEvent::SessionsRevoked(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::testing::given;

    use super::*;

    fn set(checked_in: Option<i64>) -> CredentialCommand {
        let person = "per_1".parse().expect("an id");
        CredentialCommand::Set {
            account: AccountId::Staff("usr_1".parse().expect("an id")),
            hash: Personal::new(person, "$argon2id$…".into()),
            one_time: false,
            checked_in,
        }
    }

    #[test]
    fn each_new_password_cuts_the_sessions_off() {
        let mut credential = given::<Credentials>([]);
        credential.when(set(None)).expect("set");
        let first = credential.state.epoch;
        credential.when(set(Some(first))).expect("set again");
        assert!(credential.state.epoch > first);
    }

    #[test]
    fn of_two_changes_that_checked_the_same_password_one_wins() {
        let mut credential = given::<Credentials>([]);
        credential.when(set(None)).expect("set");
        let epoch = credential.state.epoch;
        credential.when(set(Some(epoch))).expect("the first");
        let second = credential.when(set(Some(epoch))).expect_err("the second");
        assert_eq!(second.code, "password-changed");
    }

    #[test]
    fn passwords_that_are_too_easy_are_refused_and_the_field_named() {
        for bad in [
            "",
            "short",
            "aaaaaaaaaaaaaaa",
            "Ann@example.org",
            &"ab".repeat(101),
        ] {
            let refused = check_password(bad, "ann@example.org", "password").expect_err(bad);
            assert_eq!(refused.field.as_deref(), Some("password"));
        }
        assert!(check_password("correct horse", "ann@example.org", "password").is_ok());
        assert!(check_password("пароль-пароль", "ann@example.org", "password").is_ok());
    }
}
