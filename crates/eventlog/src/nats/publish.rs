//! Publishing: events into the topic's stream, heads to whoever listens just now.

use std::{sync::Arc, time::Duration};

use async_nats::client::PublishErrorKind as ClientErrorKind;
use async_nats::jetstream::{
    ErrorCode,
    context::{CreateStreamErrorKind, PublishErrorKind},
    message::PublishMessage,
    stream::{Config as StreamConfig, DiscardPolicy, RetentionPolicy, StorageType},
};
use kernel::Recorded;

use super::{NatsBroker, Storage, message, unavailable};
use crate::{LogError, LogHead, announcement};

/// A stream is not made smaller than this, in bytes.
const LEAST_BYTES: i64 = 8 * 1024 * 1024;
/// What a server says that has not the room to reserve (memory, disk, an account's share).
const NO_ROOM: [ErrorCode; 4] = [
    ErrorCode::INSUFFICIENT_RESOURCES,
    ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
    ErrorCode::MEMORY_RESOURCES_EXCEEDED,
    ErrorCode::STORAGE_RESOURCES_EXCEEDED,
];
/// How long the server knows repeats.
const DUPLICATES: Duration = Duration::from_secs(120);

/// An event and its subject.
type Addressed<'a> = (String, &'a Arc<Recorded>);

/// What the answers to the first and the last message say of those between.
enum Sent {
    All,
    Doubtful,
}

fn warn_too_large(event: &Recorded) {
    // Our readers see the gap and read it from the store.
    tracing::warn!(event = %event.id(), bytes = event.data.len(), "an event is larger than NATS takes; listeners outside will not see it");
}

impl NatsBroker {
    /// Sends all, then waits for the server to have them all.
    pub(super) async fn publish_all(
        &self,
        topic: &str,
        incarnation: &str,
        events: &[Arc<Recorded>],
    ) -> Result<(), LogError> {
        self.reachable()?;
        self.ensure_stream(topic).await?;
        let mut messages = Vec::with_capacity(events.len());
        for event in events {
            let Some(subject) = self.subject(topic, event) else {
                tracing::error!(event = %event.id(), "an event's type cannot be a subject; NATS does not get it");
                continue;
            };
            messages.push((subject, event));
        }
        let sent = self.send(incarnation, &messages).await;
        if sent.is_err() {
            self.note_stream(topic, false);
        }
        match sent? {
            Sent::All => Ok(()),
            // Repeats among them, or some were not kept: now each must say so.
            Sent::Doubtful => self.send_one_by_one(incarnation, &messages).await,
        }
    }

