//! Staff accounts.

use std::sync::Arc;

use axum::{Extension, Json as Body, extract::State, http::StatusCode};
use contracts::{
    List,
    identity::{
        StaffAdded, UserId,
        api::{NewStaff, StaffRoles, StaffView, StaffWithPassword},
    },
};
use kernel::{App, Context, PersonId, Personal, Rejection, opened};
use web::{Caller, Ctx, Json, Page, Path, Problem};

use super::{Answer, answer, stored};
use crate::{
    accounts::{AddStaff, ChangeStaff, StaffChange},
    desk::Desk,
    email, queries,
    secret::one_time_password,
    staff::{Member, Staff},
};

fn view(member: &Member) -> Option<StaffView> {
    Some(StaffView {
        id: member.id.clone()?,
        email: opened(&member.email).cloned(),
        name: opened(&member.name).cloned(),
        roles: member.roles.clone(),
        active: member.active,
    })
}

fn view_of(member: &Member) -> Result<StaffView, Rejection> {
    view(member).ok_or_else(|| Rejection::not_found("member of staff"))
}

/// `POST /api/identity/staff`
pub async fn add(
    State(app): State<App>,
    Extension(desk): Extension<Arc<Desk>>,
    Ctx(context): Ctx,
    caller: Caller,
    Json { value, key }: Json<NewStaff>,
) -> Result<Answer, Problem> {
    let email = email::normalise(&value.email)?;
    let name = value.name.trim().to_owned();
    if !(1..=100).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(Rejection::invalid("name", "must have 1 to 100 characters").into());
    }
    let password = one_time_password(app.ids());
    let hash = desk.hasher.hash(app.ids(), password.clone()).await?;
    let person = PersonId::generate(app.ids());
    let command = AddStaff {
        email_hash: app.keys().blind("email", &email),
        staff: StaffAdded {
            user_id: UserId::generate(app.ids()),
            email: Personal::new(person.clone(), email),
            name: Personal::new(person.clone(), name),
            roles: value.roles,
        },
        password: Personal::new(person, hash),
        giver: caller.permissions().to_vec(),
    };
    let render = move |member: &Member| {
        let made = view(member).map(|staff| StaffWithPassword {
            staff,
            one_time_password: password.clone(),
        });
        stored(StatusCode::CREATED, &made)
    };
    let answer = app.execute_once(&context, key, command, render).await?;
    Ok(Answer(answer))
}

/// `GET /api/identity/staff`
pub async fn list(State(app): State<App>, page: Page) -> Result<Body<List<StaffView>>, Problem> {
    let mut staff = Vec::new();
    for id in queries::staff_ids(&app, &page).await? {
        let member = app.state::<Staff>(id.as_str()).await?.state;
        staff.extend(view(&member));
    }
    Ok(Body(
        page.list(staff, |member| member.id.as_str().to_owned()),
    ))
}

/// `GET /api/identity/staff/{id}`
pub async fn one(
    State(app): State<App>,
    Path(id): Path<UserId>,
) -> Result<Body<StaffView>, Problem> {
    let member = app.state::<Staff>(id.as_str()).await?.state;
    Ok(Body(view_of(&member)?))
}

async fn change(
    app: &App,
    context: &Context,
    caller: &Caller,
    user_id: UserId,
    change: StaffChange,
) -> Result<StaffView, Problem> {
    let command = ChangeStaff {
        user_id,
        change,
        giver: caller.permissions().to_vec(),
    };
    Ok(view_of(&app.execute(context, command).await?)?)
}

/// `PUT /api/identity/staff/{id}/roles`
pub async fn set_roles(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<UserId>,
    Json { value, .. }: Json<StaffRoles>,
) -> Result<Body<StaffView>, Problem> {
    let roles = StaffChange::SetRoles(value.roles);
    Ok(Body(change(&app, &context, &caller, id, roles).await?))
}

/// `POST /api/identity/staff/{id}/disable`
pub async fn disable(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<UserId>,
) -> Result<Body<StaffView>, Problem> {
    let disable = StaffChange::Disable;
    Ok(Body(change(&app, &context, &caller, id, disable).await?))
}

/// `POST /api/identity/staff/{id}/enable`
pub async fn enable(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<UserId>,
) -> Result<Body<StaffView>, Problem> {
    let enable = StaffChange::Enable;
    Ok(Body(change(&app, &context, &caller, id, enable).await?))
}

/// `POST /api/identity/staff/{id}/password`
pub async fn reset_password(
    State(app): State<App>,
    Extension(desk): Extension<Arc<Desk>>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<UserId>,
) -> Result<Answer, Problem> {
    let member = app.state::<Staff>(id.as_str()).await?.state;
    let person = match &member.email {
        Some(email) => email.person().clone(),
        None => return Err(Rejection::not_found("member of staff").into()),
    };
    let one_time_password = one_time_password(app.ids());
    let hash = desk
        .hasher
        .hash(app.ids(), one_time_password.clone())
        .await?;
    let reset = StaffChange::ResetPassword(Personal::new(person, hash));
    let staff = change(&app, &context, &caller, id, reset).await?;
    let body = StaffWithPassword {
        staff,
        one_time_password,
    };
    Ok(answer(StatusCode::OK, &body))
}
