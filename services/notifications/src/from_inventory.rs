//! Stock: whether a SKU can be bought.

use contracts::inventory::StockEvent;
use kernel::{Reaction, Subscription};

use crate::restock::Restocked;

/// Follows what there is of each SKU; those who wait for it are told.
pub fn stock() -> Subscription {
    Subscription::new("stock", &["inventory"], |event| {
        let Some(event) = event.decode::<StockEvent>()? else {
            return Ok(Reaction::none());
        };
        let (sku, available) = match &*event {
            StockEvent::Adjusted(e) => (&e.sku, e.available),
            StockEvent::Transferred(e) => (&e.sku, e.available),
            // A sale that leaves some changes nothing: there were some before.
            StockEvent::Reserved(e) if e.available > 0 => return Ok(Reaction::none()),
            StockEvent::Reserved(e) => (&e.sku, e.available),
            StockEvent::Dispatched(_) => return Ok(Reaction::none()),
            StockEvent::Released(e) => (&e.sku, e.available),
            StockEvent::PolicySet(e) => (&e.sku, e.available),
        };
        Ok(Reaction::command(Restocked {
            sku: sku.clone(),
            available: Some(available > 0),
        }))
    })
}
