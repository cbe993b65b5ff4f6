//! API keys: long-lived secrets of programs, exchanged for access tokens.

use contracts::identity::{ApiKeyEvent, ApiKeyIssued, ApiKeyRevoked};
use kernel::{Decider, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

use crate::role::check_permissions;

/// An API key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ApiKey {
    /// As issued.
    pub issued: Option<ApiKeyIssued>,
    /// Whether it works no more.
    pub revoked: bool,
}

impl ApiKey {
    /// The key, if `secret_hash` is its secret's and it works at `now`.
    pub fn redeem(&self, secret_hash: &str, now: Timestamp) -> Option<&ApiKeyIssued> {
        self.issued.as_ref().filter(|key| {
            !self.revoked
                && key.secret_hash == secret_hash
                && key.expires_at.is_none_or(|end| now < end)
        })
    }
}

/// What can be asked of an API key.
pub enum ApiKeyCommand {
    /// Issue it.
    Issue(ApiKeyIssued),
    /// Let it work no more.
    Revoke,
}

/// The rules of API keys.
pub struct ApiKeys;

impl Decider for ApiKeys {
    const CATEGORY: &'static str = "api_key";
    type State = ApiKey;
    type Command = ApiKeyCommand;
    type Event = ApiKeyEvent;

    fn decide(state: &ApiKey, command: &ApiKeyCommand) -> Result<Vec<ApiKeyEvent>, Rejection> {
        match command {
            ApiKeyCommand::Issue(_) if state.issued.is_some() => Ok(Vec::new()),
            ApiKeyCommand::Issue(key) => {
                let length = key.name.chars().count();
                if !(1..=100).contains(&length) || key.name.chars().any(char::is_control) {
                    return Err(Rejection::invalid("name", "must have 1 to 100 characters"));
                }
                check_permissions(&key.permissions)?;
                Ok(vec![key.clone().into()])
            }
            ApiKeyCommand::Revoke => match &state.issued {
                None => Err(Rejection::not_found("API key")),
                Some(_) if state.revoked => Ok(Vec::new()),
                Some(key) => Ok(vec![
                    ApiKeyRevoked {
                        key_id: key.key_id.clone(),
                        secret_hash: key.secret_hash.clone(),
                    }
                    .into(),
                ]),
            },
        }
    }

    fn evolve(state: &mut ApiKey, event: &ApiKeyEvent) {
        match event {
            ApiKeyEvent::Issued(key) => state.issued = Some(key.clone()),
            ApiKeyEvent::Revoked(_) => state.revoked = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::testing::given;

    use super::*;

    fn key() -> ApiKeyIssued {
        ApiKeyIssued {
            key_id: "key_1".parse().expect("an id"),
            name: "replay".into(),
            permissions: vec!["catalog:write".into()],
            secret_hash: "abc".into(),
            expires_at: Some(Timestamp(100)),
        }
    }

    #[test]
    fn a_key_works_until_it_expires_or_is_revoked() {
        let mut api_key = given::<ApiKeys>([]);
        assert!(api_key.state.redeem("abc", Timestamp(0)).is_none());
        api_key.when(ApiKeyCommand::Issue(key())).expect("issued");
        assert!(api_key.state.redeem("abc", Timestamp(99)).is_some());
        assert!(api_key.state.redeem("abd", Timestamp(99)).is_none());
        assert!(api_key.state.redeem("abc", Timestamp(100)).is_none());
        api_key.when(ApiKeyCommand::Revoke).expect("revoked");
        assert!(api_key.state.redeem("abc", Timestamp(99)).is_none());
        assert!(
            api_key
                .when(ApiKeyCommand::Revoke)
                .expect("nothing")
                .is_empty()
        );
    }

    #[test]
    fn a_key_needs_a_name_and_permissions() {
        for (name, field) in [("", "name"), ("a\nb", "name"), (&"n".repeat(101), "name")] {
            let bad = ApiKeyIssued {
                name: name.into(),
                ..key()
            };
            let refused = given::<ApiKeys>([]).when(ApiKeyCommand::Issue(bad));
            assert_eq!(refused.expect_err(name).field.as_deref(), Some(field));
        }
        let bad = ApiKeyIssued {
            permissions: Vec::new(),
            ..key()
        };
        assert!(
            given::<ApiKeys>([])
                .when(ApiKeyCommand::Issue(bad))
                .is_err()
        );
        assert!(given::<ApiKeys>([]).when(ApiKeyCommand::Revoke).is_err());
    }
}
