//! What must hold whatever comes, in whatever order and however often.

use OperationKind::{Capture, Refund, Void};
use contracts::payments::{OperationKind, PaymentEvent};
use kernel::testing::{Given, given};
use proptest::prelude::*;

use crate::{
    fixtures::*,
    ledger::{REFUNDS, REVENUE, postings},
    payment::{Hold, Payment},
    provider::ProviderStatus,
    rules::Command,
};

fn statuses() -> impl Strategy<Value = ProviderStatus> {
    prop_oneof![
        3 => Just(ProviderStatus::Authorised),
        2 => Just(ProviderStatus::Captured),
        1 => Just(ProviderStatus::Pending),
        1 => Just(ProviderStatus::Voided),
        1 => Just(ProviderStatus::Declined { code: "no".into() }),
        1 => Just(ProviderStatus::ActionRequired { url: "http://x".into() }),
    ]
}

fn kinds() -> impl Strategy<Value = OperationKind> {
    prop_oneof![4 => Just(Capture), 4 => Just(Refund), 1 => Just(Void)]
}

/// Anything that can be asked of a payment, most of it lies.
fn commands() -> impl Strategy<Value = Command> {
    let amount = || -5i64..1_200;
    let id = || (0u8..12).prop_map(|n| format!("op_{n}"));
    let operations = proptest::collection::vec(
        (id(), kinds(), amount()).prop_map(|(id, kind, amount)| moved(&id, kind, amount)),
        0..3,
    );
    prop_oneof![
        1 => Just(Command::Intend(intended(1_000, "tok_visa"))),
        1 => Just(abandon()),
        1 => amount().prop_map(|amount| Command::CaptureUpTo(pounds(amount))),
        6 => (kinds(), proptest::option::of(amount())).prop_map(|(kind, amount)| ask_for(kind, amount)),
        6 => (statuses(), operations).prop_map(|(status, operations)| told_of(status, operations)),
        6 => (0i64..8, id(), amount()).prop_map(|(n, id, amount)| answered(n, &id, amount)),
        2 => (0i64..8).prop_map(|n| refused(n, "no")),
        2 => (0i64..8).prop_map(unknown),
        1 => Just(Command::NeverHappened { moment: moment() }),
        1 => (0i64..8, 0i64..3).prop_map(|(operation, attempt)| Command::Ask { operation, attempt }),
        1 => Just(Command::RetryCompensation),
    ]
}

/// Whether saying it again is saying nothing new.
fn is_news(command: &Command) -> bool {
    matches!(
        command,
        Command::Intend(_)
            | Command::Abandon { .. }
            | Command::Seen { .. }
            | Command::Answered { .. }
            | Command::Refused { .. }
    )
}

fn check(payment: &Payment) -> Result<(), TestCaseError> {
    prop_assert!(0 <= payment.refunded && payment.refunded <= payment.captured);
    prop_assert!(payment.captured <= payment.authorised);
    prop_assert!(payment.refundable() >= 0, "also if all under way succeeds");
    prop_assert!(payment.capturable() >= 0);
    let idle = !payment.operations.iter().any(|o| o.open()) && !payment.retry_pending;
    if payment.unwanted && payment.intent.is_some() && idle {
        prop_assert_eq!(payment.captured, payment.refunded, "nothing may be kept");
        prop_assert!(
            payment.hold != Hold::Authorised || payment.captured > 0,
            "nor held"
        );
    }
    let mut ids: Vec<_> = payment
        .operations
        .iter()
        .filter_map(|o| o.provider_operation.as_ref())
        .collect();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    prop_assert_eq!(
        ids.len(),
        count,
        "each operation of the provider is booked once"
    );
    Ok(())
}

/// The accounts after `events`: receivables, revenue, refunds. Each posting must sum to nothing.
fn accounts(events: &[PaymentEvent]) -> Result<(i64, i64, i64), TestCaseError> {
    let (mut receivable, mut revenue, mut refunds) = (0, 0, 0);
    for event in events {
        let lines = postings(event);
        prop_assert_eq!(lines.iter().map(|line| line.amount.amount).sum::<i64>(), 0);
        for line in lines {
            match line.account.as_str() {
                REVENUE => revenue += line.amount.amount,
                REFUNDS => refunds += line.amount.amount,
                "provider:sandbox:receivable" => receivable += line.amount.amount,
                other => prop_assert!(false, "an unknown account {other}"),
            }
        }
    }
    Ok((receivable, revenue, refunds))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn lies_and_repeats_never_move_money_that_is_not_there(commands in proptest::collection::vec(commands(), 1..40)) {
        let mut payment = given::<Payment>([]);
        let mut all = payment.when(Command::Intend(intended(1_000, "tok_visa"))).expect("intended");
        for command in commands {
            let Ok(events) = payment.when(command.clone()) else { continue };
            all.extend(events);
            check(&payment.state)?;
            if is_news(&command) {
                let again = payment.when(command.clone()).expect("it was taken before");
                prop_assert!(again.is_empty(), "{:?} again led to {:?}", command, again);
            }
        }
        let authorised = all.iter().filter(|e| matches!(e, PaymentEvent::Authorised(_))).count();
        prop_assert!(authorised <= 1, "authorised {} times", authorised);
        let (receivable, revenue, refunds) = accounts(&all)?;
        prop_assert_eq!(receivable, payment.state.captured - payment.state.refunded);
        prop_assert_eq!(-revenue, payment.state.captured);
        prop_assert_eq!(refunds, payment.state.refunded);
        let mut replayed = given::<Payment>(all);
        prop_assert_eq!(&mut replayed.state, &mut payment.state, "the events are the whole truth");
    }
}

