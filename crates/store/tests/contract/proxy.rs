//! A line to a server that can be cut at the worst moment.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

/// What happens to the next transaction that comes along. The client's side is cut in any case.
pub enum Mishap {
    /// The server gets it and commits, but its answer is lost.
    AnswerLost,
    /// The server gets all but the end, and then loses the client.
    EndLost,
    /// The server gets it late: when this is told. It tells back when the server has answered.
    Delayed(oneshot::Receiver<()>, oneshot::Sender<()>),
}

/// Forwards connections to a server.
pub struct Proxy {
    port: u16,
    next: Arc<Mutex<Option<Mishap>>>,
}

impl Proxy {
    /// A proxy of the server at `port` of this machine.
    pub async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let next: Arc<Mutex<Option<Mishap>>> = Arc::default();
        let mishaps = next.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await {
                    tokio::spawn(forward(client, server, mishaps.clone()));
                }
            }
        });
        Self { port, next }
    }

    /// A URL with the proxy in the server's place.
    pub fn url(&self, url: &str) -> String {
        let (head, rest) = url.split_once("127.0.0.1:").expect("a local server");
        let database = rest.split_once('/').expect("a database").1;
        format!("{head}127.0.0.1:{}/{database}", self.port)
    }

    pub fn arm(&self, mishap: Mishap) {
        *lock(&self.next) = Some(mishap);
    }
}

async fn forward(client: TcpStream, server: TcpStream, next: Arc<Mutex<Option<Mishap>>>) {
    let (mut client, mut server) = (client, server);
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut kept = Vec::new();
    loop {
        tokio::select! {
            read = server.read(&mut down) => match read {
                Ok(count) if count > 0 => {
                    if client.write_all(&down[..count]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
            read = client.read(&mut up) => match read {
                Ok(count) if count > 0 => {
                    let bytes = &up[..count];
                    let word = match *lock(&next) {
                        Some(Mishap::Delayed(..)) => Some(&b"BEGIN\0"[..]),
                        Some(_) => Some(&b"COMMIT\0"[..]),
                        None => None,
                    };
                    let now = word.is_some_and(|word| find(bytes, word).is_some());
                    if now || !kept.is_empty() {
                        kept.extend_from_slice(bytes);
                    } else if server.write_all(bytes).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
        }
        if let Some(end) = find(&kept, b"COMMIT\0") {
            drop(client);
            let mishap = lock(&next).take();
            if let Some(mishap) = mishap {
                meet(mishap, &kept, end, server).await;
            }
            return;
        }
    }
}

async fn meet(mishap: Mishap, transaction: &[u8], end: usize, mut server: TcpStream) {
    match mishap {
        Mishap::AnswerLost => {
            server.write_all(transaction).await.expect("sent");
            assert!(ended(&mut server).await, "not committed");
        }
        Mishap::EndLost => {
            // The message begins with its kind and its length.
            let without = &transaction[..end - 5];
            server.write_all(without).await.expect("sent");
        }
        Mishap::Delayed(now, done) => {
            now.await.expect("told");
            server.write_all(transaction).await.expect("sent");
            ended(&mut server).await;
            let _ = done.send(());
        }
    }
}

/// Reads until the server has ended the transaction: whether it was committed.
async fn ended(server: &mut TcpStream) -> bool {
    let (mut answer, mut bytes) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        let count = server.read(&mut bytes).await.unwrap_or(0);
        answer.extend_from_slice(&bytes[..count]);
        let committed = find(&answer, b"COMMIT\0").is_some();
        if committed || count == 0 || find(&answer, b"ROLLBACK\0").is_some() {
            return committed;
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
