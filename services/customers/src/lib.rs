//! The service of customers: who they are, what they agreed to, what they bought, in which groups
//! they are, and their right to be forgotten. This file is its table of contents; see README.md.

pub mod company;
pub mod consent;
pub mod customer;
pub mod directory;
pub mod erasure;
pub mod export;
pub mod history;
pub mod http;
pub mod mailbox;
pub mod merge;
pub mod order;
pub mod person;
pub mod profile;
mod queries;
mod render;
mod report;
pub mod review;
pub mod segment;
pub mod statistics;
pub mod verification;
mod views;
mod work;

#[cfg(test)]
mod tests;

use kernel::Module;
use web::Service;

/// The whole service, for the binary's list.
pub fn service() -> Service {
    Service {
        module: Module::new("customers")
            .decider::<customer::Customers>()
            .decider::<directory::Directories>()
            .decider::<order::Records>()
            .decider::<mailbox::Mailboxes>()
            .decider::<consent::ConsentBook>()
            .decider::<company::Companies>()
            .decider::<person::Persons>()
            .projection(views::customers())
            .projection(views::orders())
            .projection(views::consents())
            .projection(views::companies())
            .projection(export::parts())
            .subscription(profile::from_identity())
            .subscription(history::from_orders())
            .timer(review::REVIEW, |_| Ok(Box::new(review::DayPassed)))
            .worker(verification::greeter())
            .worker(verification::claimer())
            .worker(review::reviewer())
            .worker(erasure::eraser()),
        routes: http::routes(),
    }
}
