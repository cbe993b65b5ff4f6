//! What several instances remember of streams that all of them change: never believed without
//! being checked.

use kernel::{
    App, AppError, Command, IdempotencyKey, Rejection, Stored, StreamId, UnitOfWork, sql,
};
use runtime::Runtime;

use crate::{
    life::{anyone, app, until},
    neighbours::World,
    toys::{Account, AccountCommand, bank, deposit},
};

/// 3: a rejection out of a stale cache is not answered before the versions it rests on were
/// checked; or what was restocked elsewhere would be refused for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_stale_cache_refuses_nothing() {
    let world = World::new(&["bank"]);
    let (one, _) = world.start("a", vec![bank()]).await;
    let (two, _) = world.start("b", vec![bank()]).await;
    // What others commit is not told here: the caches must find out by themselves.
    world.log.be_silent();
    let (one_bank, two_bank) = (app(&one, "bank"), app(&two, "bank"));
    for round in 1..=20 {
        // Both have it cached: empty.
        for bank in [&one_bank, &two_bank] {
            let balance = bank.state::<Account>("a").await.expect("a state");
            assert_eq!(balance.state.balance, 0, "round {round}");
        }
        one_bank
            .execute(&anyone(), deposit("a", 5))
            .await
            .expect("restocked");
        two_bank
            .execute(&anyone(), deposit("a", -5))
            .await
            .expect("there is enough");
        // 3, the other way round: an answer without events is as fresh.
        let refused = one_bank.execute(&anyone(), deposit("a", -5)).await;
        assert!(matches!(refused, Err(AppError::Rejected(_))), "{refused:?}");
    }
    one.shutdown().await;
    two.shutdown().await;
}

/// What another instance has begun and the log has shown is not asked of the database; what was
/// there before, or is longer than is kept, is.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_seen_to_begin_is_not_loaded() {
    let world = World::new(&["bank"]);
    let (one, _) = world.start("a", vec![bank()]).await;
    let one_bank = app(&one, "bank");
    let pay = async |bank: &App, id: &str| {
        let paid = bank.execute(&anyone(), deposit(id, 1)).await;
        paid.expect("committed");
    };
    pay(&one_bank, "old").await;
    let (two, gate) = world.start("b", vec![bank()]).await;
    let two_bank = app(&two, "bank");
    let before = gate.loaded();
    for n in 0..10 {
        let id = format!("new{n}");
        let opened = crate::toys::open(&id, &id, "x");
        one_bank.execute(&anyone(), opened).await.expect("opened");
        pay(&one_bank, &id).await;
        // The person's name, too, is what it was.
        pay(&two_bank, &id).await;
        let account = two_bank.state::<Account>(&id).await.expect("a state");
        assert_eq!(account.state.balance, 2);
        pay(&one_bank, &id).await;
    }
    assert_eq!(gate.loaded(), before);
    pay(&two_bank, "old").await;
    assert_eq!(gate.loaded(), before + 1);
    for _ in 0..40 {
        pay(&one_bank, "long").await;
    }
    pay(&two_bank, "long").await;
    assert_eq!(gate.loaded(), before + 2);
    one.shutdown().await;
    two.shutdown().await;
}

/// Reads an account, writes another: sound only if what was read is asserted.
struct Mirror;

impl Command for Mirror {
    type Output = i64;

    fn streams(&self) -> Vec<StreamId> {
        vec![
            StreamId::new("acct", "original"),
            StreamId::new("acct", "copy"),
        ]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<i64, Rejection> {
        let original = work.state::<Account>("original")?.balance;
        let copy = work.state::<Account>("copy")?.balance;
        let memo = "mirrored".to_owned();
        work.decide::<Account>("copy", &AccountCommand::Move(original - copy, memo))?;
        Ok(original)
    }
}

/// 3: a stream that was read and not written is asserted as well.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_only_read_must_still_be_so() {
    let world = World::new(&["bank"]);
    let (one, _) = world.start("a", vec![bank()]).await;
    let (two, _) = world.start("b", vec![bank()]).await;
    world.log.be_silent();
    let (one, two) = (&one, &two);
    let (one_bank, two_bank) = (app(one, "bank"), app(two, "bank"));
    for round in 1..=20 {
        let seen = two_bank.execute(&anyone(), Mirror).await.expect("mirrored");
        assert_eq!(seen, round - 1);
        one_bank
            .execute(&anyone(), deposit("original", 1))
            .await
            .expect("paid");
        let seen = two_bank.execute(&anyone(), Mirror).await.expect("mirrored");
        assert_eq!(seen, round);
    }
}

