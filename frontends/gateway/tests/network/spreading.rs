//! Which process gets a request.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, atomic::Ordering},
};

use axum::{
    body::Body,
    http::{Request, Response, StatusCode},
};
use gateway::{ClientAddress, Lookup, Network};
use tokio::sync::watch;
use web::{Balance, Upstream as _};

use crate::support::{Peer, Way, get, peers, quick, read, until, until_answer, unwatched, with};

#[tokio::test]
async fn requests_go_round() {
    let three = [
        Peer::named("a").await,
        Peer::named("b").await,
        Peer::named("c").await,
    ];
    let way = Way::to(quick(), &[&three[0], &three[1], &three[2]]).await;
    for _ in 0..30 {
        assert_eq!(way.get().await.0, StatusCode::OK);
    }
    for peer in &three {
        assert_eq!(peer.requests(), 10);
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    let peer = Peer::named("a").await;
    let way = Way::to(unwatched(), &[&peer]).await;
    until("the first probe", || {
        peer.state.connections.load(Ordering::SeqCst) > 0
    })
    .await;
    for _ in 0..50 {
        assert_eq!(way.get().await.1, "a");
        assert_eq!(way.post().await.1, "a");
    }
    let connections = peer.state.connections.load(Ordering::SeqCst);
    assert_eq!(connections, 2, "one for the probe, one for all requests");
}

#[tokio::test]
async fn the_least_busy_process_is_asked() {
    let slow = Peer::start(|_| std::future::pending()).await;
    let quick_one = Peer::named("quick").await;
    let urls = [slow.url(), quick_one.url()];
    let way = with("orders", &urls, &[], Balance::LeastConnections);
    let way = Way::along(quick(), way).await;
    let network = way.network.clone();
    let waiting = tokio::spawn(async move {
        loop {
            let answer = network.call("orders", get("/")).await;
            assert_eq!(answer.status(), StatusCode::OK);
        }
    });
    until("one waits", || slow.requests() == 1).await;
    for _ in 0..10 {
        assert_eq!(way.get().await.1, "quick");
    }
    waiting.abort();
}

#[tokio::test]
async fn a_client_stays_with_its_process() {
    let (a, b) = (Peer::named("a").await, Peer::named("b").await);
    let list = with("orders", &[a.url(), b.url()], &[], Balance::ClientHash);
    let way = Way::along(quick(), list).await;
    let ask = async |client: u8| {
        let mut request = get("/");
        let address = IpAddr::from([10, 0, 0, client]);
        request.extensions_mut().insert(ClientAddress(address));
        read(way.send(request).await).await.1
    };
    let mut seen = BTreeSet::new();
    for client in 0..20 {
        let first = ask(client).await;
        assert_eq!(ask(client).await, first);
        seen.insert(first);
    }
    assert_eq!(seen.len(), 2);
    let forwarded = async |client: &str| {
        let request = Request::get("/").header("x-forwarded-for", client);
        let request = request.body(Body::empty()).expect("a request");
        read(way.send(request).await).await.1
    };
    let first = forwarded("10.1.1.1").await;
    assert_eq!(forwarded("10.1.1.1").await, first);
}

#[tokio::test]
async fn requests_for_a_resource_stay_together_until_their_process_is_busy() {
    let hanging = |peer: &'static str| {
        Peer::start(move |request| async move {
            match request.uri().path().ends_with("wait") {
                true => std::future::pending().await,
                false => Response::new(Body::from(peer)),
            }
        })
    };
    let (a, b) = (hanging("a").await, hanging("b").await);
    let list = with("orders", &[a.url(), b.url()], &[], Balance::default());
    let way = Way::along(quick(), list).await;
    let ask = async |path: &str| read(way.send(get(path)).await).await.1;
    let mut seen = BTreeSet::new();
    for cart in 0..20 {
        let first = ask(&format!("/api/carts/{cart}")).await;
        assert_eq!(ask(&format!("/api/carts/{cart}/lines")).await, first);
        seen.insert(first);
    }
    assert_eq!(seen.len(), 2);
    // What belongs to no resource goes in turn.
    assert_ne!(ask("/api/carts").await, ask("/api/carts").await);
    // Whoever is busier than the others is spared.
    let home = ask("/api/carts/7").await;
    let peer = if home == "a" { &a } else { &b };
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let before = peer.requests();
        let network = way.network.clone();
        let wait = async move { network.call("orders", get("/api/carts/7/wait")).await };
        waiting.push(tokio::spawn(wait));
        until("it arrives at home", || peer.requests() > before).await;
    }
    assert_ne!(ask("/api/carts/7").await, home);
    waiting.iter().for_each(|one| one.abort());
    until_answer(
        "it is at home again",
        || async { read(way.send(get("/api/carts/7")).await).await },
        |answer| answer.1 == home,
    )
    .await;
}

