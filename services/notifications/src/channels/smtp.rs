//! E-mail by SMTP (RFC 5321), over TLS where the address says so.

use std::{sync::OnceLock, time::Duration};

use kernel::BoxFuture;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{AsyncSmtpTransportBuilder, Error, PoolConfig, extension::ClientId},
};

use super::{Driver, NotSent, Outgoing, mail};

/// How long the server may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Connections kept open.
const CONNECTIONS: u32 = 8;

/// What is wrong with the settings. Never shows the address: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpError {
    /// The server's address.
    #[error("the mail server must be like smtp://user:password@host:587 or smtps://host:465")]
    Server,
    /// The sender.
    #[error("the sender must be like `Shop <shop@example.org>`")]
    From,
}

/// A mail server.
pub struct Smtp {
    builder: AsyncSmtpTransportBuilder,
    /// Made at the first use, when there is an async runtime to run it.
    transport: OnceLock<AsyncSmtpTransport<Tokio1Executor>>,
    from: Mailbox,
    shown: String,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Smtp({})", self.shown)
    }
}

impl Smtp {
    /// The server at `url` (`smtp://`, with `?tls=required` for STARTTLS, or `smtps://`), for mail
    /// from `from`.
    pub fn new(url: &str, from: &str) -> Result<Self, SmtpError> {
        Self::patient(url, from, TIMEOUT)
    }

    /// The same with another time limit for each answer of the server.
    pub fn patient(url: &str, from: &str, timeout: Duration) -> Result<Self, SmtpError> {
        let from: Mailbox = from.parse().map_err(|_| SmtpError::From)?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
        let builder = builder
            .map_err(|_| SmtpError::Server)?
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .timeout(Some(timeout))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS));
        Ok(Self {
            builder,
            transport: OnceLock::new(),
            from,
            shown: masked(url),
        })
    }

    fn transport(&self) -> &AsyncSmtpTransport<Tokio1Executor> {
        self.transport.get_or_init(|| self.builder.clone().build())
    }
}

/// A server's address without what is secret in it.
pub fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "***".into();
    };
    let place = rest.split('?').next().unwrap_or_default();
    match place.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}"),
        None => format!("{scheme}://{place}"),
    }
}

impl Driver for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn send<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<String, NotSent>> {
        Box::pin(async move {
            let built = mail::mail(&self.from, message)?;
            let sent = self.transport().send(built).await;
            sent.map_err(|error| failure(&error))?;
            Ok(mail::message_id(&self.from, message))
        })
    }
}

/// Five hundreds that say that the reader's mailbox will never take it; others are about us (a
/// password that is wrong, a mailbox that is full) and may pass.
const NEVER: [u16; 4] = [550, 551, 553, 554];

fn failure(error: &Error) -> NotSent {
    if let Some(code) = error.status() {
        let code = u16::from(code);
        let reason = format!("refused:{code}");
        return match NEVER.contains(&code) {
            true => NotSent::Never(reason),
            false => NotSent::Later(reason),
        };
    }
    // Whether it was taken is not known when the connection broke late; the repeat has the same
    // Message-ID.
    NotSent::Later(match error {
        error if error.is_timeout() => "timeout".into(),
        error if error.is_tls() => "tls".into(),
        error if error.is_client() => "client".into(),
        _ => "no_connection".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked_and_never_shown_whole() {
        let from = "Souk <shop@shop.example>";
        let secret = "smtp://user:pass%40word@mail.example:2525?tls=required";
        let smtp = Smtp::new(secret, from).expect("good settings");
        assert_eq!(format!("{smtp:?}"), "Smtp(smtp://***@mail.example:2525)");
        assert!(Smtp::new("smtps://mail.example", from).is_ok());
        for bad in ["mail.example", "http://mail.example", "", "smtp://"] {
            let refused = Smtp::new(bad, from).expect_err(bad);
            assert_eq!(refused, SmtpError::Server);
        }
        let refused = Smtp::new("smtp://mail.example", "nobody").expect_err("no sender");
        assert_eq!(refused, SmtpError::From);
        assert_eq!(masked("nonsense"), "***");
    }
}
