//! `souk run`: some of the services, or the gateway, in a process of their own.

mod clock;
pub mod engines;
mod front;
mod keys;
mod operators;
mod port;

use std::{
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use kernel::Ids as _;
use runtime::{Placement, RandomIds, Runtime, RuntimeConfig, SystemClock};
use web::{DRAIN_FOR, Drain, Service, Verifier};

use crate::{
    cli::{Migrate, Run, Sandbox},
    failure::{Context as _, Failure, Result},
    gauges, metrics, ops_http, provider,
    services::{self, Patience, Settings},
    shop::write_private,
    up::stopped,
};

use engines::Engines;

/// How long a service that starts waits for what others have published meanwhile.
const CATCH_UP: Duration = Duration::from_secs(10);
/// The name that stands for the gateway among the services.
const GATEWAY: &str = "gateway";

/// Runs until SIGTERM or Ctrl-C.
pub async fn run(run: Run) -> Result<()> {
    metrics::install();
    match run.services.as_slice() {
        [only] if only == GATEWAY => front::run(run).await,
        names if names.iter().any(|name| name == GATEWAY) => Err(Failure::new(
            "the gateway is the public port: it runs in a process of its own",
        )),
        _ => services_here(run).await,
    }
}

async fn services_here(run: Run) -> Result<()> {
    let chosen = choose(services::all(&settings(&run)?)?, &run.services)?;
    let listener = run.listen.bind().await?;
    let address = listener.local_addr().context("no address")?;
    let engines = Engines::connect(&run).await?;
    let verifier = Arc::new(Verifier::default());
    let keys = verifier.broadcast();
    let (mut modules, mut routes) = (Vec::new(), Vec::new());
    for service in chosen {
        routes.push((service.module.name, service.routes));
        modules.push(service.module);
    }
    let config = engines.config(&run, slot(&run), &modules, &[&keys]).await?;
    let mut runtime = Runtime::start(config, modules)
        .await
        .context("the services cannot start")?;
    runtime.listen(&keys);
    first_account(&run, &runtime).await?;
    services::first_quote_key(&runtime).await?;

    let names: Vec<&'static str> = routes.iter().map(|(name, _)| *name).collect();
    let Some(any) = names.first().and_then(|name| runtime.app(name)) else {
        return Err(Failure::new("no service was named"));
    };
    routes.push((operators::OPS, ops_http::routes(runtime.ops())));
    let mut dispatch = port::Dispatch::default();
    for (name, routes) in routes {
        let app = runtime.app(name).unwrap_or_else(|| any.clone());
        let prefixes = routes.prefixes();
        dispatch.add(&prefixes, &routes.into_router(app, verifier.clone()));
    }
    let drain = Drain::default();
    let readiness = port::readiness(&drain, patient(runtime.readiness()));
    let router = port::router(dispatch, engines.feed(), readiness, drain.clone());
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let server = tokio::spawn(crate::serve::serve(listener, router, stopping));
    announce(run.address_file.as_deref(), address)?;
    println!("{} at http://{address}", names.join(", "));
    until_stopped(runtime, &drain, stop, server).await;
    Ok(())
}

/// This process's place among the instances of its services; a new one unless it was given.
fn slot(run: &Run) -> String {
    run.slot
        .clone()
        .unwrap_or_else(|| format!("{}-{}", run.services.join("+"), RandomIds.next()))
}

/// What is missing, for a while: a service whose producers are away answers from what it knows.
fn patient(missing: impl Fn() -> Vec<String> + Send + Sync + 'static) -> port::Readiness {
    let started = Instant::now();
    Arc::new(move || match started.elapsed() < CATCH_UP {
        true => missing(),
        false => Vec::new(),
    })
}

/// Serves until told to stop; then hands its work over while requests under way end.
async fn until_stopped(
    mut runtime: Runtime,
    drain: &Drain,
    stop: tokio::sync::watch::Sender<bool>,
    server: tokio::task::JoinHandle<()>,
) {
    let gauges = gauges::watch(runtime.ops());
    stopped().await;
    drop(gauges);
    drain.begin();
    // Consumers and leases go at once: another instance takes over in the same moment. Requests
    // go on until those who send them have seen that this process is about to end.
    runtime.hand_over().await;
    tokio::time::sleep(DRAIN_FOR).await;
    stop.send_replace(true);
    let _ = tokio::time::timeout(Duration::from_secs(10), server).await;
    runtime.shutdown().await;
}

/// The chosen services, in the order of the one list.
fn choose(all: Vec<Service>, names: &[String]) -> Result<Vec<Service>> {
    let known: Vec<&str> = all.iter().map(|service| service.module.name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        let known = known.join(", ");
        return Err(Failure::new(format!(
            "there is no service {unknown}; there are {known}, and {GATEWAY}"
        )));
    }
    let chosen = |service: &Service| names.iter().any(|name| name == service.module.name);
    Ok(all.into_iter().filter(chosen).collect())
}

fn settings(run: &Run) -> Result<Settings> {
    // Nobody else writes to people, so nobody else is given the mail server's password.
    let mail = match run.services.iter().any(|name| name == "notifications") {
        true => run.mail.settings(),
        false => services::Mail::default(),
    };
    // Nobody else needs the provider's keys, so nobody else is given them.
    let calls_out = |name: &String| matches!(name.as_str(), "payments" | "shipping");
    if !run.services.iter().any(calls_out) {
        return Ok(Settings {
            patience: patience(run),
            mail,
            ..services::no_provider()
        });
    }
    let keys = match &run.provider_keys {
        Some(path) => provider::read_keys(path)?,
        None => provider::keys_from_environment()?,
    };
    Ok(Settings {
        provider_url: run.provider.clone(),
        provider_key: keys.api_key,
        webhook_secret: keys.webhook_secret,
        patience: patience(run),
        mail,
    })
}

fn patience(run: &Run) -> Patience {
    Patience {
        provider_call: run.provider_timeout_ms.map(Duration::from_millis),
        confirm_within_seconds: run.confirm_within_seconds,
    }
}

/// Where identity runs, the first account, and a key for whoever started this.
async fn first_account(run: &Run, runtime: &Runtime) -> Result<()> {
    let Some(identity) = runtime.app("identity") else {
        return Ok(());
    };
    let admin = identity::bootstrap(&identity)
        .await
        .context("the first account cannot be made")?;
    if let (Some(admin), Some(path)) = (admin, &run.admin_file) {
        let text = serde_json::json!({"email": admin.email, "password": admin.password});
        write_private(path, &text.to_string())?;
    }
    if let Some(path) = &run.api_key_file {
        let key = identity::bootstrap_api_key(&identity, "api-key-file", &["*"])
            .await
            .context("no API key can be made")?;
        write_private(path, &key)?;
    }
    Ok(())
}

/// Tells whoever started this process where it listens; in one step, so that nobody reads half.
fn announce(file: Option<&Path>, address: SocketAddr) -> Result<()> {
    let Some(path) = file else { return Ok(()) };
    let half = path.with_extension("tmp");
    std::fs::write(&half, address.to_string())
        .and_then(|()| std::fs::rename(&half, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The sandbox payment provider, until SIGTERM or Ctrl-C.
pub async fn sandbox(sandbox: Sandbox) -> Result<()> {
    let (running, _) =
        provider::start(sandbox.listen.bind().await?, &sandbox.data, &sandbox.shop).await?;
    let address = running.url().trim_start_matches("http://").parse();
    announce(
        sandbox.address_file.as_deref(),
        address.context("the provider's address")?,
    )?;
    println!("sandbox provider at {}", running.url());
    stopped().await;
    running.shutdown().await;
    Ok(())
}

/// Brings the databases of services up to date.
pub async fn migrate(migrate: Migrate) -> Result<()> {
    let all = services::all(&services::no_provider())?;
    let names: Vec<String> = match migrate.services.is_empty() {
        true => all.iter().map(|s| s.module.name.to_owned()).collect(),
        false => migrate.services,
    };
    for service in choose(all, &names)? {
        let name = service.module.name;
        let (stores, keyring) = engines::databases(&migrate.engines).await?;
        let config = RuntimeConfig {
            stores,
            keyring,
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            placement: Placement::Embedded,
        };
        let migrated = Runtime::migrate(config, service.module).await;
        migrated.with_context(|| format!("{name} cannot be migrated"))?;
        println!("{name}: up to date");
    }
    Ok(())
}
