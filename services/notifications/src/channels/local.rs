//! Drivers that reach nobody: for development, and for channels a shop has no provider for.

use std::path::PathBuf;

use kernel::BoxFuture;

use super::{Driver, NotSent, Outgoing};

/// Keeps messages where they are: in the service, sealed, to be read by staff and, on one's own
/// machine, at `/dev/mail`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outbox;

impl Driver for Outbox {
    fn name(&self) -> &'static str {
        "outbox"
    }

    fn send<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<String, NotSent>> {
        Box::pin(std::future::ready(Ok(message.reference.clone())))
    }
}

/// Says in the log that there was a message; neither what it said nor to whom.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

impl Driver for Log {
    fn name(&self) -> &'static str {
        "log"
    }

    fn send<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<String, NotSent>> {
        tracing::info!(message = %message.message_id, "a message goes nowhere");
        Box::pin(std::future::ready(Ok(message.reference.clone())))
    }
}

/// Writes each message into a file of its own, readable by whoever may read the folder: for trying
/// out text messages and push notifications, not for a shop with customers.
#[derive(Clone, Debug)]
pub struct Files {
    /// The folder; made if it is not there.
    pub folder: PathBuf,
}

impl Files {
    async fn write(&self, message: &Outgoing) -> std::io::Result<()> {
        tokio::fs::create_dir_all(&self.folder).await?;
        let text = format!(
            "To: {}\nSubject: {}\n\n{}\n",
            message.to, message.subject, message.text
        );
        // The same name for a repeat: it replaces what was there.
        let path = self.folder.join(format!("{}.txt", message.reference));
        tokio::fs::write(path, text).await
    }
}

impl Driver for Files {
    fn name(&self) -> &'static str {
        "files"
    }

    fn send<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<String, NotSent>> {
        Box::pin(async move {
            let written = self.write(message).await;
            written.map_err(|error| NotSent::Later(format!("file:{}", error.kind())))?;
            Ok(message.reference.clone())
        })
    }
}
