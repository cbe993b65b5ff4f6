//! `souk up`: the whole shop in one process.

use std::time::{Duration, Instant};

use crate::{
    cli::Up,
    failure::{Context as _, Failure, Result},
    metrics,
    services::Patience,
    shop::{Shop, ShopConfig, write_private},
};

/// Runs until Ctrl-C or SIGTERM.
pub async fn run(up: Up) -> Result<()> {
    let started = Instant::now();
    metrics::install();
    let scratch = match up.ephemeral {
        true => Some(tempfile::tempdir().context("no temporary directory")?),
        false => None,
    };
    let data = scratch
        .as_ref()
        .map_or(up.data.clone(), |folder| folder.path().to_owned());
    let config = ShopConfig {
        data: data.clone(),
        listen: up.listen,
        sandbox_listen: up.sandbox_listen,
        demo: !up.no_demo,
        patience: Patience {
            provider_call: up.provider_timeout_ms.map(Duration::from_millis),
            confirm_within_seconds: up.confirm_within_seconds,
        },
        mail: up.mail.settings(),
    };
    let shop = Shop::start(config).await?;
    if let Some(path) = &up.api_key_file {
        let identity = shop
            .runtime()
            .app("identity")
            .ok_or_else(|| Failure::new("identity is missing"))?;
        let key = identity::bootstrap_api_key(&identity, "api-key-file", &["*"])
            .await
            .context("no API key can be made")?;
        write_private(path, &key)?;
    }
    println!(
        "\nSouk is open after {:.2} s.\n",
        started.elapsed().as_secs_f64()
    );
    println!("  Shop          {}/", shop.url);
    println!("  API docs      {}/docs", shop.url);
    println!("  OpenAPI       {}/openapi.json", shop.url);
    println!("  Metrics       {}/metrics", shop.url);
    println!("  Mail          {}", shop.mail);
    println!(
        "  Test cards    {}/   (sandbox payment provider)",
        shop.provider_url
    );
    println!(
        "  Data          {}{}",
        data.display(),
        if up.ephemeral {
            "   (deleted at the end)"
        } else {
            ""
        }
    );
    if let Some(admin) = &shop.admin {
        println!(
            "\nFirst start: an account for you, with a one-time password that is shown only now."
        );
        println!("  {}  /  {}", admin.email, admin.password);
        println!(
            "Set your own with POST {}/api/identity/password; it cannot do anything else before.",
            shop.url
        );
    }
    println!("\nTry:  curl {}/api/catalog/products?limit=3", shop.url);
    println!("Stop with Ctrl-C.\n");
    stopped().await;
    println!("Closing…");
    shop.shutdown().await;
    Ok(())
}

/// Ctrl-C or SIGTERM, or the end of the supervisor that started us.
pub async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let Ok(mut terminate) =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        else {
            let _ = interrupt.await;
            return;
        };
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
            () = crate::supervisor::parent::gone() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}
