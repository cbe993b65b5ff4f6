//! A mail server (RFC 5321, what a client needs of it) with faults.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
    task::JoinHandle,
};

/// A mail that arrived.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: String,
    /// Headers and body as they came.
    pub data: String,
}

impl Mail {
    /// A header, unfolded.
    pub fn header(&self, name: &str) -> String {
        let head = self.data.split("\r\n\r\n").next().unwrap_or_default();
        let head = head.replace("\r\n ", " ");
        let lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
        let all: BTreeMap<&str, &str> = lines.collect();
        all.get(name).copied().unwrap_or_default().to_owned()
    }

    /// The parts' text, decoded from quoted-printable.
    pub fn text(&self) -> String {
        let joined = self.data.replace("=\r\n", "");
        let mut bytes = Vec::new();
        let mut rest = joined.as_bytes();
        while let Some((first, more)) = rest.split_first() {
            let hex = more.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
            let decoded = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
            match (first, decoded) {
                (b'=', Some(byte)) => {
                    bytes.push(byte);
                    rest = &more[2..];
                }
                _ => {
                    bytes.push(*first);
                    rest = more;
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// What the server does wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Fault {
    #[default]
    None,
    /// Refuses every recipient with this code.
    Refuse(u16),
    /// Takes the mail, and drops the connection instead of saying so.
    DropAfterData,
}

#[derive(Default)]
struct Inside {
    mails: Mutex<Vec<Mail>>,
    fault: Mutex<Fault>,
    bell: Notify,
}

pub struct SmtpServer {
    inside: Arc<Inside>,
    pub port: u16,
    running: Option<JoinHandle<()>>,
}

impl SmtpServer {
    pub async fn start() -> Self {
        let mut server = Self {
            inside: Arc::default(),
            port: 0,
            running: None,
        };
        server.open().await;
        server
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Listens (again).
    pub async fn open(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await;
        let listener = listener.expect("the port is free");
        self.port = listener.local_addr().expect("bound").port();
        let inside = self.inside.clone();
        self.running = Some(tokio::spawn(async move {
            // Its connections end with it.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(inside.clone(), stream));
            }
        }));
    }

    /// Is down: nobody listens, and connections are cut.
    pub async fn close(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
            let _ = running.await;
        }
    }

    pub fn fail(&self, fault: Fault) {
        *self.inside.fault.lock().expect("unpoisoned") = fault;
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.inside.mails.lock().expect("unpoisoned").clone()
    }

    /// Waits until so many mails have arrived; answers all.
    pub async fn until(&self, count: usize) -> Vec<Mail> {
        let wait = async {
            loop {
                let mut rung = std::pin::pin!(self.inside.bell.notified());
                rung.as_mut().enable();
                if self.mails().len() >= count {
                    return;
                }
                rung.await;
            }
        };
        let done = tokio::time::timeout(super::PATIENCE, wait).await;
        assert!(done.is_ok(), "{count} mails never came: {:?}", self.mails());
        self.mails()
    }
}

type Lines = tokio::io::Lines<BufReader<OwnedReadHalf>>;

async fn serve(inside: Arc<Inside>, stream: TcpStream) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let _ = talk(&inside, &mut lines, &mut write).await;
}

async fn talk(
    inside: &Inside,
    lines: &mut Lines,
    write: &mut OwnedWriteHalf,
) -> std::io::Result<()> {
    write.write_all(b"220 test ESMTP\r\n").await?;
    let mut mail = Mail {
        from: String::new(),
        to: String::new(),
        data: String::new(),
    };
    while let Some(line) = lines.next_line().await? {
        let fault = *inside.fault.lock().expect("unpoisoned");
        let upper = line.to_uppercase();
        let answer = match upper.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => "250-test\r\n250 8BITMIME".to_owned(),
            "MAIL" => {
                mail.from = address(&line);
                "250 ok".into()
            }
            "RCPT" => match fault {
                // Servers like to quote the address: it must end up nowhere.
                Fault::Refuse(code) => format!("{code} <{}> not now", address(&line)),
                _ => {
                    mail.to = address(&line);
                    "250 ok".into()
                }
            },
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                mail.data = body(lines).await?;
                let taken = std::mem::replace(
                    &mut mail,
                    Mail {
                        from: String::new(),
                        to: String::new(),
                        data: String::new(),
                    },
                );
                inside.mails.lock().expect("unpoisoned").push(taken);
                inside.bell.notify_waiters();
                if fault == Fault::DropAfterData {
                    return Ok(());
                }
                "250 queued".into()
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "250 ok".into(),
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

async fn body(lines: &mut Lines) -> std::io::Result<String> {
    let mut data = String::new();
    while let Some(line) = lines.next_line().await? {
        if line == "." {
            break;
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
        data.push_str("\r\n");
    }
    Ok(data)
}

/// The address between the angle brackets.
fn address(line: &str) -> String {
    let inside = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or(String::new(), |(address, _)| address.to_owned())
}
