//! Identity: who someone is and what they may do. Accounts of staff and customers, passwords,
//! sessions, API keys, roles, and the signed access tokens that every service verifies by itself.

mod accounts;
mod api_key;
mod bootstrap;
mod closing;
mod config;
mod credential;
mod customer;
mod desk;
mod email;
mod grant;
mod http;
mod keys;
mod password;
mod queries;
mod role;
mod rotation;
mod secret;
mod session;
mod signer;
mod staff;
mod throttle;
mod views;

use std::sync::Arc;

use kernel::{AppError, Decide, Module};

pub use bootstrap::{
    OneTimePassword, bootstrap, bootstrap_api_key, bootstrap_with, reset_password,
};
pub use config::Config;

/// The whole service.
///
/// # Errors
/// When the configured password cost is one that Argon2 does not take.
pub fn service(config: Config) -> Result<web::Service, AppError> {
    let desk = Arc::new(desk::Desk::new(config.clone())?);
    let module = Module::new("identity")
        .decider::<keys::SigningKeys>()
        .decider::<email::Emails>()
        .decider::<credential::Credentials>()
        .decider::<customer::Customers>()
        .decider::<staff::Staff>()
        .decider::<staff::Admins>()
        .decider::<role::Roles>()
        .decider::<api_key::ApiKeys>()
        .decider::<session::Sessions>()
        .projection(views::staff())
        .projection(views::roles())
        .projection(views::api_keys())
        .projection(closing::addresses())
        .timer(rotation::ROTATE, |timer| {
            let call = rotation::on_rotate(timer)?;
            Ok(Box::new(Decide::<keys::SigningKeys>::new(
                keys::ALL_KEYS,
                call,
            )))
        })
        .timer(rotation::RETIRE, |timer| {
            Ok(Box::new(rotation::RetireKey(timer.data.clone())))
        })
        .worker(rotation::key_maker(config))
        .worker(closing::closer());
    Ok(web::Service {
        module,
        routes: http::routes(desk),
    })
}
