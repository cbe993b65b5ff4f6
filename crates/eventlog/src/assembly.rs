//! Puts a topic together again. A broker loses, repeats and reorders; positions are whole numbers
//! without gaps, so what is missing always shows. No input or output and no clock here: everything
//! is told, which is what makes it testable.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use kernel::{PARTITIONS, Recorded};
use store::LogHead;
use tokio::time::Instant;

use crate::ring::{Ring, size};

/// A gap is left alone this long: mostly it is two instances' events that crossed on their way.
pub(crate) const PATIENCE: Duration = Duration::from_millis(20);
/// How many events wait behind a gap at most, and their bytes. What is beyond is read again later.
const MOST_WAITING: usize = 4_096;
const MOST_WAITING_BYTES: usize = 8 * 1024 * 1024;
/// A gap longer than this is not filled: readers read what they lack of it themselves.
const LONGEST_GAP: i64 = 8_192;
/// How many earlier incarnations are remembered, so that their stragglers are known.
const MOST_PAST: usize = 16;

/// Where an event comes from, and so how far it is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source<'a> {
    /// The producer's own store.
    Store,
    /// A broker, from a log of this incarnation.
    Broker(&'a str),
}

/// What must be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// Nothing until something arrives.
    Nothing,
    /// To look again at this moment: a gap may close by itself.
    Patience(Instant),
    /// To ask for the head of the log.
    Head,
    /// To read what lies behind `after`, up to and with `upto`.
    Gap {
        /// The last position that is there.
        after: i64,
        /// The last position that is missing.
        upto: i64,
    },
}

/// One topic, as far as it is known here.
#[derive(Default)]
pub(crate) struct Assembly {
    incarnation: Option<Arc<str>>,
    past: Vec<Arc<str>>,
    /// Everything up to here exists; the newest of it is in the ring.
    contiguous: i64,
    /// The highest position heard of.
    heard_of: i64,
    ring: Ring,
    /// What came early.
    waiting: BTreeMap<i64, Arc<Recorded>>,
    waiting_bytes: usize,
    gap_since: Option<Instant>,
    ask_head: bool,
    /// The last position seen in each partition, where it is known: a second check.
    chain: [Option<i64>; PARTITIONS as usize],
}

impl Assembly {
    /// A log of which the head is known.
    pub fn at(head: &LogHead) -> Self {
        Self {
            incarnation: Some(head.incarnation.as_str().into()),
            contiguous: head.position,
            heard_of: head.position,
            ..Self::default()
        }
    }

    /// A log of which nothing is known yet.
    pub fn unknown() -> Self {
        Self {
            ask_head: true,
            ..Self::default()
        }
    }

    /// Which log it is, once that is known.
    pub fn incarnation(&self) -> Option<&Arc<str>> {
        self.incarnation.as_ref()
    }

    /// Up to where everything exists.
    pub fn contiguous(&self) -> i64 {
        self.contiguous
    }

    /// Whether the log has become another one since it was first known.
    pub fn was_replaced(&self) -> bool {
        !self.past.is_empty()
    }

    /// The head, as far as it was heard of.
    pub fn head(&self) -> Option<LogHead> {
        let incarnation = self.incarnation.as_deref()?.to_owned();
        Some(LogHead {
            position: self.heard_of,
            incarnation,
        })
    }

    /// Events behind `after`: `None` when they are not in memory any more.
    pub fn read(&self, after: i64, limit: usize) -> Option<Vec<Arc<Recorded>>> {
        if after >= self.contiguous {
            return Some(Vec::new());
        }
        self.ring.after(after, limit)
    }

    /// Takes an event in; whether it was believed. What is already there is dropped.
    pub fn offer(&mut self, event: Arc<Recorded>, source: Source<'_>) -> bool {
        if let Source::Broker(incarnation) = source
            && !self.is_current(incarnation)
        {
            return true;
        }
        let position = event.position;
        if position <= self.contiguous {
            return true;
        }
        if source != Source::Store && !self.fits(&event) {
            return false;
        }
        self.heard_of = self.heard_of.max(position);
        if position == self.contiguous + 1 {
            self.append(&event);
            self.drain();
        } else {
            self.wait(event);
        }
        true
    }

    /// Takes note of a head. `sure`: the producer's store says so; a broker's word can be old.
    pub fn announced(&mut self, head: &LogHead, sure: bool) {
        match &self.incarnation {
            Some(known) if **known == *head.incarnation => {
                self.heard_of = self.heard_of.max(head.position);
                if sure {
                    self.shorten(head.position);
                }
            }
            _ if !sure && self.past.iter().any(|past| **past == *head.incarnation) => {}
            Some(_) if !sure => self.ask_head = true,
            _ => self.adopt(head),
        }
    }

    /// Asks for the head again: something may have been missed.
    pub fn doubt(&mut self) {
        self.ask_head = true;
    }

