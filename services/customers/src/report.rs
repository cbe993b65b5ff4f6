//! Everything the shop keeps about a customer, put together for them.

use contracts::identity::CustomerId;
use kernel::{App, AppError, opened};
use serde_json::{Map, Value, json};

use crate::{
    consent::ConsentBook,
    customer::CustomerState,
    export::PARTS,
    queries::{self, consent_view},
    render,
};

/// Orders in one export. Nobody has more; an import might.
const MOST_ORDERS: i64 = 10_000;

/// All data of a customer, by topic.
pub async fn everything(
    app: &App,
    id: &CustomerId,
    state: &CustomerState,
) -> Result<Value, AppError> {
    let orders = queries::orders(app, id, None, MOST_ORDERS).await?;
    let mut parts: Map<String, Value> = Map::new();
    for part in PARTS {
        parts.insert(part.topic.to_owned(), json!([]));
    }
    for order in &orders {
        for (topic, text) in queries::documents(app, &order.order_id).await? {
            if let (Some(Value::Array(list)), Some(content)) =
                (parts.get_mut(&topic), queries::opened(app, &text))
            {
                list.push(content);
            }
        }
    }
    let companies = queries::companies_of(app, id).await?;
    let states = queries::company_states(app, companies.clone()).await?;
    let companies: Vec<Value> = companies
        .iter()
        .zip(&states)
        .map(|(company_id, company)| {
            json!({"id": company_id, "role": company.members.get(id),
                "profile": opened(&company.profile)})
        })
        .collect();
    Ok(json!({
        "exported_at": app.now(),
        "customer": render::customer(id, state),
        "notes": render::notes(state),
        "consents": consents(app, state).await?,
        "companies": companies,
        "order_history": orders,
        "services": parts,
    }))
}

async fn consents(app: &App, state: &CustomerState) -> Result<Value, AppError> {
    let Some(person) = &state.person else {
        return Ok(json!({"current": [], "history": []}));
    };
    let book = app.state::<ConsentBook>(person.as_str()).await?.state;
    let current: Vec<_> = book.current.values().map(consent_view).collect();
    let history = queries::consents(app, person).await?;
    Ok(json!({"current": current, "history": history}))
}
