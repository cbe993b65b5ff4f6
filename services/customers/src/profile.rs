//! What is done to a profile together with what follows from it: identity's news of accounts, and
//! the segments that must be looked at again whenever something a rule looks at has changed.

use contracts::{
    customers::CustomerProfileOpened,
    identity::{CustomerEvent as AccountEvent, CustomerId, CustomerRegistered},
};
use kernel::{
    Command, Decider, Reaction, Rejection, StreamId, Subscription, Timestamp, UnitOfWork, opened,
};

use crate::{
    customer::{CustomerCommand, CustomerState, Customers, Standing, Step},
    directory::{ALL, Directories},
    mailbox,
};

/// Longest chain of duplicates of duplicates that is followed.
const MOST_HOPS: usize = 16;

/// A step of one customer's profile, and the segments after it.
#[derive(Clone, Debug)]
pub struct OnCustomer(pub CustomerCommand);

impl Command for OnCustomer {
    type Output = CustomerState;

    fn streams(&self) -> Vec<StreamId> {
        vec![customer(&self.0.id), directory()]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<CustomerState, Rejection> {
        let id = &self.0.id;
        let command = CustomerCommand {
            at: work.now(),
            ..self.0.clone()
        };
        if work.decide::<Customers>(id.as_str(), &command)? > 0 {
            reassess(work, id)?;
        }
        Ok(work.state::<Customers>(id.as_str())?.clone())
    }
}

/// Profiles of those who have an account.
pub fn from_identity() -> Subscription {
    Subscription::new("accounts", &["identity"], |event| {
        if &*event.kind != "identity.customer.registered.v1" {
            return Ok(Reaction::none());
        }
        let Some(account) = event.decode::<AccountEvent>()? else {
            return Ok(Reaction::none());
        };
        Ok(match &*account {
            AccountEvent::Registered(registered) => Reaction::command(open(registered, event.at)?),
            // Identity closes accounts because of what happened here.
            AccountEvent::Closed(_) => Reaction::none(),
        })
    })
}

/// The command that opens the profile of a new account.
pub fn open(registered: &CustomerRegistered, at: Timestamp) -> Result<OnCustomer, Rejection> {
    let email = registered.email.get().map_or("", String::as_str);
    let opened = CustomerProfileOpened {
        customer_id: registered.customer_id.clone(),
        person: registered.email.person().clone(),
        email: registered.email.clone(),
        email_hash: mailbox::hash(email)?,
        at,
    };
    Ok(OnCustomer(CustomerCommand {
        id: registered.customer_id.clone(),
        person: None,
        at,
        step: Step::Open(opened),
    }))
}

/// The stream of a profile.
pub fn customer(id: &CustomerId) -> StreamId {
    StreamId::new(Customers::CATEGORY, id.as_str())
}

/// The stream of all groups and segments.
pub fn directory() -> StreamId {
    StreamId::new(Directories::CATEGORY, ALL)
}

/// Lets a profile take a step, as part of a larger command.
pub fn step(work: &mut UnitOfWork<'_>, id: &CustomerId, step: Step) -> Result<usize, Rejection> {
    let command = CustomerCommand {
        id: id.clone(),
        person: None,
        at: work.now(),
        step,
    };
    work.decide::<Customers>(id.as_str(), &command)
}

/// Who a customer really is, if their profile was merged into another one.
pub fn resolved(work: &mut UnitOfWork<'_>, id: &CustomerId) -> Result<CustomerId, Rejection> {
    let mut id = id.clone();
    for _ in 0..MOST_HOPS {
        match &work.state::<Customers>(id.as_str())?.standing {
            Standing::Merged(into) => id = into.clone(),
            Standing::Open | Standing::Erased => break,
        }
    }
    Ok(id)
}

/// Brings a customer's groups and segments up to date with the directory and with what is known of
/// them now.
pub fn reassess(work: &mut UnitOfWork<'_>, id: &CustomerId) -> Result<(), Rejection> {
    let now = work.now();
    let state = work.state::<Customers>(id.as_str())?;
    if state.standing != Standing::Open {
        return Ok(());
    }
    let (facts, mut by_hand) = (state.facts(now), state.by_hand.clone());
    let directory = work.state::<Directories>(ALL)?;
    by_hand.retain(|code| directory.has_group(code));
    let segments = directory.matching(&facts).into_iter().collect();
    step(work, id, Step::Belong { by_hand, segments }).map(drop)
}

/// Looks at these customers' groups and segments again.
#[derive(Clone, Debug)]
pub struct Reassess(pub Vec<CustomerId>);

impl Command for Reassess {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        let customers = self.0.iter().map(customer);
        customers.chain([directory()]).collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        self.0.iter().try_for_each(|id| reassess(work, id))
    }
}

/// Puts a customer into a group, or takes them out of it.
#[derive(Clone, Debug)]
pub struct SetGroup {
    /// Whom.
    pub id: CustomerId,
    /// Which group.
    pub code: String,
    /// In, or out.
    pub member: bool,
}

impl Command for SetGroup {
    type Output = CustomerState;

    fn streams(&self) -> Vec<StreamId> {
        vec![customer(&self.id), directory()]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<CustomerState, Rejection> {
        let state = registered(work, &self.id)?.clone();
        let known = work.state::<Directories>(ALL)?.has_group(&self.code);
        if self.member && !known {
            return Err(Rejection::not_found("group that staff fill"));
        }
        let mut by_hand = state.by_hand;
        by_hand.retain(|code| *code != self.code);
        if self.member {
            by_hand.push(self.code.clone());
            by_hand.sort();
        }
        let segments = state.segments;
        step(work, &self.id, Step::Belong { by_hand, segments })?;
        Ok(work.state::<Customers>(self.id.as_str())?.clone())
    }
}

/// The state of a profile in use, or why it is not.
pub fn registered<'a>(
    work: &'a mut UnitOfWork<'_>,
    id: &CustomerId,
) -> Result<&'a CustomerState, Rejection> {
    let state = work.state::<Customers>(id.as_str())?;
    match &state.standing {
        Standing::Open if state.exists() => Ok(state),
        Standing::Open => Err(Rejection::not_found("customer")),
        Standing::Merged(_) => Err(Rejection::conflict(
            "merged",
            "this profile was a duplicate and is closed; use the one it was merged into",
        )),
        Standing::Erased => Err(Rejection::conflict("erased", "this customer was erased")),
    }
}

/// E-mail address of a profile, while it can be read.
pub fn email_of(state: &CustomerState) -> Option<&String> {
    opened(&state.email)
}
