//! What shipping says, and what buyers are told of it.

use std::sync::Arc;

use contracts::{
    notifications::{MessageKind, OrderNotice, OrderNoticeHeld},
    orders::OrderId,
    shipping::FulfilmentNews,
};
use kernel::{From, Reaction, Subscription};

use crate::commands::Tell;

/// Tells buyers what happens to their goods from now on.
pub fn news(sms_for: Vec<MessageKind>) -> Subscription {
    let sms_for: Arc<[MessageKind]> = sms_for.into();
    let heard = Subscription::new("shipping-news", &["shipping"], move |event| {
        let Some(event) = event.decode::<FulfilmentNews>()? else {
            return Ok(Reaction::none());
        };
        Ok(match notice(&event) {
            Some((order_id, notice)) => Reaction::command(Tell {
                news: OrderNoticeHeld { order_id, notice },
                sms_for: sms_for.clone(),
            }),
            None => Reaction::none(),
        })
    });
    Subscription {
        from: From::Now,
        ..heard
    }
}

fn notice(event: &FulfilmentNews) -> Option<(OrderId, OrderNotice)> {
    Some(match event {
        FulfilmentNews::Created(e) if e.collect => (
            e.order_id.clone(),
            OrderNotice::ReadyToCollect {
                fulfilment: e.fulfilment_id.to_string(),
                lines: e.lines.clone(),
            },
        ),
        // Without tracking it was handed over at the counter: the buyer was there.
        FulfilmentNews::Shipped(e) if e.tracking.is_some() => (
            e.order_id.clone(),
            OrderNotice::Shipped {
                fulfilment: e.fulfilment_id.to_string(),
                lines: e.lines.clone(),
                tracking: e.tracking.clone(),
            },
        ),
        FulfilmentNews::Delivered(e) => {
            let fulfilment = e.fulfilment_id.to_string();
            (e.order_id.clone(), OrderNotice::Delivered { fulfilment })
        }
        FulfilmentNews::Lost(e) => {
            let fulfilment = e.fulfilment_id.to_string();
            (e.order_id.clone(), OrderNotice::Lost { fulfilment })
        }
        FulfilmentNews::Returned(e) => {
            let fulfilment = e.fulfilment_id.to_string();
            (e.order_id.clone(), OrderNotice::Returned { fulfilment })
        }
        FulfilmentNews::Created(_) | FulfilmentNews::Shipped(_) | FulfilmentNews::Cancelled(_) => {
            return None;
        }
    })
}
