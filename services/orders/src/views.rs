//! The one read model: a narrow row per order, for lists and for reconciliation. It holds no
//! personal data; whole orders are read from their streams.

use contracts::orders::{OrderEvent, OrderId, OrderStatus};
use kernel::{DecodeError, Projection, Recorded, Statement, sql};

/// One row per order.
pub fn orders() -> Projection {
    const SCHEMA: &str = "CREATE TABLE orders (
        id TEXT PRIMARY KEY NOT NULL,
        number TEXT NOT NULL,
        status TEXT NOT NULL,
        customer_id TEXT,
        total BIGINT NOT NULL,
        currency TEXT NOT NULL,
        placed_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    );
    CREATE INDEX orders_number ON orders (number);
    CREATE INDEX orders_customer ON orders (customer_id, id) WHERE customer_id IS NOT NULL";
    Projection::own("orders", 1, &["orders"], SCHEMA, apply)
}

fn apply(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let Some(order) = event.decode::<OrderEvent>()? else {
        return Ok(());
    };
    let moved = |id: &OrderId, status: OrderStatus| {
        sql!(
            "UPDATE orders SET status = $2, updated_at = $3 WHERE id = $1",
            id,
            status.as_str(),
            event.at
        )
    };
    match &*order {
        OrderEvent::Placed(placed) => out.push(sql!(
            "INSERT INTO orders
               (id, number, status, customer_id, total, currency, placed_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &placed.order_id,
            &placed.number,
            OrderStatus::Placed.as_str(),
            placed.customer_id.as_ref().map(|id| id.as_str()),
            placed.totals.total.amount,
            placed.totals.total.currency,
            placed.at,
            event.at,
        )),
        OrderEvent::StockReserved(e) => out.push(moved(&e.order_id, OrderStatus::StockReserved)),
        OrderEvent::PaymentActionRequired(e) => {
            out.push(moved(&e.order_id, OrderStatus::PaymentActionRequired));
        }
        OrderEvent::Confirmed(e) => out.push(moved(&e.order_id, OrderStatus::Confirmed)),
        OrderEvent::Cancelled(e) => out.push(moved(&e.order_id, OrderStatus::Cancelled)),
        // These change no status.
        OrderEvent::PaymentRequested(_)
        | OrderEvent::PaymentCaptured(_)
        | OrderEvent::PaymentRefunded(_)
        | OrderEvent::PromotionsRedeemed(_)
        | OrderEvent::CreditHeld(_)
        | OrderEvent::CaptureRequested(_)
        | OrderEvent::Shipped(_)
        | OrderEvent::Delivered(_) => {}
    }
    Ok(())
}
