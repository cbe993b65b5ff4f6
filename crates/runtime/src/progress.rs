//! Where a consumer is in a topic, over the partitions that its instance holds.
//!
//! Normally all of them are at one position. After a take-over they are not: then the lowest group
//! is worked up to the next and joins it, until there is one again.

use std::{collections::BTreeMap, sync::Arc};

use kernel::{AppError, From, PARTITIONS, Recorded, Statement};
use store::{sharing, system};
use tokio::{sync::watch, time::Instant};

use crate::{
    consumer::{CHUNK, LAZY, Surround, query},
    incarnation,
    mask::Mask,
    tenancy::{self, Tenant},
};

/// Where a consumer is in a topic.
pub(crate) struct Progress {
    pub name: Arc<str>,
    pub topic: Arc<str>,
    /// The lease that stands for all partitions, if the subscription is exclusive.
    exclusive: Option<String>,
    pub tenant: Tenant,
    epoch: i64,
    /// By position, the lowest first. Only the first is worked on; none if nothing is held.
    groups: Vec<Group>,
    head: watch::Receiver<i64>,
    /// Which log of the topic the positions are of.
    incarnation: String,
    /// When the database was last brought up to date.
    saved: Instant,
    /// Why the log could not be read, so that it is said once.
    trouble: Option<String>,
    halted: Option<String>,
}

/// Partitions that are at one position.
#[derive(Clone, Debug, PartialEq)]
struct Group {
    mask: Mask,
    /// What the database says.
    committed: i64,
    /// What has been handled.
    position: i64,
}

/// Some of the next events.
pub(crate) struct Chunk {
    /// Those of the partitions that are worked on, in order.
    pub events: Vec<Arc<Recorded>>,
    /// How far the topic was read, their partitions or not.
    pub upto: i64,
}

impl Progress {
    /// Reads the positions, or makes them for a new consumer. Where the producer is elsewhere this
    /// waits until its head is known.
    pub async fn start(
        around: &Surround,
        name: &str,
        topic: &str,
        from: From,
        exclusive: bool,
    ) -> Result<Self, AppError> {
        let unreadable = |e: eventlog::LogError| AppError::Unavailable(e.to_string());
        let newest = around.log.head(topic).await.map_err(unreadable)?;
        incarnation::check(around, topic, &newest).await?;
        let head = around.log.watch(topic).map_err(unreadable)?;
        let found = query(around, system::positions(name, topic)).await?;
        if found.is_empty() {
            let position = match from {
                From::Now => newest.position,
                From::Beginning => 0,
            };
            let create = |partition| system::create_position(name, topic, partition, position);
            let rows = (0..PARTITIONS).map(create).collect();
            around.inlet.write(rows).await?;
        }
        let furthest = found.iter().map(|row| row.get(2)).max().unwrap_or(0);
        if around.shared.sole_owner && furthest > newest.position {
            return Err(incarnation::ahead(topic, furthest, newest.position));
        }
        let mut progress = Self {
            name: name.into(),
            topic: topic.into(),
            exclusive: exclusive.then(|| tenancy::exclusive(name)),
            tenant: around.tenancy.tenant(),
            epoch: 0,
            groups: Vec::new(),
            head,
            incarnation: newest.incarnation,
            saved: Instant::now(),
            trouble: None,
            halted: None,
        };
        progress.reload(around).await?;
        Ok(progress)
    }

    /// Goes back to what the database says: after a failure it is not known what was written.
    pub async fn reload(&mut self, around: &Surround) -> Result<(), AppError> {
        let held = self.held();
        let found = query(around, system::positions(&self.name, &self.topic)).await?;
        let mut groups: BTreeMap<i64, Mask> = BTreeMap::new();
        for row in &found {
            let partition: i64 = row.get(0);
            let partition = u16::try_from(partition).unwrap_or(PARTITIONS);
            if held.has(partition) {
                let mask = groups.entry(row.get(2)).or_default();
                *mask = mask.with(Mask::of(partition));
            }
            self.epoch = row.get(1);
        }
        let group = |(position, mask)| Group {
            mask,
            committed: position,
            position,
        };
        self.groups = groups.into_iter().map(group).collect();
        self.saved = Instant::now();
        Ok(())
    }

