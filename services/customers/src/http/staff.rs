//! What only staff do: lists, notes, merging duplicates.

use axum::{Json as Answer, extract::State, http::StatusCode};
use contracts::{
    List,
    customers::{
        NoteId,
        api::{CustomerView, MergeInto, NewNote, NoteView},
    },
    identity::CustomerId,
};
use kernel::{App, Rejection};
use serde::Deserialize;
use web::{Access, Caller, Ctx, Json, Page, Path, Problem, Query, Routes};

use super::{READ, WRITE, subject::Subject};
use crate::{
    customer::Step,
    mailbox::{self, PURPOSE},
    merge::Merge,
    queries, render,
};

/// The routes.
pub fn routes(routes: Routes) -> Routes {
    let (read, write) = (Access::Permission(READ), Access::Permission(WRITE));
    routes
        .get("/api/customers", read, list, |d| {
            d.summary("Customers in the order of their accounts")
                .paged()
                .query("email", "Only the one with exactly this e-mail address")
                .query("group", "Only those in the group or segment of this code")
                .answer::<List<CustomerView>>(200, "A page of customers")
        })
        .get("/api/customers/{id}/notes", read, notes, |d| {
            d.summary("What staff noted about a customer, the newest first")
                .answer::<Vec<NoteView>>(200, "All notes")
        })
        .post("/api/customers/{id}/notes", write, add_note, |d| {
            d.summary("Note something about a customer")
                .description("The customer gets to see it when they export their data.")
                .body::<NewNote>()
                .answer::<NoteView>(201, "As it is kept")
        })
        .delete("/api/customers/{id}/notes/{note}", write, remove_note, |d| {
            d.summary("Take a note away").answer_empty(204, "Gone")
        })
        .post("/api/customers/{id}/merge", write, merge, |d| {
            d.summary("Close a duplicate and move what it held to another customer")
                .description("Addresses, notes, consents (the stricter win), groups by hand, companies and order history move. The duplicate's account is closed.")
                .body::<MergeInto>()
                .answer::<CustomerView>(200, "The customer who stays")
        })
}

#[derive(Deserialize)]
struct Asked {
    email: Option<String>,
    group: Option<String>,
}

async fn list(
    State(app): State<App>,
    page: Page,
    Query(asked): Query<Asked>,
) -> Result<Answer<List<CustomerView>>, Problem> {
    let hash = |email: String| app.keys().blind(PURPOSE, &mailbox::normal(&email));
    let email_hash = asked.email.map(hash);
    let group = asked.group.as_deref();
    let ids = queries::customers(&app, &page, group, email_hash.as_deref()).await?;
    let List { items, next_cursor } = page.list(ids, CustomerId::to_string);
    let states = queries::states(&app, items.clone()).await?;
    let views = items.iter().zip(&states);
    Ok(Answer(List {
        items: views
            .map(|(id, state)| render::customer(id, state))
            .collect(),
        next_cursor,
    }))
}

async fn notes(State(app): State<App>, subject: Subject) -> Result<Answer<Vec<NoteView>>, Problem> {
    Ok(Answer(render::notes(&subject.state(&app).await?)))
}

async fn add_note(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    subject: Subject,
    Json { value, .. }: Json<NewNote>,
) -> Result<(StatusCode, Answer<NoteView>), Problem> {
    let note_id = NoteId::generate(app.ids());
    let step = Step::AddNote {
        note_id: note_id.clone(),
        text: value.text,
        by: caller.actor().to_string(),
        at: app.now(),
    };
    let state = app.execute(&context, subject.step(&app, step)).await?;
    let mut all = render::notes(&state).into_iter();
    let note = all.find(|note| note.id == note_id);
    let note = note.ok_or_else(|| Rejection::not_found("note"))?;
    Ok((StatusCode::CREATED, Answer(note)))
}

#[derive(Deserialize)]
struct Named {
    note: NoteId,
}

async fn remove_note(
    State(app): State<App>,
    Ctx(context): Ctx,
    subject: Subject,
    Path(Named { note }): Path<Named>,
) -> Result<StatusCode, Problem> {
    let command = subject.step(&app, Step::RemoveNote(note));
    app.execute(&context, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn merge(
    State(app): State<App>,
    Ctx(context): Ctx,
    subject: Subject,
    Json { value, .. }: Json<MergeInto>,
) -> Result<Answer<CustomerView>, Problem> {
    let companies = queries::companies_of(&app, &subject.id).await?;
    let command = Merge {
        from: subject.id,
        into: value.into.clone(),
        companies,
    };
    let merged = app.execute(&context, command).await?;
    Ok(Answer(render::customer(&merged.id, &merged.state)))
}
