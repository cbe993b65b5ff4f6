//! The runtime, attacked: each module proves one family of guarantees on two small toy services.

mod commands;
mod life;
mod projections;
mod smoke;
mod subscriptions;
mod timers;
mod toys;
mod workers;
