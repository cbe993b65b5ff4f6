//! One order's uses of promotions: made or refused, then given back with the order. Every step may
//! be asked for again; a repeat changes nothing.

use std::sync::Arc;

use contracts::{
    orders::OrderId,
    pricing::{
        PromotionUse, RedemptionEvent, RedemptionMade, RedemptionRefusal, RedemptionRefused,
        RedemptionReleased, RedemptionStatus,
    },
};
use kernel::{Decider, Rejection};
use serde::{Deserialize, Serialize};

/// The rules of one order's uses; the stream's id is the order's.
pub struct Redemptions;

/// Where an order's uses stand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RedemptionState {
    /// `None` before anything happened.
    pub status: Option<RedemptionStatus>,
    /// What was counted.
    pub uses: Arc<Vec<PromotionUse>>,
    /// The buyer they were counted for; empty: nobody.
    pub buyer_key: Arc<str>,
    /// Why they were refused.
    pub reason: Option<RedemptionRefusal>,
}

/// What can be asked of an order's uses.
pub enum RedemptionCommand {
    /// All were counted.
    Make(RedemptionMade),
    /// One could not be counted.
    Refuse(RedemptionRefused),
    /// The order was given up.
    Release(OrderId),
}

impl Decider for Redemptions {
    const CATEGORY: &'static str = "redemption";
    type State = RedemptionState;
    type Command = RedemptionCommand;
    type Event = RedemptionEvent;

    fn decide(
        state: &RedemptionState,
        command: &RedemptionCommand,
    ) -> Result<Vec<RedemptionEvent>, Rejection> {
        Ok(match (command, state.status) {
            (RedemptionCommand::Make(made), None) => vec![made.clone().into()],
            (RedemptionCommand::Refuse(refused), None) => vec![refused.clone().into()],
            (RedemptionCommand::Release(order_id), Some(RedemptionStatus::Made)) => {
                let order_id = order_id.clone();
                vec![RedemptionReleased { order_id }.into()]
            }
            // Heard before. Or an order given up that used nothing scarce, or was refused: nothing
            // is written for those, which are most. No mark is needed against an order that is
            // heard to be placed after it was heard to be cancelled: the events of one order are
            // one stream, which lies in one partition and is handled in its order, also when it
            // was parked and is taken up again.
            _ => vec![],
        })
    }

    fn evolve(state: &mut RedemptionState, event: &RedemptionEvent) {
        match event {
            RedemptionEvent::Made(made) => {
                state.status = Some(RedemptionStatus::Made);
                state.uses = Arc::new(made.uses.clone());
                state.buyer_key = made.buyer_key.as_str().into();
            }
            RedemptionEvent::Refused(refused) => {
                state.status = Some(RedemptionStatus::Refused);
                state.reason = Some(refused.reason);
            }
            RedemptionEvent::Released(_) => state.status = Some(RedemptionStatus::Released),
        }
    }
}
