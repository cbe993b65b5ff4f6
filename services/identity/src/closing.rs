//! Closing a customer's account because customers says so: the person is erased, or the account was
//! a duplicate. The password goes, every session ends, and the e-mail address is free again.

use std::sync::Arc;

use contracts::{
    customers::{CustomerEvent as ProfileEvent, PersonEvent},
    identity::{AccountId, CustomerId, EmailEvent},
};
use kernel::{
    App, AppError, Command, Context, Decider, From, Projection, Recorded, Rejection, StreamId,
    UnitOfWork, Worker, WorkerError, sql, with_keys,
};

use crate::{
    credential::{CredentialCommand, Credentials},
    customer::{CustomerCommand, Customers},
    email::{EmailCommand, Emails},
};

/// Which address (by its keyed hash) is whose: once a person's key is deleted, their address can
/// not be hashed any more to find it.
pub fn addresses() -> Projection {
    const SCHEMA: &str = "CREATE TABLE addresses (
        hash TEXT PRIMARY KEY NOT NULL,
        account TEXT NOT NULL
    );
    CREATE INDEX addresses_account ON addresses (account)";
    Projection::own("addresses", 1, &["addresses"], SCHEMA, |event, out| {
        match event.decode::<EmailEvent>()?.as_deref() {
            Some(EmailEvent::Claimed(claimed)) => out.push(sql!(
                "INSERT INTO addresses (hash, account) VALUES ($1, $2)
                 ON CONFLICT (hash) DO UPDATE SET account = excluded.account",
                event.stream.id(),
                claimed.account.as_str()
            )),
            Some(EmailEvent::Released(_)) => out.push(sql!(
                "DELETE FROM addresses WHERE hash = $1",
                event.stream.id()
            )),
            None => {}
        }
        Ok(())
    })
}

/// Closes the accounts of customers who were erased or merged into others.
pub fn closer() -> Worker {
    Worker {
        name: "account-closer",
        topics: &["customers"],
        types: &["customers.person.erased.v1", "customers.customer.merged.v1"],
        from: From::Beginning,
        concurrency: 4,
        perform: Arc::new(|app, recorded| Box::pin(async move { close(&app, &recorded).await })),
    }
}

async fn close(app: &App, recorded: &Recorded) -> Result<(), WorkerError> {
    let Some(customer_id) = concerned(app, recorded)? else {
        return Ok(());
    };
    let close = CloseAccount {
        addresses: addresses_of(app, &customer_id).await.map_err(failed)?,
        customer_id,
    };
    let context = Context {
        correlation: recorded.meta.correlation.clone(),
        causation: Some(recorded.id().into()),
        trace: recorded.meta.trace.clone(),
        actor: Some("system".into()),
    };
    app.execute(&context, close).await.map_err(failed)
}

/// The account that an event closes.
fn concerned(app: &App, recorded: &Recorded) -> Result<Option<CustomerId>, WorkerError> {
    let unreadable = |error: kernel::DecodeError| WorkerError::Poison(error.to_string());
    with_keys(app.keys(), || {
        let person = recorded.decode::<PersonEvent>().map_err(unreadable)?;
        if let Some(PersonEvent::Erased(erased)) = person.as_deref() {
            return Ok(erased.customer_id.clone());
        }
        let profile = recorded.decode::<ProfileEvent>().map_err(unreadable)?;
        Ok(match profile.as_deref() {
            Some(ProfileEvent::Merged(merged)) => Some(merged.customer_id.clone()),
            _ => None,
        })
    })
}

async fn addresses_of(app: &App, customer: &CustomerId) -> Result<Vec<String>, AppError> {
    let rows = app
        .query(sql!(
            "SELECT hash FROM addresses WHERE account = $1 ORDER BY hash LIMIT 100",
            customer
        ))
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

fn failed(error: AppError) -> WorkerError {
    match error {
        AppError::Rejected(rejection) => WorkerError::Poison(rejection.to_string()),
        other => WorkerError::Retry(other.to_string()),
    }
}

/// Closes a customer's account. Once closed it stays so; closing twice is closing once.
#[derive(Clone, Debug)]
pub struct CloseAccount {
    /// Whose.
    pub customer_id: CustomerId,
    /// Keyed hashes of their addresses.
    pub addresses: Vec<String>,
}

impl Command for CloseAccount {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        let id = self.customer_id.as_str();
        let addresses = self.addresses.iter();
        let addresses = addresses.map(|hash| StreamId::new(Emails::CATEGORY, hash));
        let account = [Customers::CATEGORY, Credentials::CATEGORY];
        let account = account.map(|category| StreamId::new(category, id));
        addresses.chain(account).collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let id = self.customer_id.as_str();
        let account = AccountId::Customer(self.customer_id.clone());
        let close = CustomerCommand::Close(self.customer_id.clone());
        work.decide::<Customers>(id, &close)?;
        let remove = CredentialCommand::Remove {
            account: account.clone(),
        };
        work.decide::<Credentials>(id, &remove)?;
        for hash in &self.addresses {
            work.decide::<Emails>(hash, &EmailCommand::Release(account.clone()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use contracts::identity::CustomerRegistered;
    use kernel::{
        DeciderSpec, Personal,
        testing::{World, kinds},
    };

    use super::*;

    #[test]
    fn a_closed_account_has_no_password_no_sessions_and_its_address_is_free() {
        let mut world = World::new([
            DeciderSpec::of::<Customers>(),
            DeciderSpec::of::<Credentials>(),
            DeciderSpec::of::<Emails>(),
            DeciderSpec::of::<crate::session::Sessions>(),
        ]);
        let customer_id: CustomerId = "cus_1".parse().expect("an id");
        let account = AccountId::Customer(customer_id.clone());
        let person = "per_1".parse().expect("an id");
        let sealed = |text: &str| Personal::new("per_1".parse().expect("an id"), text.to_owned());
        let register = crate::accounts::RegisterCustomer {
            email_hash: "h1".into(),
            customer: CustomerRegistered {
                customer_id: customer_id.clone(),
                email: Personal::new(person, "ann@example.org".into()),
            },
            password: sealed("$argon2id$…"),
            session: contracts::identity::SessionStarted {
                session_id: "ses_1".parse().expect("an id"),
                account: account.clone(),
                secret_hash: "abc".into(),
                epoch: 0,
                expires_at: kernel::Timestamp(i64::MAX),
            },
        };
        world.run(&register).expect("registered");
        let epoch = world.state::<Credentials>("cus_1").epoch;
        let close = CloseAccount {
            customer_id,
            addresses: vec!["h1".into()],
        };
        let (_, work) = world.run(&close).expect("closed");
        let wanted = [
            "identity.customer.closed.v1",
            "identity.credential.removed.v1",
            "identity.email.released.v1",
        ];
        assert_eq!(kinds(&work), wanted);
        assert!(world.state::<Credentials>("cus_1").epoch > epoch);
        assert!(world.state::<Credentials>("cus_1").hash.is_none());
        assert!(world.state::<Emails>("h1").account.is_none());
        assert!(kinds(&world.run(&close).expect("again").1).is_empty());
        let found = crate::accounts::LookUp {
            email_hash: "h1".into(),
        };
        assert!(world.run(&found).expect("looked up").0.is_none());
    }
}
