//! What a stream still has, for when its producer is away. Its messages are in the order in which
//! they arrived, which is nearly that of positions: several instances publish at once, and some
//! events come again.

use std::{collections::BTreeMap, time::Duration};

use async_nats::jetstream::{
    consumer::{AckPolicy, DeliverPolicy, pull},
    context::GetStreamErrorKind,
    stream::{LastRawMessageErrorKind, Stream},
};
use futures_util::StreamExt;
use kernel::Recorded;

use super::{NatsBroker, message, unavailable};
use crate::{LogError, LogHead, cloudevents::Decoder};

/// How far an event may stand behind its place in the stream.
const DISORDER: u64 = 1_024;
/// What is read at once at most.
const MOST: usize = 512;

impl NatsBroker {
    async fn stream_of(&self, topic: &str) -> Result<Option<Stream>, LogError> {
        self.reachable()?;
        match self.jetstream.get_stream(self.stream_name(topic)).await {
            Ok(stream) => Ok(Some(stream)),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(_) => Ok(None),
                kind => Err(unavailable(kind)),
            },
        }
    }

    /// The newest event of a topic that its stream has.
    pub(super) async fn newest_kept(&self, topic: &str) -> Result<Option<LogHead>, LogError> {
        let Some(stream) = self.stream_of(topic).await? else {
            return Ok(None);
        };
        let last = stream.cached_info().state.last_sequence;
        let Some((_, head)) = at_or_before(&stream, topic, last).await? else {
            return Ok(None);
        };
        Ok(Some(head))
    }

    /// What a topic's stream has behind `after`.
    pub(super) async fn kept(
        &self,
        topic: &str,
        incarnation: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Recorded>, LogError> {
        let Some(stream) = self.stream_of(topic).await? else {
            return Ok(Vec::new());
        };
        let Some(from) = place(&stream, topic, incarnation, after).await? else {
            return Ok(Vec::new());
        };
        let limit = limit.min(MOST);
        let window = limit + 2 * DISORDER as usize;
        let found = fetch(&stream, topic, incarnation, from, window).await?;
        let from_after = found.into_iter().filter(|(position, _)| *position > after);
        let run = (after + 1..).zip(from_after).take(limit);
        let run = run.take_while(|(expected, (position, _))| expected == position);
        Ok(run.map(|(_, (_, event))| event).collect())
    }
}

/// The sequence from which to read in order to find what is behind `after`.
async fn place(
    stream: &Stream,
    topic: &str,
    incarnation: &str,
    after: i64,
) -> Result<Option<u64>, LogError> {
    let state = &stream.cached_info().state;
    let (mut low, mut high) = (state.first_sequence, state.last_sequence);
    if state.messages == 0 {
        return Ok(None);
    }
    // Among the messages in `low..=high`, the first one of this incarnation behind `after`.
    while low < high {
        let middle = low + (high - low) / 2;
        let found = at_or_before(stream, topic, middle).await?;
        let later =
            found.is_some_and(|(_, head)| head.incarnation == incarnation && head.position > after);
        if later {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(Some(low.saturating_sub(DISORDER).max(state.first_sequence)))
}

/// The last event of the topic at or before a sequence. Garbage is passed over, but not for ever.
async fn at_or_before(
    stream: &Stream,
    topic: &str,
    sequence: u64,
) -> Result<Option<(u64, LogHead)>, LogError> {
    let mut decoder = Decoder::new(topic);
    let first = stream.cached_info().state.first_sequence.max(1);
    for sequence in (first..=sequence).rev().take(64) {
        let message = match stream.get_raw_message(sequence).await {
            Ok(message) => message,
            // It was dropped meanwhile, or deleted.
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => continue,
            Err(error) => return Err(unavailable(error.kind())),
        };
        let read = message::event(&mut decoder, &message.payload);
        if let Ok((event, incarnation)) = read {
            let head = LogHead {
                position: event.position,
                incarnation: incarnation.to_string(),
            };
            return Ok(Some((sequence, head)));
        }
    }
    Ok(None)
}

/// Events of one incarnation among the messages behind a sequence, by position.
async fn fetch(
    stream: &Stream,
    topic: &str,
    incarnation: &str,
    from: u64,
    count: usize,
) -> Result<BTreeMap<i64, Recorded>, LogError> {
    let consumer = stream.create_consumer(pull::Config {
        deliver_policy: DeliverPolicy::ByStartSequence {
            start_sequence: from,
        },
        ack_policy: AckPolicy::None,
        inactive_threshold: Duration::from_secs(30),
        memory_storage: true,
        num_replicas: 1,
        ..Default::default()
    });
    let consumer = consumer.await.map_err(|e| unavailable(e.kind()))?;
    let messages = consumer.fetch().max_messages(count).messages().await;
    let mut messages = messages.map_err(|e| unavailable(e.kind()))?;
    let mut decoder = Decoder::new(topic);
    let mut found = BTreeMap::new();
    while let Some(message) = messages.next().await {
        let message = message.map_err(unavailable)?;
        let read = message::event(&mut decoder, &message.payload);
        if let Ok((event, of)) = read
            && *of == *incarnation
        {
            found.insert(event.position, event);
        }
    }
    let name = &consumer.cached_info().name;
    // It would go by itself.
    let _ = stream.delete_consumer(name).await;
    Ok(found)
}
