//! Profile and address book, by the customer and by the staff.

use axum::{Json as Answer, extract::State, http::StatusCode};
use contracts::{
    address::Address,
    customers::{
        AddressId,
        api::{AddressDefaults, CustomerView, EmailProof, ProfileChange, SavedAddress},
    },
};
use kernel::{App, Rejection};
use serde::Deserialize;
use web::{Access, Ctx, Json, Path, Problem, Routes, hash_token};

use super::{READ, WRITE, subject::Subject};
use crate::{
    customer::Step,
    profile::OnCustomer,
    render,
    verification::{VerifyEmail, request},
};

/// The routes.
pub fn routes(routes: Routes) -> Routes {
    let (own, read, write) = (
        Access::Customer,
        Access::Permission(READ),
        Access::Permission(WRITE),
    );
    let mut routes = routes;
    for (base, see, change) in [(MINE, own, own), (THEIRS, read, write)] {
        routes = routes
            .get(base.profile, see, show, |d| {
                d.summary("A customer's profile")
                    .answer::<CustomerView>(200, "The profile")
            })
            .patch(base.profile, change, edit, |d| {
                d.summary("Change a profile")
                    .body::<ProfileChange>()
                    .answer::<CustomerView>(200, "As it is now")
            })
            .get(base.addresses, see, addresses, |d| {
                d.summary("The address book")
                    .answer::<Vec<SavedAddress>>(200, "All addresses")
            })
            .post(base.addresses, change, add_address, |d| {
                d.summary("Put an address into the book")
                    .description("It must be one that its country can have.")
                    .body::<Address>()
                    .answer::<SavedAddress>(201, "As it is kept")
            })
            .put(base.defaults, change, set_defaults, |d| {
                d.summary("Say which addresses are offered first")
                    .body::<AddressDefaults>()
                    .answer::<Vec<SavedAddress>>(200, "All addresses")
            })
            .put(base.address, change, replace_address, |d| {
                d.summary("Replace an address")
                    .body::<Address>()
                    .answer::<SavedAddress>(200, "As it is kept")
            })
            .delete(base.address, change, remove_address, |d| {
                d.summary("Take an address out of the book")
                    .answer_empty(204, "Gone")
            });
    }
    routes
        .post("/api/customers/me/verification", own, ask_mail, |d| {
            d.summary("Ask for a mail that shows the address to be one's own")
                .answer_empty(202, "A mail is on its way, or none is needed any more")
        })
        .post("/api/customers/me/verify-email", own, verify, |d| {
            d.summary("Send the mailed token back")
                .description(
                    "Orders placed with the address as a guest are then in the order history.",
                )
                .body::<EmailProof>()
                .answer::<CustomerView>(200, "Verified")
        })
}

struct Base {
    profile: &'static str,
    addresses: &'static str,
    defaults: &'static str,
    address: &'static str,
}

const MINE: Base = Base {
    profile: "/api/customers/me",
    addresses: "/api/customers/me/addresses",
    defaults: "/api/customers/me/addresses/defaults",
    address: "/api/customers/me/addresses/{address}",
};

const THEIRS: Base = Base {
    profile: "/api/customers/{id}",
    addresses: "/api/customers/{id}/addresses",
    defaults: "/api/customers/{id}/addresses/defaults",
    address: "/api/customers/{id}/addresses/{address}",
};

#[derive(Deserialize)]
struct Named {
    address: AddressId,
}

async fn show(State(app): State<App>, subject: Subject) -> Result<Answer<CustomerView>, Problem> {
    let state = subject.state(&app).await?;
    Ok(Answer(render::customer(&subject.id, &state)))
}

async fn edit(
    State(app): State<App>,
    Ctx(context): Ctx,
    subject: Subject,
    Json { value, .. }: Json<ProfileChange>,
) -> Result<Answer<CustomerView>, Problem> {
    let command = subject.step(&app, Step::ChangeProfile(value));
    let state = app.execute(&context, command).await?;
    Ok(Answer(render::customer(&subject.id, &state)))
}

async fn addresses(
    State(app): State<App>,
    subject: Subject,
) -> Result<Answer<Vec<SavedAddress>>, Problem> {
    Ok(Answer(render::addresses(&subject.state(&app).await?)))
}

async fn add_address(
    State(app): State<App>,
    Ctx(context): Ctx,
    subject: Subject,
    Json { value, .. }: Json<Address>,
) -> Result<(StatusCode, Answer<SavedAddress>), Problem> {
    let address_id = AddressId::generate(app.ids());
    let saved = save(&app, &context, &subject, (address_id, value, true)).await?;
    Ok((StatusCode::CREATED, saved))
}

async fn replace_address(
    State(app): State<App>,
    Ctx(context): Ctx,
    subject: Subject,
    Path(Named { address }): Path<Named>,
    Json { value, .. }: Json<Address>,
) -> Result<Answer<SavedAddress>, Problem> {
    save(&app, &context, &subject, (address, value, false)).await
}

async fn save(
    app: &App,
    context: &kernel::Context,
    subject: &Subject,
    (address_id, address, new): (AddressId, Address, bool),
) -> Result<Answer<SavedAddress>, Problem> {
    let step = Step::SaveAddress {
        address_id: address_id.clone(),
        address,
        new,
    };
    let state = app.execute(context, subject.step(app, step)).await?;
    let mut all = render::addresses(&state).into_iter();
    let saved = all.find(|saved| saved.id == address_id);
    Ok(Answer(
        saved.ok_or_else(|| Rejection::not_found("address"))?,
    ))
}

async fn remove_address(
    State(app): State<App>,
    Ctx(context): Ctx,
    subject: Subject,
    Path(Named { address }): Path<Named>,
) -> Result<StatusCode, Problem> {
    let command = subject.step(&app, Step::RemoveAddress(address));
    app.execute(&context, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_defaults(
    State(app): State<App>,
    Ctx(context): Ctx,
    subject: Subject,
    Json { value, .. }: Json<AddressDefaults>,
) -> Result<Answer<Vec<SavedAddress>>, Problem> {
    let command = subject.step(&app, Step::SetDefaults(value));
    let state = app.execute(&context, command).await?;
    Ok(Answer(render::addresses(&state)))
}

async fn ask_mail(
    State(app): State<App>,
    Ctx(context): Ctx,
    subject: Subject,
) -> Result<StatusCode, Problem> {
    let command = request(&app, &subject.id, subject.person.clone(), true);
    app.execute(&context, OnCustomer(command)).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn verify(
    State(app): State<App>,
    Ctx(context): Ctx,
    subject: Subject,
    Json { value, .. }: Json<EmailProof>,
) -> Result<Answer<CustomerView>, Problem> {
    let command = VerifyEmail {
        id: subject.id.clone(),
        token_hash: hash_token(value.token.trim()),
    };
    let state = app.execute(&context, command).await?;
    Ok(Answer(render::customer(&subject.id, &state)))
}
