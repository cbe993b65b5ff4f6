//! Publishing: events into the topic's stream, heads to whoever listens just now.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{
    ErrorCode,
    context::{CreateStreamErrorKind, PublishErrorKind},
    message::PublishMessage,
    stream::{Config as StreamConfig, DiscardPolicy, RetentionPolicy, StorageType},
};
use bytes::Bytes;
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
        let mut answers = Vec::with_capacity(events.len());
        for event in events {
            let Some(subject) = self.subject(topic, event) else {
                tracing::error!(event = %event.id(), "an event's type cannot be a subject; NATS does not get it");
                continue;
            };
            let message = PublishMessage::build()
                .headers(message::headers(event, incarnation))
                .payload(Bytes::copy_from_slice(event.data.as_bytes()));
            match self.jetstream.send_publish(subject, message).await {
                Ok(answer) => answers.push(answer),
                Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                    // Our readers see the gap and read it from the store.
                    tracing::warn!(event = %event.id(), bytes = event.data.len(), "an event is larger than NATS takes; listeners outside will not see it");
                }
                Err(error) => return Err(unavailable(error.kind())),
            }
        }
        for answer in answers {
            if let Err(error) = answer.await {
                self.note_stream(topic, false);
                return Err(unavailable(error.kind()));
            }
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
