//! All groups and segments: one stream, so that a code means one thing and every decision about a
//! customer sees the same rules.

use std::collections::{BTreeMap, BTreeSet};

use contracts::customers::{
    DirectoryEvent, GroupDefined, GroupRemoved, SegmentDefined, SegmentRemoved, SegmentReviewDue,
    SegmentRule,
};
use kernel::{Decider, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

use crate::segment::{self, Facts};

/// The id of the one stream.
pub const ALL: &str = "all";
/// Groups and segments together: each order of a customer looks at all segments.
const MOST: usize = 200;

/// A group or a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// For people.
    pub name: String,
    /// Of a segment.
    pub rule: Option<SegmentRule>,
}

/// All of them, by code.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Directory {
    /// By code.
    pub entries: BTreeMap<String, Entry>,
}

impl Directory {
    /// Codes of the segments that these facts meet.
    pub fn matching(&self, facts: &Facts) -> BTreeSet<String> {
        let fits = |rule: &SegmentRule| segment::fits(rule, facts);
        let entries = self.entries.iter();
        entries
            .filter(|(_, entry)| entry.rule.as_ref().is_some_and(fits))
            .map(|(code, _)| code.clone())
            .collect()
    }

    /// Whether there is a group (not a segment) of this code.
    pub fn has_group(&self, code: &str) -> bool {
        let entry = self.entries.get(code);
        entry.is_some_and(|entry| entry.rule.is_none())
    }

    /// Whether the passing of time alone may change who is in a segment.
    pub fn is_timed(&self) -> bool {
        let mut rules = self
            .entries
            .values()
            .filter_map(|entry| entry.rule.as_ref());
        rules.any(segment::is_timed)
    }
}

/// What can be asked of the directory.
#[derive(Clone, Debug)]
pub enum DirectoryCommand {
    /// Let there be this group.
    DefineGroup(GroupDefined),
    /// Take the group away.
    RemoveGroup(String),
    /// Let there be this segment.
    DefineSegment(SegmentDefined),
    /// Take the segment away.
    RemoveSegment(String),
    /// A day has passed.
    Review(Timestamp),
}

/// The rules of the directory.
pub struct Directories;

impl Decider for Directories {
    const CATEGORY: &'static str = "directory";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type State = Directory;
    type Command = DirectoryCommand;
    type Event = DirectoryEvent;

    fn decide(
        state: &Directory,
        command: &DirectoryCommand,
    ) -> Result<Vec<DirectoryEvent>, Rejection> {
        match command {
            DirectoryCommand::DefineGroup(group) => {
                let new = Entry {
                    name: group.name.clone(),
                    rule: None,
                };
                may_define(state, &group.code, &new)
                    .map(|changes| changes.then(|| group.clone().into()).into_iter().collect())
            }
            DirectoryCommand::DefineSegment(defined) => {
                segment::check(&defined.rule)?;
                let new = Entry {
                    name: defined.name.clone(),
                    rule: Some(defined.rule.clone()),
                };
                may_define(state, &defined.code, &new).map(|changes| {
                    changes
                        .then(|| defined.clone().into())
                        .into_iter()
                        .collect()
                })
            }
            DirectoryCommand::RemoveGroup(code) => {
                let code = existing(state, code, false)?;
                Ok(vec![GroupRemoved { code }.into()])
            }
            DirectoryCommand::RemoveSegment(code) => {
                let code = existing(state, code, true)?;
                Ok(vec![SegmentRemoved { code }.into()])
            }
            DirectoryCommand::Review(at) if state.is_timed() => {
                Ok(vec![SegmentReviewDue { at: *at }.into()])
            }
            DirectoryCommand::Review(_) => Ok(vec![]),
        }
    }

    fn evolve(state: &mut Directory, event: &DirectoryEvent) {
        match event {
            DirectoryEvent::GroupDefined(group) => {
                let entry = Entry {
                    name: group.name.clone(),
                    rule: None,
                };
                state.entries.insert(group.code.clone(), entry);
            }
            DirectoryEvent::SegmentDefined(segment) => {
                let entry = Entry {
                    name: segment.name.clone(),
                    rule: Some(segment.rule.clone()),
                };
                state.entries.insert(segment.code.clone(), entry);
            }
            DirectoryEvent::GroupRemoved(GroupRemoved { code })
            | DirectoryEvent::SegmentRemoved(SegmentRemoved { code }) => {
                state.entries.remove(code);
            }
            DirectoryEvent::ReviewDue(_) => {}
        }
    }
}

/// Whether the definition changes anything; refused when it may not stand.
fn may_define(state: &Directory, code: &str, new: &Entry) -> Result<bool, Rejection> {
    check_code(code)?;
    let length = new.name.trim().chars().count();
    if length == 0 || length > 100 || new.name.contains(char::is_control) {
        let detail = "must have 1 to 100 characters and no control characters";
        return Err(Rejection::invalid("name", detail));
    }
    match state.entries.get(code) {
        Some(old) if old.rule.is_some() != new.rule.is_some() => Err(Rejection::conflict(
            "code-taken",
            "groups and segments share their codes, and this one stands for the other kind",
        )
        .field("code")),
        Some(old) => Ok(old != new),
        None if state.entries.len() >= MOST => Err(Rejection::unprocessable(
            "too-many-groups",
            format!("there may be {MOST} groups and segments; remove one first"),
        )),
        None => Ok(true),
    }
}

fn check_code(code: &str) -> Result<(), Rejection> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
    match !code.is_empty() && code.len() <= 50 && code.bytes().all(good) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            "code",
            "must have 1 to 50 small letters, digits, hyphens and underscores",
        )),
    }
}

fn existing(state: &Directory, code: &str, segment: bool) -> Result<String, Rejection> {
    let entry = state.entries.get(code);
    match entry.is_some_and(|entry| entry.rule.is_some() == segment) {
        true => Ok(code.to_owned()),
        false => Err(Rejection::not_found(if segment {
            "segment"
        } else {
            "group"
        })),
    }
}
