//! Counts from outside: a warehouse system or a scanner says how many units there are.

use contracts::{
    inbound::StockCounted,
    inventory::{LocationId, MovementReason},
};
use kernel::{AnyCommand, Poison};

use crate::{
    http::check,
    stock::{Adjustment, Change},
    stocktaking::Adjust,
};

/// `inventory.stock.counted.v1`: what was counted is what there is, also if it was promised.
pub fn on_counted(data: &str) -> Result<Box<dyn AnyCommand>, Poison> {
    let counted: StockCounted = serde_json::from_str(data).map_err(|e| Poison(e.to_string()))?;
    let checked = check::sku("sku", &counted.sku)
        .and_then(|()| check::units("counted", counted.counted, 0))
        .and_then(|()| check::text("reference", counted.reference.as_deref(), 100));
    checked.map_err(|rejection| Poison(rejection.to_string()))?;
    let line = Adjustment {
        sku: counted.sku,
        location: counted.location.unwrap_or_else(LocationId::main),
        change: Change::To(counted.counted),
        expected_on_hand: None,
        reason: MovementReason::Count,
        reference: counted.reference,
        note: None,
        accept_oversold: true,
    };
    Ok(Box::new(Adjust {
        lines: vec![line],
        all_or_none: true,
        list: "counted",
    }))
}
