//! Payments: holds, takes and gives back an order's money at a payment provider, and keeps the
//! books of it. See the README for what it owns, hears and publishes.

mod apply;
mod breaker;
mod calls;
mod card_number;
mod config;
#[cfg(test)]
mod fixtures;
mod fold;
mod http;
mod ledger;
mod listen;
mod operations;
mod patience;
mod payment;
pub mod provider;
mod queries;
mod registry;
mod requests;
mod rules;
#[cfg(test)]
mod rules_properties;
#[cfg(test)]
mod rules_tests;
mod sandbox;
mod sandbox_wire;
mod signature;
mod told;
mod unmatched;
mod views;
mod waiting;
mod webhooks;
mod work;

use std::sync::Arc;

use kernel::{Broadcast, From, Module};

pub use breaker::BreakerConfig;
pub use card_number::looks_like_card_number;
pub use config::Config;
pub use ledger::{Line, REFUNDS, REVENUE, postings};
pub use patience::{Moment, Patience};
pub use payment::{Hold, Operation, Payment, idempotency_key};
pub use registry::{CallConfig, Providers};
pub use rules::{Command, Request};
pub use sandbox::{Sandbox, SandboxConfig, SandboxError};

/// The service.
pub fn service(config: Config) -> web::Service {
    let patience = config.patience;
    let waiting = Arc::new(waiting::Waiting::default());
    let work = Arc::new(work::Work {
        providers: config.providers.clone(),
        patience,
    });
    let shared = Arc::new(http::Shared {
        providers: config.providers,
        patience,
        wait: config.wait,
        waiting: waiting.clone(),
    });
    let module = Module::new("payments")
        .decider::<payment::Payment>()
        .decider::<unmatched::Unmatched>()
        .projection(views::payments())
        .projection(views::ledger())
        .projection(views::troubles())
        .subscription(listen::to_orders(patience))
        .timer(apply::ASK, move |timer| listen::ask_due(patience, timer))
        .timer(apply::COMPENSATE, move |timer| {
            listen::compensation_due(patience, timer)
        })
        .worker(work::authorise_worker(work.clone(), config.concurrency))
        .worker(work::operate_worker(work, config.concurrency))
        .broadcast(Broadcast::new(
            "outcomes",
            &["payments"],
            From::Now,
            move |recorded| waiting.hear(recorded),
        ));
    web::Service {
        module,
        routes: http::routes(shared),
    }
}