/// 11: a stream that everybody hammers does not livelock: whoever lost two races decides while it
/// holds the head. Every command succeeds, and the sum is exact.
#[tokio::test(flavor = "multi_thread")]
async fn a_hot_stream_does_not_livelock() {
    a_hot_stream_does_not_livelock_in(&World::new(&["bank"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hot_stream_does_not_livelock_on_a_server() {
    a_hot_stream_does_not_livelock_in(&World::on_a_server(&["bank"]).await).await;
}

async fn a_hot_stream_does_not_livelock_in(world: &World) {
    let mut shops = Vec::new();
    for slot in ["a", "b", "c"] {
        shops.push(world.start(slot, vec![bank()]).await.0);
    }
    let callers = (0..60).map(|n| {
        let bank = app(&shops[n % 3], "bank");
        tokio::spawn(async move {
            for _ in 0..20 {
                let done = bank.execute(&anyone(), deposit("hot", 1)).await;
                done.unwrap_or_else(|error| panic!("{error}"));
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.expect("a caller");
    }
    let total = sql!("SELECT balance FROM balances WHERE id = 'hot'");
    assert_eq!(world.number("bank", total).await, 1_200);
    for shop in &shops {
        let state = app(shop, "bank").state::<Account>("hot").await;
        assert_eq!(state.expect("a state").state.moves, 1_200);
    }
    for shop in shops {
        shop.shutdown().await;
    }
}

/// 26: the same request through several instances at once takes effect once, and all get the first
/// one's answer.
#[tokio::test(flavor = "multi_thread")]
async fn one_request_through_all_instances_takes_effect_once() {
    one_request_through_all_instances_takes_effect_once_in(&World::new(&["bank"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_through_all_instances_takes_effect_once_on_a_server() {
    one_request_through_all_instances_takes_effect_once_in(&World::on_a_server(&["bank"]).await)
        .await;
}

async fn one_request_through_all_instances_takes_effect_once_in(world: &World) {
    let mut shops = Vec::new();
    for slot in ["a", "b", "c"] {
        shops.push(world.start(slot, vec![bank()]).await.0);
    }
    for round in 0..20 {
        let key = IdempotencyKey {
            scope: format!("scope {round}"),
            body: "body".into(),
        };
        let calls = (0..9).map(|n| {
            let (bank, key) = (app(&shops[n % 3], "bank"), key.clone());
            async move {
                // Other streams each time: nothing but the record keeps them apart.
                let command = deposit(&format!("{round}-{n}"), 1);
                let render = move |_: &_| Stored {
                    status: 201,
                    body: format!("{n}"),
                };
                bank.execute_once(&anyone(), Some(key), command, render)
                    .await
            }
        });
        let answers = futures_util::future::join_all(calls).await;
        let bodies: Vec<String> = answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(|error| panic!("{error}")).body)
            .collect();
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    }
    let moves = sql!("SELECT count(*) FROM events");
    assert_eq!(world.number("bank", moves).await, 20);
    for shop in shops {
        shop.shutdown().await;
    }
}

/// 26: a duplicate in flight gets the first one's answer, also when it comes later than it thinks.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_that_was_overtaken_gets_the_others_answer() {
    overtaken_in(&World::new(&["bank"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_that_was_overtaken_gets_the_others_answer_on_a_server() {
    overtaken_in(&World::on_a_server(&["bank"]).await).await;
}

async fn overtaken_in(world: &World) {
    let (one, gate) = world.start("a", vec![bank()]).await;
    let (two, _) = world.start("b", vec![bank()]).await;
    let once = |shop: &runtime::Runtime, id: &'static str| {
        let bank = app(shop, "bank");
        async move {
            let key = IdempotencyKey {
                scope: "scope".into(),
                body: "body".into(),
            };
            let render = move |_: &_| Stored {
                status: 201,
                body: id.into(),
            };
            let done = bank
                .execute_once(&anyone(), Some(key), deposit(id, 1), render)
                .await;
            done.map(|stored| stored.body)
        }
    };
    gate.stop_writes();
    let late = tokio::spawn(once(&one, "late"));
    let neighbour = {
        let bank = app(&one, "bank");
        tokio::spawn(async move { bank.execute(&anyone(), deposit("neighbour", 1)).await })
    };
    until("it is on its way", || async { gate.waiting() > 0 }).await;
    assert_eq!(once(&two, "early").await.expect("committed"), "early");
    gate.go_on();
    assert_eq!(late.await.expect("no panic").expect("an answer"), "early");
    neighbour.await.expect("no panic").expect("committed");
    assert_eq!(
        world
            .number("bank", sql!("SELECT count(*) FROM events"))
            .await,
        2
    );
    one.shutdown().await;
    two.shutdown().await;
}

/// 9: a log that was restored while its listeners ran, and has outgrown them before they look:
/// nothing is skipped in silence, by a subscription or by a worker.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_ahead_of_a_log_that_was_restored_under_them_stops_as_well() {
    let world = World::new(&["bank", "audit"]);
    let (bank_alone, _) = world.start("bank", vec![bank()]).await;
    let audit = || vec![crate::toys::audit(&crate::toys::Trouble::default())];
    let (listening, _) = world.start("a", audit()).await;
    crate::many::pay(&[&bank_alone], 5, 4).await;
    crate::many::noted_once(&world, &listening, 5, 4).await;
    world.log.restore("bank", "7@two", 25);
    crate::many::pay(&[&bank_alone], 5, 1).await;
    let stopped = async |shop: &Runtime| {
        until("it says so", || async {
            let missing = shop.not_ready().join("\n");
            missing.contains("tells the same as before only up to 7")
        })
        .await;
    };
    stopped(&listening).await;
    let heard = sql!("SELECT count(*) FROM events");
    assert_eq!(world.number("audit", heard).await, 20, "it went on");
    listening.shutdown().await;
    // It stays so, however far the log grows.
    let (again, _) = world.start("a", audit()).await;
    stopped(&again).await;
    again.shutdown().await;
    bank_alone.shutdown().await;
}

/// 9: one that was not ahead goes on with the restored log.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_ahead_of_a_log_that_was_restored_under_them_goes_on() {
    let world = World::new(&["bank", "audit"]);
    let (bank_alone, _) = world.start("bank", vec![bank()]).await;
    let audit = vec![crate::toys::audit(&crate::toys::Trouble::default())];
    let (listening, _) = world.start("a", audit).await;
    crate::many::pay(&[&bank_alone], 5, 4).await;
    crate::many::noted_once(&world, &listening, 5, 4).await;
    world.log.restore("bank", "20@two", 20);
    crate::many::pay(&[&bank_alone], 5, 1).await;
    crate::many::noted_once(&world, &listening, 5, 5).await;
    listening.shutdown().await;
    bank_alone.shutdown().await;
}

/// 9: a log that was restored to an earlier moment stops who is ahead of it, and it says so; also
/// after the new log has grown past it.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_ahead_of_a_restored_log_stops_and_says_so() {
    let world = World::new(&["bank", "audit"]);
    let modules = || vec![crate::toys::audit(&crate::toys::Trouble::default())];
    let (bank_alone, _) = world.start("bank", vec![bank()]).await;
    let (audit, _) = world.start("a", modules()).await;
    crate::many::pay(&[&bank_alone], 5, 4).await;
    crate::many::noted_once(&world, &audit, 5, 4).await;
    audit.shutdown().await;
    let saved = sql!("SELECT min(position) FROM positions WHERE subscription = 'note'");
    assert_eq!(world.number("audit", saved).await, 20);
    for ends_at in [7, 30] {
        world.log.restore("bank", "two", ends_at);
        let (audit, _) = world.start("a", modules()).await;
        until("it says so", || async {
            let missing = audit.not_ready().join("\n");
            missing.contains("restored to an earlier moment")
        })
        .await;
        crate::many::pay(&[&bank_alone], 5, 1).await;
        assert_eq!(
            world
                .number("audit", sql!("SELECT count(*) FROM events"))
                .await,
            20,
            "it went on"
        );
        audit.shutdown().await;
    }
    bank_alone.shutdown().await;
}
