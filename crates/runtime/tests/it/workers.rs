//! Workers: effects on the outside, at least once, in order within a stream, side by side elsewhere.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use kernel::{BoxFuture, From, Module, Recorded, Worker, WorkerError, sql};
use runtime::Runtime;
use tokio::sync::Semaphore;

use crate::{
    life::{anyone, app, number, start, until},
    many,
    neighbours::World as Neighbours,
    toys::{AccountEvent, bank, deposit, noted},
};

/// The outside world, as the worker sees it.
#[derive(Default)]
struct World {
    /// Effects that were done: stream and version, in order.
    done: Mutex<Vec<(String, i64)>>,
    tries: AtomicUsize,
    running: AtomicUsize,
    most: AtomicUsize,
    healed: std::sync::atomic::AtomicBool,
}

impl World {
    fn done(&self) -> Vec<(String, i64)> {
        self.done.lock().expect("no panic here").clone()
    }

    fn versions(&self, stream: &str) -> Vec<i64> {
        self.done()
            .into_iter()
            .filter(|(s, _)| s == stream)
            .map(|(_, v)| v)
            .collect()
    }

    fn note(&self, event: &Recorded) {
        let noted = (event.stream.id().to_owned(), event.version);
        self.done.lock().expect("no panic here").push(noted);
    }
}

type Effect =
    Arc<dyn Fn(Arc<Recorded>) -> BoxFuture<'static, Result<(), WorkerError>> + Send + Sync>;

fn with_worker(concurrency: usize, effect: Effect) -> Module {
    bank().worker(Worker {
        name: "outside",
        topics: &["bank"],
        types: &["bank.account.moved.v1"],
        from: From::Beginning,
        concurrency,
        perform: Arc::new(move |_, event| effect(event)),
    })
}

fn memo(event: &Recorded) -> String {
    match event.decode::<AccountEvent>().expect("decodes").as_deref() {
        Some(AccountEvent::Moved(moved)) => moved.memo.clone(),
        _ => String::new(),
    }
}

/// An effect that obeys memos: "poison", "panic" and "shaky" (works the third time) are trouble.
fn obeying(world: &Arc<World>) -> Effect {
    let world = world.clone();
    Arc::new(move |event| {
        let world = world.clone();
        Box::pin(async move {
            let tries = world.tries.fetch_add(1, Ordering::SeqCst);
            let healed = world.healed.load(Ordering::SeqCst);
            match memo(&event).as_str() {
                "poison" if !healed => return Err(WorkerError::Poison("refused outside".into())),
                "panic" if !healed => panic!("a defect in the effect"),
                "shaky" if tries < 2 => return Err(WorkerError::Retry("try later".into())),
                "down" if !healed => return Err(WorkerError::Retry("the outside is down".into())),
                _ => {}
            }
            world.note(&event);
            Ok(())
        })
    })
}

/// An effect that waits for a permit, to see what runs side by side.
fn waiting(world: &Arc<World>, gate: &Arc<Semaphore>) -> Effect {
    let (world, gate) = (world.clone(), gate.clone());
    Arc::new(move |event| {
        let (world, gate) = (world.clone(), gate.clone());
        Box::pin(async move {
            let running = world.running.fetch_add(1, Ordering::SeqCst) + 1;
            world.most.fetch_max(running, Ordering::SeqCst);
            gate.acquire().await.expect("open").forget();
            world.running.fetch_sub(1, Ordering::SeqCst);
            world.note(&event);
            Ok(())
        })
    })
}

async fn pay(shop: &Runtime, id: &str, memo: &str) {
    app(shop, "bank")
        .execute(&anyone(), noted(id, 1, memo))
        .await
        .expect("committed");
}

