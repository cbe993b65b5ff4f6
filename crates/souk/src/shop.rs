//! A whole shop in this process: stores, services, gateway, storefront, sandbox provider.

use std::{
    fs::{File, TryLockError},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use runtime::{RandomIds, Runtime, RuntimeConfig, SystemClock};
use tokio::net::TcpListener;
use web::{InProcess, Upstream, Verifier};

use crate::{
    demo,
    failure::{Context as _, Failure, Result},
    gauges, metrics, ops_http, provider, services,
};

/// How a shop is started.
pub struct ShopConfig {
    /// Where the databases are kept.
    pub data: PathBuf,
    /// The public address.
    pub listen: SocketAddr,
    /// Where the sandbox payment provider listens.
    pub sandbox_listen: SocketAddr,
    /// Whether an empty catalogue is filled with the demo's.
    pub demo: bool,
    /// How long services wait for others.
    pub patience: services::Patience,
    /// How the shop writes to people.
    pub mail: services::Mail,
}

/// A running shop.
pub struct Shop {
    runtime: Runtime,
    sandbox: sandbox::Sandbox,
    gauges: gauges::Watch,
    server: tokio::task::JoinHandle<()>,
    stop: tokio::sync::watch::Sender<bool>,
    _lock: File,
    /// Where it is reached.
    pub url: String,
    /// Where the payment provider is reached.
    pub provider_url: String,
    /// Where its mail goes, for people.
    pub mail: String,
    /// Shown once, on the first start.
    pub admin: Option<identity::OneTimePassword>,
}

impl Shop {
    /// Starts everything; returns when the shop is ready.
    pub async fn start(config: ShopConfig) -> Result<Self> {
        let lock = lock(&config.data)?;
        let listener = TcpListener::bind(config.listen).await;
        let listener = listener.with_context(|| {
            format!(
                "cannot listen on {} (--listen chooses another address)",
                config.listen
            )
        })?;
        let address = listener.local_addr().context("no address")?;
        let url = format!("http://{address}");
        let folder = config.data.join("sandbox-provider");
        let door = TcpListener::bind(config.sandbox_listen).await;
        let door = door.with_context(|| {
            let address = config.sandbox_listen;
            format!("the sandbox provider cannot listen on {address}")
        })?;
        let (sandbox, keys) = provider::start(door, &folder, &url).await?;
        let provider_url = sandbox.url().to_owned();

        let mail = match &config.mail.smtp_url {
            Some(server) => format!("through {}", notifications::channels::masked(server)),
            None if address.ip().is_loopback() => format!("{url}/dev/mail"),
            None => "kept, for staff (SOUK__MAIL__SMTP_URL sends it)".to_owned(),
        };
        let settings = services::Settings {
            provider_url: provider_url.clone(),
            provider_key: keys.api_key,
            webhook_secret: keys.webhook_secret,
            patience: config.patience,
            mail: services::Mail {
                shop_url: config.mail.shop_url.or_else(|| Some(url.clone())),
                // Only where nobody but this machine can ask.
                dev_mail: address.ip().is_loopback(),
                ..config.mail
            },
        };
        let (mut modules, mut routes) = (Vec::new(), Vec::new());
        for service in services::all(&settings)? {
            routes.push((service.module.name, service.routes));
            modules.push(service.module);
        }
        let settings =
            RuntimeConfig::embedded(&config.data, Arc::new(SystemClock), Arc::new(RandomIds))
                .context("the shop cannot start")?;
        let mut runtime = Runtime::start(settings, modules)
            .await
            .context("the shop cannot start")?;
        let verifier = Arc::new(Verifier::default());
        runtime.listen(&verifier.broadcast());
        let (outcomes, credentials) = (
            gateway::Outcomes::default(),
            gateway::Credentials::default(),
        );
        runtime.listen(&outcomes.broadcast());
        runtime.listen(&credentials.broadcast());

        let identity = runtime
            .app("identity")
            .ok_or_else(|| Failure::new("identity is missing"))?;
        let admin = identity::bootstrap(&identity)
            .await
            .context("the first account cannot be made")?;
        services::first_quote_key(&runtime).await?;
        let mut upstream = InProcess::default();
        let mut table = Vec::new();
        routes.push(("ops", ops_http::routes(runtime.ops())));
        for (name, routes) in routes {
            // The operator's routes belong to no service; any handle serves them.
            let app = runtime.app(name).unwrap_or_else(|| identity.clone());
            table.push(gateway::ServiceRoutes {
                name: name.to_owned(),
                prefixes: routes.prefixes(),
                openapi: routes.openapi(name),
            });
            upstream.add(name, routes.into_router(app, verifier.clone()));
        }
        let upstream: Arc<dyn Upstream> = Arc::new(upstream);
        let storefront = storefront_router(upstream.clone(), &provider_url);
        let parts = gateway::Parts {
            upstream,
            services: table,
            storefront: Some(storefront),
            outcomes,
            credentials,
            verifier,
            readiness: Arc::new(runtime.readiness()),
            metrics: Arc::new(metrics::render),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        };
        let router = gateway::gateway(gateway::Config::default(), parts);
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let server = tokio::spawn(crate::serve::serve(listener, router, stopped));
        runtime.wait_ready().await;
        if config.demo {
            demo::fill(&url, &identity).await?;
        }
        Ok(Self {
            gauges: gauges::watch(runtime.ops()),
            runtime,
            sandbox,
            server,
            stop,
            _lock: lock,
            url,
            provider_url,
            mail,
            admin,
        })
    }

    /// The runtime, for commands that need a handle of a service.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Stops taking requests, lets those under way end, and closes everything.
    pub async fn shutdown(self) {
        drop(self.gauges);
        self.stop.send_replace(true);
        let _ = tokio::time::timeout(std::time::Duration::from_secs(5), self.server).await;
        self.runtime.shutdown().await;
        self.sandbox.shutdown().await;
    }
}

/// Holds the data directory: two processes on one would destroy each other's work.
pub fn lock(data: &Path) -> Result<File> {
    std::fs::create_dir_all(data)
        .with_context(|| format!("cannot make the data directory {}", data.display()))?;
    let path = data.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file =
        file.with_context(|| format!("cannot write to the data directory {}", data.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::new(format!(
            "{} is in use by another souk process; stop it, or choose another directory with --data",
            data.display()
        ))),
        Err(TryLockError::Error(error)) => Err(Failure::new(format!(
            "cannot lock {}: {error}",
            path.display()
        ))),
    }
}

/// Writes a file that only its owner may read.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    let mut options = File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The shop's pages, over these services.
pub fn storefront_router(upstream: Arc<dyn Upstream>, provider_url: &str) -> axum::Router {
    let config = storefront::Config::new("Souk", kernel::Currency::GBP, provider_url);
    demo::pictures().fallback_service(storefront::router(config, upstream))
}
