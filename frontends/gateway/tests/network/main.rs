//! The way to services in other processes, over real sockets.

mod failing;
mod flowing;
mod restarting;
mod spreading;
mod support;
mod whole;
