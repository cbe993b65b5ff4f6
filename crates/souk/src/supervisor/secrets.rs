//! What only this shop's own processes know.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{
    failure::{Context as _, Result},
    shop::write_private,
};

/// The file with the secret that processes show each other, beside `peers.toml`.
pub const CLUSTER: &str = "cluster-secret";

/// Made at the first start, kept in a file that only its owner may read.
#[derive(Serialize, Deserialize)]
pub struct Secrets {
    /// PostgreSQL's superuser.
    pub postgres: String,
    /// The user `souk` of NATS.
    pub nats: String,
}

impl Secrets {
    /// Reads them, or makes them.
    pub fn of(folder: &Path) -> Result<Self> {
        let cluster = folder.join(CLUSTER);
        if !cluster.exists() {
            write_private(&cluster, &secret())?;
        }
        let path = folder.join("secrets.json");
        if let Ok(text) = std::fs::read_to_string(&path) {
            return serde_json::from_str(&text)
                .with_context(|| format!("{} is damaged", path.display()));
        }
        let secrets = Self {
            postgres: secret(),
            nats: secret(),
        };
        write_private(&path, &serde_json::to_string(&secrets)?)?;
        Ok(secrets)
    }
}

fn secret() -> String {
    let bytes = kernel::Ids::secret(&runtime::RandomIds);
    let hex = |text: String, byte: &u8| text + &format!("{byte:02x}");
    bytes.iter().fold(String::new(), hex)
}
