//! Processes that come and go while people shop.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use gateway::NetworkSettings;
use tokio::task::JoinSet;

use crate::support::{Peer, Way, peers, quick, until, unwatched};

const CLIENTS: usize = 64;

/// Clients who shop until told to stop; how many requests they made, and what failed.
struct Crowd {
    clients: JoinSet<Vec<(StatusCode, String)>>,
    enough: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
}

impl Crowd {
    fn of(way: &Arc<Way>, kinds: usize) -> Self {
        let (enough, answered) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            let (way, enough): (_, Arc<AtomicBool>) = (way.clone(), enough.clone());
            let count: Arc<AtomicUsize> = Arc::clone(&answered);
            clients.spawn(async move {
                let mut failed = Vec::new();
                while !enough.load(Ordering::SeqCst) {
                    let answer = match client % kinds {
                        0 => way.get().await,
                        1 => way.post_with_key().await,
                        _ => way.post().await,
                    };
                    if answer.0 != StatusCode::OK {
                        failed.push(answer);
                    }
                    count.fetch_add(1, Ordering::SeqCst);
                }
                failed
            });
        }
        Self {
            clients,
            enough,
            answered,
        }
    }

    async fn carry_on(&self) {
        let enough = self.answered.load(Ordering::SeqCst) + 500;
        until("people shop", || {
            self.answered.load(Ordering::SeqCst) >= enough
        })
        .await;
    }

    async fn go_home(mut self) {
        self.enough.store(true, Ordering::SeqCst);
        let mut failed = Vec::new();
        while let Some(client) = self.clients.join_next().await {
            failed.extend(client.expect("no panic"));
        }
        let all = self.answered.load(Ordering::SeqCst);
        assert!(
            failed.is_empty(),
            "{} of {all}: {:?}",
            failed.len(),
            failed[0]
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_is_not_noticed() {
    let mut three = vec![
        Peer::named("old").await,
        Peer::named("old").await,
        Peer::named("old").await,
    ];
    let way = Arc::new(Way::to(quick(), &[&three[0], &three[1], &three[2]]).await);
    let crowd = Crowd::of(&way, 3);
    crowd.carry_on().await;
    for _ in 0..3 {
        three.remove(0).stop_gently().await;
        crowd.carry_on().await;
        three.push(Peer::named("new").await);
        let urls: Vec<_> = three.iter().map(Peer::url).collect();
        way.peers.send_replace(Arc::new(peers("orders", &urls)));
        crowd.carry_on().await;
        let newest = three.last().expect("three");
        until("the new one is used", || newest.requests() > 0).await;
    }
    crowd.go_home().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_fails_nothing_that_may_be_repeated() {
    let slow = |_| async {
        // Long enough that requests are under way when it dies.
        tokio::time::sleep(Duration::from_millis(5)).await;
        Response::new(Body::from("done"))
    };
    let (dies, lives) = (Peer::start(slow).await, Peer::start(slow).await);
    let settings = NetworkSettings {
        per_try: Duration::from_secs(20),
        ..quick()
    };
    let way = Arc::new(Way::to(settings, &[&dies, &lives]).await);
    let crowd = Crowd::of(&way, 2);
    crowd.carry_on().await;
    let state = dies.state.clone();
    until("requests are under way", || {
        state.under_way.load(Ordering::SeqCst) > 4
    })
    .await;
    dies.kill().await;
    crowd.carry_on().await;
    crowd.go_home().await;
}

#[tokio::test]
async fn connections_that_were_closed_meanwhile_are_not_used() {
    let peer = Peer::named("first").await;
    let address = peer.address.to_string();
    let way = Way::to(unwatched(), &[&peer]).await;
    assert_eq!(way.post().await.1, "first");
    peer.kill().await;
    let answer = |_| -> kernel::BoxFuture<'static, _> {
        Box::pin(std::future::ready(Response::new(Body::from("second"))))
    };
    let again = Peer::start_at(&address, Arc::new(answer)).await;
    // Sent once, and nothing is lost.
    assert_eq!(way.post().await, (StatusCode::OK, "second".into()));
    assert_eq!(again.requests(), 1);
}
