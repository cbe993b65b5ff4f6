//! What the service can be told.

use std::{path::PathBuf, sync::Arc};

use contracts::notifications::{Channel, MessageKind};

use crate::{
    channels::{Driver, Outbox},
    patience::Patience,
};

/// How notifications runs.
#[derive(Clone)]
pub struct Config {
    /// The shop's name, in every message.
    pub shop_name: String,
    /// Where the shop is reached by browsers, without a slash at the end.
    pub shop_url: String,
    /// The language of messages to whoever has named none that there are templates in.
    pub locale: String,
    /// A folder whose templates stand in for the built-in ones of the same name.
    pub templates: Option<PathBuf>,
    /// What carries messages.
    pub drivers: Drivers,
    /// Kinds that go as a text message too, to buyers who gave a telephone number.
    pub sms_for: Vec<MessageKind>,
    /// Whether everybody's messages can be read at `/dev/mail` without signing in: for a shop on
    /// one's own machine only.
    pub dev_mail: bool,
    /// How long it waits before trying again.
    pub patience: Patience,
    /// How many messages may be on their way at once.
    pub concurrency: usize,
    /// Which services there are to listen to.
    pub hears: Hears,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            shop_name: "Souk".into(),
            shop_url: "http://127.0.0.1:8080".into(),
            locale: "en".into(),
            templates: None,
            drivers: Drivers::default(),
            sms_for: Vec::new(),
            dev_mail: false,
            patience: Patience::default(),
            concurrency: 16,
            hears: Hears::default(),
        }
    }
}

/// What carries messages, by channel.
#[derive(Clone)]
pub struct Drivers {
    /// E-mail.
    pub email: Arc<dyn Driver>,
    /// Text messages.
    pub sms: Arc<dyn Driver>,
    /// Push notifications.
    pub push: Arc<dyn Driver>,
}

impl Default for Drivers {
    fn default() -> Self {
        let outbox: Arc<dyn Driver> = Arc::new(Outbox);
        Self {
            email: outbox.clone(),
            sms: outbox.clone(),
            push: outbox,
        }
    }
}

impl Drivers {
    /// What carries messages of this channel.
    pub fn of(&self, channel: Channel) -> &Arc<dyn Driver> {
        match channel {
            Channel::Email => &self.email,
            Channel::Sms => &self.sms,
            Channel::Push => &self.push,
        }
    }
}

/// Services that a shop may be without: a subscription to one that does not run is an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hears {
    /// News of shipments.
    pub shipping: bool,
    /// Consents, languages and addresses to be verified.
    pub customers: bool,
}