    fn held(&self) -> Mask {
        match &self.exclusive {
            None => self.tenant.partitions(),
            Some(lease) if self.tenant.holds(lease) => Mask::ALL,
            Some(_) => Mask::NONE,
        }
    }

    /// Whether there is nothing to do here: other instances hold all partitions.
    pub fn idle(&self) -> bool {
        self.groups.is_empty()
    }

    /// What has been handled in the partitions that are worked on.
    pub fn position(&self) -> i64 {
        self.groups.first().map_or(0, |group| group.position)
    }

    /// Notes that everything up to `position` was handled, though the database does not know yet.
    pub fn handled(&mut self, position: i64) {
        if let Some(group) = self.groups.first_mut() {
            group.position = position;
        }
    }

    /// Where the next group is that this one will join.
    pub fn bound(&self) -> i64 {
        self.groups.get(1).map_or(i64::MAX, |group| group.position)
    }

    /// Whether an event is in the partitions that are worked on.
    pub fn concerns(&self, event: &Recorded) -> bool {
        self.groups
            .first()
            .is_some_and(|group| group.mask.has(event.partition))
    }

    /// Whether a position that moved without effects has waited long enough to be saved.
    pub fn overdue(&self) -> bool {
        self.dirty() && self.saved.elapsed() >= LAZY
    }

    /// Whether the database is behind.
    pub fn dirty(&self) -> bool {
        self.groups.iter().any(|g| g.committed != g.position)
    }

    /// Whether everything that was there has been handled.
    pub fn caught_up(&self) -> bool {
        let head = *self.head.borrow();
        self.groups.iter().all(|group| group.position >= head)
    }

    /// How many events are still to be handled (in all partitions, held or not).
    pub fn lag(&self) -> i64 {
        let head = *self.head.borrow();
        let lowest = self.groups.first().map(|group| group.position);
        lowest.map_or(0, |position| (head - position).max(0))
    }

    /// The statement that moves the position to `to`, for the commit of the effects. It fails
    /// unless the partitions are where they are thought to be, and held.
    pub fn moved_to(&self, to: i64) -> Statement {
        let (mask, from) = self
            .groups
            .first()
            .map_or((Mask::NONE, 0), |g| (g.mask, g.committed));
        let (name, topic) = (&self.name, &self.topic);
        match (self.tenant.tenancy().token(), &self.exclusive) {
            (None, _) if mask == Mask::ALL => {
                system::move_positions(name, topic, self.epoch, from, to)
            }
            (None, _) => sharing::move_alone(name, topic, mask.bits(), from, to),
            (Some(token), Some(lease)) => {
                let holder = (lease.as_str(), &**token);
                sharing::move_exclusive(name, topic, mask.bits(), holder, from, to)
            }
            (Some(token), None) => {
                sharing::move_partitions(name, topic, mask.bits(), token, from, to)
            }
        }
    }

    /// Fails unless the partition is held: for what is written without moving the position.
    pub fn fence(&self, partition: u16) -> Option<Statement> {
        let token = self.tenant.tenancy().token()?;
        let lease = match &self.exclusive {
            Some(lease) => lease.clone(),
            None => tenancy::partition(partition),
        };
        Some(sharing::assert_lease(&lease, token))
    }

    /// Notes that the move was committed.
    pub fn committed(&mut self, to: i64) {
        if let Some(group) = self.groups.first_mut() {
            (group.committed, group.position) = (to, to);
        }
        self.saved = Instant::now();
    }

