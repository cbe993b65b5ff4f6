//! Consents, export and erasure.

use axum::{Json as Answer, extract::State, http::StatusCode};
use contracts::customers::{
    ConsentChanged, ConsentSource,
    api::{
        ConsentGiven, ConsentsView, EraseCustomer as EraseAsked, EraseGuest as GuestAsked,
        ErasureView,
    },
};
use kernel::{App, Context, Decide, PersonId, Rejection};
use serde_json::Value;
use web::{Access, Ctx, Json, Problem, Routes};

use super::{ERASE, READ, WRITE, subject::Subject};
use crate::{
    consent::{ConsentBook, Consents},
    customer::Standing,
    erasure::{EraseCustomer, EraseGuest, Progress},
    mailbox::{self, PURPOSE},
    queries, report,
};

/// An order that is neither confirmed nor cancelled after so long hinders nobody.
const UNDER_WAY_SECONDS: i64 = 24 * 60 * 60;

/// The routes.
pub fn routes(routes: Routes) -> Routes {
    let mut routes = routes;
    let (read, write, erase) = (
        Access::Permission(READ),
        Access::Permission(WRITE),
        Access::Permission(ERASE),
    );
    let mine = (Access::Customer, Access::Customer, Access::Customer);
    for ((consents, export, erasure), (see, change, forget)) in [
        (
            (
                "/api/customers/me/consents",
                "/api/customers/me/export",
                "/api/customers/me/erase",
            ),
            mine,
        ),
        (
            (
                "/api/customers/{id}/consents",
                "/api/customers/{id}/export",
                "/api/customers/{id}/erase",
            ),
            (read, write, erase),
        ),
    ] {
        routes = routes
            .get(consents, see, show_consents, |d| {
                d.summary("What a customer agreed to, with its history")
                    .answer::<ConsentsView>(200, "Consents")
            })
            .post(consents, change, change_consent, |d| {
                d.summary("Give or withdraw a consent")
                    .body::<ConsentGiven>()
                    .answer::<ConsentsView>(200, "Consents")
            })
            .get(export, see, export_all, |d| {
                d.summary("All data of a customer")
                    .answer::<Value>(200, "Everything the shop keeps about them")
            })
            .post(erasure, forget, erase_customer, |d| {
                d.summary("Erase a customer for good")
                    .description("Their keys are deleted: nothing personal in any service, log or backup of the log opens again. Orders and payments stay, without the person.")
                    .body::<EraseAsked>()
                    .answer::<ErasureView>(202, "It is decided, and being done")
            });
    }
    routes.post("/api/customers/erase-guest", erase, erase_guest, |d| {
        d.summary("Erase who placed an order as a guest")
            .body::<GuestAsked>()
            .answer::<ErasureView>(202, "It is decided, and being done")
    })
}

async fn show_consents(
    State(app): State<App>,
    subject: Subject,
) -> Result<Answer<ConsentsView>, Problem> {
    let person = subject.person(&subject.state(&app).await?)?;
    let consents = app.state::<ConsentBook>(person.as_str()).await?.state;
    consents_view(&app, &person, &consents).await
}

async fn consents_view(
    app: &App,
    person: &PersonId,
    consents: &Consents,
) -> Result<Answer<ConsentsView>, Problem> {
    let current = consents.current.values().map(queries::consent_view);
    Ok(Answer(ConsentsView {
        current: current.collect(),
        history: queries::consents(app, person).await?,
    }))
}

async fn change_consent(
    State(app): State<App>,
    Ctx(context): Ctx,
    subject: Subject,
    Json { value, .. }: Json<ConsentGiven>,
) -> Result<Answer<ConsentsView>, Problem> {
    let state = subject.state(&app).await?;
    if state.standing != Standing::Open {
        return Err(Rejection::conflict("closed", "this profile is closed").into());
    }
    let source = match (value.source, subject.own) {
        (None, true) => ConsentSource::Account,
        (None, false) => ConsentSource::Staff,
        (Some(ConsentSource::Staff | ConsentSource::Import), true) => {
            let detail = "must be account or checkout";
            return Err(Rejection::invalid("source", detail).into());
        }
        (Some(source), _) => source,
    };
    let person = subject.person(&state)?;
    let change = ConsentChanged {
        customer_id: Some(subject.id),
        person: person.clone(),
        purpose: value.purpose,
        granted: value.granted,
        source,
        policy_version: value.policy_version,
        at: app.now(),
    };
    let command = Decide::<ConsentBook>::new(person.as_str(), change);
    let consents = app.execute(&context, command).await?.state;
    consents_view(&app, &person, &consents).await
}

async fn export_all(State(app): State<App>, subject: Subject) -> Result<Answer<Value>, Problem> {
    let state = subject.state(&app).await?;
    Ok(Answer(report::everything(&app, &subject.id, &state).await?))
}

async fn erase_customer(
    State(app): State<App>,
    Ctx(context): Ctx,
    subject: Subject,
    Json { value, .. }: Json<EraseAsked>,
) -> Result<(StatusCode, Answer<ErasureView>), Problem> {
    if value.confirm != subject.id {
        let detail = "must be the id of the customer to be erased";
        return Err(Rejection::invalid("confirm", detail).into());
    }
    let since = app.now().plus_seconds(-UNDER_WAY_SECONDS);
    if let Some(number) = queries::under_way(&app, &subject.id, since).await? {
        let detail = "an order is being placed; wait until it is confirmed or cancelled";
        let extra = serde_json::json!({"order_number": number});
        return Err(Rejection::conflict("order-under-way", detail)
            .extra(extra)
            .into());
    }
    let command = EraseCustomer {
        companies: queries::companies_of(&app, &subject.id).await?,
        id: subject.id,
    };
    let persons = app.execute(&context, command).await?;
    progress(&app, persons).await
}

async fn erase_guest(
    State(app): State<App>,
    Ctx(context): Ctx,
    Json { value, .. }: Json<GuestAsked>,
) -> Result<(StatusCode, Answer<ErasureView>), Problem> {
    let command = EraseGuest {
        orders: queries::orders_numbered(&app, value.order_number.trim()).await?,
        email_hash: app.keys().blind(PURPOSE, &mailbox::normal(&value.email)),
    };
    let persons = app.execute(&context, command).await?;
    progress(&app, persons).await
}

async fn progress(
    app: &App,
    persons: Vec<PersonId>,
) -> Result<(StatusCode, Answer<ErasureView>), Problem> {
    let count = persons.len();
    let deleted = app.execute(&Context::default(), Progress(persons)).await?;
    let view = ErasureView {
        persons: count,
        deleted,
    };
    Ok((StatusCode::ACCEPTED, Answer(view)))
}
