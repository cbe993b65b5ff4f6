//! What is remembered of an order, so that later news can be told to its buyer. News may come
//! before the order itself: it is kept until then.

use std::sync::Arc;

use contracts::notifications::{KnownOrderEvent, OrderNoted, OrderNotice, OrderNoticeHeld};
use kernel::{Decider, Rejection};
use serde::{Deserialize, Serialize};

/// What is remembered of an order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KnownOrderState {
    /// The order, once it is known.
    pub noted: Option<Arc<OrderNoted>>,
    /// News that came before it.
    pub held: Vec<OrderNotice>,
}

/// What can be asked.
#[derive(Clone, Debug)]
pub enum KnownOrderCommand {
    /// Remember it.
    Note(Arc<OrderNoted>),
    /// Keep this news if the order is not known yet.
    Hold(OrderNoticeHeld),
}

/// The rules.
pub struct KnownOrder;

impl Decider for KnownOrder {
    const CATEGORY: &'static str = "order";
    type State = KnownOrderState;
    type Command = KnownOrderCommand;
    type Event = KnownOrderEvent;

    fn decide(
        state: &KnownOrderState,
        command: &KnownOrderCommand,
    ) -> Result<Vec<KnownOrderEvent>, Rejection> {
        Ok(match command {
            KnownOrderCommand::Note(order) if state.noted.is_none() => {
                vec![OrderNoted::clone(order).into()]
            }
            KnownOrderCommand::Hold(held)
                if state.noted.is_none() && !state.held.contains(&held.notice) =>
            {
                vec![held.clone().into()]
            }
            _ => vec![],
        })
    }

    fn evolve(state: &mut KnownOrderState, event: &KnownOrderEvent) {
        match event {
            KnownOrderEvent::Noted(noted) => {
                state.noted = Some(Arc::new(noted.clone()));
                // Told in the same commit.
                state.held.clear();
            }
            KnownOrderEvent::Held(held) => state.held.push(held.notice.clone()),
        }
    }
}
