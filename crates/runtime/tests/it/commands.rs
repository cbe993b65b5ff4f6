//! The command path: what is decided together is committed together, and nothing else shows.

use std::{collections::BTreeSet, sync::OnceLock};

use kernel::{
    App, AppError, EventMeta, IdempotencyKey, Recorded, Stored, StreamId, Timestamp, sql,
};
use store::{
    Batch, Store,
    sqlite::{Config, SqliteStore},
};

use crate::{
    life::{anyone, app, number, rows, start},
    toys::{Account, AccountCommand, Transfer, bank, deposit, noted},
};

fn balance(id: &str) -> kernel::Statement {
    sql!("SELECT balance FROM balances WHERE id = $1", id)
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_arrive_together_share_commits() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank = app(&shop, "bank");
    let callers = (0..400).map(|n| {
        let bank = bank.clone();
        tokio::spawn(async move {
            bank.execute(&anyone(), deposit(&format!("{}", n % 7), 1))
                .await
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.expect("a caller").expect("committed");
    }
    let events = shop.ops().events("bank", 0, 1_000).await.expect("events");
    assert_eq!(events.len(), 400);
    // All decisions of one batch are made at one moment.
    let commits: BTreeSet<Timestamp> = events.iter().map(|event| event.at).collect();
    assert!(
        commits.len() < 100,
        "{} commits for 400 commands",
        commits.len()
    );
    assert_eq!(
        number(&bank, sql!("SELECT sum(balance) FROM balances")).await,
        400
    );
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_reads_its_own_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank = app(&shop, "bank");
    for n in 1..=50 {
        bank.execute(&anyone(), deposit("a", 1))
            .await
            .expect("committed");
        assert_eq!(number(&bank, balance("a")).await, n);
        assert_eq!(
            bank.state::<Account>("a")
                .await
                .expect("a state")
                .state
                .balance,
            n
        );
    }
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_no_trace() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank = app(&shop, "bank");
    bank.execute(&anyone(), deposit("a", 5))
        .await
        .expect("committed");
    let all = || async {
        let mut all = Vec::new();
        for table in [
            sql!("SELECT * FROM events"),
            sql!("SELECT * FROM balances"),
            sql!("SELECT * FROM idempotency"),
            sql!("SELECT * FROM timers"),
            sql!("SELECT * FROM log_head"),
        ] {
            all.push(rows(&bank, table).await);
        }
        all
    };
    let before = all().await;
    let refused = once(&bank, "key", "body", -9).await.expect_err("refused");
    assert!(matches!(refused, AppError::Rejected(r) if r.code == "overdrawn"));
    // A command that had already changed a stream when it was refused on the next.
    for announced in [true, false] {
        let transfer = Transfer {
            from: "a".into(),
            to: "b".into(),
            amount: 6,
            announced,
        };
        let refused = bank
            .execute(&anyone(), transfer)
            .await
            .expect_err("refused");
        assert!(matches!(refused, AppError::Rejected(_)), "{refused}");
    }
    assert_eq!(all().await, before);
    assert_eq!(
        bank.state::<Account>("b").await.expect("a state").version,
        0
    );
    // And its key can be used again, even with another body.
    once(&bank, "key", "other body", 1)
        .await
        .expect("committed");
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_in_a_batch_keeps_what_its_neighbours_decided_on_the_same_streams() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank = app(&shop, "bank");
    let callers = (0..300).map(|n| {
        let bank = bank.clone();
        tokio::spawn(async move {
            match n % 3 {
                0 => bank.execute(&anyone(), deposit("hot", 1)).await.map(drop),
                // Changes "hot" and is refused on "poor".
                _ => {
                    let (from, to) = ("poor".to_owned(), "hot".to_owned());
                    let transfer = Transfer {
                        from,
                        to,
                        amount: 100,
                        announced: n % 2 == 0,
                    };
                    let refused = bank.execute(&anyone(), transfer).await;
                    assert!(refused.is_err(), "money from nowhere");
                    Ok(())
                }
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.expect("a caller").expect("committed");
    }
    let hot = bank.state::<Account>("hot").await.expect("a state");
    assert_eq!((hot.state.balance, hot.version), (100, 100));
    assert_eq!(number(&bank, balance("hot")).await, 100);
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_streams_change_together_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank = app(&shop, "bank");
    bank.execute(&anyone(), deposit("0", 1_000))
        .await
        .expect("committed");
    let callers = (0..200).map(|n: i64| {
        let bank = bank.clone();
        tokio::spawn(async move {
            let transfer = Transfer {
                from: format!("{}", n % 5),
                to: format!("{}", (n * 7 + 1) % 5),
                amount: n % 90,
                announced: n % 2 == 0,
            };
            let _ = bank.execute(&anyone(), transfer).await;
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.expect("a caller");
    }
    let sum = number(&bank, sql!("SELECT sum(balance) FROM balances")).await;
    assert_eq!(sum, 1_000, "money was made or lost");
    assert!(number(&bank, sql!("SELECT min(balance) FROM balances")).await >= 0);
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_were_not_announced_are_loaded_on_the_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank = app(&shop, "bank");
    bank.execute(&anyone(), deposit("rich", 10_000))
        .await
        .expect("committed");
    shop.shutdown().await;
    // Nothing is cached now; every transfer finds another stream missing.
    let shop = start(folder.path(), vec![crate::toys::bank()]).await;
    let bank = app(&shop, "bank");
    let callers = (0..300).map(|n| {
        let bank = bank.clone();
        let (from, to) = ("rich".to_owned(), format!("n{n}"));
        let transfer = Transfer {
            from,
            to,
            amount: 1,
            announced: false,
        };
        tokio::spawn(async move { bank.execute(&anyone(), transfer).await })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.expect("a caller").expect("committed");
    }
    assert_eq!(number(&bank, balance("rich")).await, 9_700);
    shop.shutdown().await;
}

/// A deposit under an idempotency key.
async fn once(app: &App, key: &str, body: &str, amount: i64) -> Result<Stored, AppError> {
    let key = IdempotencyKey {
        scope: key.into(),
        body: body.into(),
    };
    let render = |done: &kernel::Decided<crate::toys::AccountState>| Stored {
        status: 201,
        body: format!("{{\"balance\":{}}}", done.state.balance),
    };
    app.execute_once(&anyone(), Some(key), deposit("a", amount), render)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_gets_the_same_answer_and_takes_effect_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank = app(&shop, "bank");
    // Also while the first is under way.
    let together = (0..20).map(|_| {
        let bank = bank.clone();
        tokio::spawn(async move { once(&bank, "k", "b", 10).await })
    });
    for answer in together.collect::<Vec<_>>() {
        let answer = answer.await.expect("a caller").expect("answered");
        assert_eq!(
            answer,
            Stored {
                status: 201,
                body: "{\"balance\":10}".into()
            }
        );
    }
    bank.execute(&anyone(), deposit("a", 1))
        .await
        .expect("committed");
    shop.shutdown().await;

    let shop = start(folder.path(), vec![crate::toys::bank()]).await;
    let bank = app(&shop, "bank");
    let later = once(&bank, "k", "b", 10).await.expect("answered");
    assert_eq!(later.body, "{\"balance\":10}", "a repeat was answered anew");
    let other = once(&bank, "k", "another body", 10)
        .await
        .expect_err("refused");
    assert!(matches!(other, AppError::Rejected(r) if r.code == "idempotency-key-reused"));
    assert_eq!(number(&bank, balance("a")).await, 11);
    // The answer is not kept in clear.
    let kept = rows(&bank, sql!("SELECT response FROM idempotency")).await;
    let kept: Vec<u8> = kept[0].get(0);
    assert!(!kept.windows(7).any(|window| window == b"balance"));
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_item_does_not_sink_its_neighbours() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank = app(&shop, "bank");
    let callers = (0..200).map(|n| {
        let bank = bank.clone();
        tokio::spawn(async move {
            let command = match n % 20 {
                3 => noted("a", 1, "bad statement"),
                7 => kernel::Decide::new("a", AccountCommand::Panic),
                _ => deposit("a", 1),
            };
            (n % 20, bank.execute(&anyone(), command).await)
        })
    });
    let mut done = 0;
    for caller in callers.collect::<Vec<_>>() {
        let (kind, result) = caller.await.expect("a caller");
        match kind {
            3 | 7 => assert!(matches!(result, Err(AppError::Internal(_))), "{kind}"),
            _ => {
                result.expect("a good command was sunk");
                done += 1;
            }
        }
    }
    assert_eq!(done, 180);
    assert_eq!(number(&bank, balance("a")).await, 180);
    assert_eq!(
        bank.state::<Account>("a").await.expect("a state").version,
        180
    );
    shop.shutdown().await;
}

fn moved(stream: &str, version: i64, amount: i64) -> Recorded {
    Recorded {
        topic: "bank".into(),
        position: 0,
        prev: 0,
        partition: 0,
        stream: StreamId::from_name(stream),
        version,
        kind: "bank.account.moved.v1".into(),
        data: format!("{{\"amount\":{amount},\"memo\":\"\"}}").into(),
        at: Timestamp(1),
        meta: EventMeta::default(),
        typed: OnceLock::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_is_decided_again_on_what_is_there_now() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank = app(&shop, "bank");
    bank.execute(&anyone(), deposit("a", 10))
        .await
        .expect("committed");
    let config = Config {
        path: folder.path().join("bank.db"),
        topic: "bank",
        readers: 1,
    };
    let behind = SqliteStore::open(config, "x").expect("opens");
    let taken = Batch {
        events: vec![moved("acct-a", 2, -10)],
        ..Batch::default()
    };
    behind
        .commit(taken)
        .await
        .expect("committed behind the batcher's back");
    // Its cache says 10; the truth is 0. It must neither overwrite nor refuse on what is gone.
    let done = bank
        .execute(&anyone(), deposit("a", 3))
        .await
        .expect("decided again");
    assert_eq!((done.state.balance, done.version), (3, 3));
    let refused = bank
        .execute(&anyone(), deposit("a", -4))
        .await
        .expect_err("refused");
    assert!(matches!(refused, AppError::Rejected(_)));
    // Readers of the log miss nothing of it.
    let log = shop.ops().events("bank", 0, 10).await.expect("events");
    let versions: Vec<(i64, i64)> = log.iter().map(|e| (e.position, e.version)).collect();
    assert_eq!(versions, [(1, 1), (2, 2), (3, 3)]);
    assert_eq!(log.iter().map(|e| e.prev).collect::<Vec<_>>(), [0, 1, 2]);
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_carry_a_long_stream_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank = app(&shop, "bank");
    for _ in 0..13 {
        bank.execute(&anyone(), deposit("a", 1))
            .await
            .expect("committed");
    }
    let kept = || sql!("SELECT version FROM snapshots WHERE stream = 'acct-a'");
    assert_eq!(number(&bank, kept()).await, 10);
    shop.shutdown().await;
    // A marked snapshot shows that it is what is read, and that the events after it are folded in.
    let file = rusqlite::Connection::open(folder.path().join("bank.db")).expect("opens");
    let marked = "UPDATE snapshots SET state = '{\"balance\":1000,\"moves\":10,\"owner\":null}'";
    file.execute(marked, []).expect("marked");
    let shop = start(folder.path(), vec![crate::toys::bank()]).await;
    let state = app(&shop, "bank")
        .state::<Account>("a")
        .await
        .expect("a state");
    assert_eq!((state.state.balance, state.version), (1_003, 13));
    shop.shutdown().await;
    // One that cannot be read is left aside.
    file.execute("UPDATE snapshots SET state = '{}'", [])
        .expect("spoilt");
    let shop = start(folder.path(), vec![crate::toys::bank()]).await;
    let state = app(&shop, "bank")
        .state::<Account>("a")
        .await
        .expect("a state");
    assert_eq!((state.state.balance, state.version), (13, 13));
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_streams_than_the_cache_holds_stay_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank = app(&shop, "bank");
    for round in 1..=2 {
        let callers = (0..90).map(|caller| {
            let bank = bank.clone();
            tokio::spawn(async move {
                for n in 0..100 {
                    let id = format!("{caller}x{n}");
                    let done = bank
                        .execute(&anyone(), deposit(&id, 1))
                        .await
                        .expect("committed");
                    assert_eq!(done.version, round);
                }
            })
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.expect("a caller");
        }
    }
    assert_eq!(
        number(&bank, sql!("SELECT sum(balance) FROM balances")).await,
        18_000
    );
    shop.shutdown().await;
}