    /// Asks for answers to the first and the last only, which saves the server and us most of the
    /// work. What one connection sends is stored in order, so the numbers in the two answers are
    /// as far apart as there are messages, or farther if somebody else publishes too.
    async fn send(&self, incarnation: &str, messages: &[Addressed<'_>]) -> Result<Sent, LogError> {
        let mut answers = Vec::with_capacity(2);
        let (mut count, last) = (0u64, messages.len().saturating_sub(1));
        for (index, (subject, event)) in messages.iter().enumerate() {
            let (headers, payload) = message::write(event, incarnation);
            let subject = subject.clone();
            let sent = if index == 0 || index == last {
                let message = PublishMessage::build().headers(headers).payload(payload);
                let sent = self.jetstream.send_publish(subject, message).await;
                sent.map(|answer| answers.push(answer))
                    .map_err(|e| match e.kind() {
                        PublishErrorKind::MaxPayloadExceeded => None,
                        kind => Some(unavailable(kind)),
                    })
            } else {
                let sent = self.client.publish_with_headers(subject, headers, payload);
                sent.await.map_err(|e| match e.kind() {
                    ClientErrorKind::MaxPayloadExceeded => None,
                    kind => Some(unavailable(kind)),
                })
            };
            match sent {
                Ok(()) => count += 1,
                Err(None) => warn_too_large(event),
                Err(Some(error)) => return Err(error),
            }
        }
        let mut numbers = Vec::with_capacity(2);
        for answer in answers {
            numbers.push(answer.await.map_err(|e| unavailable(e.kind()))?.sequence);
        }
        let all = match *numbers {
            [first, last] => last >= first.saturating_add(count - 1),
            [_] => count == 1,
            _ => count == 0,
        };
        Ok(if all { Sent::All } else { Sent::Doubtful })
    }

    async fn send_one_by_one(
        &self,
        incarnation: &str,
        messages: &[Addressed<'_>],
    ) -> Result<(), LogError> {
        let mut answers = Vec::with_capacity(messages.len());
        for (subject, event) in messages {
            let (headers, payload) = message::write(event, incarnation);
            let message = PublishMessage::build().headers(headers).payload(payload);
            match self.jetstream.send_publish(subject.clone(), message).await {
                Ok(answer) => answers.push(answer),
                Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                    warn_too_large(event);
                }
                Err(error) => return Err(unavailable(error.kind())),
            }
        }
        for answer in answers {
            answer.await.map_err(|e| unavailable(e.kind()))?;
        }
        Ok(())
    }

    /// Tells how far a topic reaches.
    pub(super) async fn announce_head(&self, topic: &str, head: &LogHead) -> Result<(), LogError> {
        self.reachable()?;
        let text = announcement::write(head).into();
        let sent = self.client.publish(self.heads(topic), text).await;
        sent.map_err(|e| unavailable(e.kind()))
    }

    /// Makes the topic's stream, or brings its settings up to date.
    async fn ensure_stream(&self, topic: &str) -> Result<(), LogError> {
        if self.stream_is_there(topic) {
            return Ok(());
        }
        if !super::config::is_token(topic) || matches!(topic, "heads" | "inbound") {
            return Err(LogError::NoTopic(topic.to_owned()));
        }
        if self.config.manage {
            let name = self.stream_name(topic);
            self.make_stream(
                name,
                self.subjects(topic),
                self.config.storage,
                self.config.max_age,
            )
            .await?;
        }
        self.note_stream(topic, true);
        Ok(())
    }

    /// Makes a stream, or changes what may be changed of it. A server reserves room for all that a
    /// stream may hold; where there is little, the stream holds less.
    pub(super) async fn make_stream(
        &self,
        name: String,
        subjects: String,
        storage: Storage,
        max_age: Duration,
    ) -> Result<(), LogError> {
        let mut config = StreamConfig {
            name: name.clone(),
            subjects: vec![subjects],
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::Old,
            max_bytes: self.config.max_bytes,
            max_messages: -1,
            max_messages_per_subject: -1,
            max_consumers: -1,
            max_age,
            duplicate_window: DUPLICATES.min(max_age),
            storage: match storage {
                Storage::File => StorageType::File,
                Storage::Memory => StorageType::Memory,
            },
            num_replicas: self.config.replicas,
            ..Default::default()
        };
        let error = loop {
            let made = self.jetstream.create_or_update_stream(config.clone()).await;
            let Err(error) = made else {
                return Ok(());
            };
            let no_room = match error.kind() {
                CreateStreamErrorKind::JetStream(why) => NO_ROOM.contains(&why.error_code()),
                _ => false,
            };
            if !no_room || config.max_bytes / 4 < LEAST_BYTES {
                break error;
            }
            config.max_bytes /= 4;
            tracing::warn!(
                stream = name,
                max_bytes = config.max_bytes,
                "NATS has little room; the stream keeps less"
            );
        };
        // Perhaps it is there with settings that cannot be changed (its storage), or somebody
        // else looks after it: then it will do as it is.
        if self.jetstream.get_stream(&name).await.is_err() {
            let kind = error.kind();
            return Err(unavailable(format!(
                "cannot make the stream {name}: {kind}"
            )));
        }
        tracing::warn!(stream = name, reason = %error.kind(), "a stream's settings could not be changed; using it as it is");
        Ok(())
    }
}