/// An honest provider, as the sandbox is one, with its answers and webhooks still on their way.
#[derive(Default)]
struct Honest {
    captured: i64,
    refunded: i64,
    voided: bool,
    /// Number of our operation → the answer it got.
    answers: Vec<(i64, Command)>,
    made: usize,
    letters: Vec<Command>,
}

impl Honest {
    fn status(&self) -> ProviderStatus {
        match (self.voided, self.captured) {
            (true, _) => ProviderStatus::Voided,
            (_, 0) => ProviderStatus::Authorised,
            _ => ProviderStatus::Captured,
        }
    }

    fn act(&mut self, kind: OperationKind, amount: i64) -> Option<String> {
        match kind {
            Capture if !self.voided && self.captured + amount <= 1_000 => self.captured += amount,
            Refund if self.refunded + amount <= self.captured => self.refunded += amount,
            Void if !self.voided && self.captured == 0 => self.voided = true,
            _ => return None,
        }
        self.made += 1;
        let id = format!("op_{}", self.made);
        let operations = match kind {
            Void => vec![],
            kind => vec![moved(&id, kind, amount)],
        };
        self.letters.push(told_of(self.status(), operations));
        Some(id)
    }

    /// Carries out what `events` ask for, once per number; the answers get on their way.
    fn work(&mut self, events: &[PaymentEvent]) {
        for event in events {
            let PaymentEvent::OperationRequested(e) = event else {
                continue;
            };
            let answer = match self.act(e.kind, e.amount.amount) {
                Some(id) => answered(e.operation, &id, e.amount.amount),
                None => refused(e.operation, "wrong_state"),
            };
            self.answers.push((e.operation, answer.clone()));
            self.letters.push(answer);
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Staff(OperationKind, i64),
    Cancel,
    /// At the provider itself, not through us.
    Outside(OperationKind, i64),
    /// The letter at this place arrives, and perhaps again later.
    Deliver(usize, bool),
    /// It gets lost.
    Lose(usize),
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (kinds(), 1i64..700).prop_map(|(kind, amount)| Step::Staff(kind, amount)),
        1 => Just(Step::Cancel),
        1 => (kinds(), 1i64..300).prop_map(|(kind, amount)| Step::Outside(kind, amount)),
        8 => (any::<usize>(), any::<bool>()).prop_map(|(n, twice)| Step::Deliver(n, twice)),
        2 => any::<usize>().prop_map(Step::Lose),
    ]
}

fn take(payment: &mut Given<Payment>, provider: &mut Honest, command: Command) {
    // Staff may ask for the impossible; all else is never refused.
    let staff = matches!(command, Command::Request(_));
    match payment.when(command) {
        Ok(events) => provider.work(&events),
        Err(refusal) => assert!(staff, "{refusal}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Answers and webhooks get lost, overtake each other and come twice. When all that is unknown
    /// has been asked for, the books are those of the provider.
    #[test]
    fn in_the_end_the_books_are_the_providers(steps in proptest::collection::vec(steps(), 1..40)) {
        let mut payment = authorised([]);
        let mut provider = Honest::default();
        let mut cancelled = false;
        for step in steps {
            match step {
                Step::Staff(kind, amount) => take(&mut payment, &mut provider, ask_for(kind, Some(amount))),
                Step::Cancel => {
                    cancelled = true;
                    take(&mut payment, &mut provider, abandon());
                }
                Step::Outside(kind, amount) => drop(provider.act(kind, amount)),
                Step::Lose(n) if !provider.letters.is_empty() => {
                    let n = n % provider.letters.len();
                    // A webhook is sent until it is taken; only an answer can be lost for good.
                    if matches!(provider.letters[n], Command::Answered { .. } | Command::Refused { .. }) {
                        provider.letters.remove(n);
                    }
                }
                Step::Deliver(n, twice) if !provider.letters.is_empty() => {
                    let n = n % provider.letters.len();
                    let letter = provider.letters.remove(n);
                    provider.letters.extend(twice.then(|| letter.clone()));
                    take(&mut payment, &mut provider, letter);
                }
                Step::Lose(_) | Step::Deliver(..) => {}
            }
            check(&payment.state)?;
        }
        // The rest arrives; what stays unknown is asked for; what was refused is tried again.
        for _ in 0..200 {
            if let Some(letter) = provider.letters.pop() {
                take(&mut payment, &mut provider, letter);
            } else if let Some(open) = payment.state.operations.iter().find(|o| o.open()) {
                let (_, answer) = provider.answers.iter().find(|(n, _)| *n == open.number).expect("it was carried out");
                provider.letters.push(answer.clone());
            } else if payment.state.retry_pending {
                take(&mut payment, &mut provider, Command::RetryCompensation);
                if payment.state.retry_pending { break }
            } else {
                break;
            }
            check(&payment.state)?;
        }
        prop_assert_eq!(payment.state.captured, provider.captured);
        prop_assert_eq!(payment.state.refunded, provider.refunded);
        prop_assert_eq!(payment.state.hold == Hold::Voided, provider.voided);
        prop_assert!(payment.state.heard.is_empty());
        if cancelled {
            prop_assert_eq!(provider.captured, provider.refunded, "nothing was kept");
            prop_assert!(provider.voided || provider.captured > 0, "nor held");
        }
    }
}
