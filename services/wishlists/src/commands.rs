//! Commands over several streams: a list and its owner's shelf change in one commit.

use std::sync::Arc;

use contracts::wishlists::{ListOwner, WhyDeleted, WishlistId};
use kernel::{Command, Decider, PersonId, Rejection, StreamId, Timer, Timestamp, UnitOfWork};

use crate::{
    list::Who,
    shelf::{self, Change, Shelf},
    wishlist::{self, Ask, Wish, Wishlist},
};

/// The kind of the timer that ends guests' lists.
pub const EXPIRY: &str = "expiry";

/// Something asked of one list.
pub struct OnWishlist {
    /// Which.
    pub id: WishlistId,
    /// By whom.
    pub who: Who,
    /// What.
    pub ask: Arc<Ask>,
    /// How long a guest's list lives without a change, seconds.
    pub guest_lists_live: i64,
}

impl OnWishlist {
    /// Ends a guest's list, if nobody used it for so long.
    pub fn expire(id: WishlistId, guest_lists_live: i64) -> Expire {
        Expire {
            id,
            guest_lists_live,
        }
    }

    fn owner(&self, work: &mut UnitOfWork<'_>) -> Result<Option<ListOwner>, Rejection> {
        let list = &work.state::<Wishlist>(self.id.as_str())?.list;
        Ok(list.as_ref().and_then(|list| list.made.owner.clone()))
    }
}

impl Command for OnWishlist {
    /// Whether anything changed.
    type Output = bool;

    fn streams(&self) -> Vec<StreamId> {
        let mut streams = vec![StreamId::new(Wishlist::CATEGORY, self.id.as_str())];
        if let Ask::Create {
            owner: Some(owner), ..
        } = &*self.ask
        {
            streams.push(StreamId::new(Shelf::CATEGORY, owner.person.as_str()));
        }
        streams
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<bool, Rejection> {
        if let Ask::Create {
            owner: Some(owner), ..
        } = &*self.ask
        {
            let add = Change::Add(self.id.clone());
            put(work, &owner.person, add)?;
        }
        let owner = self.owner(work)?;
        let command = wishlist::Command {
            id: self.id.clone(),
            who: self.who.clone(),
            ask: self.ask.clone(),
            at: work.now(),
        };
        let changed = work.decide::<Wishlist>(self.id.as_str(), &command)? > 0;
        match (&*self.ask, owner) {
            (Ask::Create { owner: None, .. }, _) => {
                let due = work.now().plus_seconds(self.guest_lists_live);
                work.set_timer(timer(&self.id, due));
            }
            (Ask::Delete(_), None) => work.cancel_timer(key(&self.id)),
            (Ask::Delete(_), Some(owner)) => {
                put(work, &owner.person, Change::Remove(self.id.clone()))?;
            }
            _ => {}
        }
        Ok(changed)
    }
}

fn put(work: &mut UnitOfWork<'_>, person: &PersonId, change: Change) -> Result<(), Rejection> {
    let command = shelf::Command {
        person: person.clone(),
        change,
    };
    work.decide::<Shelf>(person.as_str(), &command).map(drop)
}

fn key(id: &WishlistId) -> String {
    format!("{EXPIRY}:{id}")
}

fn timer(id: &WishlistId, due: Timestamp) -> Timer {
    Timer {
        key: key(id),
        due,
        kind: EXPIRY.into(),
        data: id.to_string(),
    }
}

/// A guest's list has lived for long. One timer serves its whole life: it looks when the list last
/// changed and sets itself again, so that a change costs no timer. Never refused.
pub struct Expire {
    id: WishlistId,
    guest_lists_live: i64,
}

impl Command for Expire {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Wishlist::CATEGORY, self.id.as_str())]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let state = work.state::<Wishlist>(self.id.as_str())?;
        let Some(list) = state.list.as_ref().filter(|list| list.customer().is_none()) else {
            return Ok(());
        };
        let due = list.updated_at.plus_seconds(self.guest_lists_live);
        if due > work.now() {
            work.set_timer(timer(&self.id, due));
            return Ok(());
        }
        let delete = OnWishlist {
            id: self.id.clone(),
            who: Who::Shop,
            ask: Arc::new(Ask::Delete(WhyDeleted::Expired)),
            guest_lists_live: self.guest_lists_live,
        };
        delete.handle(work).map(drop)
    }
}

/// A guest signed in: what is on their list goes to a list of the account, and theirs is deleted.
/// Of what is on both, the larger quantity and the higher priority stay.
pub struct Claim {
    /// The guest's list.
    pub guest: WishlistId,
    /// Hash of the guest's access token.
    pub token_hash: String,
    /// Who claims it.
    pub owner: ListOwner,
    /// The account's list.
    pub into: WishlistId,
    /// Whether that is to be made.
    pub new: bool,
}

impl Command for Claim {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![
            StreamId::new(Wishlist::CATEGORY, self.guest.as_str()),
            StreamId::new(Wishlist::CATEGORY, self.into.as_str()),
            StreamId::new(Shelf::CATEGORY, self.owner.person.as_str()),
        ]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let customer = Who::Customer(self.owner.customer_id.clone());
        let guest = Who::Guest(self.token_hash.clone());
        let found = work.state::<Wishlist>(self.guest.as_str())?.list.clone();
        let list = found
            .filter(|list| list.belongs_to(&guest))
            .ok_or_else(|| Rejection::not_found("wishlist of this guest"))?;
        if self.new {
            let create = Ask::Create {
                owner: Some(self.owner.clone()),
                access_token_hash: None,
                name: None,
            };
            on(&self.into, &customer, create).handle(work)?;
        }
        let target = work.state::<Wishlist>(self.into.as_str())?.list.clone();
        let target = target
            .filter(|list| list.belongs_to(&customer))
            .ok_or_else(|| Rejection::not_found("wishlist").field("into"))?;
        // What was added first is added first.
        let mut items: Vec<_> = list.items.into_iter().collect();
        items.sort_by_key(|(_, item)| item.added_at);
        for (sku, item) in items {
            let there = target.items.get(&sku);
            let wish = Wish {
                quantity: Some(there.map_or(item.quantity, |t| t.quantity.max(item.quantity))),
                priority: Some(there.map_or(item.priority, |t| t.priority.max(item.priority))),
                note: None,
            };
            let prices = item.prices;
            on(&self.into, &customer, Ask::Add { sku, wish, prices }).handle(work)?;
        }
        let delete = Ask::Delete(WhyDeleted::Claimed);
        on(&self.guest, &guest, delete).handle(work).map(drop)
    }
}

fn on(id: &WishlistId, who: &Who, ask: Ask) -> OnWishlist {
    OnWishlist {
        id: id.clone(),
        who: who.clone(),
        ask: Arc::new(ask),
        guest_lists_live: 0,
    }
}

/// A person was erased: their lists go. Never refused; a repeat changes nothing.
pub struct Erase(pub PersonId);

impl Command for Erase {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Shelf::CATEGORY, self.0.as_str())]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let lists = work.state::<Shelf>(self.0.as_str())?.lists.clone();
        // All are asked for before the first is missed: they are then loaded in one trip.
        let asked: Vec<_> = lists
            .iter()
            .map(|id| work.version::<Wishlist>(id.as_str()))
            .collect();
        asked.into_iter().collect::<Result<Vec<_>, _>>()?;
        for id in lists {
            if work.state::<Wishlist>(id.as_str())?.list.is_some() {
                on(&id, &Who::Shop, Ask::Delete(WhyDeleted::Erasure)).handle(work)?;
            }
        }
        put(work, &self.0, Change::Erase)
    }
}
