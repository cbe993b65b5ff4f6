//! Who the caller is.

use axum::{Json as Body, extract::State};
use contracts::identity::api::Me;
use kernel::{App, opened};
use web::{Caller, Principal, Problem};

use crate::{api_key::ApiKeys, customer::Customers, staff::Staff};

/// `GET /api/identity/me`
pub async fn me(State(app): State<App>, caller: Caller) -> Result<Body<Me>, Problem> {
    let permissions = caller.permissions().to_vec();
    let me = |id: String, kind: &str| Me {
        id,
        kind: kind.into(),
        email: None,
        name: None,
        roles: Vec::new(),
        permissions,
        person: None,
    };
    Ok(Body(match caller.principal {
        Principal::Staff { id, .. } if id.starts_with("key_") => {
            let key = app.state::<ApiKeys>(&id).await?.state;
            Me {
                name: key.issued.map(|key| key.name),
                ..me(id, "api_key")
            }
        }
        Principal::Staff { id, .. } => {
            let member = app.state::<Staff>(&id).await?.state;
            Me {
                email: opened(&member.email).cloned(),
                name: opened(&member.name).cloned(),
                roles: member.roles,
                ..me(id, "staff")
            }
        }
        Principal::Customer { id, person } => {
            let customer = app.state::<Customers>(&id).await?.state;
            Me {
                email: opened(&customer.email).cloned(),
                person,
                ..me(id, "customer")
            }
        }
        // The route is for those who are signed in.
        Principal::Anonymous => return Err(crate::grant::not_good().into()),
    }))
}
