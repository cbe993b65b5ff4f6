//! Timers: they fire once, whenever the process lived, and not when they were moved or cancelled.

use std::sync::Arc;

use kernel::{App, Timestamp, sql, testing::ManualClock};
use runtime::Runtime;

use crate::{
    life::{anyone, app, config, number, start, until},
    toys::{Account, Alarm, bank, deposit},
};

const SECOND: i64 = 1_000_000;

async fn at(folder: &std::path::Path, clock: &Arc<ManualClock>) -> Runtime {
    let started = Runtime::start(config(folder, clock.clone()), vec![bank()]).await;
    started.expect("starts")
}

fn alarm(id: &str, due: Option<i64>) -> Alarm {
    Alarm {
        id: id.into(),
        due: due.map(Timestamp),
        again: 0,
        kind: "interest",
    }
}

async fn set(bank: &App, id: &str, due: i64) {
    bank.execute(&anyone(), alarm(id, Some(due)))
        .await
        .expect("set");
}

async fn balance(bank: &App, id: &str) -> i64 {
    bank.state::<Account>(id)
        .await
        .expect("a state")
        .state
        .balance
}

async fn standing(bank: &App) -> i64 {
    number(bank, sql!("SELECT count(*) FROM timers")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_fires_once_when_it_is_due_and_not_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::at(Timestamp(0)));
    let shop = at(folder.path(), &clock).await;
    let bank = app(&shop, "bank");
    set(&bank, "a", 10 * SECOND).await;
    set(&bank, "b", 5 * SECOND).await;
    clock.advance(5 * SECOND);
    until("the first has fired", || async {
        balance(&bank, "b").await == 1
    })
    .await;
    assert_eq!((balance(&bank, "a").await, standing(&bank).await), (0, 1));
    clock.advance(5 * SECOND);
    until("the second has fired", || async {
        balance(&bank, "a").await == 1
    })
    .await;
    until("no timer is left", || async { standing(&bank).await == 0 }).await;
    clock.advance(3600 * SECOND);
    shop.shutdown().await;
    let shop = at(folder.path(), &clock).await;
    assert_eq!(balance(&app(&shop, "bank"), "b").await, 1);
    let events = shop.ops().events("bank", 0, 9).await.expect("events");
    assert_eq!(events.len(), 2);
    assert_eq!(
        events[0].meta.causation.as_deref(),
        Some("timer:interest:b")
    );
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_fell_due_while_nobody_lived_fires_at_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::at(Timestamp(0)));
    let shop = at(folder.path(), &clock).await;
    set(&app(&shop, "bank"), "a", 10 * SECOND).await;
    shop.shutdown().await;
    clock.advance(3600 * SECOND);
    let shop = at(folder.path(), &clock).await;
    let bank = app(&shop, "bank");
    until("it has fired", || async { balance(&bank, "a").await == 1 }).await;
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moved_and_cancelled_timers_keep_to_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::at(Timestamp(0)));
    let shop = at(folder.path(), &clock).await;
    let bank = app(&shop, "bank");
    for id in ["later", "earlier", "never", "witness"] {
        set(&bank, id, 10 * SECOND).await;
    }
    set(&bank, "later", 20 * SECOND).await;
    set(&bank, "earlier", 5 * SECOND).await;
    bank.execute(&anyone(), alarm("never", None))
        .await
        .expect("cancelled");
    bank.execute(&anyone(), alarm("nothing", None))
        .await
        .expect("nothing to cancel");
    clock.advance(5 * SECOND);
    until("the earlier one fired", || async {
        balance(&bank, "earlier").await == 1
    })
    .await;
    clock.advance(5 * SECOND);
    until("the witness fired", || async {
        balance(&bank, "witness").await == 1
    })
    .await;
    assert_eq!(balance(&bank, "later").await, 0);
    clock.advance(10 * SECOND);
    until("the later one fired", || async {
        balance(&bank, "later").await == 1
    })
    .await;
    assert_eq!(
        (balance(&bank, "never").await, standing(&bank).await),
        (0, 0)
    );
    shop.shutdown().await;
}

