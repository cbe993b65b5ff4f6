//! All processes of a shop, and what can be done with them.

use std::sync::{Arc, Mutex, PoisonError, atomic::Ordering};

use tokio::sync::watch;

use super::{
    ground::Ground,
    plan::{Kind, MOST},
    slot::{Slot, State, Status},
};
use crate::failure::{Failure, Result};

/// Tells somebody how far things are.
pub type Say = Arc<dyn Fn(String) + Send + Sync>;

/// The processes of one kind.
struct Group {
    kind: Arc<Kind>,
    slots: Vec<Arc<Slot>>,
}

/// Everybody.
pub struct Crew {
    ground: Arc<Ground>,
    groups: Mutex<Vec<Group>>,
    /// One change at a time.
    changing: tokio::sync::Mutex<()>,
    /// Everything ends: changes under way are given up.
    ending: watch::Sender<bool>,
}

impl Crew {
    /// Nobody yet.
    pub fn new(ground: Ground) -> Self {
        Self {
            ground: Arc::new(ground),
            groups: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            ending: watch::Sender::new(false),
        }
    }

    fn groups(&self) -> std::sync::MutexGuard<'_, Vec<Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everybody's places, in the order in which they were started.
    pub fn slots(&self) -> Vec<Arc<Slot>> {
        let groups = self.groups();
        groups
            .iter()
            .flat_map(|group| group.slots.clone())
            .collect()
    }

    /// The places of one kind.
    pub fn slots_of(&self, name: &str) -> Result<Vec<Arc<Slot>>> {
        let groups = self.groups();
        match groups.iter().find(|group| group.kind.name == name) {
            Some(group) => Ok(group.slots.clone()),
            None => {
                let names: Vec<&str> = groups.iter().map(|g| g.kind.name.as_str()).collect();
                let names = names.join(", ");
                Err(Failure::new(format!(
                    "there is no service `{name}`; there are {names}"
                )))
            }
        }
    }

    /// Starts `count` processes of a new kind; does not wait for them.
    pub fn add(&self, kind: Kind, count: usize) {
        let kind = Arc::new(kind);
        let start = |number| {
            let name = format!("{}-{number}", kind.name);
            Slot::start(self.ground.clone(), kind.clone(), name)
        };
        let slots = (1..=count).map(start).collect();
        self.groups().push(Group { kind, slots });
    }

    /// Waits until all of a kind are ready; answers how each is.
    pub async fn ready(&self, name: &str) -> Result<Vec<Status>> {
        let mut all = Vec::new();
        for slot in self.slots_of(name)? {
            all.push(self.ready_slot(&slot).await?);
        }
        Ok(all)
    }

    async fn ready_slot(&self, slot: &Slot) -> Result<Status> {
        let mut ending = self.ending.subscribe();
        tokio::select! {
            ready = slot.ready(self.ground.start) => ready.map_err(|reason| {
                let log = self.ground.folder.logs.join(format!("{}.log", slot.name));
                Failure::new(format!("{} does not start: {reason} (see {})", slot.name, log.display()))
            }),
            _ = ending.wait_for(|ending| *ending) => Err(Failure::new("everything is being stopped")),
        }
    }

    /// Starts one more process in the first free place.
    fn one_more(&self, name: &str) -> Result<Arc<Slot>> {
        if *self.ending.borrow() {
            return Err(Failure::new("everything is being stopped"));
        }
        let mut groups = self.groups();
        let group = groups.iter_mut().find(|group| group.kind.name == name);
        let group = group.ok_or_else(|| Failure::new(format!("there is no service `{name}`")))?;
        let taken = |number: usize| {
            let wanted = format!("{name}-{number}");
            group.slots.iter().any(|slot| slot.name == wanted)
        };
        let number = (1..).find(|number| !taken(*number)).unwrap_or(1);
        let slot = Slot::start(
            self.ground.clone(),
            group.kind.clone(),
            format!("{name}-{number}"),
        );
        group.slots.push(slot.clone());
        group.slots.sort_by_key(|slot| number_of(&slot.name));
        Ok(slot)
    }

