//! Roles.

use axum::{Json as Body, extract::State, http::StatusCode};
use contracts::{
    List,
    identity::{
        RoleDefined,
        api::{RoleBody, RoleView},
    },
};
use kernel::{App, Decide, Rejection};
use web::{Caller, Ctx, Json, Page, Path, Problem};

use crate::{
    queries,
    role::{RoleCommand, Roles, may_give},
};

/// `GET /api/identity/roles`
pub async fn list(State(app): State<App>, page: Page) -> Result<Body<List<RoleView>>, Problem> {
    let roles = queries::roles(&app, &page).await?;
    Ok(Body(page.list(roles, |role| role.name.clone())))
}

/// `PUT /api/identity/roles/{name}`
pub async fn define(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(name): Path<String>,
    Json { value, .. }: Json<RoleBody>,
) -> Result<Body<RoleView>, Problem> {
    may_give(caller.permissions(), &value.permissions)?;
    may_change(&app, &caller, &name).await?;
    let role = RoleDefined {
        name: name.clone(),
        description: value.description,
        permissions: value.permissions,
    };
    let view = RoleView {
        name: role.name.clone(),
        description: role.description.clone(),
        permissions: role.permissions.clone(),
    };
    let command = Decide::<Roles>::new(name, RoleCommand::Define(role));
    app.execute(&context, command).await?;
    Ok(Body(view))
}

/// `DELETE /api/identity/roles/{name}`
pub async fn remove(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    may_change(&app, &caller, &name).await?;
    let command = Decide::<Roles>::new(name, RoleCommand::Remove);
    app.execute(&context, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A role may be changed only by those who have everything it gives.
async fn may_change(app: &App, caller: &Caller, name: &str) -> Result<(), Problem> {
    if name.len() > 50 {
        return Err(Rejection::not_found("role").into());
    }
    match app.state::<Roles>(name).await?.state.defined {
        Some(role) => Ok(may_give(caller.permissions(), &role.permissions)?),
        None => Ok(()),
    }
}
