//! E-mail addresses: their normal form, and the claim that makes them unique.

use contracts::identity::{AccountId, EmailClaimed, EmailEvent, EmailReleased};
use kernel::{Decider, Rejection};
use serde::{Deserialize, Serialize};

/// An address in the form in which two spellings of it are equal: trimmed, in lower case. (The
/// part before the @ may legally differ by case; no provider of note makes use of that.)
pub fn normalise(text: &str) -> Result<String, Rejection> {
    let address = text.trim().to_lowercase();
    let odd = |c: char| c.is_control() || c.is_whitespace() || "<>\"(),;:\\".contains(c);
    let good = match address.split_once('@') {
        Some((local, domain)) => {
            !local.is_empty()
                && local.len() <= 64
                && !domain.is_empty()
                && !domain.contains('@')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
                && !domain.contains("..")
        }
        None => false,
    };
    // RFC 5321 leaves 254 bytes for an address in a path.
    if !good || address.len() > 254 || address.chars().any(odd) {
        return Err(Rejection::invalid(
            "email",
            "must be an e-mail address such as ann@example.org",
        ));
    }
    Ok(address)
}

/// Whose an address is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Claim {
    /// The account, once claimed.
    pub account: Option<AccountId>,
}

/// What can be asked of an address.
pub enum EmailCommand {
    /// Let it be this account's.
    Claim(AccountId),
    /// Let it be this account's no more.
    Release(AccountId),
}

/// The rules of an address: one account.
pub struct Emails;

impl Decider for Emails {
    const CATEGORY: &'static str = "email";
    type State = Claim;
    type Command = EmailCommand;
    type Event = EmailEvent;

    fn decide(state: &Claim, command: &EmailCommand) -> Result<Vec<EmailEvent>, Rejection> {
        let account = match command {
            EmailCommand::Claim(account) => account,
            EmailCommand::Release(account) if state.account.as_ref() == Some(account) => {
                let account = account.clone();
                return Ok(vec![EmailReleased { account }.into()]);
            }
            EmailCommand::Release(_) => return Ok(Vec::new()),
        };
        match &state.account {
            None => Ok(vec![
                EmailClaimed {
                    account: account.clone(),
                }
                .into(),
            ]),
            Some(owner) if owner == account => Ok(Vec::new()),
            Some(_) => Err(Rejection::conflict(
                "email-taken",
                "there is already an account with this e-mail address; sign in instead",
            )
            .field("email")),
        }
    }

    fn evolve(state: &mut Claim, event: &EmailEvent) {
        state.account = match event {
            EmailEvent::Claimed(claimed) => Some(claimed.account.clone()),
            EmailEvent::Released(_) => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use kernel::testing::given;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_address_are_equal() {
        assert_eq!(
            normalise(" Ann@Example.ORG ").as_deref(),
            Ok("ann@example.org")
        );
    }

    #[test]
    fn what_is_no_address_is_refused_and_the_field_named() {
        for bad in [
            "", "ann", "@b", "a@", "a@b@c", "a b@c", "a@b..c", "a@.b", "a@b.", "<a@b>", "a@b\0",
        ] {
            let refused = normalise(bad).expect_err(bad);
            assert_eq!(refused.field.as_deref(), Some("email"), "{bad}");
        }
        assert!(normalise(&format!("{}@b", "a".repeat(65))).is_err());
        assert!(normalise(&format!("a@{}", "b".repeat(260))).is_err());
    }

    proptest! {
        #[test]
        fn normalising_twice_is_normalising_once(text in "\\PC{0,40}@\\PC{0,40}") {
            if let Ok(once) = normalise(&text) {
                prop_assert_eq!(normalise(&once), Ok(once.clone()));
            }
        }
    }

    #[test]
    fn an_address_belongs_to_one_account() {
        let ann = AccountId::Customer("cus_1".parse().expect("an id"));
        let bob = AccountId::Staff("usr_2".parse().expect("an id"));
        let claim = |account: &AccountId| EmailCommand::Claim(account.clone());
        let release = |account: &AccountId| EmailCommand::Release(account.clone());
        let mut email = given::<Emails>([]);
        assert_eq!(email.when(claim(&ann)).expect("claimed").len(), 1);
        assert!(email.when(claim(&ann)).expect("nothing").is_empty());
        assert_eq!(
            email.when(claim(&bob)).expect_err("taken").code,
            "email-taken"
        );
        assert!(email.when(release(&bob)).expect("not theirs").is_empty());
        assert_eq!(email.when(release(&ann)).expect("released").len(), 1);
        assert_eq!(email.when(claim(&bob)).expect("claimed").len(), 1);
    }
}
