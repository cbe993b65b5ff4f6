//! Shipping: what it costs to send a cart (zones, profiles, options, signed quotes), and what
//! happens to an order's goods until the buyer has them (fulfilments, labels, tracking). See the
//! README for what it owns, hears and publishes.

mod calls;
pub mod carrier;
mod check;
mod config;
pub mod dispatch;
mod fold;
pub mod fulfilment;
mod goods;
mod http;
pub mod keys;
mod labelling;
mod on_fulfilment;
mod on_order;
mod patience;
mod place;
pub mod plan;
mod queries;
mod quotes;
mod rates;
mod registry;
mod render;
mod rotation;
mod rules;
mod sandbox;
mod signature;
mod signer;
mod views;
mod work;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use kernel::{Decide, Module};

pub use config::Config;
pub use patience::Patience;
pub use registry::{CALL_TIMEOUT, Carriers};
pub use rotation::bootstrap;
pub use sandbox::{Sandbox, SandboxConfig, SandboxError};

/// The service.
pub fn service(config: Config) -> web::Service {
    let (patience, concurrency) = (config.patience, config.concurrency);
    let times = rotation::KeyTimes::from(&config);
    let work = Arc::new(work::Work {
        carriers: config.carriers.clone(),
        patience,
    });
    let module = Module::new("shipping")
        .decider::<plan::Plans>()
        .decider::<keys::QuoteKeys>()
        .decider::<dispatch::Dispatches>()
        .decider::<fulfilment::Fulfilments>()
        .projection(goods::goods())
        .projection(goods::locations())
        .projection(views::fulfilments())
        .subscription(on_order::from_orders(patience))
        .subscription(on_order::from_inventory(patience))
        .timer(rotation::ROTATE, |timer| {
            let call = rotation::on_rotate(timer)?;
            let command = Decide::<keys::QuoteKeys>::new(keys::ALL_KEYS, call);
            Ok(Box::new(command))
        })
        .timer(rotation::RETIRE, |timer| {
            Ok(Box::new(rotation::RetireKey(timer.data.clone())))
        })
        .timer(on_fulfilment::ASK, move |timer| {
            on_fulfilment::ask_due(timer, patience)
        })
        .worker(rotation::key_maker(times))
        .worker(work::worker(work, concurrency));
    web::Service {
        module,
        routes: http::routes(Arc::new(http::Shared {
            signer: signer::Signer::new(times),
            quote_seconds: config.quote_seconds,
            carriers: config.carriers,
            patience,
        })),
    }
}
