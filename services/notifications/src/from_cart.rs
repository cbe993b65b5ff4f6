//! Carts that were left alone: their owners are reminded, if they are known and agreed to it.

use contracts::{
    cart::{CartAbandoned, CartEvent},
    identity::CustomerId,
    notifications::{Channel, MessageKind, MessageQueued},
};
use kernel::{
    Command, Decider, From, Personal, Reaction, Rejection, StreamId, Subscription, Timestamp,
    UnitOfWork,
};

use crate::{commands::queue, content, message::Message, reader::Reader};

/// Reminds of carts that are left alone from now on.
pub fn abandoned() -> Subscription {
    let heard = Subscription::new("abandoned-carts", &["cart"], |event| {
        // Looked at by name first: a cart's other events need not be decoded for this.
        if &*event.kind != "cart.cart.abandoned.v1" {
            return Ok(Reaction::none());
        }
        let cart = event.decode::<CartEvent>()?;
        Ok(match cart.as_deref() {
            Some(CartEvent::Abandoned(cart)) => match &cart.customer_id {
                Some(customer) if !cart.lines.is_empty() => Reaction::command(Remind {
                    customer: customer.clone(),
                    cart: cart.clone(),
                }),
                _ => Reaction::none(),
            },
            _ => Reaction::none(),
        })
    });
    Subscription {
        from: From::Now,
        ..heard
    }
}

/// Reminds a customer of a cart, once per cart.
struct Remind {
    customer: CustomerId,
    cart: CartAbandoned,
}

impl Remind {
    fn message_id(&self) -> String {
        let kind = MessageKind::AbandonedCart.as_str();
        format!("{kind}-{}", self.cart.cart_id)
    }
}

impl Command for Remind {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![
            StreamId::new(Reader::CATEGORY, self.customer.as_str()),
            StreamId::new(Message::CATEGORY, &self.message_id()),
        ]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let reader = work.state::<Reader>(self.customer.as_str())?.clone();
        let Some(email) = reader.email.filter(|_| reader.consent) else {
            return Ok(());
        };
        let person = email.person().clone();
        let message = MessageQueued {
            message_id: self.message_id(),
            kind: MessageKind::AbandonedCart,
            channel: Channel::Email,
            person: person.clone(),
            to: email,
            locale: reader.locale,
            data: Personal::new(person, content::cart(&self.cart.lines)),
            order_id: None,
            customer_id: Some(self.customer.clone()),
            at: Timestamp(0),
        };
        queue(work, message)
    }
}
