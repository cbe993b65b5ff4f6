//! Whom a request is about.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use contracts::identity::CustomerId;
use kernel::{App, AppError, PersonId, Rejection};
use web::{Caller, Principal, Problem};

use crate::customer::{CustomerState, Customers, Step};

/// A customer, as found in the caller's token (their own routes) or in the path (the staff's).
#[derive(Clone, Debug)]
pub struct Subject {
    /// Who.
    pub id: CustomerId,
    /// Whose key seals what they tell, when their token says so.
    pub person: Option<PersonId>,
    /// Whether it is themself who asks.
    pub own: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Subject {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if let Some(id) = named(parts, state).await {
            return Ok(Self {
                id: id.parse().map_err(|_| Rejection::not_found("customer"))?,
                person: None,
                own: false,
            });
        }
        let caller = Caller::from_request_parts(parts, state).await?;
        match caller.principal {
            Principal::Customer { id, person } => Ok(Self {
                id: id.parse().map_err(|_| Rejection::not_found("customer"))?,
                person,
                own: true,
            }),
            _ => Err(Rejection::forbidden("sign in as a customer first").into()),
        }
    }
}

/// The customer in the path, if the route has one there.
async fn named<S: Send + Sync>(parts: &mut Parts, state: &S) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, state).await.ok()?;
    let mut params = params.iter();
    let (_, id) = params.find(|(name, _)| *name == "id")?;
    Some(id.to_owned())
}

impl Subject {
    /// What is known of them.
    pub async fn state(&self, app: &App) -> Result<CustomerState, AppError> {
        let state = app.state::<Customers>(self.id.as_str()).await?.state;
        match self.own || state.exists() {
            true => Ok(state),
            false => Err(Rejection::not_found("customer").into()),
        }
    }

    /// A step of their profile.
    pub fn step(&self, app: &App, step: Step) -> crate::profile::OnCustomer {
        crate::profile::OnCustomer(crate::customer::CustomerCommand {
            id: self.id.clone(),
            person: self.person.clone(),
            at: app.now(),
            step,
        })
    }

    /// The person their data belongs to.
    pub fn person(&self, state: &CustomerState) -> Result<PersonId, Problem> {
        let known = state.person.as_ref().or(self.person.as_ref());
        Ok(known
            .cloned()
            .ok_or_else(|| Rejection::not_found("customer"))?)
    }
}
