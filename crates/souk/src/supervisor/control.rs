//! How a running shop is told what to do: HTTP with JSON on a socket that only its owner can open.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use tokio::{net::UnixListener, sync::mpsc};

use super::{
    crew::{Crew, Say},
    servers::Servers,
    usage::Meter,
};
use crate::failure::{Context as _, Result};

/// The socket's name in the data directory.
pub const SOCKET: &str = "souk.sock";

/// What is controlled.
pub struct Control {
    /// The processes.
    pub crew: Arc<Crew>,
    /// PostgreSQL and NATS.
    pub servers: Arc<Servers>,
    /// Told when everything shall end; answered when it has.
    pub down: mpsc::Sender<mpsc::UnboundedSender<Line>>,
}

/// One line of `souk ps`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Row {
    /// Such as `orders`.
    pub service: String,
    /// Such as `orders-1`.
    pub slot: String,
    /// The process, if it runs.
    pub pid: Option<u32>,
    /// Where it listens.
    pub address: Option<String>,
    /// `ready`, `starting`, `crashed`…
    pub state: String,
    /// How many times it was started again after it had ended by itself.
    pub restarts: u32,
    /// Percent of one core.
    pub cpu: Option<f64>,
    /// Bytes.
    pub memory: Option<u64>,
    /// Commands that wait to be decided.
    pub queue: Option<f64>,
    /// Events that wait to be handled.
    pub lag: Option<f64>,
    /// Why it ended the last time.
    pub reason: Option<String>,
}

/// One line of an answer that takes a while.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// Something was done.
    Say(String),
    /// It could not be done.
    Failed(String),
    /// All is done.
    Done,
}

/// What can be asked.
#[derive(Debug, Serialize, Deserialize)]
pub struct Scale {
    /// The service.
    pub service: String,
    /// How many processes.
    pub count: usize,
}

/// What can be asked.
#[derive(Debug, Serialize, Deserialize)]
pub struct Restart {
    /// The service; all of them unless given.
    pub service: Option<String>,
}

/// Opens the socket. One that is left from a killed process is replaced: who calls this holds the
/// data directory's lock.
pub fn open(folder: &Path, private: &Path) -> Result<(UnixListener, PathBuf)> {
    let path = folder.join(SOCKET);
    let context = || format!("cannot open {} (is its path too long?)", path.display());
    // Nobody can reach it before its permissions are right: it is made in a closed folder.
    let new = private.join("new.sock");
    let _ = std::fs::remove_file(&new);
    let listener = UnixListener::bind(&new).with_context(context)?;
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600)).with_context(context)?;
    std::fs::rename(&new, &path).with_context(context)?;
    Ok((listener, path))
}

/// Serves until dropped.
pub async fn serve(listener: UnixListener, control: Control) {
    let router = Router::new()
        .route("/processes", get(processes))
        .route("/scale", post(scale))
        .route("/restart", post(restart))
        .route("/down", post(down))
        .with_state(Arc::new(control));
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "the control socket is closed");
    }
}

async fn processes(State(control): State<Arc<Control>>) -> Json<Vec<Row>> {
    let mut rows: Vec<Row> = control.servers.seen().into_iter().map(server).collect();
    rows.extend(control.crew.slots().iter().map(|slot| {
        let (status, usage) = (slot.status(), slot.usage());
        let state = serde_json::to_value(status.state).unwrap_or_default();
        Row {
            service: slot.kind.name.clone(),
            slot: slot.name.clone(),
            pid: status.pid,
            address: status.address,
            state: state.as_str().unwrap_or_default().to_owned(),
            restarts: status.restarts,
            cpu: usage.cpu,
            memory: usage.memory,
            queue: usage.queue,
            lag: usage.behind,
            reason: status.reason,
        }
    }));
    Json(rows)
}

fn server(seen: super::servers::Seen) -> Row {
    let usage = seen.pid.map(|pid| Meter::default().look(pid));
    Row {
        service: seen.name.to_owned(),
        slot: seen.name.to_owned(),
        pid: seen.pid,
        address: Some(seen.address),
        state: if seen.pid.is_some() {
            "ready"
        } else {
            "crashed"
        }
        .to_owned(),
        restarts: seen.restarts,
        cpu: None,
        memory: usage.and_then(|usage| usage.memory),
        queue: None,
        lag: None,
        reason: None,
    }
}

async fn scale(State(control): State<Arc<Control>>, Json(asked): Json<Scale>) -> Body {
    telling(|say| async move { control.crew.scale(&asked.service, asked.count, &say).await })
}

async fn restart(State(control): State<Arc<Control>>, Json(asked): Json<Restart>) -> Body {
    telling(|say| async move {
        match &asked.service {
            Some(service) => control.crew.restart(service, &say).await,
            None => control.crew.restart_all(&say).await,
        }
    })
}

async fn down(State(control): State<Arc<Control>>) -> Body {
    let (sender, receiver) = mpsc::unbounded_channel();
    // If nobody listens, everything is ending already.
    let _ = control.down.send(sender).await;
    lines(receiver)
}

/// Does the work whether or not anybody listens to the end, and tells how far it is.
fn telling<F>(work: impl FnOnce(Say) -> F) -> Body
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let (sender, receiver) = mpsc::unbounded_channel();
    let teller = sender.clone();
    let work = work(Arc::new(move |text: String| {
        drop(teller.send(Line::Say(text)));
    }));
    tokio::spawn(async move {
        let last = match work.await {
            Ok(()) => Line::Done,
            Err(failure) => Line::Failed(failure.to_string()),
        };
        let _ = sender.send(last);
    });
    lines(receiver)
}

/// A line of JSON for each thing that is said.
fn lines(receiver: mpsc::UnboundedReceiver<Line>) -> Body {
    let stream = futures_util::stream::unfold(receiver, async |mut receiver| {
        let line = receiver.recv().await?;
        let text = serde_json::to_string(&line).unwrap_or_default() + "\n";
        Some((
            Ok::<_, std::convert::Infallible>(Bytes::from(text)),
            receiver,
        ))
    });
    Body::from_stream(stream)
}
