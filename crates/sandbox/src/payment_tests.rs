use super::*;
use proptest::prelude::*;

fn authorised(amount: u64) -> Payment {
    open(amount, false, Verdict::Approve).0
}

fn after(mut payment: Payment, commands: &[Command]) -> Payment {
    for command in commands {
        for change in decide(&payment, *command).expect("the command is allowed") {
            payment.apply(change);
        }
    }
    payment
}

#[test]
fn a_good_card_is_authorised_and_nothing_is_taken() {
    let (payment, changes) = open(500, false, Verdict::Approve);
    assert_eq!(changes, [Change::Authorised]);
    assert_eq!((payment.status, payment.captured), (Status::Authorised, 0));
}

#[test]
fn capture_at_once_takes_everything_also_after_3ds() {
    let (payment, changes) = open(500, true, Verdict::Approve);
    assert_eq!(changes, [Change::Authorised, Change::Captured(500)]);
    assert_eq!(payment.captured, 500);

    let (waiting, changes) = open(500, true, Verdict::Challenge);
    assert_eq!(changes, [Change::ActionRequired]);
    assert_eq!(after(waiting, &[Command::Approve]).captured, 500);
}

#[test]
fn a_refused_challenge_is_a_decline_and_final() {
    let (waiting, _) = open(500, false, Verdict::Challenge);
    let refused = after(waiting, &[Command::Refuse]);
    assert_eq!(
        refused.decline_code,
        Some(DeclineCode::AuthenticationFailed)
    );
    assert_eq!(
        decide(&refused, Command::Approve),
        Err(Refusal::WrongState(Status::Declined))
    );
}

#[test]
fn captures_and_refunds_may_be_partial_but_never_too_much() {
    let payment = after(
        authorised(100),
        &[
            Command::Capture(Some(30)),
            Command::Capture(Some(20)),
            Command::Refund(Some(10)),
        ],
    );
    assert_eq!(
        decide(&payment, Command::Capture(Some(51))),
        Err(Refusal::TooMuch { left: 50 })
    );
    assert_eq!(
        decide(&payment, Command::Refund(Some(41))),
        Err(Refusal::TooMuch { left: 40 })
    );
    assert_eq!(
        decide(&payment, Command::Refund(Some(0))),
        Err(Refusal::ZeroAmount)
    );
    let settled = after(payment, &[Command::Capture(None), Command::Refund(None)]);
    assert_eq!((settled.captured, settled.refunded), (100, 100));
    assert_eq!(
        decide(&settled, Command::Refund(None)),
        Err(Refusal::TooMuch { left: 0 })
    );
}

#[test]
fn void_only_while_nothing_is_captured() {
    let voided = after(authorised(100), &[Command::Void]);
    assert_eq!(voided.status, Status::Voided);
    assert!(decide(&voided, Command::Capture(None)).is_err());
    let captured = after(authorised(100), &[Command::Capture(Some(1))]);
    assert_eq!(
        decide(&captured, Command::Void),
        Err(Refusal::WrongState(Status::Captured))
    );
}

fn any_command() -> impl Strategy<Value = Command> {
    let amount = prop_oneof![Just(0), 1..60_u64, Just(MAX_AMOUNT), Just(u64::MAX)];
    let amount = proptest::option::of(amount);
    prop_oneof![
        4 => amount.clone().prop_map(Command::Capture),
        4 => amount.prop_map(Command::Refund),
        1 => Just(Command::Void),
        1 => Just(Command::Approve),
        1 => Just(Command::Refuse),
    ]
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        3 => Just(Verdict::Approve),
        2 => Just(Verdict::Challenge),
        1 => Just(Verdict::Decline(DeclineCode::InsufficientFunds)),
    ]
}

proptest! {
    /// Whatever is asked in whatever order: the sums hold, the changes explain the state
    /// exactly, and final states stay final.
    #[test]
    fn the_sums_always_hold(
        amount in 1..200_u64,
        capture in any::<bool>(),
        verdict in any_verdict(),
        commands in proptest::collection::vec(any_command(), 0..40),
    ) {
        let (mut payment, mut history) = open(amount, capture, verdict);
        for command in commands {
            let before = payment;
            match decide(&payment, command) {
                Ok(changes) => {
                    prop_assert!(!changes.is_empty());
                    prop_assert!(!matches!(before.status, Status::Declined | Status::Voided));
                    for change in &changes {
                        payment.apply(*change);
                    }
                    history.extend(changes);
                }
                Err(_) => prop_assert_eq!(before, payment),
            }
            prop_assert_eq!(payment.amount, amount);
            prop_assert!(payment.captured <= payment.amount);
            prop_assert!(payment.refunded <= payment.captured);
            prop_assert_eq!(payment.captured > 0, payment.status == Status::Captured);
            prop_assert_eq!(payment.decline_code.is_some(), payment.status == Status::Declined);
        }
        let captured: u64 = history.iter().map(|c| if let Change::Captured(a) = c { *a } else { 0 }).sum();
        let refunded: u64 = history.iter().map(|c| if let Change::Refunded(a) = c { *a } else { 0 }).sum();
        prop_assert_eq!((captured, refunded), (payment.captured, payment.refunded));
        let authorisations = history.iter().filter(|c| **c == Change::Authorised).count();
        prop_assert!(authorisations <= 1);
        if captured > 0 { prop_assert_eq!(authorisations, 1); }
        if history.contains(&Change::Voided) { prop_assert_eq!(captured, 0); }
    }

    /// Asking for exactly what is left is always allowed; one more never is.
    #[test]
    fn the_limit_is_exact(amount in 2..MAX_AMOUNT, taken in 1..MAX_AMOUNT) {
        prop_assume!(taken < amount);
        let payment = after(authorised(amount), &[Command::Capture(Some(taken))]);
        let left = amount - taken;
        prop_assert_eq!(decide(&payment, Command::Capture(Some(left + 1))), Err(Refusal::TooMuch { left }));
        prop_assert_eq!(after(payment, &[Command::Capture(Some(left))]).captured, amount);
        prop_assert_eq!(decide(&payment, Command::Refund(Some(taken + 1))), Err(Refusal::TooMuch { left: taken }));
        prop_assert_eq!(after(payment, &[Command::Refund(Some(taken))]).refunded, taken);
    }
}
