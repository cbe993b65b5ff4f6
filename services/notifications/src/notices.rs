//! From news of an order to messages to its buyer.

use contracts::{
    notifications::{Channel, MessageKind, MessageQueued, OrderNoted, OrderNotice},
    orders::OrderId,
};
use kernel::{Personal, Timestamp};

use crate::content;

/// What a notice is about, as a kind of message.
pub fn kind(notice: &OrderNotice) -> MessageKind {
    match notice {
        OrderNotice::Confirmed => MessageKind::OrderConfirmed,
        OrderNotice::Cancelled { .. } => MessageKind::OrderCancelled,
        OrderNotice::ActionRequired => MessageKind::PaymentActionRequired,
        OrderNotice::Captured { .. } => MessageKind::PaymentCaptured,
        OrderNotice::Refunded { .. } => MessageKind::PaymentRefunded,
        OrderNotice::Shipped { .. } => MessageKind::OrderShipped,
        OrderNotice::ReadyToCollect { .. } => MessageKind::ReadyToCollect,
        OrderNotice::Delivered { .. } => MessageKind::OrderDelivered,
        OrderNotice::Lost { .. } => MessageKind::ShipmentLost,
        OrderNotice::Returned { .. } => MessageKind::ShipmentReturned,
    }
}

/// The name of the message that tells it: the same however often it is told. What can happen to
/// an order more than once is told apart by the fulfilment or by the sum so far.
pub fn message_id(order: &OrderId, notice: &OrderNotice) -> String {
    let name = format!("{}-{order}", kind(notice).as_str());
    match notice {
        OrderNotice::Confirmed | OrderNotice::Cancelled { .. } | OrderNotice::ActionRequired => {
            name
        }
        OrderNotice::Captured { captured, .. } => format!("{name}-{}", captured.amount),
        OrderNotice::Refunded { refunded, .. } => format!("{name}-{}", refunded.amount),
        OrderNotice::Shipped { fulfilment, .. }
        | OrderNotice::ReadyToCollect { fulfilment, .. }
        | OrderNotice::Delivered { fulfilment }
        | OrderNotice::Lost { fulfilment }
        | OrderNotice::Returned { fulfilment } => format!("{name}-{fulfilment}"),
    }
}

/// The messages that tell it: an e-mail, and a text message where the shop wants one and the buyer
/// gave a number. None once the buyer was erased.
pub fn messages(
    order: &OrderNoted,
    notice: &OrderNotice,
    sms_for: &[MessageKind],
) -> Vec<MessageQueued> {
    let Some(contact) = order.contact.get() else {
        return Vec::new();
    };
    let (kind, id) = (kind(notice), message_id(&order.order_id, notice));
    let data = content::order(order, contact, notice);
    let message = |message_id: String, channel, to: &str| MessageQueued {
        message_id,
        kind,
        channel,
        person: order.person.clone(),
        to: Personal::new(order.person.clone(), to.to_owned()),
        locale: order.locale.clone(),
        data: Personal::new(order.person.clone(), data.clone()),
        order_id: Some(order.order_id.clone()),
        customer_id: order.customer_id.clone(),
        at: Timestamp(0),
    };
    let mut messages = vec![message(id.clone(), Channel::Email, &contact.email)];
    let phone = contact.shipping_address.phone.trim();
    if sms_for.contains(&kind) && !phone.is_empty() {
        messages.push(message(format!("{id}-sms"), Channel::Sms, phone));
    }
    messages
}
