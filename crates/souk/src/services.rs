//! The one list of services.

use std::{path::PathBuf, sync::Arc, time::Duration};

use payments::{CallConfig, Providers, Sandbox, SandboxConfig, provider::Provider};
use web::Service;

use crate::failure::{Context as _, Failure, Result};

/// What services are told at their start.
pub struct Settings {
    /// Where the sandbox payment provider is, and the sandbox carrier beside it.
    pub provider_url: String,
    /// Its API key.
    pub provider_key: String,
    /// Signs its webhooks.
    pub webhook_secret: String,
    /// How long services wait for others.
    pub patience: Patience,
    /// How the shop writes to people.
    pub mail: Mail,
}

/// How the shop writes to people.
#[derive(Clone, Default)]
pub struct Mail {
    /// The mail server, such as `smtp://user:password@host:587?tls=required`. Without one messages
    /// stay in the built-in outbox. A secret.
    pub smtp_url: Option<String>,
    /// The sender of all mail.
    pub from: Option<String>,
    /// A folder with templates of the shop's own.
    pub templates: Option<PathBuf>,
    /// The language of mail to whoever has named none.
    pub locale: Option<String>,
    /// Where the shop is reached by browsers: links in mail begin with it.
    pub shop_url: Option<String>,
    /// Whether the outbox can be read at `/dev/mail` without signing in.
    pub dev_mail: bool,
}

/// Shows where mail goes, and no password.
impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let server = self
            .smtp_url
            .as_deref()
            .map(notifications::channels::masked);
        f.debug_struct("Mail")
            .field("smtp_url", &server)
            .field("from", &self.from)
            .field("shop_url", &self.shop_url)
            .finish_non_exhaustive()
    }
}

/// How long services wait for others; their own limits unless given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    /// When a call to the payment provider is given up.
    pub provider_call: Option<Duration>,
    /// When an order that is not confirmed is given up, seconds after its checkout.
    pub confirm_within_seconds: Option<i64>,
}

/// Every service of the shop.
pub fn all(settings: &Settings) -> Result<Vec<Service>> {
    let mut all = vec![
        identity::service(identity::Config::default()).context("identity")?,
        catalog::service(),
        inventory::service(),
        cart::service(cart(settings)),
        orders::service(orders::OrdersConfig::default()),
        payments::service(payments(settings)?),
        credit::service(),
        pricing::service(),
        shipping::service(shipping(settings)?),
        reviews::service(reviews::Config {
            hears_customers: true,
            ..reviews::Config::default()
        }),
        wishlists::service(wishlists::Config {
            hears_customers: true,
            ..wishlists::Config::default()
        }),
        customers::service(),
        // new services above this line
    ];
    let names: Vec<&str> = all.iter().map(|service| service.module.name).collect();
    let notifications = notifications(&settings.mail, &names)?;
    all.push(notifications::service(notifications));
    Ok(all)
}

fn notifications(mail: &Mail, others: &[&str]) -> Result<notifications::Config> {
    let usual = notifications::Config::default();
    let mut drivers = notifications::Drivers::default();
    if let Some(url) = &mail.smtp_url {
        let missing = "a mail server needs a sender too (SOUK__MAIL__FROM)";
        let from = mail.from.as_deref().ok_or_else(|| Failure::new(missing))?;
        let smtp = notifications::channels::Smtp::new(url, from);
        drivers.email = Arc::new(smtp.context("mail (SOUK__MAIL__SMTP_URL, SOUK__MAIL__FROM)")?);
    }
    let shop_url = mail.shop_url.as_deref().unwrap_or(&usual.shop_url);
    Ok(notifications::Config {
        shop_url: shop_url.trim_end_matches('/').to_owned(),
        locale: mail.locale.clone().unwrap_or(usual.locale),
        templates: mail.templates.clone(),
        drivers,
        // With a mail server it is no shop to try things out with.
        dev_mail: mail.dev_mail && mail.smtp_url.is_none(),
        hears: notifications::Hears {
            shipping: others.contains(&"shipping"),
            customers: others.contains(&"customers"),
        },
        ..notifications::Config::default()
    })
}

fn cart(settings: &Settings) -> cart::CartConfig {
    let usual = cart::CartConfig::default();
    let confirm_within_seconds = settings
        .patience
        .confirm_within_seconds
        .unwrap_or(usual.confirm_within_seconds);
    cart::CartConfig {
        confirm_within_seconds,
        ..usual
    }
}

fn payments(settings: &Settings) -> Result<payments::Config> {
    let sandbox = SandboxConfig {
        base_url: settings.provider_url.clone(),
        api_key: settings.provider_key.clone(),
        webhook_secret: settings.webhook_secret.clone(),
    };
    let sandbox: Arc<dyn Provider> = Arc::new(Sandbox::new(&sandbox).context("sandbox provider")?);
    let usual = CallConfig::default();
    let calls = CallConfig {
        timeout: settings.patience.provider_call.unwrap_or(usual.timeout),
        ..usual
    };
    Ok(payments::Config {
        providers: Providers::new([sandbox], calls),
        ..payments::Config::default()
    })
}

/// The sandbox carrier works beside the sandbox payment provider: same address, same keys.
fn shipping(settings: &Settings) -> Result<shipping::Config> {
    let sandbox = shipping::SandboxConfig {
        base_url: settings.provider_url.clone(),
        api_key: settings.provider_key.clone(),
        webhook_secret: settings.webhook_secret.clone(),
    };
    let sandbox = shipping::Sandbox::new(&sandbox).context("sandbox carrier")?;
    let sandbox: Arc<dyn shipping::carrier::Carrier> = Arc::new(sandbox);
    let patience = settings.patience.provider_call;
    let timeout = patience.unwrap_or(shipping::CALL_TIMEOUT);
    Ok(shipping::Config {
        carriers: shipping::Carriers::new([sandbox], timeout),
        ..shipping::Config::default()
    })
}

/// Where shipping runs, the key that signs the first quotes.
pub async fn first_quote_key(runtime: &runtime::Runtime) -> Result<()> {
    match runtime.app("shipping") {
        Some(app) => shipping::bootstrap(&app)
            .await
            .context("the first quote key cannot be made"),
        None => Ok(()),
    }
}

/// Settings to describe the services with, not to run them.
pub fn no_provider() -> Settings {
    Settings {
        provider_url: "http://127.0.0.1:1".into(),
        provider_key: "none".into(),
        webhook_secret: "none".into(),
        patience: Patience::default(),
        mail: Mail::default(),
    }
}

/// The names of all services.
pub fn names() -> Result<Vec<&'static str>> {
    let all = all(&no_provider())?;
    Ok(all.iter().map(|service| service.module.name).collect())
}

/// The routes of all services, as the gateway needs to know them.
pub fn table() -> Result<Vec<gateway::ServiceRoutes>> {
    let all = all(&no_provider())?;
    let routes = all.iter().map(|service| gateway::ServiceRoutes {
        name: service.module.name.to_owned(),
        prefixes: service.routes.prefixes(),
        openapi: service.routes.openapi(service.module.name),
    });
    Ok(routes.collect())
}

/// The OpenAPI document of all services, as `/openapi.json` serves it.
pub fn openapi() -> Result<String> {
    Ok(serde_json::to_string_pretty(&gateway::merged(&table()?))?)
}

#[cfg(test)]
#[path = "services_sql_tests.rs"]
mod sql_tests;
