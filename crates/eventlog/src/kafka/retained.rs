//! What a topic still has, for when its producer is away. Blocks.

use std::collections::BTreeMap;

use kernel::{PARTITIONS, Recorded};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};

use super::{KafkaBroker, PATIENCE, message, partitions, unavailable};
use crate::{LogError, LogHead, cloudevents::Decoder};

/// How far an event may stand behind its place in its partition: several instances publish.
const DISORDER: i64 = 512;
/// How many messages in a row that are no events are passed over.
const GARBAGE: i64 = 64;

/// One partition being read.
struct Part<'a> {
    reader: &'a BaseConsumer,
    name: &'a str,
    partition: i32,
    low: i64,
    high: i64,
}

impl KafkaBroker {
    /// The newest event of a topic: of the incarnation that was published last.
    pub(super) fn newest_kept(
        &self,
        reader: &BaseConsumer,
        topic: &str,
    ) -> Result<Option<LogHead>, LogError> {
        let name = self.events(topic);
        let mut newest: Option<(i64, LogHead)> = None;
        for part in parts(reader, &name)? {
            let Some((at, head)) = part.last(topic)? else {
                continue;
            };
            let better = newest.as_ref().is_none_or(|(then, known)| {
                match known.incarnation == head.incarnation {
                    true => head.position > known.position,
                    false => at > *then,
                }
            });
            if better {
                newest = Some((at, head));
            }
        }
        Ok(newest.map(|(_, head)| head))
    }

    /// What a topic has behind `after`.
    pub(super) fn kept(
        &self,
        reader: &BaseConsumer,
        topic: &str,
        incarnation: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Recorded>, LogError> {
        let name = self.events(topic);
        let limit = limit.min(512);
        let upto = after.saturating_add(limit as i64);
        let mut found = BTreeMap::new();
        for part in parts(reader, &name)? {
            part.collect(topic, incarnation, after, upto, &mut found)?;
        }
        let run = (after + 1..).zip(found).take(limit);
        let run = run.take_while(|(expected, (position, _))| expected == position);
        Ok(run.map(|(_, (_, event))| event).collect())
    }
}

/// The topic's partitions, if it is there, with what they hold.
fn parts<'a>(reader: &'a BaseConsumer, name: &'a str) -> Result<Vec<Part<'a>>, LogError> {
    if partitions(reader, name)?.is_none() {
        return Ok(Vec::new());
    }
    let part = |partition| {
        let marks = reader.fetch_watermarks(name, partition, PATIENCE);
        let (low, high) = marks.map_err(unavailable)?;
        Ok(Part {
            reader,
            name,
            partition,
            low,
            high,
        })
    };
    (0..i32::from(PARTITIONS)).map(part).collect()
}

impl Part<'_> {
    /// Reads from an offset on.
    fn seek(&self, offset: i64) -> Result<(), LogError> {
        let mut list = TopicPartitionList::new();
        let added = list.add_partition_offset(self.name, self.partition, Offset::Offset(offset));
        added.map_err(unavailable)?;
        self.reader.assign(&list).map_err(unavailable)
    }

    /// Hands each message from `offset` on to `take`, until it answers something or the partition
    /// ends.
    fn read<T>(
        &self,
        offset: i64,
        mut take: impl FnMut(&rdkafka::message::BorrowedMessage<'_>) -> Option<T>,
    ) -> Result<Option<T>, LogError> {
        if offset >= self.high {
            return Ok(None);
        }
        self.seek(offset)?;
        loop {
            match self.reader.poll(PATIENCE) {
                Some(Ok(message)) => {
                    if let Some(answer) = take(&message) {
                        return Ok(Some(answer));
                    }
                    if message.offset() + 1 >= self.high {
                        return Ok(None);
                    }
                }
                Some(Err(KafkaError::PartitionEOF(_))) => return Ok(None),
                Some(Err(error)) => return Err(unavailable(error)),
                None => return Err(unavailable("no answer in time")),
            }
        }
    }

    /// The first event at or behind an offset.
    fn event_at(&self, topic: &str, offset: i64) -> Result<Option<(i64, LogHead)>, LogError> {
        let mut decoder = Decoder::new(topic);
        self.read(offset, |message| {
            let (event, incarnation) = message::event(&mut decoder, message).ok()?;
            let head = LogHead {
                position: event.position,
                incarnation: incarnation.to_string(),
            };
            Some((message.timestamp().to_millis().unwrap_or(0), head))
        })
    }

    /// The newest of the last few events, and when it was.
    fn last(&self, topic: &str) -> Result<Option<(i64, LogHead)>, LogError> {
        let mut decoder = Decoder::new(topic);
        let mut newest: Option<(i64, LogHead)> = None;
        let from = (self.high - GARBAGE).max(self.low);
        self.read(from, |message| {
            if let Ok((event, incarnation)) = message::event(&mut decoder, message) {
                let (position, incarnation) = (event.position, incarnation.to_string());
                let repeat = newest.as_ref().is_some_and(|(_, known)| {
                    known.incarnation == incarnation && known.position > position
                });
                if !repeat {
                    let head = LogHead {
                        position,
                        incarnation,
                    };
                    newest = Some((message.timestamp().to_millis().unwrap_or(0), head));
                }
            }
            None::<()>
        })?;
        Ok(newest)
    }

    /// Collects events of one incarnation with positions behind `after`, up to `upto`.
    fn collect(
        &self,
        topic: &str,
        incarnation: &str,
        after: i64,
        upto: i64,
        found: &mut BTreeMap<i64, Recorded>,
    ) -> Result<(), LogError> {
        let (mut low, mut high) = (self.low, self.high);
        while high - low > DISORDER {
            let middle = low + (high - low) / 2;
            let event = self.event_at(topic, middle)?;
            let later = event
                .is_some_and(|(_, head)| head.incarnation == incarnation && head.position > after);
            if later {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        let mut decoder = Decoder::new(topic);
        let mut beyond = 0;
        self.read((low - DISORDER).max(self.low), |message| {
            let (event, of) = message::event(&mut decoder, message).ok()?;
            if *of == *incarnation && event.position > upto {
                beyond += 1;
            } else if *of == *incarnation && event.position > after {
                found.insert(event.position, event);
            }
            (beyond > DISORDER).then_some(())
        })?;
        Ok(())
    }
}
