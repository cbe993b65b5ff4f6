//! The decider of how the shop ships: zones, profiles, options and the sender, one stream, so that
//! an option never names a zone or profile that is not there.

use std::{collections::BTreeMap, sync::Arc};

use contracts::{
    address::Address,
    shipping::{
        ShippingOption, ShippingOptionId, ShippingOptionRemoved, ShippingOptionSet,
        ShippingPlanEvent, ShippingProfile, ShippingProfileId, ShippingProfileRemoved,
        ShippingProfileSet, ShippingSenderSet, ShippingZone, ShippingZoneId, ShippingZoneRemoved,
        ShippingZoneSet,
    },
};
use kernel::{Decider, Rejection};
use serde::{Deserialize, Serialize};

/// The one stream's id.
pub const SHOP: &str = "shop";
/// How many zones there may be. The whole plan is in memory and read for every quote.
pub const MAX_ZONES: usize = 300;
/// How many profiles.
pub const MAX_PROFILES: usize = 100;
/// How many options.
pub const MAX_OPTIONS: usize = 500;

/// Everything about how the shop ships. A copy is one pointer, since every quote takes one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan(Arc<Table>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Table {
    zones: BTreeMap<ShippingZoneId, ShippingZone>,
    profiles: BTreeMap<ShippingProfileId, ShippingProfile>,
    options: BTreeMap<ShippingOptionId, Arc<ShippingOption>>,
    sender: Option<Address>,
}

impl Default for Table {
    /// A fresh shop: the built-in profile alone.
    fn default() -> Self {
        let general = ShippingProfile {
            id: ShippingProfileId::general(),
            name: "General".into(),
            skus: Vec::new(),
            products: Vec::new(),
            categories: Vec::new(),
        };
        Self {
            zones: BTreeMap::new(),
            profiles: BTreeMap::from([(general.id.clone(), general)]),
            options: BTreeMap::new(),
            sender: None,
        }
    }
}

impl Plan {
    /// All zones, oldest first.
    pub fn zones(&self) -> impl Iterator<Item = &ShippingZone> {
        self.0.zones.values()
    }

    /// One zone.
    pub fn zone(&self, id: &ShippingZoneId) -> Option<&ShippingZone> {
        self.0.zones.get(id)
    }

    /// All profiles, oldest first; the built-in one last.
    pub fn profiles(&self) -> impl Iterator<Item = &ShippingProfile> {
        let general = ShippingProfileId::general();
        let (built_in, others): (Vec<_>, Vec<_>) =
            self.0.profiles.values().partition(|p| p.id == general);
        others.into_iter().chain(built_in)
    }

    /// One profile.
    pub fn profile(&self, id: &ShippingProfileId) -> Option<&ShippingProfile> {
        self.0.profiles.get(id)
    }

    /// All options, oldest first.
    pub fn options(&self) -> impl Iterator<Item = &Arc<ShippingOption>> {
        self.0.options.values()
    }

    /// One option.
    pub fn option(&self, id: &ShippingOptionId) -> Option<&Arc<ShippingOption>> {
        self.0.options.get(id)
    }

    /// Where parcels come from.
    pub fn sender(&self) -> Option<&Address> {
        self.0.sender.as_ref()
    }
}

/// What can be asked of the plan. `new` is whether it must not exist before, or must.
pub enum PlanCommand {
    /// Adds or changes a zone.
    SetZone {
        /// It.
        zone: ShippingZone,
        /// Whether it is a new one.
        new: bool,
    },
    /// Removes a zone that no option uses.
    RemoveZone(ShippingZoneId),
    /// Adds or changes a profile.
    SetProfile {
        /// It.
        profile: ShippingProfile,
        /// Whether it is a new one.
        new: bool,
    },
    /// Removes a profile that no option uses.
    RemoveProfile(ShippingProfileId),
    /// Adds or changes an option.
    SetOption {
        /// It.
        option: ShippingOption,
        /// Whether it is a new one.
        new: bool,
    },
    /// Removes an option.
    RemoveOption(ShippingOptionId),
    /// Says where parcels come from.
    SetSender(Address),
}

/// The rules of the plan.
pub struct Plans;

impl Decider for Plans {
    const CATEGORY: &'static str = "shipping_plan";
    const SNAPSHOT_EVERY: Option<i64> = Some(100);
    type State = Plan;
    type Command = PlanCommand;
    type Event = ShippingPlanEvent;

