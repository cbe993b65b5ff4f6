//! The service on a real store, spoken to over its router.

mod customers;
mod privacy;
mod support;
