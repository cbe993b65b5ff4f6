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

    /// The token that should hold each lease, in their order. Partitions are shared out among
    /// themselves, so that everybody gets as many of them.
    pub fn wanted(&self) -> Vec<&String> {
        let is_partition = |lease: &Lease| lease.name.starts_with("partition:");
        let share = |partitions: bool| {
            let these = self.leases.iter().filter(|l| is_partition(l) == partitions);
            let holder = |l: &Lease| self.living.iter().position(|one| *one == l.holder);
            let held: Vec<Option<usize>> = these.map(holder).collect();
            assign(self.living.len(), &held).into_iter()
        };
        let (mut partitions, mut others) = (share(true), share(false));
        self.leases
            .iter()
            .map(|lease| match is_partition(lease) {
                true => partitions.next(),
                false => others.next(),
            })
            .map(|one| &self.living[one.unwrap_or_default()])
            .collect()
    }
}