    fn decide(state: &Plan, command: &PlanCommand) -> Result<Vec<ShippingPlanEvent>, Rejection> {
        let table = &*state.0;
        match command {
            PlanCommand::SetZone { zone, new } => {
                let known = table.zones.get(&zone.id);
                let changed = room("zone", known, zone, *new, table.zones.len(), MAX_ZONES)?;
                Ok(set(changed, || ShippingZoneSet { zone: zone.clone() }))
            }
            PlanCommand::RemoveZone(id) => {
                unused("zone", state.options(), |o| o.zone_id.as_ref() == Some(id))?;
                let known = table.zones.contains_key(id);
                Ok(set(known, || ShippingZoneRemoved { id: id.clone() }))
            }
            PlanCommand::SetProfile { profile, new } => {
                let known = table.profiles.get(&profile.id);
                let count = table.profiles.len();
                let changed = room("profile", known, profile, *new, count, MAX_PROFILES)?;
                general_is_whole(profile)?;
                let profile = || ShippingProfileSet {
                    profile: profile.clone(),
                };
                Ok(set(changed, profile))
            }
            PlanCommand::RemoveProfile(id) if *id == ShippingProfileId::general() => {
                let detail = "the built-in profile cannot be removed";
                Err(Rejection::conflict("built-in-profile", detail))
            }
            PlanCommand::RemoveProfile(id) => {
                let uses = |o: &ShippingOption| o.rates.iter().any(|r| r.profile_id == *id);
                unused("profile", state.options(), uses)?;
                let known = table.profiles.contains_key(id);
                Ok(set(known, || ShippingProfileRemoved { id: id.clone() }))
            }
            PlanCommand::SetOption { option, new } => {
                let known = table.options.get(&option.id).map(|known| &**known);
                let count = table.options.len();
                let changed = room("option", known, option, *new, count, MAX_OPTIONS)?;
                names_what_is_there(state, option)?;
                let option = || ShippingOptionSet {
                    option: option.clone(),
                };
                Ok(set(changed, option))
            }
            PlanCommand::RemoveOption(id) => {
                let known = table.options.contains_key(id);
                Ok(set(known, || ShippingOptionRemoved { id: id.clone() }))
            }
            PlanCommand::SetSender(sender) => {
                let changed = table.sender.as_ref() != Some(sender);
                Ok(set(changed, || ShippingSenderSet {
                    sender: sender.clone(),
                }))
            }
        }
    }

    fn evolve(state: &mut Plan, event: &ShippingPlanEvent) {
        let table = Arc::make_mut(&mut state.0);
        match event {
            ShippingPlanEvent::ZoneSet(e) => {
                table.zones.insert(e.zone.id.clone(), e.zone.clone());
            }
            ShippingPlanEvent::ZoneRemoved(e) => drop(table.zones.remove(&e.id)),
            ShippingPlanEvent::ProfileSet(e) => {
                table
                    .profiles
                    .insert(e.profile.id.clone(), e.profile.clone());
            }
            ShippingPlanEvent::ProfileRemoved(e) => drop(table.profiles.remove(&e.id)),
            ShippingPlanEvent::OptionSet(e) => {
                let option = Arc::new(e.option.clone());
                table.options.insert(option.id.clone(), option);
            }
            ShippingPlanEvent::OptionRemoved(e) => drop(table.options.remove(&e.id)),
            ShippingPlanEvent::SenderSet(e) => table.sender = Some(e.sender.clone()),
        }
    }
}

fn set<E: Into<ShippingPlanEvent>>(so: bool, event: impl FnOnce() -> E) -> Vec<ShippingPlanEvent> {
    match so {
        true => vec![event().into()],
        false => Vec::new(),
    }
}

/// Whether `it` differs from what is known; refuses what must be there and is not, and too many.
fn room<T: PartialEq>(
    what: &'static str,
    known: Option<&T>,
    it: &T,
    new: bool,
    count: usize,
    limit: usize,
) -> Result<bool, Rejection> {
    match (known, new) {
        (None, false) => Err(Rejection::not_found(what)),
        (None, true) if count >= limit => Err(Rejection::unprocessable(
            "too-many",
            format!("a shop may have {limit} of them"),
        )),
        (known, _) => Ok(known != Some(it)),
    }
}

fn unused<'a>(
    what: &str,
    mut options: impl Iterator<Item = &'a Arc<ShippingOption>>,
    uses: impl Fn(&ShippingOption) -> bool,
) -> Result<(), Rejection> {
    match options.find(|option| uses(option)) {
        None => Ok(()),
        Some(option) => Err(Rejection::conflict(
            "in-use",
            format!("the {what} is used by the option {}", option.id),
        )),
    }
}

/// The built-in profile is of what no other names: it names nothing itself.
fn general_is_whole(profile: &ShippingProfile) -> Result<(), Rejection> {
    let names =
        !profile.skus.is_empty() || !profile.products.is_empty() || !profile.categories.is_empty();
    match names && profile.id == ShippingProfileId::general() {
        true => Err(Rejection::conflict(
            "built-in-profile",
            "the built-in profile is of every item that no other profile names; it cannot name any",
        )),
        false => Ok(()),
    }
}

fn names_what_is_there(plan: &Plan, option: &ShippingOption) -> Result<(), Rejection> {
    if let Some(zone) = &option.zone_id
        && plan.zone(zone).is_none()
    {
        let detail = "there is no such zone; add it first";
        return Err(Rejection::unprocessable("unknown-zone", detail).field("zone_id"));
    }
    for (i, rate) in option.rates.iter().enumerate() {
        if plan.profile(&rate.profile_id).is_none() {
            let detail = "there is no such profile; add it first";
            let field = format!("rates[{i}].profile_id");
            return Err(Rejection::unprocessable("unknown-profile", detail).field(field));
        }
    }
    Ok(())
}
