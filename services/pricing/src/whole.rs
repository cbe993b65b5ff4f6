//! Objects that are kept whole: each change of one is an event that carries all of it. The rules
//! that price lists, prices, promotions, campaigns and tax rates share.

use std::{marker::PhantomData, sync::Arc};

use contracts::pricing::{
    Campaign, CampaignEvent, CampaignRemoved, CampaignSet, ListedPrice, PriceEvent, PriceList,
    PriceListEvent, PriceListRemoved, PriceListSet, PriceRemoved, PriceSet, Promotion,
    PromotionEvent, PromotionRemoved, PromotionSet, TaxRate, TaxRateEvent, TaxRateRemoved,
    TaxRateSet,
};
use kernel::{Decider, Event, Rejection, StreamId};
use serde::{Serialize, de::DeserializeOwned};

/// A kind of object that is kept whole.
pub trait Object: Clone + PartialEq + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// First part of its streams' names.
    const CATEGORY: &'static str;
    /// What people call it.
    const NAME: &'static str;
    /// What can happen to it.
    type Event: Event;
    /// It was made or changed.
    fn set(self) -> Self::Event;
    /// It is gone.
    fn removed(&self) -> Self::Event;
    /// What an event leaves: the object, or nothing.
    fn left(event: &Self::Event) -> Option<&Self>;
}

/// The rules of one object of kind `T`.
pub struct Whole<T>(PhantomData<fn() -> T>);

/// What can be asked of an object.
pub enum WholeCommand<T> {
    /// Be this.
    Set(T),
    /// Be gone.
    Remove,
}

impl<T: Object> Decider for Whole<T> {
    const CATEGORY: &'static str = T::CATEGORY;
    const SNAPSHOT_EVERY: Option<i64> = Some(100);
    type State = Option<Arc<T>>;
    type Command = WholeCommand<T>;
    type Event = T::Event;

    fn decide(state: &Self::State, command: &Self::Command) -> Result<Vec<T::Event>, Rejection> {
        match (command, state) {
            (WholeCommand::Set(new), Some(old)) if **old == *new => Ok(vec![]),
            (WholeCommand::Set(new), _) => Ok(vec![new.clone().set()]),
            (WholeCommand::Remove, Some(old)) => Ok(vec![old.removed()]),
            (WholeCommand::Remove, None) => Err(Rejection::not_found(T::NAME)),
        }
    }

    fn evolve(state: &mut Self::State, event: &T::Event) {
        *state = T::left(event).cloned().map(Arc::new);
    }
}

/// The stream of an object of kind `T`.
pub fn stream<T: Object>(id: &str) -> StreamId {
    StreamId::new(T::CATEGORY, id)
}

/// The one thing that differs between kinds: names, and where an event carries the object.
macro_rules! kept_whole {
    ($object:ident, $category:literal, $name:literal, $events:ident, $set:ident { $field:ident }, |$this:ident| $removed:expr) => {
        impl Object for $object {
            const CATEGORY: &'static str = $category;
            const NAME: &'static str = $name;
            type Event = $events;

            fn set(self) -> $events {
                $set { $field: self }.into()
            }

            fn removed(&self) -> $events {
                let $this = self;
                $removed.into()
            }

            fn left(event: &$events) -> Option<&Self> {
                match event {
                    $events::Set(set) => Some(&set.$field),
                    $events::Removed(_) => None,
                }
            }
        }
    };
}

kept_whole!(
    PriceList,
    "pricelist",
    "price list",
    PriceListEvent,
    PriceListSet { list },
    |this| PriceListRemoved {
        list_id: this.id.clone()
    }
);
kept_whole!(
    ListedPrice,
    "price",
    "price",
    PriceEvent,
    PriceSet { price },
    |this| PriceRemoved {
        list_id: this.list_id.clone(),
        sku: this.sku.clone()
    }
);
kept_whole!(
    Promotion,
    "promotion",
    "promotion",
    PromotionEvent,
    PromotionSet { promotion },
    |this| PromotionRemoved {
        promotion_id: this.id.clone()
    }
);
kept_whole!(
    Campaign,
    "campaign",
    "campaign",
    CampaignEvent,
    CampaignSet { campaign },
    |this| CampaignRemoved {
        campaign_id: this.id.clone()
    }
);
kept_whole!(
    TaxRate,
    "taxrate",
    "tax rate",
    TaxRateEvent,
    TaxRateSet { rate },
    |this| TaxRateRemoved {
        rate_id: this.id.clone()
    }
);
