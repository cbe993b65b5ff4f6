//! Events of programs outside of Souk.

use kernel::{Module, Poison, sql};

use crate::{
    life::{app, until},
    neighbours::World,
    toys::{Account, bank, deposit},
};

fn listening() -> Module {
    bank().inbound("bank.cheque.cashed.v1", |data| {
        let amount: i64 = data.parse().map_err(|_| Poison("not an amount".into()))?;
        Ok(Box::new(deposit("a", amount)))
    })
}

/// 26: what a program says again, to the same instance or another, takes effect once. What cannot
/// be handled is kept as a dead letter and acknowledged, so that it does not come for ever.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_from_outside_takes_effect_once() {
    let world = World::new(&["bank"]);
    let (one, _) = world.start("a", vec![listening()]).await;
    until("it listens", || async {
        world.broker.listeners("bank") == 1
    })
    .await;
    let (two, gate) = world.start("b", vec![listening()]).await;
    until("both listen", || async {
        world.broker.listeners("bank") == 2
    })
    .await;
    let kind = "bank.cheque.cashed.v1";
    let say = |n, who, data| world.broker.say("bank", n, who, kind, data);
    for n in [0, 1, 0, 1] {
        assert!(say(n, ("till 1", "1"), "5").await);
    }
    // The same id is another event's when another program says it, and sources and ids that only
    // look alike when they are put together are different.
    assert!(say(0, ("till 2", "1"), "5").await);
    assert!(say(1, ("till ", "21"), "5").await);
    let both = tokio::join!(say(0, ("till 1", "2"), "5"), say(1, ("till 1", "2"), "5"));
    assert_eq!(both, (true, true));
    let balance = || async {
        let state = app(&one, "bank").state::<Account>("a").await;
        state.expect("a state").state.balance
    };
    assert_eq!(balance().await, 20);
    // Nonsense, something refused, and a kind that nobody knows.
    assert!(say(0, ("till 1", "3"), "secret").await);
    assert!(say(1, ("till 1", "4"), "-1000").await);
    let unheard = world
        .broker
        .say("bank", 0, ("till 1", "5"), "bank.x.y.v1", "5");
    assert!(unheard.await);
    let letters = one.ops().dead_letters().await.expect("letters");
    assert_eq!(letters.len(), 3);
    for letter in letters {
        assert_eq!(
            (&*letter.subscription, &*letter.topic),
            ("inbound", "till 1")
        );
        assert!(!letter.reason.contains("secret"), "{}", letter.reason);
    }
    // Not acknowledged before it is committed.
    gate.stop();
    let broker = world.broker.clone();
    let waiting =
        tokio::spawn(async move { broker.say("bank", 1, ("till 1", "6"), kind, "5").await });
    until("its commit is on its way", || async { gate.waiting() > 1 }).await;
    assert!(!waiting.is_finished());
    assert_eq!(balance().await, 20);
    gate.go_on();
    assert!(waiting.await.expect("no panic"));
    assert_eq!(balance().await, 25);
    assert_eq!(
        world
            .number("bank", sql!("SELECT count(*) FROM events"))
            .await,
        5
    );
    one.shutdown().await;
    two.shutdown().await;
}
