//! The gateway in a process of its own: the public port, with the shop's pages. It has no database:
//! what it knows of events it hears from the broker and from their producers.

use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use gateway::{Network, NetworkSettings};
use kernel::Broadcast;
use runtime::{RandomIds, Runtime};
use web::{Drain, Upstream, Verifier, announce_drain};

use super::{Engines, announce, operators::WithOperators, port, slot, until_stopped};
use crate::{
    cli::Run,
    failure::{Context as _, Result},
    metrics, ops_http, services, shop,
};

/// Runs until SIGTERM or Ctrl-C.
pub async fn run(run: Run) -> Result<()> {
    let listener = run.listen.bind().await?;
    let address = listener.local_addr().context("no address")?;
    let engines = Engines::connect(&run).await?;
    let verifier = Arc::new(Verifier::default());
    let outcomes = gateway::Outcomes::default();
    let credentials = gateway::Credentials::default();
    let feeds = [
        verifier.broadcast(),
        outcomes.broadcast(),
        credentials.broadcast(),
    ];
    let heard: Vec<&Broadcast> = feeds.iter().collect();
    let config = engines.config(&run, slot(&run), &[], &heard).await?;
    let mut runtime = Runtime::start(config, Vec::new())
        .await
        .context("the gateway cannot start")?;
    feeds.iter().for_each(|feed| runtime.listen(feed));

    let mut table = services::table()?;
    let names = services::names()?;
    let operators = ops_http::routes(runtime.ops());
    table.push(gateway::ServiceRoutes {
        name: super::operators::OPS.to_owned(),
        prefixes: operators.prefixes(),
        openapi: operators.openapi(super::operators::OPS),
    });
    let network = Network::start(engines.others(), NetworkSettings::default()).await;
    let reach = network.clone();
    let upstream: Arc<dyn Upstream> = Arc::new(WithOperators::new(network, names));
    let drain = Drain::default();
    let parts = gateway::Parts {
        storefront: Some(shop::storefront_router(upstream.clone(), &run.provider)),
        upstream,
        services: table,
        outcomes,
        credentials,
        verifier,
        // Services that are down are no reason to send nobody here: the others are served.
        readiness: port::readiness(&drain, Arc::new(move || reach.missing())),
        metrics: Arc::new(metrics::render),
        clock: super::clock::clock(run.clock_offset_file.clone()),
        ids: Arc::new(RandomIds),
    };
    let config = gateway::Config {
        trusted_proxies: run.trusted_proxies,
        hsts: run.hsts,
        ..gateway::Config::default()
    };
    let router =
        gateway::gateway(config, parts).layer(from_fn_with_state(drain.clone(), announce_drain));
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let server = tokio::spawn(crate::serve::serve(listener, router, stopping));
    announce(run.address_file.as_deref(), address)?;
    println!("gateway at http://{address}");
    until_stopped(runtime, &drain, stop, server).await;
    Ok(())
}
