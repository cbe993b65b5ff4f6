//! Whether the services of a process fit together, before anything is opened.

use std::collections::HashSet;

use kernel::{Module, Source};

use crate::{caused::TIMERS, inbound::INBOUND, projections};

/// Says what is wrong: names used twice share what must be separate, and a topic nobody produces
/// would be waited for in vain. `elsewhere` are services that run in other processes.
pub(crate) fn check(modules: &[Module], elsewhere: &[String]) -> Result<(), String> {
    let mut topics = HashSet::new();
    for module in modules {
        if !topics.insert(module.name) {
            return Err(format!("two services are called {}", module.name));
        }
    }
    modules.iter().try_for_each(|module| {
        names(module)?;
        heard(module)
            .find(|(_, topic)| !topics.contains(topic) && !elsewhere.iter().any(|e| e == topic))
            .map_or(Ok(()), |(listener, topic)| {
                let service = module.name;
                Err(format!(
                    "{listener} of {service} listens to {topic}, which is not here"
                ))
            })
    })
}

/// Everything of a service that listens, with the topics.
fn heard(module: &Module) -> impl Iterator<Item = (&'static str, &'static str)> {
    let subscriptions = module.subscriptions.iter().map(|s| (s.name, s.topics));
    let workers = module.workers.iter().map(|w| (w.name, w.topics));
    let feeds = module.broadcasts.iter().map(|b| (b.name, b.topics));
    let projections = module.projections.iter().filter_map(|p| match p.source {
        Source::Own => None,
        Source::Topics(topics) => Some((p.name, topics)),
    });
    subscriptions
        .chain(workers)
        .chain(feeds)
        .chain(projections)
        .flat_map(|(name, topics)| topics.iter().map(move |topic| (name, *topic)))
}

fn names(module: &Module) -> Result<(), String> {
    let service = module.name;
    // Subscriptions and workers share the table of positions.
    let consumers = module.subscriptions.iter().map(|s| s.name.to_owned());
    let consumers = consumers.chain(module.workers.iter().map(|w| w.name.to_owned()));
    let feeding = module
        .projections
        .iter()
        .map(projections::subscription_name);
    let reserved = [TIMERS, INBOUND].into_iter().map(str::to_owned);
    once(
        service,
        "subscription or worker",
        consumers.chain(feeding).chain(reserved),
    )?;
    let projections = module.projections.iter();
    once(
        service,
        "projection",
        projections.clone().map(|p| p.name.to_owned()),
    )?;
    let tables = projections.flat_map(|p| p.tables.iter().map(|table| (*table).to_owned()));
    once(service, "table", tables)?;
    let kinds = module.timers.iter().map(|timer| timer.kind.to_owned());
    once(service, "kind of timer", kinds)?;
    let inbound = module.inbound.iter().map(|event| event.kind.to_owned());
    once(service, "kind of inbound event", inbound)?;
    let categories = module.deciders.iter().map(|d| d.category.to_owned());
    once(service, "decider", categories)?;
    match module.deciders.iter().find(|d| d.category.contains('-')) {
        Some(decider) => Err(format!(
            "the category {} of {service} must not hold a dash",
            decider.category
        )),
        None => Ok(()),
    }
}

fn once(service: &str, what: &str, names: impl IntoIterator<Item = String>) -> Result<(), String> {
    let mut seen = HashSet::new();
    for name in names {
        if seen.contains(&name) {
            return Err(format!("{service} has more than one {what} called {name}"));
        }
        seen.insert(name);
    }
    Ok(())
}
