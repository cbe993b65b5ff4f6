//! Changes of stock: adjustments, receipts, transfers, policies.

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::inventory::{
    AdjustLine, AdjustStock, LineResult, LineResults, LocationId, MovementReason, Quantity,
    ReceiveStock, SetPolicies, SetPolicy, SkuPolicy, TransferStock,
};
use kernel::{App, Rejection};
use web::{Ctx, Json, Path, Problem};

use super::{
    answer,
    check::{self, MAX_LINES},
    render,
};
use crate::{
    stock::{Adjustment, Change},
    stocktaking::{Adjust, SetPolicies as SetPoliciesCommand, Transfer, policy_problem},
};

/// `POST /api/inventory/adjustments`
pub async fn adjust(
    State(app): State<App>,
    Ctx(context): Ctx,
    body: Json<AdjustStock>,
) -> Result<Response, Problem> {
    check::count("adjustments", body.value.adjustments.len(), MAX_LINES)?;
    let lines = body
        .value
        .adjustments
        .into_iter()
        .enumerate()
        .map(|(index, line)| adjustment(&format!("adjustments[{index}]"), line))
        .collect::<Result<_, _>>()?;
    let command = Adjust {
        lines,
        all_or_none: body.value.all_or_none,
        list: "adjustments",
    };
    let stored = app
        .execute_once(&context, body.key, command, |items| results(items))
        .await?;
    Ok(answer(stored))
}

fn adjustment(at: &str, line: AdjustLine) -> Result<Adjustment, Rejection> {
    check::sku(&format!("{at}.sku"), &line.sku)?;
    check::text(&format!("{at}.reference"), line.reference.as_deref(), 100)?;
    check::text(&format!("{at}.note"), line.note.as_deref(), 500)?;
    let change = match (line.delta, line.set_on_hand) {
        (Some(delta), None) => {
            check::units(&format!("{at}.delta"), delta, -check::MAX_DELTA)?;
            Change::By(delta)
        }
        (None, Some(count)) => {
            check::units(&format!("{at}.set_on_hand"), count, 0)?;
            Change::To(count)
        }
        _ => {
            let detail = "give exactly one of `delta` and `set_on_hand`";
            return Err(Rejection::invalid(format!("{at}.delta"), detail));
        }
    };
    Ok(Adjustment {
        sku: line.sku,
        location: line.location.unwrap_or_else(LocationId::main),
        change,
        expected_on_hand: line.expected_on_hand,
        reason: line.reason,
        reference: line.reference,
        note: line.note,
        accept_oversold: line.accept_oversold,
    })
}

fn results(items: &[LineResult]) -> kernel::Stored {
    let items = items.to_vec();
    render(StatusCode::OK, &LineResults { items })
}

/// `POST /api/inventory/receipts`
pub async fn receive(
    State(app): State<App>,
    Ctx(context): Ctx,
    body: Json<ReceiveStock>,
) -> Result<Response, Problem> {
    let ReceiveStock {
        location,
        reference,
        lines,
    } = body.value;
    let location = location.unwrap_or_else(LocationId::main);
    check::text("reference", reference.as_deref(), 100)?;
    check_lines(&lines, MAX_LINES)?;
    let lines = lines
        .into_iter()
        .map(|line| Adjustment {
            sku: line.sku,
            location: location.clone(),
            change: Change::By(line.quantity),
            expected_on_hand: None,
            reason: MovementReason::Received,
            reference: reference.clone(),
            note: None,
            accept_oversold: false,
        })
        .collect();
    let command = Adjust {
        lines,
        all_or_none: true,
        list: "lines",
    };
    let stored = app
        .execute_once(&context, body.key, command, |items| results(items))
        .await?;
    Ok(answer(stored))
}

/// `POST /api/inventory/transfers`
pub async fn transfer(
    State(app): State<App>,
    Ctx(context): Ctx,
    body: Json<TransferStock>,
) -> Result<Response, Problem> {
    let TransferStock {
        from,
        to,
        reference,
        lines,
    } = body.value;
    check::text("reference", reference.as_deref(), 100)?;
    check_lines(&lines, MAX_LINES)?;
    if from == to {
        return Err(Rejection::invalid("to", "must be another location than `from`").into());
    }
    let command = Transfer {
        from,
        to,
        reference,
        lines: lines.into_iter().map(|l| (l.sku, l.quantity)).collect(),
    };
    let stored = app
        .execute_once(&context, body.key, command, |items| results(items))
        .await?;
    Ok(answer(stored))
}

/// Lines of SKU and quantity, as receipts, transfers and holds have them.
pub fn check_lines(lines: &[Quantity], limit: usize) -> Result<(), Rejection> {
    check::count("lines", lines.len(), limit)?;
    for (index, line) in lines.iter().enumerate() {
        check::sku(&format!("lines[{index}].sku"), &line.sku)?;
        check::units(&format!("lines[{index}].quantity"), line.quantity, 1)?;
    }
    Ok(())
}

/// `PUT /api/inventory/policies/{sku}`
pub async fn set_policy(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(sku): Path<String>,
    body: Json<SetPolicy>,
) -> Result<axum::Json<SkuPolicy>, Problem> {
    check::sku("sku", &sku)?;
    if let Some(problem) = policy_problem(body.value.backorder) {
        return Err(Rejection::invalid("backorder.up_to", problem).into());
    }
    let policy = SkuPolicy {
        sku,
        backorder: body.value.backorder,
    };
    app.execute(&context, SetPoliciesCommand(vec![policy.clone()]))
        .await?;
    Ok(axum::Json(policy))
}

/// `POST /api/inventory/policies`
pub async fn set_policies(
    State(app): State<App>,
    Ctx(context): Ctx,
    body: Json<SetPolicies>,
) -> Result<Response, Problem> {
    let policies = body.value.policies;
    check::count("policies", policies.len(), MAX_LINES)?;
    for (index, policy) in policies.iter().enumerate() {
        check::sku(&format!("policies[{index}].sku"), &policy.sku)?;
        if let Some(problem) = policy_problem(policy.backorder) {
            let field = format!("policies[{index}].backorder.up_to");
            return Err(Rejection::invalid(field, problem).into());
        }
    }
    let answered = SetPolicies {
        policies: policies.clone(),
    };
    let stored = app
        .execute_once(
            &context,
            body.key,
            SetPoliciesCommand(policies),
            move |()| render(StatusCode::OK, &answered),
        )
        .await?;
    Ok(answer(stored))
}