#[tokio::test]
async fn a_backup_takes_over_and_gives_back() {
    let (first, spare) = (Peer::named("first").await, Peer::named("spare").await);
    let list = with(
        "orders",
        &[first.url()],
        &[spare.url()],
        Balance::RoundRobin,
    );
    let way = Way::along(quick(), list).await;
    assert_eq!(way.get().await.1, "first");
    first.state.not_ready.store(true, Ordering::SeqCst);
    until_answer("the spare", || way.post(), |answer| answer.1 == "spare").await;
    assert_eq!(way.post().await.1, "spare");
    first.state.not_ready.store(false, Ordering::SeqCst);
    until_answer("the first", || way.post(), |answer| answer.1 == "first").await;
    assert_eq!(way.post().await.1, "first");
}

#[tokio::test]
async fn a_process_that_is_not_ready_gets_nothing() {
    let (a, b) = (Peer::named("a").await, Peer::named("b").await);
    let way = Way::to(quick(), &[&a, &b]).await;
    a.state.not_ready.store(true, Ordering::SeqCst);
    // Its next probe is sent after its answer to this one was heard.
    until("it was asked", || {
        a.state.refused_probes.load(Ordering::SeqCst) > 1
    })
    .await;
    let before = a.requests();
    for _ in 0..20 {
        assert_eq!(way.get().await.1, "b");
    }
    assert_eq!(a.requests(), before);
    a.state.not_ready.store(false, Ordering::SeqCst);
    until_answer("it is back", || way.get(), |answer| answer.1 == "a").await;
}

#[tokio::test]
async fn probes_that_fail_everywhere_keep_nobody_out() {
    let only = Peer::named("only").await;
    only.state.not_ready.store(true, Ordering::SeqCst);
    let way = Way::to(quick(), &[&only]).await;
    until("it was asked", || {
        only.state.refused_probes.load(Ordering::SeqCst) > 1
    })
    .await;
    assert_eq!(way.get().await, (StatusCode::OK, "only".into()));
    assert_eq!(way.network.missing(), ["no service can be reached"]);
    only.state.not_ready.store(false, Ordering::SeqCst);
    until("ready", || way.network.missing().is_empty()).await;
}

#[tokio::test]
async fn the_list_may_change() {
    let (a, b) = (Peer::named("a").await, Peer::named("b").await);
    let way = Way::to(quick(), &[&a]).await;
    assert_eq!(way.get().await.1, "a");
    assert_eq!(way.network.services(), ["orders"]);
    way.peers
        .send_replace(Arc::new(peers("orders", &[b.url()])));
    until_answer("b", || way.get(), |answer| answer.1 == "b").await;
    let before = a.requests();
    for _ in 0..10 {
        assert_eq!(way.get().await.1, "b");
    }
    assert_eq!(a.requests(), before);
    way.peers.send_replace(Arc::new(peers("cart", &[b.url()])));
    let gone = until_answer(
        "nobody",
        || way.get(),
        |answer| answer.0 == StatusCode::SERVICE_UNAVAILABLE,
    )
    .await;
    assert!(gone.1.contains("no-service"), "{}", gone.1);
}

#[tokio::test]
async fn all_addresses_of_a_name_are_used_and_kept_while_it_cannot_be_found() {
    let (a, b) = (Peer::named("a").await, Peer::named("b").await);
    let found: Arc<Mutex<Option<Vec<SocketAddr>>>> =
        Arc::new(Mutex::new(Some(vec![a.address, b.address])));
    let looked_up = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (answers, count) = (found.clone(), looked_up.clone());
    let lookup: Lookup = Arc::new(move |name, port| {
        assert_eq!((name.as_str(), port), ("orders.internal", 8080));
        count.fetch_add(1, Ordering::SeqCst);
        let found = answers.lock().expect("not poisoned").clone();
        Box::pin(async move { found.ok_or(std::io::Error::other("no such name")) })
    });
    let list = peers("orders", &["dns+http://orders.internal:8080".into()]);
    let (sender, receiver) = watch::channel(Arc::new(list));
    let network = Network::start_with(receiver, quick(), lookup).await;
    let way = Way {
        network,
        peers: sender,
    };
    let names = async || {
        let mut names = BTreeSet::new();
        for _ in 0..10 {
            names.insert(way.get().await.1);
        }
        names.into_iter().collect::<String>()
    };
    assert_eq!(names().await, "ab");
    *found.lock().expect("not poisoned") = None;
    let before = looked_up.load(Ordering::SeqCst);
    until("it was looked up again", || {
        looked_up.load(Ordering::SeqCst) > before + 2
    })
    .await;
    assert_eq!(names().await, "ab");
    *found.lock().expect("not poisoned") = Some(vec![b.address]);
    until_answer("only b", &names, |names| names == "b").await;
}