    /// The head is being asked for.
    pub fn asking(&mut self) {
        self.ask_head = false;
    }

    /// There was no answer; what is announced must do, if there ever was a head.
    pub fn stop_asking(&mut self) {
        self.ask_head = self.incarnation.is_none();
    }

    /// The store has nothing behind `after`: what was heard of beyond it was wrong, or from a
    /// transaction that is not visible yet and will be announced again.
    pub fn nothing_behind(&mut self, after: i64) {
        if self.contiguous == after {
            self.forget_waiting();
            self.heard_of = after;
        }
    }

    /// What to do next.
    pub fn wants(&mut self, now: Instant) -> Want {
        if self.ask_head {
            return Want::Head;
        }
        if self.incarnation.is_none() || self.heard_of <= self.contiguous {
            self.gap_since = None;
            return Want::Nothing;
        }
        let due = *self.gap_since.get_or_insert(now) + PATIENCE;
        if now < due {
            return Want::Patience(due);
        }
        if self.heard_of - self.contiguous > LONGEST_GAP {
            return Want::Head;
        }
        let first = self.waiting.first_key_value();
        let upto = first.map_or(self.heard_of, |(position, _)| position - 1);
        Want::Gap {
            after: self.contiguous,
            upto,
        }
    }

    /// Drops what is held in memory.
    pub fn forget(&mut self) {
        self.ring.forget();
        self.forget_waiting();
    }

    fn forget_waiting(&mut self) {
        self.waiting.clear();
        self.waiting_bytes = 0;
    }

    /// Whether `incarnation` is this log's; one never heard of makes the head be asked for.
    fn is_current(&mut self, incarnation: &str) -> bool {
        let current = self.incarnation.as_deref() == Some(incarnation);
        if !current && !self.past.iter().any(|past| **past == *incarnation) {
            self.ask_head = true;
        }
        current
    }

    /// Whether the event goes on from the last of its partition, as far as that is known.
    fn fits(&self, event: &Recorded) -> bool {
        let last = self.chain.get(usize::from(event.partition));
        match last {
            None => false,
            Some(Some(last)) if event.position == self.contiguous + 1 => event.prev == *last,
            Some(_) => event.prev < event.position,
        }
    }

    fn append(&mut self, event: &Arc<Recorded>) {
        if let Some(last) = self.chain.get_mut(usize::from(event.partition)) {
            *last = Some(event.position);
        }
        self.contiguous = event.position;
        self.ring.push(event);
    }

    /// Appends what was waiting for what has come.
    fn drain(&mut self) {
        while let Some(entry) = self.waiting.first_entry() {
            if *entry.key() > self.contiguous + 1 {
                break;
            }
            let event = entry.remove();
            self.waiting_bytes -= size(&event);
            if event.position == self.contiguous + 1 && self.fits(&event) {
                self.append(&event);
            }
        }
        // Another gap may stand behind this one; it gets its own time.
        self.gap_since = None;
    }

    fn wait(&mut self, event: Arc<Recorded>) {
        let bytes = size(&event);
        if let Some(old) = self.waiting.insert(event.position, event) {
            self.waiting_bytes -= size(&old);
        }
        self.waiting_bytes += bytes;
        while self.waiting.len() > MOST_WAITING || self.waiting_bytes > MOST_WAITING_BYTES {
            // The farthest is needed last, and is read then.
            let farthest = self.waiting.pop_last();
            self.waiting_bytes -= farthest.map_or(self.waiting_bytes, |(_, event)| size(&event));
        }
    }

    /// If the gap is too long to be filled in, goes to `head`, which exists, without what lies
    /// between. What is still too far beyond that cannot be true.
    fn shorten(&mut self, head: i64) {
        if self.heard_of - self.contiguous <= LONGEST_GAP {
            return;
        }
        if head > self.contiguous {
            self.ring.forget();
            self.chain = Default::default();
            self.contiguous = head;
            self.waiting = self.waiting.split_off(&(head + 1));
            self.waiting_bytes = self.waiting.values().map(|event| size(event)).sum();
            self.drain();
        }
        if self.heard_of - self.contiguous > LONGEST_GAP {
            self.forget_waiting();
            self.heard_of = self.contiguous;
        }
    }

    /// Takes another log in the place of the one that was known.
    fn adopt(&mut self, head: &LogHead) {
        if let Some(old) = self.incarnation.take() {
            tracing::warn!(from = %old, to = %head.incarnation, position = head.position, "a topic was restored: its log is another one now");
            self.past.push(old);
            if self.past.len() > MOST_PAST {
                self.past.remove(0);
            }
        }
        self.past.retain(|past| **past != *head.incarnation);
        self.forget();
        self.chain = Default::default();
        self.incarnation = Some(head.incarnation.as_str().into());
        self.contiguous = head.position;
        self.heard_of = head.position;
        self.gap_since = None;
        self.ask_head = false;
    }
}
