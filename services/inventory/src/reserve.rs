//! Commands on reservations: each touches the reservation and every SKU of it in one commit.

use std::collections::HashMap;

use contracts::{
    inventory::{HoldId, ReservationMade, ReservationStatus, ReservedLine, Shortage},
    orders::OrderId,
};
use kernel::{Command, Decider, Rejection, StreamId, Timer, UnitOfWork};

use crate::{
    locations::{ALL, Locations},
    reservation::{Reservation, ReservationCommand, ReservationState, refusal},
    stock::{Stock, StockCommand},
};

/// The kind of the timers that end holds.
pub const HOLD_EXPIRY: &str = "hold-expiry";

/// What is wanted of each SKU, lines on the same SKU summed, in the order they were first named.
pub struct Wanted(Vec<(String, i64)>);

impl Wanted {
    /// Sums `lines`.
    pub fn of<'a>(lines: impl IntoIterator<Item = (&'a str, i64)>) -> Self {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let mut wanted: Vec<(String, i64)> = Vec::new();
        for (sku, quantity) in lines {
            let index = *seen.entry(sku).or_insert_with(|| {
                wanted.push((sku.to_owned(), 0));
                wanted.len() - 1
            });
            wanted[index].1 = wanted[index].1.saturating_add(quantity);
        }
        Self(wanted)
    }

    /// Each SKU with how many are wanted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().map(|(sku, units)| (sku.as_str(), *units))
    }

    fn streams(&self, reservation: &str) -> Vec<StreamId> {
        let mut streams = Vec::with_capacity(self.0.len() + 2);
        streams.push(StreamId::new(Reservation::CATEGORY, reservation));
        streams.push(StreamId::new(Locations::CATEGORY, ALL));
        streams.extend(
            self.0
                .iter()
                .map(|(sku, _)| StreamId::new(Stock::CATEGORY, sku)),
        );
        streams
    }

    /// Takes every SKU's units, or says of every SKU that is short how many there are and takes none.
    fn take(
        &self,
        work: &mut UnitOfWork<'_>,
        reservation: &str,
        country: Option<&str>,
    ) -> Result<Result<Vec<ReservedLine>, Vec<Shortage>>, Rejection> {
        let mut shortages = Vec::new();
        for (sku, wanted) in &self.0 {
            let sellable = work.state::<Stock>(sku)?.sellable();
            if sellable < *wanted {
                shortages.push(Shortage {
                    sku: sku.clone(),
                    wanted: *wanted,
                    available: sellable,
                });
            }
        }
        if !shortages.is_empty() {
            return Ok(Err(shortages));
        }
        let locations = work.state::<Locations>(ALL)?.clone();
        let mut lines = Vec::with_capacity(self.0.len());
        for (sku, quantity) in &self.0 {
            let reserve = StockCommand::Reserve {
                sku: sku.clone(),
                reservation: reservation.to_owned(),
                quantity: *quantity,
                country: country.map(str::to_owned),
                locations: locations.clone(),
            };
            for event in Stock::decide(work.state::<Stock>(sku)?, &reserve)? {
                if let contracts::inventory::StockEvent::Reserved(reserved) = &event {
                    lines.push(ReservedLine {
                        sku: sku.clone(),
                        taken: reserved.taken.clone(),
                    });
                }
                work.append::<Stock>(sku, event)?;
            }
        }
        Ok(Ok(lines))
    }
}

/// An order was placed: reserve all of it, or record that it is refused and what was short.
pub struct ReserveOrder {
    /// The order.
    pub order_id: OrderId,
    /// What it wants.
    pub wanted: Wanted,
    /// Where the goods will go (ISO 3166-1 alpha-2), if known.
    pub country: Option<String>,
}

impl Command for ReserveOrder {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        self.wanted.streams(self.order_id.as_str())
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let id = self.order_id.as_str();
        if work.state::<Reservation>(id)?.status.is_some() {
            return Ok(());
        }
        let order_id = Some(self.order_id.clone());
        let command = match self.wanted.take(work, id, self.country.as_deref())? {
            Ok(lines) => ReservationCommand::Make(ReservationMade {
                reservation: id.to_owned(),
                order_id,
                lines,
                expires_at: None,
            }),
            Err(shortages) => refusal(id, order_id, shortages),
        };
        work.decide::<Reservation>(id, &command)?;
        Ok(())
    }
}

