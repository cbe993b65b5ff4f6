//! One look at who is there and who holds what, and what follows from it.

use store::Rows;
use tokio::time::Instant;

use crate::{assignment::assign, sightings::Sightings};

/// A lease as it stands in the database.
pub(crate) struct Lease {
    pub name: String,
    /// A token; empty if it is nobody's.
    pub holder: String,
    pub epoch: i64,
}

/// What a lease stands for.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Partition,
    /// The timers, the relay.
    Single,
    /// An exclusive subscription.
    Exclusive,
}

impl Kind {
    fn of(lease: &Lease) -> Self {
        match lease.name.split_once(':') {
            Some(("partition", _)) => Self::Partition,
            Some(_) => Self::Exclusive,
            None => Self::Single,
        }
    }
}

/// Who looks.
pub(crate) struct Me<'a> {
    pub id: &'a str,
    pub slot: &'a str,
    /// The leases of the service, as this program knows it.
    pub names: &'a [String],
}

/// What one look showed.
pub(crate) struct View {
    /// Tokens of those who live, sorted.
    pub living: Vec<String>,
    /// Sorted by name.
    pub leases: Vec<Lease>,
    /// Ids of everybody in this instance's slot but itself.
    pub rivals: Vec<String>,
    /// Whether this instance is among them all.
    pub known: bool,
}

/// What an instance is called as a holder.
pub(crate) fn token(slot: &str, id: &str) -> String {
    format!("{slot}#{id}")
}

impl View {
    /// Out of the rows of `sharing::instances` and `sharing::leases`.
    pub fn of(found: &[Rows], me: &Me<'_>, sightings: &mut Sightings) -> Self {
        let instances = found.first().into_iter().flatten();
        let instances: Vec<(String, String, i64)> = instances
            .map(|row| (row.get(0), row.get(1), row.get(2)))
            .collect();
        let beats = instances.iter().map(|(id, _, beat)| (id.as_str(), *beat));
        sightings.look(beats, Instant::now());
        let leases = found.get(1).into_iter().flatten().map(|row| Lease {
            name: row.get(0),
            holder: row.get(1),
            epoch: row.get(2),
        });
        let mut leases: Vec<Lease> = leases.filter(|l| me.names.contains(&l.name)).collect();
        leases.sort_by(|a, b| a.name.cmp(&b.name));
        let lives = |id: &str| id == me.id || sightings.lives(id);
        let living = instances.iter().filter(|(id, _, _)| lives(id));
        let mut living: Vec<String> = living.map(|(id, slot, _)| token(slot, id)).collect();
        living.sort();
        let rival = |(id, slot, _): &&(String, String, i64)| slot == me.slot && id != me.id;
        let rivals = instances.iter().filter(rival);
        Self {
            living,
            leases,
            rivals: rivals.map(|(id, _, _)| id.clone()).collect(),
            known: instances.iter().any(|(id, _, _)| id == me.id),
        }
    }

    /// The token that should hold each lease, in their order, as `me` sees it. Partitions are
    /// shared out among themselves, so that everybody gets as many of them; and so are the leases
    /// that every version of the program knows. An exclusive subscription may be known to some
    /// versions only, which would not agree on shares: whoever has it keeps it, and if that is
    /// nobody, whoever looks may take it.
    pub fn wanted<'a>(&'a self, me: &'a str) -> Vec<&'a str> {
        let holder = |lease: &Lease| self.living.iter().position(|one| *one == lease.holder);
        let share = |kind: Kind| {
            let these = self.leases.iter().filter(|lease| Kind::of(lease) == kind);
            let held: Vec<Option<usize>> = these.map(holder).collect();
            assign(self.living.len(), &held).into_iter()
        };
        let (mut partitions, mut singles) = (share(Kind::Partition), share(Kind::Single));
        let wanted = self.leases.iter().map(|lease| match Kind::of(lease) {
            Kind::Partition => partitions.next(),
            Kind::Single => singles.next(),
            Kind::Exclusive => holder(lease),
        });
        wanted
            .map(|one| one.map_or(me, |one| self.living[one].as_str()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSIONS: [(&str, &[&str]); 2] = [
        ("a", &["relay", "timers"]),
        ("b", &["relay", "subscription:x", "timers"]),
    ];

    fn view(known: &[&str], holders: &[(&str, String)]) -> View {
        let known = holders.iter().filter(|(name, _)| known.contains(name));
        View {
            living: vec!["a".into(), "b".into()],
            leases: known
                .map(|(name, holder)| Lease {
                    name: (*name).into(),
                    holder: holder.clone(),
                    epoch: 0,
                })
                .collect(),
            rivals: Vec::new(),
            known: true,
        }
    }

    /// As `Keeper::turn` does: gives back what another should have, takes what is nobody's.
    fn turn(me: &str, known: &[&str], holders: &mut [(&str, String)]) {
        let view = view(known, holders);
        let decided: Vec<_> = view.leases.iter().zip(view.wanted(me)).collect();
        for (lease, wanted) in decided {
            let row = holders.iter_mut().find(|(name, _)| *name == lease.name);
            let (_, holder) = row.expect("a lease");
            match (holder.as_str(), wanted == me) {
                ("", true) => *holder = me.to_owned(),
                (now, false) if now == me => holder.clear(),
                _ => {}
            }
        }
    }

    #[test]
    fn two_versions_leave_no_lease_to_each_other() {
        // Whoever held what when the newer one came.
        for first in 0..27 {
            let who = |n: usize| ["", "a", "b"][n % 3].to_owned();
            let mut holders = [
                ("relay", who(first)),
                ("subscription:x", who(first / 3)),
                ("timers", who(first / 9)),
            ];
            if holders[1].1 == "a" {
                continue; // the older one does not know it
            }
            for _ in 0..4 {
                for (me, known) in VERSIONS {
                    turn(me, known, &mut holders);
                }
            }
            assert!(
                holders.iter().all(|(_, holder)| !holder.is_empty()),
                "{first}: {holders:?}"
            );
        }
    }
}
