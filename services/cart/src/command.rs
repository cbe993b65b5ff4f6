//! A [`CartCommand`] on its way through the batcher: it gets its moment there, and the cart's one
//! timer is set, moved and cancelled in the same commit.

use std::sync::Arc;

use contracts::cart::{CartId, CartStatus};
use kernel::{Command, Decider, Rejection, StreamId, Timer, UnitOfWork};

use crate::{
    cart::{Ask, Cart, CartCommand},
    state::{CartState, Rules, Who},
};

/// The kind of the cart's timer.
pub const IDLE: &str = "cart-idle";

/// Something asked of the cart `id`.
#[derive(Clone, Debug)]
pub struct OnCart {
    /// Which cart.
    pub id: CartId,
    /// By whom.
    pub by: Who,
    /// Under which rules.
    pub rules: Rules,
    /// What.
    pub ask: Arc<Ask>,
}

/// What a command came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The cart afterwards.
    pub cart: CartState,
    /// Whether anything changed.
    pub changed: bool,
}

impl Command for OnCart {
    type Output = Outcome;

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Cart::CATEGORY, self.id.as_str())]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Outcome, Rejection> {
        let id = self.id.as_str();
        let at = work.now();
        let before = work.state::<Cart>(id)?;
        let (had_lines, was_abandoned) = (before.last_line > 0, before.abandoned);
        let command = CartCommand {
            by: self.by.clone(),
            at,
            rules: self.rules,
            ask: self.ask.clone(),
        };
        let changed = work.decide::<Cart>(id, &command)? > 0;
        let cart = work.state::<Cart>(id)?.clone();
        let watched = cart.last_line > 0;
        match cart.status {
            CartStatus::Completed if changed && watched => work.cancel_timer(key(&self.id)),
            // One timer serves the cart's whole life: set with the first line, it looks when the
            // cart last changed and sets itself again, so that a change costs no timer.
            CartStatus::Open if changed && watched && (!had_lines || was_abandoned) => {
                work.set_timer(self.timer(&cart));
            }
            CartStatus::Open if matches!(*self.ask, Ask::Idle) => work.set_timer(self.timer(&cart)),
            _ => {}
        }
        Ok(Outcome { cart, changed })
    }
}

impl OnCart {
    fn timer(&self, cart: &CartState) -> Timer {
        Timer {
            key: key(&self.id),
            due: cart.next_look(&self.rules),
            kind: IDLE.into(),
            data: self.id.to_string(),
        }
    }
}

fn key(cart: &CartId) -> String {
    format!("{IDLE}:{cart}")
}
