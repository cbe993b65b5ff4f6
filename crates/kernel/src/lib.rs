//! The vocabulary every part of Souk speaks: money, ids, time, events, deciders, batches, and the
//! description of a service ([`Module`]). Pure: no I/O, no clock, no randomness, no async runtime.
//!
//! A service is written against this crate alone (plus `contracts` and `web`); the runtime crate
//! gives the descriptions life. Nothing here may depend on another crate of ours.

mod app;
mod batch;
mod command;
mod decider;
mod event;
pub mod freshness;
mod id;
mod module;
mod money;
mod personal;
mod rejection;
pub mod testing;
mod time;

pub use app::{
    Answer, App, AppError, BoxFuture, Context, Engine, IdempotencyKey, Render, Stored, Submission,
};
pub use batch::{FromValue, Row, Rows, Statement, Value};
pub use command::{
    AnyCommand, Command, Decide, Decided, PendingEvent, Read, States, TimerOp, UnitOfWork, Work,
};
pub use decider::{Decider, DeciderSpec, ErasedState};
pub use event::{
    DecodeError, Event, EventMeta, PARTITIONS, Recorded, StreamId, StreamMap, partition_of,
};
pub use id::{Ids, PersonId};
pub use module::{
    Apply, Broadcast, From, InboundHandler, Module, OnInbound, OnTimer, Perform, Poison,
    Projection, React, Reaction, Source, Subscription, Timer, TimerHandler, Worker, WorkerError,
};
pub use money::{Currency, Money, MoneyError};
pub use personal::{KeyRing, KeyRingError, Personal, blinded, opened, with_keys};
pub use rejection::{Rejection, RejectionKind};
pub use time::{Clock, Timestamp};

#[doc(hidden)]
pub use serde_json;
#[doc(hidden)]
pub use utoipa;
