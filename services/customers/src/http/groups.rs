//! Groups and segments, and who is in a group.

use axum::{Json as Answer, extract::State, http::StatusCode};
use contracts::{
    customers::{
        GroupDefined, SegmentDefined,
        api::{CustomerView, GroupDefinition, GroupView, SegmentDefinition},
    },
    identity::CustomerId,
};
use kernel::{App, Context, Rejection};
use serde::Deserialize;
use web::{Access, Ctx, Json, Path, Problem, Routes};

use super::{READ, WRITE};
use crate::{
    directory::{ALL, Directories, DirectoryCommand},
    profile::SetGroup,
    render,
    review::OnDirectory,
};

/// The routes.
pub fn routes(routes: Routes) -> Routes {
    let (read, write) = (Access::Permission(READ), Access::Permission(WRITE));
    routes
        .get("/api/customers/groups", read, list, |d| {
            d.summary("All groups and segments, by code")
                .answer::<Vec<GroupView>>(200, "All of them")
        })
        .put("/api/customers/groups/{code}", write, define_group, |d| {
            d.summary("Let there be a group that staff fill")
                .body::<GroupDefinition>()
                .answer::<GroupView>(200, "As it is now")
        })
        .delete("/api/customers/groups/{code}", write, remove_group, |d| {
            d.summary("Remove a group; nobody is in it any more").answer_empty(204, "Gone")
        })
        .put("/api/customers/segments/{code}", write, define_segment, |d| {
            d.summary("Let there be a segment that a rule fills")
                .description("Who belongs to it follows within moments, and with every order; rules that depend on time are looked at daily.")
                .body::<SegmentDefinition>()
                .answer::<GroupView>(200, "As it is now")
        })
        .delete("/api/customers/segments/{code}", write, remove_segment, |d| {
            d.summary("Remove a segment; nobody is in it any more").answer_empty(204, "Gone")
        })
        .put("/api/customers/{id}/groups/{code}", write, join, |d| {
            d.summary("Put a customer into a group").answer::<CustomerView>(200, "The customer")
        })
        .delete("/api/customers/{id}/groups/{code}", write, leave, |d| {
            d.summary("Take a customer out of a group").answer::<CustomerView>(200, "The customer")
        })
}

async fn list(State(app): State<App>) -> Result<Answer<Vec<GroupView>>, Problem> {
    let directory = app.state::<Directories>(ALL).await?.state;
    Ok(Answer(render::directory(&directory)))
}

async fn define_group(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(code): Path<String>,
    Json { value, .. }: Json<GroupDefinition>,
) -> Result<Answer<GroupView>, Problem> {
    let group = GroupDefined {
        code: code.clone(),
        name: value.name.trim().to_owned(),
    };
    define(&app, &context, &code, DirectoryCommand::DefineGroup(group)).await
}

async fn define_segment(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(code): Path<String>,
    Json { value, .. }: Json<SegmentDefinition>,
) -> Result<Answer<GroupView>, Problem> {
    let segment = SegmentDefined {
        code: code.clone(),
        name: value.name.trim().to_owned(),
        rule: value.rule,
    };
    define(
        &app,
        &context,
        &code,
        DirectoryCommand::DefineSegment(segment),
    )
    .await
}

async fn define(
    app: &App,
    context: &Context,
    code: &str,
    command: DirectoryCommand,
) -> Result<Answer<GroupView>, Problem> {
    let directory = app.execute(context, OnDirectory(command)).await?;
    let mut all = render::directory(&directory).into_iter();
    let defined = all.find(|one| one.code == code);
    Ok(Answer(
        defined.ok_or_else(|| Rejection::not_found("group"))?,
    ))
}

async fn remove_group(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(code): Path<String>,
) -> Result<StatusCode, Problem> {
    let command = OnDirectory(DirectoryCommand::RemoveGroup(code));
    app.execute(&context, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_segment(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(code): Path<String>,
) -> Result<StatusCode, Problem> {
    let command = OnDirectory(DirectoryCommand::RemoveSegment(code));
    app.execute(&context, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Named {
    id: CustomerId,
    code: String,
}

async fn join(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(named): Path<Named>,
) -> Result<Answer<CustomerView>, Problem> {
    set(&app, &context, named, true).await
}

async fn leave(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(named): Path<Named>,
) -> Result<Answer<CustomerView>, Problem> {
    set(&app, &context, named, false).await
}

async fn set(
    app: &App,
    context: &Context,
    Named { id, code }: Named,
    member: bool,
) -> Result<Answer<CustomerView>, Problem> {
    let command = SetGroup {
        id: id.clone(),
        code,
        member,
    };
    let state = app.execute(context, command).await?;
    Ok(Answer(render::customer(&id, &state)))
}
