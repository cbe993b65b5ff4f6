//! Companies: by the staff, and by the customers who act for them.

use axum::{Json as Answer, extract::State, http::StatusCode};
use contracts::{
    List,
    address::Address,
    customers::{
        AddressId, CompanyId, CompanyProfile,
        api::{CompanyView, MemberRole, NewMember},
    },
    identity::CustomerId,
};
use kernel::{App, Context, Decide, PersonId, Rejection};
use serde::Deserialize;
use web::{Access, Caller, Ctx, Json, Page, Path, Problem, Routes};

use super::{READ, WRITE, subject::Subject};
use crate::{
    company::{Companies, Company, CompanyCommand},
    customer::{Customers, Standing},
    mailbox::{self, PURPOSE},
    queries, render,
};

/// The routes.
pub fn routes(routes: Routes) -> Routes {
    let (read, write) = (Access::Owner(READ), Access::Owner(WRITE));
    let name = "By the company's admins, and the staff.";
    routes
        .get(
            "/api/customers/companies",
            Access::Permission(READ),
            list,
            |d| {
                d.summary("Companies in the order they were added")
                    .paged()
                    .answer::<List<CompanyView>>(200, "A page of companies")
            },
        )
        .post(
            "/api/customers/companies",
            Access::Permission(WRITE),
            create,
            |d| {
                d.summary("Add a company")
                    .body::<CompanyProfile>()
                    .answer::<CompanyView>(201, "As it is kept")
            },
        )
        .get("/api/customers/me/companies", Access::Customer, mine, |d| {
            d.summary("Companies one acts for")
                .answer::<Vec<CompanyView>>(200, "All of them")
        })
        .get("/api/customers/companies/{company}", read, show, |d| {
            d.summary("A company, for its members and the staff")
                .answer::<CompanyView>(200, "The company")
        })
        .put("/api/customers/companies/{company}", write, change, |d| {
            d.summary("Change a company's name or VAT number")
                .description(name)
                .body::<CompanyProfile>()
                .answer::<CompanyView>(200, "As it is now")
        })
        .post(
            "/api/customers/companies/{company}/addresses",
            write,
            add_address,
            |d| {
                d.summary("Add an address of a company")
                    .description(name)
                    .body::<Address>()
                    .answer::<CompanyView>(201, "The company")
            },
        )
        .put(
            "/api/customers/companies/{company}/addresses/{address}",
            write,
            replace_address,
            |d| {
                d.summary("Replace an address of a company")
                    .description(name)
                    .body::<Address>()
                    .answer::<CompanyView>(200, "The company")
            },
        )
        .delete(
            "/api/customers/companies/{company}/addresses/{address}",
            write,
            remove_address,
            |d| {
                d.summary("Remove an address of a company")
                    .description(name)
                    .answer::<CompanyView>(200, "The company")
            },
        )
        .post(
            "/api/customers/companies/{company}/members",
            write,
            add_member,
            |d| {
                d.summary("Let the account with this e-mail address act for a company")
                    .description(name)
                    .body::<NewMember>()
                    .answer::<CompanyView>(201, "The company")
            },
        )
        .put(
            "/api/customers/companies/{company}/members/{member}",
            write,
            set_member,
            |d| {
                d.summary("Let a customer act for a company, or give them another role")
                    .description(name)
                    .body::<MemberRole>()
                    .answer::<CompanyView>(200, "The company")
            },
        )
        .delete(
            "/api/customers/companies/{company}/members/{member}",
            write,
            remove_member,
            |d| {
                d.summary("Let a customer act for a company no more")
                    .description(name)
                    .answer::<CompanyView>(200, "The company")
            },
        )
}

/// The company, if the caller may see it (`change` is not set) or change it. To others it is not
/// there.
async fn permitted(
    app: &App,
    caller: &Caller,
    id: &CompanyId,
    change: bool,
) -> Result<Company, Problem> {
    let company = app.state::<Companies>(id.as_str()).await?.state;
    let me = caller.customer().unwrap_or_default();
    let allowed = match change {
        true => caller.may(WRITE) || company.is_admin(me),
        false => caller.may(READ) || company.is_member(me),
    };
    match (company.person.is_some() && allowed, company.is_member(me)) {
        (true, _) => Ok(company),
        (false, true) => Err(Rejection::forbidden("this is for the company's admins").into()),
        (false, false) => Err(Rejection::not_found("company").into()),
    }
}

async fn decide(
    app: &App,
    context: &Context,
    id: &CompanyId,
    command: CompanyCommand,
) -> Result<Answer<CompanyView>, Problem> {
    let command = Decide::<Companies>::new(id.as_str(), command);
    let company = app.execute(context, command).await?.state;
    Ok(Answer(render::company(id, &company)))
}

