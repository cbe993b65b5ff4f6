//! `souk services`: the services there are, and who listens to whom. What deploys them (network
//! policies, lists of processes) is made from this and checked against it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kernel::{Broadcast, Module, Source};
use web::Verifier;

use crate::{failure::Result, services};

/// Whose events each service reads besides its own; the gateway is one of the listeners.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// Prints the graph, as JSON or for people.
pub fn print(json: bool) -> Result<()> {
    let graph = graph()?;
    if json {
        println!("{}", serde_json::to_string_pretty(&graph)?);
        return Ok(());
    }
    for (name, topics) in &graph {
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        let heard = match topics.is_empty() {
            true => "nobody".to_owned(),
            false => topics.join(", "),
        };
        println!("{name:12} listens to {heard}");
    }
    Ok(())
}

/// The graph of all services.
pub fn graph() -> Result<Graph> {
    // Every process verifies tokens with keys that it hears of.
    let tokens = Arc::new(Verifier::default()).broadcast();
    let mut graph = Graph::new();
    for service in services::all(&services::no_provider())? {
        let mut topics = heard(&service.module);
        topics.extend(topics_of(&tokens));
        topics.remove(service.module.name);
        graph.insert(service.module.name.to_owned(), topics);
    }
    let outcomes = gateway::Outcomes::default().broadcast();
    let credentials = gateway::Credentials::default().broadcast();
    let gateway = [&tokens, &outcomes, &credentials];
    let gateway = gateway.into_iter().flat_map(topics_of).collect();
    graph.insert("gateway".to_owned(), gateway);
    Ok(graph)
}

/// The topics that a service listens to.
pub fn heard(module: &Module) -> BTreeSet<String> {
    let projections = module.projections.iter().flat_map(|p| match p.source {
        Source::Own => [].as_slice(),
        Source::Topics(topics) => topics,
    });
    let subscriptions = module.subscriptions.iter().flat_map(|s| s.topics);
    let workers = module.workers.iter().flat_map(|w| w.topics);
    let feeds = module.broadcasts.iter().flat_map(|b| b.topics);
    let topics = projections.chain(subscriptions).chain(workers).chain(feeds);
    topics.map(|topic| (*topic).to_owned()).collect()
}

/// The topics of a feed.
pub fn topics_of(feed: &Broadcast) -> Vec<String> {
    feed.topics.iter().map(|t| (*t).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graph_holds_every_kind_of_listener() {
        let graph = graph().expect("a graph");
        let of = |name: &str| graph[name].iter().map(String::as_str).collect::<Vec<_>>();
        // By projections, by subscriptions, by live feeds; and never oneself.
        assert_eq!(
            of("cart"),
            [
                "catalog",
                "credit",
                "customers",
                "identity",
                "inventory",
                "pricing",
                "shipping"
            ]
        );
        assert_eq!(of("payments"), ["identity", "orders"]);
        assert_eq!(of("gateway"), ["identity", "orders"]);
        assert_eq!(of("identity"), ["customers"]);
        assert_eq!(of("customers"), ["identity", "orders", "payments"]);
    }
}
