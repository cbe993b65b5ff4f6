//! The runtime, attacked: each module proves one family of guarantees on two small toy services.

mod chance;
mod commands;
mod crash;
mod gate;
mod life;
mod lifecycle;
mod many;
mod many_fencing;
mod many_outside;
mod many_reads;
mod many_tables;
mod neighbours;
mod outside;
mod personal;
mod projections;
mod ring_away;
mod smoke;
mod subscriptions;
mod timers;
mod toys;
mod workers;
