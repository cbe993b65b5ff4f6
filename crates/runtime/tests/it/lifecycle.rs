//! Starting and stopping: what was accepted is answered, and what does not fit together is refused.

use std::sync::Arc;

use kernel::{AppError, Broadcast, From, Module, Subscription, sql};
use runtime::{Runtime, SystemClock};

use crate::{
    life::{anyone, app, config, number, start},
    toys::{Trouble, audit, bank, deposit},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_answers_everything_that_was_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank(), audit(&Trouble::default())]).await;
    let bank_app = app(&shop, "bank");
    // More callers than a batch takes, and they never pause: stopping must not wait for a lull.
    let callers = (0..1_500).map(|n| {
        let bank = bank_app.clone();
        tokio::spawn(async move {
            let (id, mut done) = (format!("{n}"), 0);
            loop {
                match bank.execute(&anyone(), deposit(&id, 1)).await {
                    Ok(_) => done += 1,
                    Err(AppError::Unavailable(_)) => return (id, done),
                    Err(error) => panic!("{error}"),
                }
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    crate::life::until("they are at work", || async {
        shop.ops().head("bank").is_ok_and(|h| h > 3_000)
    })
    .await;
    assert!(shop.readiness()().is_empty());
    let ready = shop.readiness();
    shop.shutdown().await;
    assert_eq!(ready(), ["shutting down"]);
    let mut answered = Vec::new();
    for caller in callers {
        answered.push(caller.await.expect("a caller"));
    }
    let shop = start(folder.path(), vec![bank(), audit(&Trouble::default())]).await;
    let bank_app = app(&shop, "bank");
    for (id, done) in answered {
        let kept = number(
            &bank_app,
            sql!("SELECT balance FROM balances WHERE id = $1", &id),
        )
        .await;
        assert_eq!(kept, done, "account {id}: answered and kept differ");
    }
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_do_not_fit_together_are_refused_before_anything_is_opened() {
    let listening =
        |name, topics| Subscription::new(name, topics, |_| Ok(kernel::Reaction::none()));
    let cases: [(Vec<Module>, &str); 7] = [
        (vec![bank(), bank()], "two services"),
        (vec![audit(&Trouble::default())], "bank, which is not here"),
        (
            vec![bank().broadcast(Broadcast::new("feed", &["nobody"], From::Now, |_| {}))],
            "nobody, which is not here",
        ),
        (
            vec![
                bank()
                    .subscription(listening("x", &["bank"]))
                    .subscription(listening("x", &["bank"])),
            ],
            "more than one subscription or worker called x",
        ),
        (
            vec![bank().subscription(listening("timers", &["bank"]))],
            "called timers",
        ),
        (
            vec![
                bank()
                    .projection(crate::toys::mirror(1, Trouble::default()))
                    .projection(crate::toys::mirror(1, Trouble::default())),
            ],
            "mirror",
        ),
        (
            vec![bank().decider::<crate::toys::Account>()],
            "more than one decider called acct",
        ),
    ];
    for (modules, expected) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let started = Runtime::start(config(folder.path(), Arc::new(SystemClock)), modules).await;
        let refused = started.map(drop).expect_err(expected).to_string();
        assert!(refused.contains(expected), "{refused}");
        assert!(
            !folder.path().join("bank.db").exists(),
            "{expected}: something was opened"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_something_else_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("bank.db"), "x".repeat(5_000)).expect("written");
    let started = Runtime::start(config(folder.path(), Arc::new(SystemClock)), vec![bank()]).await;
    let refused = started.map(drop).expect_err("refused").to_string();
    assert!(refused.contains("bank"), "{refused}");
}
