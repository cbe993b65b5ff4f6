//! Showing that an e-mail address is one's own: a token goes out by mail, and comes back. Then
//! orders that were placed with the address as a guest are claimed.

use contracts::{customers::CustomerEvent, identity::CustomerId, orders::OrderId};
use kernel::{
    App, Command, Context, Decider, From, PersonId, Recorded, Rejection, StreamId, UnitOfWork,
    Worker, WorkerError, with_keys,
};
use std::sync::Arc;
use web::hash_token;

use crate::{
    customer::{CustomerCommand, CustomerState, Customers, Step},
    history::ClaimOrders,
    mailbox::{MailboxCommand, Mailboxes},
    profile::customer,
    queries,
    work::{caused_by, failed},
};

/// Orders claimed in one commit.
const CHUNK: i64 = 50;

/// A command that mails this customer a new token.
pub fn request(
    app: &App,
    id: &CustomerId,
    person: Option<PersonId>,
    asked: bool,
) -> CustomerCommand {
    let secret = app.ids().secret();
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let token = format!("evt_{hex}");
    CustomerCommand {
        id: id.clone(),
        person,
        at: app.now(),
        step: Step::RequestVerification {
            token_hash: hash_token(&token),
            token,
            asked,
        },
    }
}

/// A token came back.
#[derive(Clone, Debug)]
pub struct VerifyEmail {
    /// Whose.
    pub id: CustomerId,
    /// SHA-256 of the token, hex.
    pub token_hash: String,
}

impl Command for VerifyEmail {
    type Output = CustomerState;

    fn streams(&self) -> Vec<StreamId> {
        vec![customer(&self.id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<CustomerState, Rejection> {
        let command = CustomerCommand {
            id: self.id.clone(),
            person: None,
            at: work.now(),
            step: Step::Verify(self.token_hash.clone()),
        };
        work.decide::<Customers>(self.id.as_str(), &command)?;
        let state = work.state::<Customers>(self.id.as_str())?.clone();
        if !state.email_hash.is_empty() {
            let claim = MailboxCommand::Claim(self.id.clone());
            work.decide::<Mailboxes>(&state.email_hash, &claim)?;
        }
        Ok(state)
    }
}

/// Mails every new customer a token. Only those who come after this was added: nobody who has had
/// an account for long expects such a mail.
pub fn greeter() -> Worker {
    Worker {
        name: "verification-mails",
        topics: &["customers"],
        types: &["customers.customer.opened.v1"],
        from: From::Now,
        concurrency: 4,
        perform: Arc::new(|app, recorded| Box::pin(async move { greet(&app, &recorded).await })),
    }
}

async fn greet(app: &App, recorded: &Recorded) -> Result<(), WorkerError> {
    let Some(id) = customer_of(app, recorded)? else {
        return Ok(());
    };
    let command = kernel::Decide::<Customers>::new(id.as_str(), request(app, &id, None, false));
    let asked = app.execute(&caused_by(recorded), command).await;
    match asked {
        // Nobody can be mailed whose address does not open any more.
        Err(kernel::AppError::Rejected(_)) => Ok(()),
        other => other.map(drop).map_err(failed),
    }
}

/// Claims the orders that were placed with a verified address before it was verified. Later ones
/// are claimed as they come.
pub fn claimer() -> Worker {
    Worker {
        name: "guest-orders",
        topics: &["customers"],
        types: &["customers.email.verified.v1"],
        from: From::Beginning,
        concurrency: 4,
        perform: Arc::new(|app, recorded| {
            Box::pin(async move {
                match customer_of(&app, &recorded)? {
                    Some(id) => claim_all(&app, &caused_by(&recorded), &id)
                        .await
                        .map_err(failed),
                    None => Ok(()),
                }
            })
        }),
    }
}

/// Claims every guest order with the customer's address that is nobody's yet.
pub async fn claim_all(
    app: &App,
    context: &Context,
    id: &CustomerId,
) -> Result<(), kernel::AppError> {
    let state = app.state::<Customers>(id.as_str()).await?.state;
    if !state.verified || state.email_hash.is_empty() {
        return Ok(());
    }
    let mut after = String::new();
    loop {
        let orders: Vec<OrderId> =
            queries::guest_orders(app, &state.email_hash, &after, CHUNK).await?;
        let Some(last) = orders.last() else {
            return Ok(());
        };
        after = last.to_string();
        let claim = ClaimOrders {
            customer_id: id.clone(),
            orders,
        };
        app.execute(context, claim).await?;
    }
}

fn customer_of(app: &App, recorded: &Recorded) -> Result<Option<CustomerId>, WorkerError> {
    let event = with_keys(app.keys(), || recorded.decode::<CustomerEvent>())
        .map_err(|error| WorkerError::Poison(error.to_string()))?;
    Ok(match event.as_deref() {
        Some(CustomerEvent::Opened(opened)) => Some(opened.customer_id.clone()),
        Some(CustomerEvent::EmailVerified(verified)) => Some(verified.customer_id.clone()),
        _ => None,
    })
}

/// The stream that says whose an address is.
pub fn mailbox(email_hash: &str) -> StreamId {
    StreamId::new(Mailboxes::CATEGORY, email_hash)
}