    /// Takes a process away in order.
    async fn one_less(&self, slot: &Arc<Slot>) {
        slot.drain().await;
        let mut groups = self.groups();
        for group in groups.iter_mut() {
            group.slots.retain(|there| !Arc::ptr_eq(there, slot));
        }
    }

    /// Makes it `count` processes of a service: returns when new ones are ready, and those that
    /// are too many have ended.
    pub async fn scale(&self, name: &str, count: usize, say: &Say) -> Result<()> {
        let _one_at_a_time = self.changing.lock().await;
        let slots = self.slots_of(name)?;
        let many = slots.first().is_some_and(|slot| slot.kind.ours);
        if count == 0 || count > MOST || (count > 1 && !many) {
            let most = if many { MOST } else { 1 };
            return Err(Failure::new(format!(
                "{name}: at least 1 and at most {most} processes, not {count}"
            )));
        }
        let more: Vec<Arc<Slot>> = (slots.len()..count)
            .map(|_| self.one_more(name))
            .collect::<Result<_>>()?;
        for slot in &more {
            if let Err(failure) = self.ready_slot(slot).await {
                // What cannot start must not be started again and again.
                for slot in &more {
                    if slot.status().state != State::Ready {
                        self.one_less(slot).await;
                    }
                }
                return Err(failure);
            }
            say(format!("{} is ready", slot.name));
        }
        for slot in slots.iter().skip(count).rev() {
            self.one_less(slot).await;
            say(format!("{} has ended", slot.name));
        }
        Ok(())
    }

    /// Replaces every process of a service, one after the other: the new one is ready before the
    /// old one ends. Stops at the first that does not start; the old one goes on then.
    pub async fn restart(&self, name: &str, say: &Say) -> Result<()> {
        let _one_at_a_time = self.changing.lock().await;
        for old in self.slots_of(name)? {
            if !old.kind.ours {
                // Nobody may stand in for it; who wants it waits at its socket meanwhile.
                self.one_less(&old).await;
                let new = self.one_more(name)?;
                self.ready_slot(&new).await?;
                say(format!("{} was restarted", new.name));
                continue;
            }
            let new = self.one_more(name)?;
            if let Err(failure) = self.ready_slot(&new).await {
                self.one_less(&new).await;
                return Err(failure);
            }
            self.one_less(&old).await;
            say(format!("{} took over from {}", new.name, old.name));
        }
        Ok(())
    }

    /// The shop is open: what was asked of processes for that need not be asked again.
    pub fn opened(&self) {
        for group in self.groups().iter() {
            group.kind.opened.store(true, Ordering::Relaxed);
        }
    }

    /// Replaces everybody, one after the other.
    pub async fn restart_all(&self, say: &Say) -> Result<()> {
        let names: Vec<String> = self.groups().iter().map(|g| g.kind.name.clone()).collect();
        for name in names {
            self.restart(&name, say).await?;
        }
        Ok(())
    }

    /// Everything is about to end: whatever else is being done is given up.
    pub fn give_up(&self) {
        self.ending.send_replace(true);
    }

    /// Whether everything is about to end.
    pub fn ending(&self) -> watch::Receiver<bool> {
        self.ending.subscribe()
    }

    /// Ends everybody: the kind that was started last first, all of a kind at once.
    pub async fn end(&self, say: &Say) {
        self.give_up();
        let kinds: Vec<Vec<Arc<Slot>>> = {
            let groups = self.groups();
            groups
                .iter()
                .rev()
                .map(|group| group.slots.clone())
                .collect()
        };
        // The gateway first: nobody asks the services any more. They may end together then.
        let mut kinds = kinds.into_iter();
        if let Some(gateway) = kinds.next() {
            end_all(&gateway, say).await;
        }
        let others: Vec<Arc<Slot>> = kinds.flatten().collect();
        end_all(&others, say).await;
    }

    /// What processes have in common.
    pub fn ground(&self) -> &Ground {
        &self.ground
    }
}

async fn end_all(slots: &[Arc<Slot>], say: &Say) {
    let ends = slots.iter().map(|slot| async {
        slot.end().await;
        say(format!("{} has ended", slot.name));
    });
    futures_util::future::join_all(ends).await;
}

/// `orders-12` → 12
fn number_of(slot: &str) -> usize {
    let number = slot.rsplit_once('-').map(|(_, number)| number);
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
