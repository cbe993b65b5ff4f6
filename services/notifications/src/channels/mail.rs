//! A message as an e-mail (RFC 5322): multipart text and HTML, with the headers that let receivers
//! recognise a repeat, hold back their own automatic answers, and offer "unsubscribe" themselves.

use std::time::{Duration, SystemTime};

use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};

use super::{NotSent, Outgoing};

/// The e-mail of a message. Headers are built from checked values and encoded by the library, so
/// nothing in a name or a subject can begin another header.
pub fn mail(from: &Mailbox, outgoing: &Outgoing) -> Result<Message, NotSent> {
    let to: Address = outgoing
        .to
        .trim()
        .parse()
        .map_err(|_| NotSent::Never("bad_address".into()))?;
    let name = outgoing.name.as_deref().map(plain);
    let since = Duration::from_micros(outgoing.at.0.max(0).unsigned_abs());
    let mut builder = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(name.filter(|name| !name.is_empty()), to))
        .subject(plain(&outgoing.subject))
        .message_id(Some(message_id(from, outgoing)))
        .date(SystemTime::UNIX_EPOCH + since)
        // RFC 3834: no answers by machines to what a machine wrote.
        .raw_header(header("Auto-Submitted", "auto-generated"));
    if let Some(url) = &outgoing.unsubscribe {
        // RFC 2369 and, for the one click, RFC 8058.
        builder = builder
            .raw_header(header("List-Unsubscribe", &format!("<{url}>")))
            .raw_header(header(
                "List-Unsubscribe-Post",
                "List-Unsubscribe=One-Click",
            ));
    }
    let text = outgoing.text.clone();
    let built = match &outgoing.html {
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(text, html.clone())),
        None => builder.singlepart(SinglePart::plain(text)),
    };
    built.map_err(|_| NotSent::Never("bad_message".into()))
}

/// `<reference@our domain>`: the same on every attempt.
pub fn message_id(from: &Mailbox, outgoing: &Outgoing) -> String {
    format!("<{}@{}>", outgoing.reference, from.email.domain())
}

/// Text for a header: control characters, line ends above all, become spaces.
fn plain(text: &str) -> String {
    let spaced = text.replace(|c: char| c.is_control(), " ");
    spaced.trim().to_owned()
}

/// A header of our own making: printable ASCII.
fn header(name: &'static str, value: &str) -> HeaderValue {
    let value: String = value.chars().filter(char::is_ascii_graphic).collect();
    HeaderValue::dangerous_new_pre_encoded(
        HeaderName::new_from_ascii_str(name),
        value.clone(),
        value,
    )
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn outgoing(name: &str, subject: &str) -> Outgoing {
        Outgoing {
            message_id: "order_confirmed-ord_1".into(),
            reference: "abc".into(),
            to: "ann@example.org".into(),
            name: Some(name.into()),
            subject: subject.into(),
            text: "Hello".into(),
            html: Some("<p>Hello</p>".into()),
            unsubscribe: Some("https://shop.example/u?a=1&b=2".into()),
            at: Timestamp(1_904_047_500_000_000),
        }
    }

    fn written(outgoing: &Outgoing) -> String {
        let from: Mailbox = "Souk <shop@shop.example>".parse().expect("a mailbox");
        let mail = mail(&from, outgoing).expect("a mail");
        String::from_utf8(mail.formatted()).expect("text")
    }

    /// The headers' names, in order.
    fn headers(mail: &str) -> Vec<&str> {
        let head = mail.split("\r\n\r\n").next().expect("a head");
        let lines = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']));
        lines.filter_map(|line| line.split(':').next()).collect()
    }

    #[test]
    fn a_mail_says_what_it_is_and_how_to_end_it() {
        let mail = written(&outgoing("Ann", "Your order"));
        assert!(
            mail.contains("Message-ID: <abc@shop.example>\r\n"),
            "{mail}"
        );
        assert!(mail.contains("List-Unsubscribe: <https://shop.example/u?a=1&b=2>\r\n"));
        assert!(mail.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
        assert!(mail.contains("Auto-Submitted: auto-generated\r\n"));
        assert!(mail.contains("Date: Fri, 03 May 2030 14:05:00 +0000\r\n"));
        assert!(mail.contains("multipart/alternative"));
        assert!(mail.contains("text/plain") && mail.contains("text/html"));
    }

    #[test]
    fn a_bad_address_is_never_written_to() {
        let mut bad = outgoing("Ann", "x");
        for address in [
            "ann",
            "ann@example.org\r\nBcc: eve@example.org",
            "a b@c.d",
            "",
        ] {
            bad.to = address.into();
            let from: Mailbox = "shop@shop.example".parse().expect("a mailbox");
            let refused = mail(&from, &bad).err();
            assert_eq!(
                refused,
                Some(NotSent::Never("bad_address".into())),
                "{address}"
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_in_a_name_or_subject_begins_a_header(
            name in "\\PC{0,20}(\r|\n|\r\n|\u{85}|\u{2028}|\0)?(Bcc: eve@example.org)?\\PC{0,20}",
            subject in "\\PC{0,60}(\r|\n|\r\n|\u{85}|\u{2028}|\0)?(Bcc: eve@example.org\r\n\r\nX)?\\PC{0,60}",
        ) {
            let usual = written(&outgoing("Ann", "x"));
            let hostile = written(&outgoing(&name, &subject));
            prop_assert_eq!(headers(&hostile), headers(&usual));
        }
    }
}
