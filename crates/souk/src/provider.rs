//! The sandbox payment provider and carrier: the outside world, with its own data and its own port.

use std::path::Path;

use runtime::RandomIds;
use tokio::net::TcpListener;

use crate::{
    failure::{Context as _, Result},
    shop::write_private,
};

/// What the shop and its payment provider show each other; made at the first start.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub struct ProviderKeys {
    /// The merchant's key.
    pub api_key: String,
    /// Signs the webhooks.
    pub webhook_secret: String,
}

/// Reads the keys that are kept in a file.
pub fn read_keys(path: &Path) -> Result<ProviderKeys> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
}

/// The keys that the environment holds.
pub fn keys_from_environment() -> Result<ProviderKeys> {
    let get = |name: &str| {
        std::env::var(name).with_context(|| {
            format!("payments and shipping need the provider's keys: --provider-keys, or {name}")
        })
    };
    Ok(ProviderKeys {
        api_key: get("SOUK_PROVIDER_KEY")?,
        webhook_secret: get("SOUK_WEBHOOK_SECRET")?,
    })
}

/// The keys in the provider's folder, made if they are missing.
pub fn keys(folder: &Path) -> Result<ProviderKeys> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join("keys.json");
    if path.exists() {
        return read_keys(&path);
    }
    let secret = |prefix: &str| {
        let bytes = kernel::Ids::secret(&RandomIds);
        bytes.iter().fold(prefix.to_owned(), |text, byte| {
            text + &format!("{byte:02x}")
        })
    };
    let keys = ProviderKeys {
        api_key: secret("sk_sandbox_"),
        webhook_secret: secret("whsec_"),
    };
    write_private(&path, &serde_json::to_string(&keys)?)?;
    Ok(keys)
}

/// Starts the provider on its folder; its webhooks go to the shop at `url`.
pub async fn start(
    listener: TcpListener,
    folder: &Path,
    url: &str,
) -> Result<(sandbox::Sandbox, ProviderKeys)> {
    let keys = keys(folder)?;
    let settings = sandbox::Config {
        data: Some(folder.to_owned()),
        webhook_url: Some(format!("{url}/api/payments/webhooks/sandbox")),
        carrier_webhook_url: Some(format!("{url}/api/shipping/webhooks/sandbox")),
        webhook_secret: keys.webhook_secret.clone(),
        api_key: keys.api_key.clone(),
        ..sandbox::Config::default()
    };
    let sandbox = sandbox::start(listener, settings)
        .await
        .context("the sandbox provider cannot start")?;
    Ok((sandbox, keys))
}