    /// Commits a position that moved without effects.
    pub async fn flush(&mut self, around: &Surround) -> Result<(), AppError> {
        if self.dirty() {
            let to = self.position();
            around.inlet.write_if(vec![self.moved_to(to)]).await?;
            self.committed(to);
        }
        Ok(())
    }

    /// Lets the first group join the next, once it is there.
    pub async fn join(&mut self, around: &Surround) -> Result<(), AppError> {
        while self.groups.len() > 1 && self.position() >= self.bound() {
            self.flush(around).await?;
            let first = self.groups.remove(0);
            let next = &mut self.groups[0];
            next.mask = next.mask.with(first.mask);
        }
        Ok(())
    }

    /// The next events behind `after`.
    pub async fn read(&mut self, around: &Surround, after: i64) -> Chunk {
        let nothing = Chunk {
            events: Vec::new(),
            upto: after,
        };
        if self.idle() {
            return nothing;
        }
        let read = around.log.read(&self.topic, after, CHUNK).await;
        // Asked afterwards: what comes of another log must not be taken for the next events.
        let read = match around.log.incarnation(&self.topic) {
            Some(now) if *now != *self.incarnation => {
                let adopted = self.adopt(around).await;
                self.halted = adopted.clone().err();
                adopted.map(|()| Vec::new())
            }
            _ => read.map_err(|error| error.to_string()),
        };
        match read {
            Ok(events) => {
                if self.trouble.take().is_some() {
                    tracing::info!(subscription = %self.name, topic = %self.topic, "the log can be read again");
                }
                self.chunk(events, after)
            }
            Err(trouble) => {
                if self.trouble.as_ref() != Some(&trouble) {
                    tracing::warn!(subscription = %self.name, topic = %self.topic, error = %trouble, "cannot read the log; will try again");
                    self.trouble = Some(trouble);
                }
                tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                nothing
            }
        }
    }

    /// Goes on with a log that has become another one, if it may.
    async fn adopt(&mut self, around: &Surround) -> Result<(), String> {
        // What was handled is part of how far this service has heard.
        self.flush(around).await.map_err(|e| e.to_string())?;
        let head = around.log.head(&self.topic).await;
        let head = head.map_err(|e| e.to_string())?;
        let checked = incarnation::check(around, &self.topic, &head).await;
        checked.map_err(|e| e.to_string())?;
        self.incarnation = head.incarnation;
        Ok(())
    }

    /// What of `events` is to be handled now.
    fn chunk(&self, mut events: Vec<Arc<Recorded>>, after: i64) -> Chunk {
        let bound = self.bound();
        if bound < i64::MAX {
            events.retain(|event| event.position <= bound);
        }
        let upto = events.last().map_or(after, |event| event.position);
        if self.groups.first().is_some_and(|g| g.mask != Mask::ALL) {
            events.retain(|event| self.concerns(event));
        }
        Chunk { events, upto }
    }

    /// Why this must not go on: the log has become another one.
    pub fn halted(&self) -> Option<&str> {
        self.halted.as_deref()
    }

    /// Waits until there may be something behind `after`, or the leases have changed.
    pub async fn woken(&mut self, after: i64) {
        if self.idle() {
            return self.tenant.changed().await;
        }
        tokio::select! {
            () = self.tenant.changed() => {}
            () = beyond(&mut self.head, after) => {}
        }
    }

    /// Goes by the leases as they are now, and works on nothing until [`Progress::reload`].
    pub fn let_go(&mut self) {
        self.groups.clear();
        self.tenant.turn();
    }

    /// The head, as it changes.
    pub fn head(&self) -> watch::Receiver<i64> {
        self.head.clone()
    }
}

/// Waits until the head is behind `after`.
async fn beyond(head: &mut watch::Receiver<i64>, after: i64) {
    if head.wait_for(|head| *head > after).await.is_ok() {
        return;
    }
    // The log has ended, and the service is about to.
    std::future::pending().await
}