async fn list(State(app): State<App>, page: Page) -> Result<Answer<List<CompanyView>>, Problem> {
    let ids = queries::companies(&app, &page).await?;
    let List { items, next_cursor } = page.list(ids, CompanyId::to_string);
    let items = views(&app, items).await?;
    Ok(Answer(List { items, next_cursor }))
}

async fn mine(
    State(app): State<App>,
    subject: Subject,
) -> Result<Answer<Vec<CompanyView>>, Problem> {
    let ids = queries::companies_of(&app, &subject.id).await?;
    Ok(Answer(views(&app, ids).await?))
}

async fn views(app: &App, ids: Vec<CompanyId>) -> Result<Vec<CompanyView>, Problem> {
    let states = queries::company_states(app, ids.clone()).await?;
    let pairs = ids.iter().zip(&states);
    Ok(pairs
        .map(|(id, company)| render::company(id, company))
        .collect())
}

async fn create(
    State(app): State<App>,
    Ctx(context): Ctx,
    Json { value, .. }: Json<CompanyProfile>,
) -> Result<(StatusCode, Answer<CompanyView>), Problem> {
    let id = CompanyId::generate(app.ids());
    let command = CompanyCommand::Create {
        company_id: id.clone(),
        person: PersonId::generate(app.ids()),
        profile: value,
        at: app.now(),
    };
    let created = decide(&app, &context, &id, command).await?;
    Ok((StatusCode::CREATED, created))
}

async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CompanyId>,
) -> Result<Answer<CompanyView>, Problem> {
    let company = permitted(&app, &caller, &id, false).await?;
    Ok(Answer(render::company(&id, &company)))
}

async fn change(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<CompanyId>,
    Json { value, .. }: Json<CompanyProfile>,
) -> Result<Answer<CompanyView>, Problem> {
    permitted(&app, &caller, &id, true).await?;
    decide(
        &app,
        &context,
        &id,
        CompanyCommand::Change(id.clone(), value),
    )
    .await
}

async fn add_address(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<CompanyId>,
    Json { value, .. }: Json<Address>,
) -> Result<(StatusCode, Answer<CompanyView>), Problem> {
    permitted(&app, &caller, &id, true).await?;
    let command = CompanyCommand::SaveAddress {
        company_id: id.clone(),
        address_id: AddressId::generate(app.ids()),
        address: value,
        new: true,
    };
    let saved = decide(&app, &context, &id, command).await?;
    Ok((StatusCode::CREATED, saved))
}

async fn replace_address(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path((id, address)): Path<(CompanyId, AddressId)>,
    Json { value, .. }: Json<Address>,
) -> Result<Answer<CompanyView>, Problem> {
    permitted(&app, &caller, &id, true).await?;
    let command = CompanyCommand::SaveAddress {
        company_id: id.clone(),
        address_id: address,
        address: value,
        new: false,
    };
    decide(&app, &context, &id, command).await
}

async fn remove_address(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path((id, address)): Path<(CompanyId, AddressId)>,
) -> Result<Answer<CompanyView>, Problem> {
    permitted(&app, &caller, &id, true).await?;
    let command = CompanyCommand::RemoveAddress(id.clone(), address);
    decide(&app, &context, &id, command).await
}

async fn add_member(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<CompanyId>,
    Json { value, .. }: Json<NewMember>,
) -> Result<(StatusCode, Answer<CompanyView>), Problem> {
    permitted(&app, &caller, &id, true).await?;
    let hash = app.keys().blind(PURPOSE, &mailbox::normal(&value.email));
    let page = Page {
        limit: 1,
        after: None,
    };
    let found = queries::customers(&app, &page, None, Some(&hash)).await?;
    let Some(member) = found.into_iter().next() else {
        return Err(Rejection::not_found("account").field("email").into());
    };
    let command = CompanyCommand::SetMember(id.clone(), member, value.role);
    let set = decide(&app, &context, &id, command).await?;
    Ok((StatusCode::CREATED, set))
}

#[derive(Deserialize)]
struct Member {
    company: CompanyId,
    member: CustomerId,
}

async fn set_member(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(Member { company, member }): Path<Member>,
    Json { value, .. }: Json<MemberRole>,
) -> Result<Answer<CompanyView>, Problem> {
    permitted(&app, &caller, &company, true).await?;
    let state = app.state::<Customers>(member.as_str()).await?.state;
    if !state.exists() || state.standing != Standing::Open {
        return Err(Rejection::not_found("customer").into());
    }
    let command = CompanyCommand::SetMember(company.clone(), member, value.role);
    decide(&app, &context, &company, command).await
}

async fn remove_member(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(Member { company, member }): Path<Member>,
) -> Result<Answer<CompanyView>, Problem> {
    permitted(&app, &caller, &company, true).await?;
    let command = CompanyCommand::RemoveMember {
        company_id: company.clone(),
        customer_id: member,
        for_good: false,
    };
    decide(&app, &context, &company, command).await
}
