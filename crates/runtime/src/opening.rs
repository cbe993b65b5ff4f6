//! The first steps of a start: what the services are made of, and their databases.

use std::sync::Arc;

use kernel::{Module, Projection, Reaction, Source, Subscription};
use store::{LogHead, Store, StoreError};
use tokio::task::JoinSet;

use crate::{Placement, RuntimeConfig, StartError, projections, wiring};

/// A service with its open database.
pub(crate) struct Opened {
    pub module: Module,
    pub store: Arc<dyn Store>,
    /// Where its log ended when it was opened.
    pub head: LogHead,
}

/// A service's own subscriptions, and those that feed its projections of other services' events.
pub(crate) fn subscriptions(module: &Module) -> Vec<(Subscription, Option<Projection>)> {
    let own = module
        .subscriptions
        .iter()
        .map(|subscription| (subscription.clone(), None));
    let feeding = module.projections.iter().filter_map(|projection| {
        let Source::Topics(topics) = projection.source else {
            return None;
        };
        let apply = projection.apply.clone();
        let name: &'static str =
            Box::leak(projections::subscription_name(projection).into_boxed_str());
        let subscription = Subscription::new(name, topics, move |event| {
            let mut reaction = Reaction::none();
            apply(event, &mut reaction.statements)?;
            Ok(reaction)
        });
        Some((subscription, Some(projection.clone())))
    });
    own.chain(feeding).collect()
}

/// Refuses services that wait for others of which nobody has heard.
pub(crate) fn check_wiring(config: &RuntimeConfig, modules: &[Module]) -> Result<(), StartError> {
    let elsewhere = match &config.placement {
        Placement::Embedded => &[][..],
        Placement::Shared(neighbours) => &neighbours.topics,
    };
    wiring::check(modules, elsewhere).map_err(StartError::Wiring)
}

/// Opens the stores of services.
pub(crate) async fn open_all(
    config: &RuntimeConfig,
    modules: Vec<Module>,
) -> Result<Vec<Opened>, StartError> {
    let mut opening = JoinSet::new();
    for (n, module) in modules.into_iter().enumerate() {
        let (stores, incarnation) = (config.stores.clone(), config.ids.next());
        opening.spawn(async move {
            let store = stores.open(module.name, incarnation).await;
            let store = store.map_err(|e| store_error(module.name, &e))?;
            let head = store.head().await;
            let head = head.map_err(|e| store_error(module.name, &e))?;
            let opened = Opened {
                module,
                store,
                head,
            };
            Ok((n, opened))
        });
    }
    let mut opened = Vec::new();
    while let Some(one) = opening.join_next().await {
        opened.push(one.map_err(|e| StartError::Wiring(e.to_string()))??);
    }
    opened.sort_by_key(|(n, _)| *n);
    Ok(opened.into_iter().map(|(_, opened)| opened).collect())
}

pub(crate) fn store_error(service: &str, error: &StoreError) -> StartError {
    StartError::Store {
        service: service.into(),
        reason: error.to_string(),
    }
}
