//! Many products in one call: each read, decided and committed on its own, all at once, so that
//! they share commits.

use std::collections::HashMap;

use contracts::catalog::{BulkAnswer, BulkMode, BulkProblem, BulkResult, BulkStatus, ProductInput};
use futures_util::future::join_all;
use kernel::{App, AppError, Context, Ids, Rejection, RejectionKind};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    commands::{Outcome, PutProduct, Target},
    draft::Draft,
};

/// Most products of a call.
const MAX_PRODUCTS: usize = 500;

/// The body, with products still unread, so that one that cannot be read does not hinder others.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    products: Vec<Box<RawValue>>,
    #[serde(default)]
    mode: BulkMode,
}

/// Creates or replaces all of them; `changed` hears of each before the answer is given.
pub async fn put_all(
    app: &App,
    context: &Context,
    body: Body,
    changed: impl Fn(&Outcome),
) -> Result<BulkAnswer, Rejection> {
    if body.products.len() > MAX_PRODUCTS {
        let detail = format!("must be at most {MAX_PRODUCTS} of them");
        return Err(Rejection::invalid("products", detail));
    }
    let BulkMode::Upsert = body.mode;
    let drafts = read_all(&body.products, app.ids());
    let puts = drafts.into_iter().enumerate().map(async |(row, draft)| {
        let handle = match &draft {
            Ok(draft) => Some(draft.fresh().handle.clone()),
            Err(unread) => unread.0.clone(),
        };
        let done = match draft {
            Ok(draft) => {
                let target = Target::ByHandle;
                app.execute(context, PutProduct { draft, target }).await
            }
            Err(unread) => Err(unread.1.into()),
        };
        if let Ok(outcome) = &done {
            changed(outcome);
        }
        result(row, handle, done)
    });
    let results = join_all(puts).await;
    Ok(BulkAnswer { results })
}

/// A product that could not be read: its handle, if that is known, and why.
type Unread = Box<(Option<String>, Rejection)>;

/// Reads every product; of several with one handle only the first counts, since the order in
/// which the others would be taken is nobody's intention.
fn read_all(products: &[Box<RawValue>], ids: &dyn Ids) -> Vec<Result<Draft, Unread>> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let products = products.iter().enumerate();
    let read = products.map(|(row, product)| {
        let input = parse(product.get()).map_err(|rejection| Box::new((None, rejection)))?;
        let named = Some(input.handle.clone()).filter(|handle| !handle.is_empty());
        let draft = Draft::read(input, ids).map_err(|rejection| Box::new((named, rejection)))?;
        let handle = draft.fresh().handle.clone();
        if let Some(first) = seen.get(&handle) {
            let detail = format!("row {first} of this call has the handle `{handle}` already");
            let repeated = Rejection::new(RejectionKind::Invalid, "repeated-handle", detail);
            return Err(Box::new((Some(handle), repeated.field("handle"))));
        }
        seen.insert(handle, row);
        Ok(draft)
    });
    read.collect()
}

/// Reads one product; the rejection names the field, and not the value found there.
fn parse(json: &str) -> Result<ProductInput, Rejection> {
    serde_json::from_str(json).or_else(|_| {
        let mut reader = serde_json::Deserializer::from_str(json);
        serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let text = error.inner().to_string();
            let text = text.split(" at line ").next().unwrap_or_default();
            let detail = match text.split_once(", expected ") {
                Some((_, expected)) => format!("expected {expected}"),
                None => text.to_owned(),
            };
            Rejection::invalid(error.path().to_string(), detail)
        })
    })
}

fn result(row: usize, handle: Option<String>, done: Result<Outcome, AppError>) -> BulkResult {
    match done {
        Ok(outcome) => BulkResult {
            row,
            status: outcome.status,
            id: Some(outcome.product.id.clone()),
            handle: Some(outcome.product.handle.clone()),
            problem: None,
        },
        Err(error) => BulkResult {
            row,
            status: BulkStatus::Rejected,
            id: None,
            handle,
            problem: Some(problem(error)),
        },
    }
}

fn problem(error: AppError) -> BulkProblem {
    match error {
        AppError::Rejected(rejection) => BulkProblem {
            code: rejection.code.to_owned(),
            detail: rejection.detail,
            field: rejection.field,
        },
        AppError::Unavailable(_) => BulkProblem {
            code: "unavailable".into(),
            detail: "the shop cannot write now; send this product again later".into(),
            field: None,
        },
        AppError::Internal(reason) => {
            tracing::error!(%reason, "a product of a bulk call failed");
            BulkProblem {
                code: "internal".into(),
                detail: "something went wrong on our side".into(),
                field: None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::testing::CountingIds;

    use super::*;

    #[test]
    fn rows_are_read_one_by_one() {
        let rows = [
            r#"{"handle":"a","title":"A","variants":[{"sku":"A"}]}"#,
            r#"{"handle":"b","title":"B","variants":[{"sku":7}]}"#,
            r#"{"handle":"c","variants":[]}"#,
            r#"{"handle":"a","title":"A again","variants":[]}"#,
            r#"{"title":"A","handle":"d","variants":[],"colour":1}"#,
            r#"[]"#,
        ];
        let rows: Vec<_> = rows
            .iter()
            .map(|row| RawValue::from_string((*row).to_owned()).unwrap())
            .collect();
        let read = read_all(&rows, &CountingIds::default());
        let fields: Vec<Option<String>> = read
            .into_iter()
            .map(|row| row.err().map(|unread| unread.1.field.unwrap_or_default()))
            .collect();
        let field = |text: &str| Some(text.to_owned());
        assert_eq!(fields[0], None);
        assert_eq!(fields[1], field("variants[0].sku"));
        assert!(fields[2].is_some());
        assert_eq!(fields[3], field("handle"));
        assert!(fields[4].is_some() && fields[5].is_some());
    }
}
