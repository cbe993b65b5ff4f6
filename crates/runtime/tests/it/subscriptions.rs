//! Subscriptions: each event takes effect once, in order, and what cannot be handled waits aside.

use std::sync::{Arc, Mutex, atomic::Ordering};

use kernel::{Broadcast, Context, From, Module, Subscription, sql};
use runtime::{DeadLetter, Runtime, RuntimeConfig};

use crate::{
    life::{anyone, app, number, rows, start, until},
    toys::{Page, PageState, Trouble, audit, bank, deposit, noted},
};

async fn page(shop: &Runtime, id: &str) -> PageState {
    app(shop, "audit")
        .state::<Page>(id)
        .await
        .expect("a page")
        .state
}

async fn letters(shop: &Runtime) -> Vec<DeadLetter> {
    shop.ops().dead_letters().await.expect("the dead letters")
}

/// Waits until the audit's subscriptions have seen everything of the bank.
async fn quiet(shop: &Runtime) {
    let (ops, audit) = (shop.ops(), app(shop, "audit"));
    until("the audit has seen all", || async {
        let head = ops.head("bank").expect("a head");
        let events = sql!("SELECT min(position) FROM positions WHERE subscription = 'note'");
        number(&audit, events).await >= head
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_handled_once_and_in_order_over_restarts() {
    let folder = tempfile::tempdir().expect("a folder");
    for round in 1..=3 {
        let shop = start(folder.path(), vec![bank(), audit(&Trouble::default())]).await;
        let bank = app(&shop, "bank");
        let callers = (0..8).map(|n| {
            let bank = bank.clone();
            tokio::spawn(async move {
                for _ in 0..25 {
                    bank.execute(&anyone(), deposit(&format!("{n}"), 2))
                        .await
                        .expect("committed");
                }
            })
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.expect("a caller");
        }
        // Every second time it stops in the middle of things.
        if round != 2 {
            quiet(&shop).await;
            for n in 0..8 {
                let page = page(&shop, &n.to_string()).await;
                assert_eq!(page.versions, (1..=25 * round).collect::<Vec<_>>());
                assert_eq!(page.total, 50 * round);
            }
            let audit = app(&shop, "audit");
            assert_eq!(
                number(&audit, sql!("SELECT sum(total) FROM totals")).await,
                400 * round
            );
        }
        shop.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisonous_event_is_parked_with_its_stream_and_redriven_in_order() {
    for trouble_kind in ["poison", "panic", "bad reaction"] {
        let folder = tempfile::tempdir().expect("a folder");
        let trouble = Trouble::default();
        let shop = start(folder.path(), vec![bank(), audit(&trouble)]).await;
        let bank_app = app(&shop, "bank");
        let pay = |id: &'static str, amount, memo: &'static str| {
            let bank = bank_app.clone();
            async move {
                bank.execute(&anyone(), noted(id, amount, memo))
                    .await
                    .expect("committed")
            }
        };
        pay("a", 1, "").await;
        pay("a", 2, trouble_kind).await;
        pay("b", 1, "").await;
        pay("a", 4, "").await;
        pay("b", 2, "").await;
        until("other streams go on", || async {
            page(&shop, "b").await.versions == [1, 2]
        })
        .await;
        quiet(&shop).await;
        assert_eq!(page(&shop, "a").await.versions, [1], "{trouble_kind}");
        let parked: Vec<(String, i64)> = letters(&shop)
            .await
            .into_iter()
            .map(|l| (l.stream, l.position))
            .collect();
        assert_eq!(
            parked,
            [("acct-a".to_owned(), 2), ("acct-a".to_owned(), 4)],
            "{trouble_kind}"
        );
        // Redriving before the cause is gone changes nothing.
        assert_eq!(
            shop.ops().redrive("audit", None).await.expect("redriven"),
            0
        );
        assert_eq!(letters(&shop).await.len(), 2);
        shop.shutdown().await;

        // The stream is still parked after a restart: nothing overtakes.
        let shop = start(folder.path(), vec![bank(), audit(&trouble)]).await;
        let bank_app = app(&shop, "bank");
        bank_app
            .execute(&anyone(), deposit("a", 8))
            .await
            .expect("committed");
        quiet(&shop).await;
        until("the later event is parked too", || async {
            letters(&shop).await.len() == 3
        })
        .await;
        assert_eq!(page(&shop, "a").await.versions, [1]);
        trouble.heal();
        assert_eq!(
            shop.ops()
                .redrive("audit", Some("note"))
                .await
                .expect("redriven"),
            3
        );
        assert_eq!(
            page(&shop, "a").await,
            PageState {
                total: 15,
                versions: vec![1, 2, 3, 4]
            }
        );
        assert!(letters(&shop).await.is_empty());
        bank_app
            .execute(&anyone(), deposit("a", 16))
            .await
            .expect("committed");
        until("the stream goes on", || async {
            page(&shop, "a").await.total == 31
        })
        .await;
        shop.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_one_command_undoes_all_of_that_event_and_parks_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank(), audit(&Trouble::default())]).await;
    let bank = app(&shop, "bank");
    // Thirteen is refused by the page's rules, on the second of two pages as on the first.
    bank.execute(&anyone(), noted("a", 13, "two pages"))
        .await
        .expect("committed");
    bank.execute(&anyone(), noted("b", 1, "two pages"))
        .await
        .expect("committed");
    until("the others go on", || async {
        page(&shop, "bx").await.total == 1
    })
    .await;
    assert_eq!(page(&shop, "b").await.total, 1);
    assert_eq!(
        (page(&shop, "a").await.total, page(&shop, "ax").await.total),
        (0, 0)
    );
    let letters = letters(&shop).await;
    assert_eq!((letters.len(), letters[0].stream.as_str()), (1, "acct-a"));
    assert!(
        letters[0].reason.contains("unlucky"),
        "{}",
        letters[0].reason
    );
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_added_later_begins_where_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let with = |late: bool| {
        let mut audit = audit(&Trouble::default());
        if late {
            for (name, from) in [("all", From::Beginning), ("new", From::Now)] {
                let mut listener = Subscription::new(name, &["bank"], move |event| {
                    let id = format!("{name}x{}", event.stream.id());
                    let page = kernel::Decide::<Page>::new(id, (1, event.version));
                    Ok(kernel::Reaction::command(page))
                });
                listener.from = from;
                audit = audit.subscription(listener);
            }
        }
        vec![bank(), audit]
    };
    let shop = start(folder.path(), with(false)).await;
    let pay = |shop: &Runtime| {
        let bank = app(shop, "bank");
        async move {
            bank.execute(&anyone(), deposit("a", 1))
                .await
                .expect("committed")
        }
    };
    pay(&shop).await;
    pay(&shop).await;
    shop.shutdown().await;
    let shop = start(folder.path(), with(true)).await;
    pay(&shop).await;
    until("both heard", || async {
        page(&shop, "allxa").await.versions == [1, 2, 3]
            && !page(&shop, "newxa").await.versions.is_empty()
    })
    .await;
    assert_eq!(page(&shop, "newxa").await.versions, [3]);
    shop.shutdown().await;
    // "Now" was the moment it was added, not every start.
    let shop = start(folder.path(), vec![bank()]).await;
    pay(&shop).await;
    shop.shutdown().await;
    let shop = start(folder.path(), with(true)).await;
    until("it heard what it missed", || async {
        page(&shop, "newxa").await.versions == [3, 4]
    })
    .await;
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_set_it_off_travels_with_every_event() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank(), audit(&Trouble::default())]).await;
    let context = Context {
        correlation: "cor-7".into(),
        causation: None,
        trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        actor: Some("staff:usr_1".into()),
    };
    let bank = app(&shop, "bank");
    bank.execute(&context, deposit("a", 1))
        .await
        .expect("committed");
    bank.execute(&anyone(), deposit("b", 1))
        .await
        .expect("committed");
    until("both are noted", || async {
        shop.ops().head("audit").is_ok_and(|head| head == 2)
    })
    .await;
    let first = shop.ops().events("bank", 0, 2).await.expect("events");
    assert_eq!(first[0].meta, context);
    assert!(
        !first[1].meta.correlation.is_empty(),
        "a request without a correlation gets one"
    );
    for (noted, paid) in shop
        .ops()
        .events("audit", 0, 2)
        .await
        .expect("events")
        .iter()
        .zip(&first)
    {
        assert_eq!(noted.meta.correlation, paid.meta.correlation);
        assert_eq!(noted.meta.trace, paid.meta.trace);
        assert_eq!(noted.meta.causation.as_deref(), Some(&*paid.id()));
        assert_eq!(noted.meta.actor.as_deref(), Some("system"));
    }
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_position_commits_with_the_effects() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank(), audit(&Trouble::default())]).await;
    let (bank, audit) = (app(&shop, "bank"), app(&shop, "audit"));
    for n in 1..=20 {
        bank.execute(&anyone(), deposit("a", 1))
            .await
            .expect("committed");
        until("it is noted", || async {
            // One statement sees one moment: effect and position are never apart.
            let both = sql!(
                "SELECT (SELECT count(*) FROM events), \
                 (SELECT min(position) FROM positions WHERE subscription = 'note')"
            );
            let row = rows(&audit, both).await.remove(0);
            let (effects, position): (i64, i64) = (row.get(0), row.get(1));
            assert_eq!(effects, position);
            effects == n
        })
        .await;
    }
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_hear_everything_in_order_and_a_panic_is_not_their_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let heard = Arc::new(Mutex::new(Vec::new()));
    let feed = |name: &'static str, from| {
        let heard = heard.clone();
        Broadcast::new(name, &["bank"], from, move |event| {
            assert!(
                event.position != 2 || name != "shaky",
                "a defect in the listener"
            );
            heard
                .lock()
                .expect("no panic here")
                .push((name, event.position));
        })
    };
    let modules = |feeds: Vec<Broadcast>| -> Vec<Module> {
        vec![feeds.into_iter().fold(bank(), Module::broadcast)]
    };
    let shop = start(folder.path(), modules(vec![])).await;
    app(&shop, "bank")
        .execute(&anyone(), deposit("a", 1))
        .await
        .expect("committed");
    shop.shutdown().await;
    let feeds = vec![
        feed("cache", From::Beginning),
        feed("shaky", From::Beginning),
        feed("page", From::Now),
    ];
    let mut shop = start(folder.path(), modules(feeds)).await;
    shop.listen(&feed("front", From::Now));
    let bank = app(&shop, "bank");
    for _ in 0..100 {
        bank.execute(&anyone(), deposit("a", 1))
            .await
            .expect("committed");
    }
    let of = |name: &str| -> Vec<i64> {
        let heard = heard.lock().expect("no panic here");
        heard
            .iter()
            .filter(|(other, _)| *other == name)
            .map(|(_, position)| *position)
            .collect()
    };
    until("all have heard the last", || async {
        ["cache", "shaky", "page", "front"]
            .iter()
            .all(|name| of(name).last() == Some(&101))
    })
    .await;
    assert_eq!(of("cache"), (1..=101).collect::<Vec<_>>());
    assert_eq!(of("page"), (2..=101).collect::<Vec<_>>());
    assert_eq!(of("front"), (2..=101).collect::<Vec<_>>());
    assert_eq!(of("shaky").len(), 100);
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_ahead_of_its_topic_stops_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank(), audit(&Trouble::default())]).await;
    app(&shop, "bank")
        .execute(&anyone(), deposit("a", 1))
        .await
        .expect("committed");
    quiet(&shop).await;
    shop.shutdown().await;
    // The bank is restored from an older backup; the audit is not.
    for file in ["bank.db", "bank.db-wal", "bank.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(file));
    }
    let config = RuntimeConfig {
        ..crate::life::config(folder.path(), Arc::new(runtime::SystemClock))
    };
    let started = Runtime::start(config, vec![bank(), audit(&Trouble::default())]).await;
    let refused = started
        .map(drop)
        .expect_err("it went on in silence")
        .to_string();
    assert!(refused.contains("restored"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_parks_nothing_and_is_tried_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank(), audit(&Trouble::default())]).await;
    let bank = app(&shop, "bank");
    bank.execute(&anyone(), deposit("a", 1))
        .await
        .expect("committed");
    quiet(&shop).await;
    let other = rusqlite::Connection::open(folder.path().join("audit.db")).expect("opens");
    other
        .execute_batch("BEGIN IMMEDIATE")
        .expect("the audit cannot write now");
    bank.execute(&anyone(), deposit("a", 2))
        .await
        .expect("the bank goes on");
    let refused = app(&shop, "audit")
        .execute(&anyone(), kernel::Decide::<Page>::new("z", (1, 1)))
        .await;
    assert!(matches!(refused, Err(kernel::AppError::Unavailable(_))));
    other.execute_batch("ROLLBACK").expect("now it can");
    until("it is noted after all", || async {
        page(&shop, "a").await.versions == [1, 2]
    })
    .await;
    assert!(letters(&shop).await.is_empty());
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_larger_than_memory_keeps_is_read_from_the_producer() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank_app = app(&shop, "bank");
    let memo = "x".repeat(20_000);
    for _ in 0..30 {
        let nobody = anyone();
        let paid = (0..20).map(|m| bank_app.execute(&nobody, noted(&format!("{m}"), 1, &memo)));
        let paid = futures_util::future::join_all(paid).await;
        assert!(paid.into_iter().all(|done| done.is_ok()));
    }
    shop.shutdown().await;
    let shop = start(folder.path(), vec![bank(), audit(&Trouble::default())]).await;
    quiet(&shop).await;
    for m in 0..20 {
        assert_eq!(
            page(&shop, &m.to_string()).await.versions,
            (1..=30).collect::<Vec<_>>()
        );
    }
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_without_effects_is_saved_late_but_at_a_stop_at_the_latest() {
    let folder = tempfile::tempdir().expect("a folder");
    let trouble = Trouble::default();
    let shop = start(folder.path(), vec![bank(), audit(&trouble)]).await;
    let bank_app = app(&shop, "bank");
    let saved = sql!("SELECT min(position) FROM positions WHERE subscription = 'note'");
    for n in 0..20 {
        let opened = crate::toys::open(&format!("{n}"), &format!("{n}"), "x");
        bank_app
            .execute(&anyone(), opened)
            .await
            .expect("committed");
    }
    // A read model that hears the same events shows that they were heard.
    bank_app
        .execute(&anyone(), deposit("0", 1))
        .await
        .expect("committed");
    quiet(&shop).await;
    let commits = rows(&app(&shop, "audit"), sql!("SELECT position FROM events")).await;
    assert_eq!(commits.len(), 1);
    bank_app
        .execute(&anyone(), crate::toys::open("x", "x", "x"))
        .await
        .expect("committed");
    until("the last event was heard", || async {
        trouble.heard.load(Ordering::SeqCst) == 22
    })
    .await;
    assert_eq!(
        number(&app(&shop, "audit"), saved.clone()).await,
        21,
        "saved for nothing"
    );
    shop.shutdown().await;
    let shop = start(folder.path(), vec![bank(), audit(&Trouble::default())]).await;
    assert_eq!(number(&app(&shop, "audit"), saved).await, 22);
    shop.shutdown().await;
}
