//! `souk up --processes`: a shop in many processes on one machine, started, watched and started
//! again from here. For laptops and single servers; in a cluster its scheduler does this.

mod autoscale;
mod backoff;
pub mod commands;
mod control;
mod crew;
mod doors;
mod ground;
mod logs;
mod opening;
mod papers;
pub mod parent;
mod peers;
mod plan;
mod process;
mod secrets;
mod servers;
mod slot;
mod usage;
mod watch;

use std::{sync::Arc, time::Instant};

use tokio::sync::mpsc;
use tracing::Level;

pub use autoscale::Rule;

use self::{
    control::{Control, Line},
    crew::{Crew, Say},
    doors::Doors,
    ground::Folder,
    servers::Servers,
};
use crate::{
    cli::Up,
    failure::{Context as _, Failure, Result},
    shop,
};

/// Runs until Ctrl-C, SIGTERM or `souk down`.
pub async fn run(up: Up, level: Level) -> Result<()> {
    let started = Instant::now();
    let folder = std::path::absolute(&up.data).context("the data directory")?;
    let _lock = shop::lock(&folder)?;
    opening::check(&up, &folder)?;
    let doors = Doors::open(&up)?;
    let places = Folder::make(&folder)?;
    let servers = Arc::new(Servers::default());
    let (down, downs) = mpsc::channel(1);
    let mut end = std::pin::pin!(asked_to_end(downs));

    let crew = tokio::select! {
        ground = ground::lay(&up, level, &places, &doors, servers.clone()) => {
            Arc::new(Crew::new(ground?))
        }
        _ = &mut end => return Ok(()),
    };
    let (socket, path) = control::open(&folder, &places.run)?;
    let control = Control {
        crew: crew.clone(),
        servers: servers.clone(),
        down,
    };
    let control = tokio::spawn(control::serve(socket, control));
    let reviving = tokio::spawn(servers.clone().watch(crew.ending()));
    let watching = tokio::spawn(watch::watch(crew.clone(), up.processes.autoscale.clone()));

    let (ended, teller) = tokio::select! {
        failure = stays_open(&up, &crew, doors, started) => (Err(failure), None),
        teller = &mut end => (Ok(()), teller),
    };
    let listener = teller.clone();
    let say: Say = Arc::new(move |text: String| {
        println!("  {text}");
        if let Some(listener) = &listener {
            let _ = listener.send(Line::Say(text));
        }
    });
    println!("Closing…");
    crew.end(&say).await;
    drop(say);
    let _ = watching.await;
    let _ = reviving.await;
    let stopped = tokio::task::spawn_blocking(move || servers.stop()).await;
    stopped.context("PostgreSQL and NATS")??;
    let _ = std::fs::remove_file(path);
    if let Some(teller) = teller {
        let _ = teller.send(Line::Done);
        // Until it has read the last line.
        let gone = teller.closed();
        let _ = tokio::time::timeout(std::time::Duration::from_secs(2), gone).await;
    }
    control.abort();
    ended
}

/// Opens the shop, and returns only if that fails.
async fn stays_open(up: &Up, crew: &Crew, doors: Doors, started: Instant) -> Failure {
    match opening::open(up, crew, doors, started).await {
        Ok(()) => std::future::pending().await,
        Err(failure) => failure,
    }
}

/// Returns when everything shall end; with whom to tell of it, if it was asked through the socket.
async fn asked_to_end(
    mut downs: mpsc::Receiver<mpsc::UnboundedSender<Line>>,
) -> Option<mpsc::UnboundedSender<Line>> {
    tokio::select! {
        () = crate::up::stopped() => None,
        teller = downs.recv() => teller,
    }
}