/// Fires and moves race on purpose: whoever comes first, the moved timer must stand.
#[tokio::test(flavor = "multi_thread")]
async fn a_timer_moved_while_it_is_being_fired_is_not_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::at(Timestamp(SECOND)));
    let shop = at(folder.path(), &clock).await;
    let bank = app(&shop, "bank");
    let racers = (0..200).map(|n| {
        let bank = bank.clone();
        tokio::spawn(async move {
            let id = format!("{n}");
            set(&bank, &id, 0).await;
            for _ in 0..n % 7 {
                tokio::task::yield_now().await;
            }
            set(&bank, &id, 3600 * SECOND).await;
        })
    });
    for racer in racers.collect::<Vec<_>>() {
        racer.await.expect("a racer");
    }
    shop.shutdown().await;
    let shop = at(folder.path(), &clock).await;
    assert_eq!(standing(&app(&shop, "bank")).await, 200);
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_may_set_its_own_timer_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::at(Timestamp(SECOND)));
    let shop = at(folder.path(), &clock).await;
    let bank = app(&shop, "bank");
    let again = Alarm {
        again: 600,
        ..alarm("a", Some(0))
    };
    bank.execute(&anyone(), again).await.expect("set");
    until("it has rung 601 times", || async {
        balance(&bank, "a").await == 601
    })
    .await;
    until("no timer is left", || async { standing(&bank).await == 0 }).await;
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_timers_due_at_once_all_fire() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::at(Timestamp(0)));
    let shop = at(folder.path(), &clock).await;
    let bank = app(&shop, "bank");
    let all = (0..700).map(|n| {
        let bank = bank.clone();
        tokio::spawn(async move { set(&bank, &format!("{n}"), SECOND + n % 3).await })
    });
    for one in all.collect::<Vec<_>>() {
        one.await.expect("set");
    }
    clock.advance(2 * SECOND);
    let paid = || sql!("SELECT count(*) FROM balances WHERE balance = 1");
    until("all have fired", || async {
        number(&bank, paid()).await == 700
    })
    .await;
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_is_refused_is_parked_and_can_be_redriven() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::at(Timestamp(SECOND)));
    let shop = at(folder.path(), &clock).await;
    let bank = app(&shop, "bank");
    // Two at the very same moment, and one that nothing handles; the others must not wait.
    for (id, kind) in [
        ("a", "refused"),
        ("b", "refused"),
        ("c", "unheard of"),
        ("d", "interest"),
    ] {
        let alarm = Alarm {
            kind,
            ..alarm(id, Some(7))
        };
        bank.execute(&anyone(), alarm).await.expect("set");
    }
    until("the good one has fired", || async {
        balance(&bank, "d").await == 1
    })
    .await;
    let letters = || async { shop.ops().dead_letters().await.expect("dead letters") };
    until("the others are parked", || async {
        letters().await.len() == 3
    })
    .await;
    let reasons: Vec<String> = letters()
        .await
        .into_iter()
        .map(|letter| letter.reason)
        .collect();
    assert_eq!(
        reasons.iter().filter(|r| r.contains("overdrawn")).count(),
        2,
        "{reasons:?}"
    );
    bank.execute(&anyone(), deposit("a", 2_000_000))
        .await
        .expect("committed");
    assert_eq!(
        shop.ops()
            .redrive("bank", Some("timers"))
            .await
            .expect("redriven"),
        3
    );
    until("the cured one has fired", || async {
        balance(&bank, "a").await == 1_000_000
    })
    .await;
    until("the others are parked again", || async {
        letters().await.len() == 2
    })
    .await;
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_clock_wakes_a_timer_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank = app(&shop, "bank");
    set(&bank, "a", bank.now().plus_millis(150).0).await;
    until("it has fired", || async { balance(&bank, "a").await == 1 }).await;
    shop.shutdown().await;
}
