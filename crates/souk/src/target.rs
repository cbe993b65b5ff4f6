//! The shop a command talks to: one that runs, or one started for the time of the command.

use crate::{
    cli,
    client::Client,
    failure::{Context as _, Failure, Result},
    services::{Mail, Patience},
    shop::{Shop, ShopConfig},
};

/// A shop within reach, with a client that may do everything the command needs.
pub struct Reached {
    /// Calls it with an API key.
    pub client: Client,
    started: Option<Shop>,
}

const PERMISSIONS: &[&str] = &[
    "catalog:write",
    "inventory:read",
    "inventory:write",
    "orders:read",
    "payments:read",
    "payments:write",
];

impl Reached {
    /// The shop at `--url`, or one started on `--data`.
    pub async fn shop(shop: &cli::Shop) -> Result<Self> {
        if let Some(data) = &shop.data {
            let any = ([127, 0, 0, 1], 0).into();
            let config = ShopConfig {
                data: data.clone(),
                listen: any,
                sandbox_listen: any,
                demo: false,
                patience: Patience::default(),
                mail: Mail::default(),
            };
            let started = Shop::start(config).await?;
            let identity = started
                .runtime()
                .app("identity")
                .ok_or_else(|| Failure::new("identity is missing"))?;
            let key = identity::bootstrap_api_key(&identity, "command line", PERMISSIONS)
                .await
                .context("no API key can be made")?;
            let client = Client::new(&started.url, Some(key)).context("no client")?;
            return Ok(Self {
                client,
                started: Some(started),
            });
        }
        let url = shop.url.as_deref().unwrap_or("http://127.0.0.1:8080");
        if shop.key.is_none() {
            return Err(Failure::new(
                "an API key is needed: --key souk_… or SOUK_API_KEY (make one with POST /api/identity/api-keys), \
                 or --data DIR to start a shop for the time of the command",
            ));
        }
        let client = Client::new(url, shop.key.clone()).context("no client")?;
        Ok(Self {
            client,
            started: None,
        })
    }

    /// Stops the shop if it was started for the command.
    pub async fn close(self) {
        if let Some(shop) = self.started {
            shop.shutdown().await;
        }
    }
}
