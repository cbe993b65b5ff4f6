//! Goods that leave the building.

use contracts::{
    inventory::{LocationId, ReservedLine, Taken},
    orders::OrderId,
    shipping::{FulfilmentId, FulfilmentNews, FulfilmentShipped},
};
use kernel::{Command, Decider, Poison, Reaction, Recorded, Rejection, StreamId, UnitOfWork};

use crate::{
    reservation::{Reservation, ReservationCommand},
    reserve::Wanted,
    stock::{Stock, StockCommand},
};

/// Shipped → units leave the building and the order's allocation.
pub fn on_fulfilment(recorded: &Recorded) -> Result<Reaction, Poison> {
    let Some(event) = recorded.decode::<FulfilmentNews>()? else {
        return Ok(Reaction::none());
    };
    Ok(match event.as_ref() {
        FulfilmentNews::Shipped(shipped) => Reaction::command(Dispatch::of(shipped)?),
        _ => Reaction::none(),
    })
}

/// Units of an order left a location, with one fulfilment. What its allocation does not hold there
/// is taken from what was free.
pub struct Dispatch {
    order_id: OrderId,
    fulfilment_id: FulfilmentId,
    location: LocationId,
    units: Wanted,
}

impl Dispatch {
    /// What `shipped` says.
    pub fn of(shipped: &FulfilmentShipped) -> Result<Self, Poison> {
        if shipped.lines.iter().any(|line| line.quantity < 1) {
            return Err(Poison("a shipped line has no positive quantity".into()));
        }
        let lines = shipped.lines.iter();
        Ok(Self {
            order_id: shipped.order_id.clone(),
            fulfilment_id: shipped.fulfilment_id.clone(),
            location: shipped.location.clone(),
            units: Wanted::of(lines.map(|line| (line.sku.as_str(), line.quantity))),
        })
    }
}

impl Command for Dispatch {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        let reservation = StreamId::new(Reservation::CATEGORY, self.order_id.as_str());
        let skus = self.units.iter();
        let stocks = skus.map(|(sku, _)| StreamId::new(Stock::CATEGORY, sku));
        [reservation].into_iter().chain(stocks).collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let id = self.order_id.as_str();
        let reservation = work.state::<Reservation>(id)?.clone();
        if reservation.dispatched.contains(&self.fulfilment_id) {
            return Ok(());
        }
        let mut lines = Vec::new();
        for (sku, quantity) in self.units.iter() {
            let promised = reservation.held(sku, &self.location).min(quantity);
            let dispatch = StockCommand::Dispatch {
                sku: sku.to_owned(),
                location: self.location.clone(),
                quantity,
                promised,
                order_id: self.order_id.clone(),
                fulfilment_id: self.fulfilment_id.clone(),
            };
            work.decide::<Stock>(sku, &dispatch)?;
            if promised > 0 {
                lines.push(ReservedLine {
                    sku: sku.to_owned(),
                    taken: vec![Taken {
                        location: self.location.clone(),
                        quantity: promised,
                    }],
                });
            }
        }
        let dispatch = ReservationCommand::Dispatch {
            order_id: self.order_id.clone(),
            fulfilment_id: self.fulfilment_id.clone(),
            lines,
        };
        work.decide::<Reservation>(id, &dispatch)?;
        Ok(())
    }
}
