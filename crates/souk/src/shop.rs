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
    metrics, ops_http, services,
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
}

/// A running shop.
pub struct Shop {
    runtime: Runtime,
    sandbox: sandbox::Sandbox,
    server: tokio::task::JoinHandle<()>,
    stop: tokio::sync::watch::Sender<bool>,
    _lock: File,
    /// Where it is reached.
    pub url: String,
    /// Where the payment provider is reached.
    pub provider_url: String,
    /// Shown once, on the first start.
    pub admin: Option<identity::OneTimePassword>,
}

impl Shop {
    /// Starts everything; returns when the shop is ready.
    pub async fn start(config: ShopConfig) -> Result<Self> {
        let lock = lock(&config.data)?;
        let listener = TcpListener::bind(config.listen).await;
        let listener = listener.with_context(|| format!("cannot listen on {} (--listen chooses another address)", config.listen))?;
        let address = listener.local_addr().context("no address")?;
        let url = format!("http://{address}");
        let (sandbox, secret) = start_sandbox(&config, &url).await?;
        let provider_url = sandbox.url();

        let all = services::all(&services::Settings { provider_url: provider_url.clone(), webhook_secret: secret });
        let (mut modules, mut routes) = (Vec::new(), Vec::new());
        for service in all {
            routes.push((service.module.name, service.routes));
            modules.push(service.module);
        }
        let settings = RuntimeConfig {
            data: config.data.clone(),
            readers: 2,
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        };
        let mut runtime = Runtime::start(settings, modules).await.context("the shop cannot start")?;
        let verifier = Arc::new(Verifier::default());
        runtime.listen(&verifier.broadcast());
        let outcomes = gateway::Outcomes::default();
        runtime.listen(&outcomes.broadcast());

        let identity = runtime.app("identity").ok_or_else(|| Failure::new("identity is missing"))?;
        let admin = identity::bootstrap(&identity).await.context("the first account cannot be made")?;
        let mut upstream = InProcess::default();
        let mut table = Vec::new();
        routes.push(("ops", ops_http::routes(runtime.ops())));
        for (name, routes) in routes {
            // The operator's routes belong to no service; any handle serves them.
            let app = runtime.app(name).unwrap_or_else(|| identity.clone());
            table.push(gateway::ServiceRoutes { name: name.to_owned(), prefixes: routes.prefixes(), openapi: routes.openapi(name) });
            upstream.add(name, routes.into_router(app, verifier.clone()));
        }
        let upstream: Arc<dyn Upstream> = Arc::new(upstream);
        let storefront = storefront_router(upstream.clone(), &provider_url);
        let router = gateway_router(&runtime, upstream, table, outcomes, storefront);
        runtime.wait_ready().await;
        if config.demo {
            demo::fill(&runtime).await?;
        }
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let server = tokio::spawn(crate::serve::serve(listener, router, stopped));
        Ok(Self { runtime, sandbox, server, stop, _lock: lock, url, provider_url, admin })
    }

    /// The runtime, for commands that need a handle of a service.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Stops taking requests, lets those under way end, and closes everything.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        let _ = tokio::time::timeout(std::time::Duration::from_secs(5), self.server).await;
        self.runtime.shutdown().await;
        self.sandbox.shutdown().await;
    }
}
