//! Private PostgreSQL and NATS servers in a folder of one's own, from the programs installed on
//! this machine: for tests, and for `souk up --processes`.
//!
//! The servers listen on 127.0.0.1 only and end with the process that started them, even if that
//! is killed without a chance to clean up. Every call blocks; asynchronous code wraps it in
//! `spawn_blocking`.
//!
//! ```no_run
//! # fn main() -> Result<(), scratch::Error> {
//! let folder = std::path::Path::new("/tmp/try-souk");
//! let settings = scratch::PostgresOptions { fsync: false, ..Default::default() };
//! let mut postgres = scratch::Postgres::start(&folder.join("postgres"), settings)?;
//! postgres.create_database("souk_orders")?;
//! let url = postgres.url("souk_orders");
//! postgres.kill()?; // as if the power failed
//! postgres.start_again()?; // same data, same port
//! # Ok(()) }
//! ```

#![cfg(unix)]

mod error;
mod nats;
mod owner;
mod port;
mod postgres;
mod programs;
mod server;
mod standby;
mod starting;

pub use error::{Error, Result};
pub use nats::{Nats, NatsOptions};
pub use owner::enterable;
pub use postgres::{Postgres, PostgresOptions};
pub use programs::postgres_program;
pub use server::signal;
