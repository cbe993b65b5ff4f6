//! The decider from an order to its fulfilments: what is kept of the order until it is known where
//! its goods are, and which fulfilments were made of it.

use std::sync::Arc;

use contracts::{
    inventory::{LocationId, ReservedLine},
    orders::OrderId,
    shipping::{
        DispatchAllocated, DispatchCancelled, DispatchEvent, DispatchNoted, DispatchPlanned,
        FulfilmentCreated, FulfilmentId, FulfilmentLine,
    },
};
use kernel::{Decider, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

/// What is known of an order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Dispatch {
    /// The order, once it was heard of.
    pub noted: Option<Arc<DispatchNoted>>,
    /// Where its goods are, if that was heard of first.
    pub allocated: Option<Vec<ReservedLine>>,
    /// Its fulfilments, oldest first.
    pub fulfilments: Vec<FulfilmentId>,
    /// Whether it was given up.
    pub cancelled: bool,
}

/// What can happen around an order.
pub enum DispatchCommand {
    /// It was placed.
    Note(Box<DispatchNoted>),
    /// Its goods were found.
    Allocate(DispatchAllocated),
    /// A fulfilment of it was split.
    Add(FulfilmentId),
    /// It was given up.
    Cancel(OrderId, Timestamp),
}

impl Dispatch {
    /// The fulfilments to make when its goods are where `lines` says: one for each location, the
    /// ids following from the order's.
    pub fn plan(&self, lines: &[ReservedLine], at: Timestamp) -> Vec<FulfilmentCreated> {
        let Some(noted) = &self.noted else {
            return Vec::new();
        };
        let by_location = share_out(&noted.lines, lines);
        let created = by_location
            .into_iter()
            .enumerate()
            .filter_map(|(i, (location, lines))| {
                Some(FulfilmentCreated {
                    fulfilment_id: fulfilment_of(&noted.order_id, i + 1)?,
                    order_id: noted.order_id.clone(),
                    number: noted.number.clone(),
                    location,
                    person: noted.person.clone(),
                    recipient: noted.recipient.clone(),
                    lines,
                    option_id: noted.option_id.clone(),
                    collect: noted.collect_from.is_some(),
                    split_from: None,
                    at,
                })
            });
        created.collect()
    }

    /// The id of the next fulfilment made by splitting.
    pub fn next_id(&self) -> Option<FulfilmentId> {
        let noted = self.noted.as_ref()?;
        fulfilment_of(&noted.order_id, self.fulfilments.len() + 1)
    }
}

/// The id of an order's `n`th fulfilment.
fn fulfilment_of(order: &OrderId, n: usize) -> Option<FulfilmentId> {
    let hex = order.as_str().strip_prefix("ord_")?;
    format!("ful_{hex}x{n}").parse().ok()
}

/// Gives each location's units to the order's lines, in the order of the lines.
pub fn share_out(
    lines: &[FulfilmentLine],
    reserved: &[ReservedLine],
) -> Vec<(LocationId, Vec<FulfilmentLine>)> {
    let mut open: Vec<i64> = lines.iter().map(|line| line.quantity).collect();
    let mut shares: Vec<(LocationId, Vec<FulfilmentLine>)> = Vec::new();
    for line in reserved {
        for taken in &line.taken {
            let mut left = taken.quantity;
            for (i, wanted) in lines.iter().enumerate() {
                let quantity = left.min(open[i]);
                if wanted.sku != line.sku || quantity <= 0 {
                    continue;
                }
                left -= quantity;
                open[i] -= quantity;
                let place = match shares.iter().position(|(at, _)| *at == taken.location) {
                    Some(place) => place,
                    None => {
                        shares.push((taken.location.clone(), Vec::new()));
                        shares.len() - 1
                    }
                };
                let quantity = FulfilmentLine {
                    quantity,
                    ..wanted.clone()
                };
                shares[place].1.push(quantity);
            }
        }
    }
    for (_, share) in &mut shares {
        let place = |line: &FulfilmentLine| lines.iter().position(|l| l.line_id == line.line_id);
        share.sort_by_key(place);
    }
    shares
}

/// The rules of an order's way to its fulfilments.
pub struct Dispatches;

impl Decider for Dispatches {
    const CATEGORY: &'static str = "dispatch";
    type State = Dispatch;
    type Command = DispatchCommand;
    type Event = DispatchEvent;

    fn decide(
        state: &Dispatch,
        command: &DispatchCommand,
    ) -> Result<Vec<DispatchEvent>, Rejection> {
        Ok(match command {
            DispatchCommand::Note(noted) if state.noted.is_none() && !noted.lines.is_empty() => {
                let mut events = vec![(**noted).clone().into()];
                if let Some(lines) = &state.allocated {
                    let mut known = state.clone();
                    known.noted = Some(Arc::new((**noted).clone()));
                    events.extend(planned(&known, lines));
                }
                events
            }
            // Where goods are is kept only while the order itself is not known.
            DispatchCommand::Allocate(allocated) if !state.cancelled => {
                match (&state.noted, &state.allocated) {
                    (Some(_), _) => planned(state, &allocated.lines).into_iter().collect(),
                    (None, None) => vec![allocated.clone().into()],
                    (None, Some(_)) => Vec::new(),
                }
            }
            DispatchCommand::Add(id) if !state.fulfilments.contains(id) => {
                let Some(noted) = &state.noted else {
                    return Ok(Vec::new());
                };
                vec![
                    DispatchPlanned {
                        order_id: noted.order_id.clone(),
                        fulfilments: vec![id.clone()],
                    }
                    .into(),
                ]
            }
            DispatchCommand::Cancel(order, at) if state.noted.is_some() && !state.cancelled => {
                vec![
                    DispatchCancelled {
                        order_id: order.clone(),
                        at: *at,
                    }
                    .into(),
                ]
            }
            // Heard before, or overtaken by what happened since.
            _ => Vec::new(),
        })
    }

    fn evolve(state: &mut Dispatch, event: &DispatchEvent) {
        match event {
            DispatchEvent::Noted(noted) => state.noted = Some(Arc::new(noted.clone())),
            DispatchEvent::Allocated(allocated) => state.allocated = Some(allocated.lines.clone()),
            DispatchEvent::Planned(planned) => {
                state.allocated = None;
                state
                    .fulfilments
                    .extend(planned.fulfilments.iter().cloned());
            }
            DispatchEvent::Cancelled(_) => state.cancelled = true,
        }
    }
}

fn planned(state: &Dispatch, lines: &[ReservedLine]) -> Option<DispatchEvent> {
    let order_id = state.noted.as_ref()?.order_id.clone();
    let created = state.plan(lines, Timestamp(0));
    let nothing = !state.fulfilments.is_empty() || state.cancelled || created.is_empty();
    let fulfilments = created.into_iter().map(|c| c.fulfilment_id).collect();
    (!nothing).then(|| {
        DispatchPlanned {
            order_id,
            fulfilments,
        }
        .into()
    })
}
