//! The life of a message.

use contracts::notifications::MessageStatus;
use kernel::testing::{Given, given};

use super::fixtures::{NOW, arc, ask, names, queued};
use crate::message::{Ask, Message};

fn fresh() -> Given<Message> {
    given::<Message>([queued().into()])
}

fn retrying() -> Given<Message> {
    let mut message = fresh();
    let later = Some(NOW.plus_seconds(60));
    let failed = Ask::Failed(1, later, "no_connection".into());
    message.when(ask(failed)).expect("recorded");
    message
}

#[test]
fn a_message_is_queued_once() {
    let mut message = given::<Message>([]);
    let queue = || ask(Ask::Queue(arc(queued())));
    assert_eq!(names(&message.when(queue()).expect("queued")), ["queued"]);
    assert_eq!(message.state.pending, Some(1));
    assert!(message.when(queue()).expect("nothing").is_empty());
}

#[test]
fn a_sent_message_stays_sent() {
    let mut message = fresh();
    let sent = || ask(Ask::Sent(1, "smtp".into(), "<a@b>".into()));
    assert_eq!(names(&message.when(sent()).expect("sent")), ["sent"]);
    assert!(message.when(sent()).expect("nothing").is_empty());
    let late = ask(Ask::Failed(1, None, "timeout".into()));
    assert!(message.when(late).expect("nothing").is_empty());
    assert!(message.when(ask(Ask::Due(2))).expect("nothing").is_empty());
    assert_eq!(message.state.status, MessageStatus::Sent);
    assert_eq!(message.state.pending, None);
}

#[test]
fn a_failed_attempt_is_made_again_when_it_is_due() {
    let mut message = retrying();
    assert_eq!(message.state.status, MessageStatus::Retrying);
    assert_eq!(message.state.retry_at, Some(NOW.plus_seconds(60)));
    for wrong in [1, 3] {
        assert!(
            message
                .when(ask(Ask::Due(wrong)))
                .expect("nothing")
                .is_empty()
        );
    }
    assert_eq!(
        names(&message.when(ask(Ask::Due(2))).expect("due")),
        ["due"]
    );
    assert_eq!(
        (message.state.pending, message.state.retry_at),
        (Some(2), None)
    );
    assert!(message.when(ask(Ask::Due(2))).expect("nothing").is_empty());
    let sent = ask(Ask::Sent(2, "smtp".into(), "<a@b>".into()));
    assert_eq!(names(&message.when(sent).expect("sent")), ["sent"]);
    assert_eq!((message.state.attempts, &message.state.reason), (2, &None));
}

#[test]
fn what_was_given_up_waits_for_staff_whose_wish_begins_patience_anew() {
    let mut message = fresh();
    let failed = ask(Ask::Failed(1, None, "refused:550".into()));
    message.when(failed).expect("recorded");
    assert_eq!(message.state.status, MessageStatus::Failed);
    assert!(message.when(ask(Ask::Due(2))).expect("nothing").is_empty());
    let resend = || ask(Ask::Resend("staff:usr_1".into()));
    assert_eq!(names(&message.when(resend()).expect("due")), ["due"]);
    assert_eq!((message.state.resends, message.state.patience_from), (1, 1));
    let refused = message.when(resend()).expect_err("on its way");
    assert_eq!(refused.code, "under-way");
}

#[test]
fn staff_need_not_wait_for_the_clock() {
    let mut message = retrying();
    let resend = ask(Ask::Resend("staff:usr_1".into()));
    assert_eq!(names(&message.when(resend).expect("due")), ["due"]);
    assert_eq!(message.state.retry_at, None);
    assert!(message.when(ask(Ask::Due(2))).expect("nothing").is_empty());
}

#[test]
fn only_what_was_sent_comes_back_and_once() {
    let bounce = || ask(Ask::Bounce(true, Some("5.1.1".into())));
    assert!(fresh().when(bounce()).expect("nothing").is_empty());
    let mut message = fresh();
    message
        .when(ask(Ask::Sent(1, "smtp".into(), "<a@b>".into())))
        .expect("sent");
    assert_eq!(names(&message.when(bounce()).expect("back")), ["bounced"]);
    assert!(message.when(bounce()).expect("nothing").is_empty());
    assert_eq!(message.state.reason.as_deref(), Some("5.1.1"));
}

#[test]
fn what_there_is_not_cannot_be_sent_again() {
    let mut nothing = given::<Message>([]);
    let resend = nothing.when(ask(Ask::Resend("staff:usr_1".into())));
    assert_eq!(resend.expect_err("nothing").code, "not-found");
    assert!(nothing.when(ask(Ask::Due(1))).expect("nothing").is_empty());
}

#[test]
fn what_is_not_to_be_sent_is_not_sent() {
    let mut message = fresh();
    let suppress = || ask(Ask::Suppress(1, "no_consent".into()));
    let events = message.when(suppress()).expect("suppressed");
    assert_eq!(names(&events), ["suppressed"]);
    assert!(message.when(suppress()).expect("nothing").is_empty());
    assert_eq!(message.state.status, MessageStatus::Suppressed);
}
