//! The cart's API on a real store, beside stand-ins for the services it listens to.

mod carts;
mod pricing;
mod support;
