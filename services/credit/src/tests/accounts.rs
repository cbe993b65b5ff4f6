//! Accounts: issued, corrected, blocked, ended.

use contracts::credit::{CreditAccountEvent, CreditReason};
use kernel::testing::kinds;

use super::{balance, card, change, eur, gbp, grant, issue, store_credit, world};
use crate::{
    account::Account,
    accounts::{Block, ChangeBalance, Expire, IssueCards, NewCard, SetExpiry, on_expiry},
    change::{GRACE_SECONDS, MAX_BALANCE},
};

#[test]
fn cards_are_issued_all_or_none_and_never_twice() {
    let mut world = world();
    issue(&mut world, "a", gbp(500), None);
    assert_eq!(balance(&world, &card("a")), 500);
    let new = |name: &str| NewCard {
        account_id: card(name),
        code_hash: name.into(),
    };
    let again = IssueCards {
        cards: vec![new("b"), new("a")],
        amount: gbp(500),
        expires_at: None,
        note: None,
    };
    let refused = world.run(&again).map(drop).expect_err("a is there");
    assert_eq!(refused.code, "opened-before");
    assert_eq!(balance(&world, &card("b")), 0);
    assert!(world.state::<Account>("crd_b").opened.is_none());
}

#[test]
fn an_end_in_the_past_is_refused() {
    let mut world = world();
    let issue = IssueCards {
        cards: Vec::new(),
        amount: gbp(500),
        expires_at: Some(world.now),
        note: None,
    };
    let refused = world.run(&issue).map(drop).expect_err("past");
    assert_eq!(refused.field.as_deref(), Some("expires_at"));
}

#[test]
fn store_credit_is_opened_once_and_added_to() {
    let mut world = world();
    grant(&mut world, "ann", 300);
    grant(&mut world, "ann", 200);
    assert_eq!(balance(&world, &store_credit("ann")), 500);
}

#[test]
fn a_correction_stays_between_nothing_and_the_limit_and_in_the_currency() {
    let mut world = world();
    issue(&mut world, "a", gbp(500), None);
    for (amount, code) in [
        (gbp(-501), "too-little-credit"),
        (gbp(MAX_BALANCE), "too-much-credit"),
        (gbp(i64::MAX), "too-much-credit"),
        (gbp(i64::MIN), "too-little-credit"),
        (eur(1), "wrong-currency"),
    ] {
        let change = change(&world, &card("a"), CreditReason::Adjusted, amount);
        let refused = world
            .run(&ChangeBalance { open: None, change })
            .map(drop)
            .expect_err(code);
        assert_eq!(refused.code, code);
    }
    let down = change(&world, &card("a"), CreditReason::Adjusted, gbp(-500));
    let command = ChangeBalance {
        open: None,
        change: down,
    };
    world.run(&command).expect("to nothing");
    assert_eq!(balance(&world, &card("a")), 0);
    let unknown = change(&world, &card("x"), CreditReason::Adjusted, gbp(1));
    let command = ChangeBalance {
        open: None,
        change: unknown,
    };
    assert_eq!(
        world.run(&command).map(drop).expect_err("none").code,
        "not-found"
    );
}

#[test]
fn blocking_twice_is_blocking_once() {
    let mut world = world();
    issue(&mut world, "a", gbp(500), None);
    let block = |blocked| Block {
        account_id: card("a"),
        blocked,
        note: "stolen".into(),
    };
    let (state, work) = world.run(&block(true)).expect("blocked");
    assert!(state.disabled);
    assert_eq!(kinds(&work), ["credit.account.disabled.v1"]);
    assert!(world.run(&block(true)).expect("still").1.events.is_empty());
    let (state, work) = world.run(&block(false)).expect("enabled");
    assert!(!state.disabled);
    assert_eq!(kinds(&work), ["credit.account.enabled.v1"]);
}

#[test]
fn at_its_end_what_is_left_is_gone_and_no_sooner() {
    let mut world = world();
    let end = world.now.plus_seconds(10);
    issue(&mut world, "a", gbp(500), Some(end));
    let expire = Expire {
        account_id: card("a"),
    };
    assert!(world.run(&expire).expect("not yet").1.events.is_empty());
    world.now = end;
    let (_, work) = world.run(&expire).expect("now");
    assert_eq!(kinds(&work), ["credit.account.changed.v1"]);
    assert_eq!(balance(&world, &card("a")), 0);
    assert!(world.run(&expire).expect("once").1.events.is_empty());
    let late = change(&world, &card("a"), CreditReason::Adjusted, gbp(1));
    let command = ChangeBalance {
        open: None,
        change: late,
    };
    let refused = world.run(&command).map(drop).expect_err("over");
    assert_eq!(refused.code, "credit-expired");
}

#[test]
fn an_end_can_be_moved_and_its_timer_moves_along() {
    let mut world = world();
    let end = world.now.plus_seconds(10);
    issue(&mut world, "a", gbp(500), Some(end));
    let later = end.plus_seconds(10);
    let set = |expires_at| SetExpiry {
        account_id: card("a"),
        expires_at,
    };
    let (_, work) = world.run(&set(Some(later))).expect("moved");
    let [kernel::TimerOp::Set(timer)] = work.timers.as_slice() else {
        panic!("one timer");
    };
    assert_eq!((timer.due, timer.key.as_str()), (later, "expiry:crd_a"));
    world.now = end;
    let due = on_expiry(timer).expect("a command");
    world.run_any(due.as_ref()).expect("not yet");
    assert_eq!(balance(&world, &card("a")), 500);
    let (_, work) = world.run(&set(None)).expect("never");
    assert_eq!(
        work.timers,
        [kernel::TimerOp::Cancel("expiry:crd_a".into())]
    );
    assert!(world.run(&set(None)).expect("so it is").1.events.is_empty());
}

#[test]
fn money_that_comes_back_after_the_end_can_be_spent_for_a_while() {
    let mut world = world();
    let end = world.now.plus_seconds(10);
    issue(&mut world, "a", gbp(500), Some(end));
    world
        .run(&super::place(1, None, &[(&card("a"), gbp(300))]))
        .expect("held");
    world.now = end;
    world
        .run(&Expire {
            account_id: card("a"),
        })
        .expect("the rest is gone");
    let release = crate::holding::Release {
        order_id: super::order(1),
    };
    let (_, work) = world.run(&release).expect("back");
    assert_eq!(
        kinds(&work),
        [
            "credit.hold.released.v1",
            "credit.account.expiry_set.v1",
            "credit.account.changed.v1"
        ]
    );
    assert_eq!(work.timers.len(), 1);
    let state = world.state::<Account>("crd_a");
    assert_eq!(state.balance, 300);
    assert_eq!(state.expires_at, Some(end.plus_seconds(GRACE_SECONDS)));
}

#[test]
fn what_changed_says_what_is_left() {
    let mut world = world();
    issue(&mut world, "a", gbp(500), None);
    let down = change(&world, &card("a"), CreditReason::Adjusted, gbp(-200));
    let command = ChangeBalance {
        open: None,
        change: down,
    };
    let (_, work) = world.run(&command).expect("changed");
    let event = work.events[0].typed.downcast_ref::<CreditAccountEvent>();
    let Some(CreditAccountEvent::Changed(changed)) = event else {
        panic!("a change");
    };
    assert_eq!((changed.amount, changed.balance), (gbp(-200), gbp(300)));
}
