//! NATS under the suite: a server of its own for each test.

use std::sync::{Arc, Mutex};

use eventlog::{
    Broker,
    nats::{Config, NatsBroker},
};

use crate::{Doing, Place};

/// A private server.
pub struct Server {
    server: Arc<Mutex<scratch::Nats>>,
    _folder: tempfile::TempDir,
}

impl Server {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = scratch::NatsOptions {
            login: Some(("souk".into(), "secret".into())),
            ..Default::default()
        };
        let server = scratch::Nats::start(folder.path(), options).expect("nats-server starts");
        Self {
            server: Arc::new(Mutex::new(server)),
            _folder: folder,
        }
    }

    pub fn url(&self) -> String {
        self.server.lock().expect("the server").url()
    }

    async fn client(&self) -> async_nats::Client {
        async_nats::ConnectOptions::new()
            .user_and_password("souk".into(), "secret".into())
            .connect(self.url())
            .await
            .expect("connected")
    }
}

impl Place for Server {
    fn connect(&self) -> Doing<'_, Arc<dyn Broker>> {
        Box::pin(async {
            let config = Config::parse(&self.url()).expect("a URL");
            let broker = NatsBroker::connect(config).await.expect("settings");
            crate::suite::until("connected", || broker.is_connected()).await;
            Arc::new(broker) as Arc<dyn Broker>
        })
    }

    fn restart(&self) -> Doing<'_, ()> {
        let server = self.server.clone();
        Box::pin(async move {
            let restart = move || {
                let mut server = server.lock().expect("the server");
                server.kill().expect("killed");
                server.start_again().expect("started again");
            };
            tokio::task::spawn_blocking(restart).await.expect("done");
        })
    }

    fn garbage<'a>(&'a self, topic: &'a str, bytes: &'a [u8]) -> Doing<'a, ()> {
        Box::pin(async move {
            let client = self.client().await;
            let subject = format!("souk.{topic}.0.x.v1");
            let mut headers = async_nats::HeaderMap::new();
            headers.insert("ce-specversion", "1.0");
            headers.insert("ce-position", "99999999999999999999");
            let bytes = bytes::Bytes::copy_from_slice(bytes);
            let plain = client.publish(subject.clone(), bytes.clone()).await;
            plain.expect("sent");
            let marked = client.publish_with_headers(subject, headers, bytes).await;
            marked.expect("sent");
            let head = format!("souk.heads.{topic}");
            client.publish(head, "lots".into()).await.expect("sent");
            client.flush().await.expect("sent");
        })
    }

    fn send<'a>(&'a self, service: &'a str, event: &'a str) -> Doing<'a, ()> {
        Box::pin(async move {
            let client = self.client().await;
            let jetstream = async_nats::jetstream::new(client);
            let subject = format!("souk.inbound.{service}");
            // The stream is made by whoever receives; a sender waits for its answer.
            let send = async || {
                let sent = jetstream
                    .publish(subject.clone(), event.to_owned().into())
                    .await;
                sent.expect("sent").await.is_ok()
            };
            crate::suite::until_true("kept", send).await;
        })
    }

    fn too_large(&self) -> Option<usize> {
        Some(1024 * 1024)
    }
}
