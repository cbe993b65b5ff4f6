//! Erasing a person: decided and published first, then their key is deleted until it is done.

use std::{collections::BTreeSet, sync::Arc};

use contracts::{
    customers::{CompanyId, PersonErased, PersonEvent},
    identity::CustomerId,
    orders::OrderId,
};
use kernel::{
    App, AppError, Command, Decide, Decider, From, PersonId, Recorded, Rejection, StreamId,
    UnitOfWork, Worker, WorkerError, with_keys,
};

use crate::{
    company::{Companies, CompanyCommand},
    customer::{Customers, Standing, Step},
    mailbox::{MailboxCommand, Mailboxes},
    order::{self, Records},
    person::{PersonCommand, Persons},
    profile::{customer, directory, step},
    work::{caused_by, failed},
};

/// Erases a customer, with everybody whose data is theirs.
#[derive(Clone, Debug)]
pub struct EraseCustomer {
    /// Whom.
    pub id: CustomerId,
    /// Companies they act for.
    pub companies: Vec<CompanyId>,
}

impl Command for EraseCustomer {
    type Output = Vec<PersonId>;

    fn streams(&self) -> Vec<StreamId> {
        vec![customer(&self.id), directory()]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Vec<PersonId>, Rejection> {
        let state = work.state::<Customers>(self.id.as_str())?.clone();
        match &state.standing {
            Standing::Open if !state.exists() => return Err(Rejection::not_found("customer")),
            Standing::Merged(_) => {
                return Err(Rejection::conflict(
                    "merged",
                    "this profile was a duplicate; erase the one it was merged into",
                ));
            }
            Standing::Open | Standing::Erased => {}
        }
        for person in &state.persons {
            erase(work, person, Some(&self.id))?;
        }
        for company_id in &self.companies {
            let leave = CompanyCommand::RemoveMember {
                company_id: company_id.clone(),
                customer_id: self.id.clone(),
                for_good: true,
            };
            work.decide::<Companies>(company_id.as_str(), &leave)?;
        }
        if !state.email_hash.is_empty() {
            let release = MailboxCommand::Release(self.id.clone());
            work.decide::<Mailboxes>(&state.email_hash, &release)?;
        }
        step(work, &self.id, Step::Erase)?;
        Ok(state.persons.into_iter().collect())
    }
}

/// Erases who placed orders as a guest.
#[derive(Clone, Debug)]
pub struct EraseGuest {
    /// Their orders.
    pub orders: Vec<OrderId>,
    /// Keyed hash of the address they were placed with.
    pub email_hash: String,
}

impl Command for EraseGuest {
    type Output = Vec<PersonId>;

    fn streams(&self) -> Vec<StreamId> {
        self.orders.iter().map(order::stream).collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Vec<PersonId>, Rejection> {
        let mut persons = BTreeSet::new();
        for order in &self.orders {
            let record = work.state::<Records>(order.as_str())?;
            let Some(recorded) = &record.recorded else {
                continue;
            };
            if recorded.email_hash != self.email_hash {
                continue;
            }
            if let Some(owner) = record.owner() {
                let extra = serde_json::json!({"customer_id": owner});
                let detail = "this order is a customer's; erase the customer";
                return Err(Rejection::conflict("customers-order", detail).extra(extra));
            }
            persons.insert(recorded.person.clone());
        }
        if persons.is_empty() {
            return Err(Rejection::not_found(
                "guest order with this number and address",
            ));
        }
        for person in &persons {
            erase(work, person, None)?;
        }
        Ok(persons.into_iter().collect())
    }
}

/// Decides that a person is to be forgotten, as part of a larger command.
pub fn erase(
    work: &mut UnitOfWork<'_>,
    person: &PersonId,
    customer_id: Option<&CustomerId>,
) -> Result<(), Rejection> {
    let command = PersonCommand::Erase {
        person: person.clone(),
        customer_id: customer_id.cloned(),
        at: work.now(),
    };
    work.decide::<Persons>(person.as_str(), &command).map(drop)
}

/// How many of these persons' keys are deleted.
#[derive(Clone, Debug)]
pub struct Progress(pub Vec<PersonId>);

impl Command for Progress {
    type Output = usize;

    fn streams(&self) -> Vec<StreamId> {
        let persons = self.0.iter();
        persons
            .map(|person| StreamId::new(Persons::CATEGORY, person.as_str()))
            .collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<usize, Rejection> {
        let mut deleted = 0;
        for person in &self.0 {
            deleted += usize::from(work.state::<Persons>(person.as_str())?.key_deleted);
        }
        Ok(deleted)
    }
}

/// Deletes the keys of erased persons, again and again until it is done.
pub fn eraser() -> Worker {
    Worker {
        name: "key-deletion",
        topics: &["customers"],
        types: &["customers.person.erased.v1"],
        from: From::Beginning,
        concurrency: 1,
        perform: Arc::new(|app, recorded| {
            Box::pin(async move { delete_key(&app, &recorded).await })
        }),
    }
}

async fn delete_key(app: &App, recorded: &Recorded) -> Result<(), WorkerError> {
    let event = with_keys(app.keys(), || recorded.decode::<PersonEvent>())
        .map_err(|error| WorkerError::Poison(error.to_string()))?;
    let Some(PersonEvent::Erased(PersonErased { person, .. })) = event.as_deref() else {
        return Ok(());
    };
    // A key that is not deleted is never given up on, whatever the reason.
    let forgotten = app.forget(person.clone()).await;
    forgotten.map_err(|error| WorkerError::Retry(error.to_string()))?;
    let done = PersonCommand::KeyDeleted {
        person: person.clone(),
        at: app.now(),
    };
    let recorded_as = Decide::<Persons>::new(person.as_str(), done);
    let done: Result<_, AppError> = app.execute(&caused_by(recorded), recorded_as).await;
    done.map(drop).map_err(failed)
}
