//! Orders: all of an order's credit is held or none, then spent or given back.

use contracts::credit::{CreditHoldEvent, CreditHoldStatus, CreditRefusal};
use kernel::testing::{World, kinds};

use super::{balance, card, eur, gbp, grant, issue, order, place, store_credit, world};
use crate::{
    accounts::Block,
    hold::Hold,
    holding::{PlaceHold, Release, Spend},
};

fn spend(number: usize) -> Spend {
    Spend {
        order_id: order(number),
    }
}

fn release(number: usize) -> Release {
    Release {
        order_id: order(number),
    }
}

/// Places an order that is refused; why.
fn refused(world: &mut World, hold: &PlaceHold) -> (String, CreditRefusal) {
    let (_, work) = world.run(hold).expect("never a rejection");
    assert_eq!(kinds(&work), ["credit.hold.refused.v1"]);
    let event = work.events[0].typed.downcast_ref::<CreditHoldEvent>();
    match event {
        Some(CreditHoldEvent::Refused(e)) => (e.account_id.to_string(), e.reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_orders_credit_is_held_from_all_accounts_and_spent_when_it_is_confirmed() {
    let mut world = world();
    issue(&mut world, "a", gbp(500), None);
    grant(&mut world, "ann", 300);
    let (a, ann) = (card("a"), store_credit("ann"));
    let hold = place(1, Some("ann"), &[(&a, gbp(400)), (&ann, gbp(300))]);
    let (_, work) = world.run(&hold).expect("held");
    assert_eq!(
        kinds(&work),
        [
            "credit.account.changed.v1",
            "credit.account.changed.v1",
            "credit.hold.made.v1"
        ]
    );
    assert_eq!((balance(&world, &a), balance(&world, &ann)), (100, 0));
    let (_, work) = world.run(&spend(1)).expect("spent");
    assert_eq!(kinds(&work), ["credit.hold.spent.v1"]);
    assert_eq!((balance(&world, &a), balance(&world, &ann)), (100, 0));
}

#[test]
fn the_same_account_named_twice_is_summed() {
    let mut world = world();
    issue(&mut world, "a", gbp(500), None);
    let a = card("a");
    let twice = place(1, None, &[(&a, gbp(300)), (&a, gbp(201))]);
    assert_eq!(refused(&mut world, &twice).1, CreditRefusal::TooLittle);
    let twice = place(2, None, &[(&a, gbp(300)), (&a, gbp(200))]);
    world.run(&twice).expect("held");
    assert_eq!(balance(&world, &a), 0);
    assert_eq!(world.state::<Hold>("ord_2").uses.len(), 1);
}

#[test]
fn whatever_is_in_the_way_is_named_and_nothing_is_touched() {
    let mut world = world();
    let soon = world.now.plus_seconds(10);
    issue(&mut world, "good", gbp(500), None);
    issue(&mut world, "euro", eur(500), None);
    issue(&mut world, "ended", gbp(500), Some(soon));
    issue(&mut world, "blocked", gbp(500), None);
    grant(&mut world, "ann", 500);
    let block = Block {
        account_id: card("blocked"),
        blocked: true,
        note: "stolen".into(),
    };
    world.run(&block).expect("blocked");
    world.now = soon;
    let (good, ann) = (card("good"), store_credit("ann"));
    let cases = [
        (card("unknown"), gbp(1), CreditRefusal::Unknown),
        (card("euro"), gbp(1), CreditRefusal::WrongCurrency),
        (card("euro"), eur(1), CreditRefusal::WrongCurrency),
        (card("ended"), gbp(1), CreditRefusal::Expired),
        (card("blocked"), gbp(1), CreditRefusal::Disabled),
        (ann, gbp(1), CreditRefusal::NotTheirs),
        (good.clone(), gbp(401), CreditRefusal::TooLittle),
        (card("x"), gbp(0), CreditRefusal::BadAmount),
        (card("x"), gbp(-1), CreditRefusal::BadAmount),
        (good.clone(), gbp(i64::MAX), CreditRefusal::TooLittle),
    ];
    for (number, (account, amount, reason)) in cases.into_iter().enumerate() {
        for buyer in [None, Some("bob")] {
            let number = 2 * number + usize::from(buyer.is_some());
            let hold = place(number, buyer, &[(&good, gbp(100)), (&account, amount)]);
            let (named, why) = refused(&mut world, &hold);
            assert_eq!((named, why), (account.to_string(), reason));
            assert_eq!(balance(&world, &good), 500);
        }
    }
}

#[test]
fn a_hold_given_up_goes_back_and_so_does_what_was_spent() {
    let mut world = world();
    issue(&mut world, "a", gbp(500), None);
    let a = card("a");
    for confirmed in [false, true] {
        let number = usize::from(confirmed);
        world
            .run(&place(number, None, &[(&a, gbp(500))]))
            .expect("held");
        if confirmed {
            world.run(&spend(number)).expect("spent");
        }
        assert_eq!(balance(&world, &a), 0);
        let (_, work) = world.run(&release(number)).expect("back");
        let event = work.events[0].typed.downcast_ref::<CreditHoldEvent>();
        let Some(CreditHoldEvent::Released(e)) = event else {
            panic!("released");
        };
        assert_eq!(e.spent, confirmed);
        assert_eq!(balance(&world, &a), 500);
    }
}

#[test]
fn late_and_repeated_news_change_nothing() {
    let mut world = world();
    issue(&mut world, "a", gbp(500), None);
    let a = card("a");
    let hold = place(1, None, &[(&a, gbp(200))]);
    world.run(&hold).expect("held");
    world.run(&spend(1)).expect("spent");
    let nothing = |world: &mut World, command: &dyn kernel::AnyCommand| {
        let (_, work) = world.run_any(command).expect("nothing");
        assert!(work.events.is_empty(), "{:?}", kinds(&work));
    };
    nothing(&mut world, &hold);
    nothing(&mut world, &spend(1));
    world.run(&release(1)).expect("back");
    nothing(&mut world, &hold);
    nothing(&mut world, &spend(1));
    nothing(&mut world, &release(1));
    assert_eq!(balance(&world, &a), 500);
    assert_eq!(
        world.state::<Hold>("ord_1").status,
        Some(CreditHoldStatus::Released)
    );
    // An order without credit.
    nothing(&mut world, &spend(2));
    nothing(&mut world, &release(2));
    // One that was refused.
    refused(&mut world, &place(3, None, &[(&a, gbp(501))]));
    nothing(&mut world, &place(3, None, &[(&a, gbp(1))]));
    nothing(&mut world, &release(3));
}

#[test]
fn an_order_confirmed_without_its_credit_is_a_defect_that_is_seen() {
    let mut world = world();
    refused(&mut world, &place(1, None, &[(&card("x"), gbp(1))]));
    let defect = world.run(&spend(1)).map(drop).expect_err("a defect");
    assert_eq!(defect.code, "not-held");
}

#[test]
fn an_account_that_ends_or_is_blocked_after_the_hold_pays_all_the_same() {
    let mut world = world();
    let soon = world.now.plus_seconds(10);
    issue(&mut world, "a", gbp(500), Some(soon));
    let a = card("a");
    world.run(&place(1, None, &[(&a, gbp(500))])).expect("held");
    world.now = soon;
    let block = Block {
        account_id: a.clone(),
        blocked: true,
        note: "lost".into(),
    };
    world.run(&block).expect("blocked");
    world.run(&spend(1)).expect("spent");
    assert_eq!(
        world.state::<Hold>("ord_1").status,
        Some(CreditHoldStatus::Spent)
    );
}
