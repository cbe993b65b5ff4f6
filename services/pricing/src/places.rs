//! Where is sold: the table of channels and the table of regions, each one small stream.

use std::{collections::BTreeMap, sync::Arc};

use contracts::pricing::{
    CaptureMode, Channel, ChannelEvent, ChannelSet, Region, RegionEvent, RegionRemoved, RegionSet,
};
use kernel::{Decider, Rejection};
use serde::{Deserialize, Serialize};

use crate::check;

/// The id of the one stream of each table.
pub const ALL: &str = "all";
/// How many channels and how many regions there may be.
const MAX_PLACES: usize = 250;

/// The rules of the table of channels.
pub struct Channels;

/// All channels, by code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelTable(pub Arc<BTreeMap<String, Channel>>);

impl Default for ChannelTable {
    /// A fresh shop: the channel that carts have which name none.
    fn default() -> Self {
        let web = Channel {
            code: contracts::cart::web(),
            name: "Web".into(),
            capture: CaptureMode::default(),
            active: true,
        };
        Self(Arc::new(BTreeMap::from([(web.code.clone(), web)])))
    }
}

/// What can be asked of a table of places: `T` is a [`Channel`] or a [`Region`].
pub enum PlaceCommand<T> {
    /// One more; its code must be free.
    Add(T),
    /// Be this, new or known.
    Put(T),
    /// The one of this code shall be gone.
    Remove(String),
}

/// Checks a channel as a caller wants it.
pub fn check_channel(channel: &Channel) -> Result<(), Rejection> {
    check::code("code", &channel.code, 40)?;
    check::text("name", &channel.name, 100)
}

impl Decider for Channels {
    const CATEGORY: &'static str = "channels";
    const SNAPSHOT_EVERY: Option<i64> = Some(100);
    type State = ChannelTable;
    type Command = PlaceCommand<Channel>;
    type Event = ChannelEvent;

    fn decide(
        state: &ChannelTable,
        command: &PlaceCommand<Channel>,
    ) -> Result<Vec<ChannelEvent>, Rejection> {
        let channel = match command {
            PlaceCommand::Add(channel) if state.0.contains_key(&channel.code) => {
                return Err(exists("channel"));
            }
            PlaceCommand::Add(channel) | PlaceCommand::Put(channel) => channel,
            PlaceCommand::Remove(_) => {
                let detail = "orders name their channel for ever; make it inactive instead";
                return Err(Rejection::conflict("channel-stays", detail));
            }
        };
        check_channel(channel)?;
        room(&state.0, &channel.code)?;
        if state.0.get(&channel.code) == Some(channel) {
            return Ok(vec![]);
        }
        let channel = channel.clone();
        Ok(vec![ChannelSet { channel }.into()])
    }

    fn evolve(state: &mut ChannelTable, event: &ChannelEvent) {
        let ChannelEvent::Set(set) = event;
        let channel = set.channel.clone();
        Arc::make_mut(&mut state.0).insert(channel.code.clone(), channel);
    }
}

fn exists(what: &str) -> Rejection {
    Rejection::conflict("code-taken", format!("there is a {what} of this code")).field("code")
}

fn room<T>(table: &BTreeMap<String, T>, code: &str) -> Result<(), Rejection> {
    match table.len() < MAX_PLACES || table.contains_key(code) {
        true => Ok(()),
        false => Err(Rejection::unprocessable(
            "too-many",
            format!("a shop may have {MAX_PLACES} of them"),
        )),
    }
}

/// The rules of the table of regions: a country belongs to one of them at most.
pub struct Regions;

/// All regions, by code.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RegionTable(pub Arc<BTreeMap<String, Region>>);

/// Checks a region as a caller wants it, by itself.
pub fn check_region(region: &Region) -> Result<(), Rejection> {
    check::code("code", &region.code, 40)?;
    if region.code == "public" {
        // It has an address of its own beside the regions'.
        return Err(Rejection::invalid("code", "must be another word"));
    }
    check::text("name", &region.name, 100)?;
    check::countries("countries", &region.countries)
}

impl Decider for Regions {
    const CATEGORY: &'static str = "regions";
    const SNAPSHOT_EVERY: Option<i64> = Some(100);
    type State = RegionTable;
    type Command = PlaceCommand<Region>;
    type Event = RegionEvent;

    fn decide(
        state: &RegionTable,
        command: &PlaceCommand<Region>,
    ) -> Result<Vec<RegionEvent>, Rejection> {
        let region = match command {
            PlaceCommand::Add(region) if state.0.contains_key(&region.code) => {
                return Err(exists("region"));
            }
            PlaceCommand::Add(region) | PlaceCommand::Put(region) => region,
            PlaceCommand::Remove(code) => {
                return match state.0.contains_key(code) {
                    true => Ok(vec![RegionRemoved { code: code.clone() }.into()]),
                    false => Err(Rejection::not_found("region")),
                };
            }
        };
        check_region(region)?;
        room(&state.0, &region.code)?;
        countries_are_free(state, region)?;
        if state.0.get(&region.code) == Some(region) {
            return Ok(vec![]);
        }
        let region = region.clone();
        Ok(vec![RegionSet { region }.into()])
    }

    fn evolve(state: &mut RegionTable, event: &RegionEvent) {
        let table = Arc::make_mut(&mut state.0);
        match event {
            RegionEvent::Set(set) => {
                table.insert(set.region.code.clone(), set.region.clone());
            }
            RegionEvent::Removed(removed) => {
                table.remove(&removed.code);
            }
        }
    }
}

fn countries_are_free(state: &RegionTable, region: &Region) -> Result<(), Rejection> {
    let others = || state.0.values().filter(|other| other.code != region.code);
    for (i, country) in region.countries.iter().enumerate() {
        if let Some(other) = others().find(|other| other.countries.contains(country)) {
            let detail = format!("{country} belongs to the region `{}` already", other.code);
            let taken = Rejection::conflict("country-taken", detail);
            return Err(taken
                .field(format!("countries[{i}]"))
                .extra(serde_json::json!({"country": country, "region": other.code})));
        }
    }
    Ok(())
}