/// Keeps units back without an order, until a moment. A shortage is a rejection: the caller is
/// there to hear it.
pub struct MakeHold {
    /// Its id, fresh.
    pub id: HoldId,
    /// What it wants.
    pub wanted: Wanted,
    /// After how many seconds the units go back on sale.
    pub expires_in_seconds: i64,
    /// Where the goods would go, if known.
    pub country: Option<String>,
}

impl Command for MakeHold {
    type Output = ReservationState;

    fn streams(&self) -> Vec<StreamId> {
        self.wanted.streams(self.id.as_str())
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<ReservationState, Rejection> {
        let id = self.id.as_str();
        let expires_at = work.now().plus_seconds(self.expires_in_seconds);
        let lines = self
            .wanted
            .take(work, id, self.country.as_deref())?
            .map_err(|shortages| {
                Rejection::conflict("short-stock", "there is not enough stock for this hold")
                    .field("lines")
                    .extra(serde_json::json!({ "shortages": shortages }))
            })?;
        let made = ReservationMade {
            reservation: id.to_owned(),
            order_id: None,
            lines,
            expires_at: Some(expires_at),
        };
        work.decide::<Reservation>(id, &ReservationCommand::Make(made))?;
        work.set_timer(Timer {
            key: timer_key(id),
            due: expires_at,
            kind: HOLD_EXPIRY.into(),
            data: serde_json::json!({ "hold": id }).to_string(),
        });
        Ok(work.state::<Reservation>(id)?.clone())
    }
}

fn timer_key(reservation: &str) -> String {
    format!("{HOLD_EXPIRY}:{reservation}")
}

/// The order is confirmed: its reservation becomes an allocation. What may be sold does not
/// change, so no SKU's stream is touched.
pub struct Allocate {
    /// The order.
    pub order_id: OrderId,
}

impl Command for Allocate {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Reservation::CATEGORY, self.order_id.as_str())]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let allocate = ReservationCommand::Allocate {
            order_id: self.order_id.clone(),
        };
        work.decide::<Reservation>(self.order_id.as_str(), &allocate)?;
        Ok(())
    }
}

/// Gives back what a reservation holds, allocated or not: the order was cancelled, the hold
/// expired or was cancelled. What comes before the reservation forbids it.
pub struct Release {
    /// The order's id or the hold's id.
    pub reservation: String,
    /// The order, if it is one's.
    pub order_id: Option<OrderId>,
    /// Why: `order_cancelled`, `expired`, `cancelled`.
    pub reason: &'static str,
}

impl Command for Release {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Reservation::CATEGORY, &self.reservation)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let state = work.state::<Reservation>(&self.reservation)?.clone();
        if state.holds_units() {
            self.put_back(work, &state)?;
        }
        if state.status == Some(ReservationStatus::Made) && state.expires_at.is_some() {
            work.cancel_timer(timer_key(&self.reservation));
        }
        let release = ReservationCommand::Release {
            reservation: self.reservation.clone(),
            order_id: self.order_id.clone(),
            reason: self.reason,
        };
        work.decide::<Reservation>(&self.reservation, &release)?;
        Ok(())
    }
}

impl Release {
    fn put_back(
        &self,
        work: &mut UnitOfWork<'_>,
        state: &ReservationState,
    ) -> Result<(), Rejection> {
        // Every SKU is asked for before the first missing one ends the attempt, so that all of
        // them are loaded at once.
        let mut loaded = Ok(());
        for line in state.lines.iter() {
            let version = work.version::<Stock>(&line.sku);
            loaded = loaded.and(version.map(drop));
        }
        loaded?;
        for line in state.lines.iter() {
            let release = StockCommand::Release {
                sku: line.sku.clone(),
                reservation: self.reservation.clone(),
                returned: line.taken.clone(),
            };
            work.decide::<Stock>(&line.sku, &release)?;
        }
        Ok(())
    }
}