async fn position(shop: &Runtime) -> i64 {
    let saved = sql!("SELECT min(position) FROM positions WHERE subscription = 'outside'");
    number(&app(shop, "bank"), saved).await
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_run_side_by_side_up_to_the_limit_and_each_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, gate) = (Arc::new(World::default()), Arc::new(Semaphore::new(0)));
    let shop = start(folder.path(), vec![with_worker(3, waiting(&world, &gate))]).await;
    for n in 0..60 {
        pay(&shop, &format!("{}", n % 10), "").await;
    }
    until("three are under way", || async {
        world.running.load(Ordering::SeqCst) == 3
    })
    .await;
    gate.add_permits(60);
    until("all are done", || async { world.done().len() == 60 }).await;
    assert_eq!(
        world.most.load(Ordering::SeqCst),
        3,
        "more at once than it allows"
    );
    for n in 0..10 {
        assert_eq!(world.versions(&n.to_string()), (1..=6).collect::<Vec<_>>());
    }
    until("the position is saved", || async {
        position(&shop).await == 60
    })
    .await;
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_position_never_passes_an_effect_that_is_not_finished() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = Arc::new(World::default());
    let shop = start(folder.path(), vec![with_worker(4, obeying(&world))]).await;
    pay(&shop, "a", "").await;
    pay(&shop, "b", "down").await;
    pay(&shop, "a", "").await;
    pay(&shop, "b", "").await;
    pay(&shop, "c", "").await;
    until("the others are done", || async { world.done().len() == 3 }).await;
    shop.shutdown().await;
    let shop = start(folder.path(), vec![bank()]).await;
    assert_eq!(
        position(&shop).await,
        1,
        "what is not done would be forgotten"
    );
    shop.shutdown().await;
    // After the restart it is done, and what came after it a second time at most.
    world.healed.store(true, Ordering::SeqCst);
    let shop = start(folder.path(), vec![with_worker(4, obeying(&world))]).await;
    until("all is done", || async { world.versions("b") == [1, 2] }).await;
    until("the position is saved", || async {
        position(&shop).await == 5
    })
    .await;
    assert_eq!(world.versions("a")[..2], [1, 2]);
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_for_a_while_is_tried_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = Arc::new(World::default());
    let shop = start(folder.path(), vec![with_worker(1, obeying(&world))]).await;
    pay(&shop, "a", "shaky").await;
    pay(&shop, "a", "").await;
    until("both are done", || async { world.versions("a") == [1, 2] }).await;
    assert_eq!(world.tries.load(Ordering::SeqCst), 4);
    assert!(shop.ops().dead_letters().await.expect("letters").is_empty());
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_works_is_parked_with_its_stream_and_redriven_in_order() {
    for trouble in ["poison", "panic"] {
        let folder = tempfile::tempdir().expect("a folder");
        let world = Arc::new(World::default());
        let gate = Arc::new(Semaphore::new(0));
        // Everything is read before the first is done, so that successors stand in line.
        let (obey, gated) = (obeying(&world), gate.clone());
        let effect: Effect = Arc::new(move |event| {
            let (gate, obey) = (gated.clone(), obey.clone());
            Box::pin(async move {
                gate.acquire().await.expect("open").forget();
                obey(event).await
            })
        });
        let shop = start(folder.path(), vec![with_worker(2, effect)]).await;
        pay(&shop, "a", "").await;
        pay(&shop, "a", trouble).await;
        pay(&shop, "a", "").await;
        pay(&shop, "b", "").await;
        gate.add_permits(1_000);
        until("the other stream goes on", || async {
            world.versions("b") == [1]
        })
        .await;
        let letters = || async { shop.ops().dead_letters().await.expect("letters") };
        until("two are parked", || async { letters().await.len() == 2 }).await;
        pay(&shop, "a", "").await;
        until("the later one is parked too", || async {
            letters().await.len() == 3
        })
        .await;
        until("the position passed what is parked", || async {
            position(&shop).await == 5
        })
        .await;
        assert_eq!(
            world.versions("a"),
            [1],
            "{trouble}: a later effect overtook"
        );
        assert_eq!(
            shop.ops()
                .redrive("bank", Some("outside"))
                .await
                .expect("redriven"),
            0
        );
        world.healed.store(true, Ordering::SeqCst);
        assert_eq!(
            shop.ops()
                .redrive("bank", Some("outside"))
                .await
                .expect("redriven"),
            3
        );
        assert_eq!(world.versions("a"), [1, 2, 3, 4]);
        assert!(letters().await.is_empty());
        pay(&shop, "a", "").await;
        until("the stream goes on", || async {
            world.versions("a").last() == Some(&5)
        })
        .await;
        shop.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn effects_under_way_at_a_stop_are_seen_through_or_done_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, gate) = (Arc::new(World::default()), Arc::new(Semaphore::new(0)));
    let shop = start(folder.path(), vec![with_worker(2, waiting(&world, &gate))]).await;
    for n in 0..6 {
        pay(&shop, &format!("{}", n % 3), "").await;
    }
    until("two are under way", || async {
        world.running.load(Ordering::SeqCst) == 2
    })
    .await;
    gate.add_permits(1_000);
    shop.shutdown().await;
    let shop = start(folder.path(), vec![with_worker(2, waiting(&world, &gate))]).await;
    until("the position is at the end", || async {
        position(&shop).await == 6
    })
    .await;
    shop.shutdown().await;
    let mut times: HashMap<(String, i64), usize> = HashMap::new();
    world
        .done()
        .into_iter()
        .for_each(|done| *times.entry(done).or_default() += 1);
    assert_eq!(times.len(), 6, "an effect was lost");
    for n in 0..3 {
        let mut versions = world.versions(&n.to_string());
        versions.dedup();
        assert!(
            versions
                .windows(2)
                .all(|pair| pair[0] <= pair[1] || pair[1] == 1),
            "{versions:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_records_its_results_by_commands() {
    let folder = tempfile::tempdir().expect("a folder");
    let worker =
        |app: kernel::App, event: Arc<Recorded>| -> BoxFuture<'static, Result<(), WorkerError>> {
            Box::pin(async move {
                let id = format!("{}fee", event.stream.id());
                if event.stream.id().ends_with("fee") {
                    return Ok(());
                }
                let recorded = app.execute(&event.meta, deposit(&id, 1)).await;
                recorded
                    .map(drop)
                    .map_err(|error| WorkerError::Retry(error.to_string()))
            })
        };
    let module = bank().worker(Worker {
        name: "fees",
        topics: &["bank"],
        types: &["bank.account.moved.v1"],
        from: From::Now,
        concurrency: 8,
        perform: Arc::new(worker),
    });
    let shop = start(folder.path(), vec![module]).await;
    for n in 0..1_000 {
        pay(&shop, &format!("{}", n % 40), "").await;
    }
    let bank = app(&shop, "bank");
    let fees = || sql!("SELECT sum(balance) FROM balances WHERE id LIKE '%fee'");
    until("every payment has its fee", || async {
        number(&bank, fees()).await == 1_000
    })
    .await;
    shop.shutdown().await;
}

/// An instance that took over partitions which were behind, and has brought them up to its own,
/// hears of what comes next.
#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_were_taken_over_behind_the_others_go_on_with_them() {
    let (outside, database) = (Arc::new(World::default()), Neighbours::new(&["bank"]));
    let bank = || with_worker(4, obeying(&outside));
    let done = |count: usize| {
        let outside = outside.clone();
        until("the effects are done", move || {
            let enough = outside.done().len() >= count;
            async move { enough }
        })
    };
    let (shop, _) = database.start("a", vec![bank()]).await;
    many::pay(&[&shop], 20, 1).await;
    done(20).await;
    shop.shutdown().await;
    let behind = "UPDATE positions SET position = position - 5 WHERE subscription = 'outside' AND partition < 4";
    database.write("bank", sql!(behind)).await;
    let repeated = sql!("SELECT count(*) FROM events WHERE partition < 4 AND position > 15");
    let repeated = database.number("bank", repeated).await as usize;

    let (shop, _) = database.start("a", vec![bank()]).await;
    let places =
        sql!("SELECT count(DISTINCT position) FROM positions WHERE subscription = 'outside'");
    until("all are at one place", || async {
        database.number("bank", places.clone()).await == 1
    })
    .await;
    many::pay(&[&shop], 20, 1).await;
    done(40 + repeated).await;
    shop.shutdown().await;
}
