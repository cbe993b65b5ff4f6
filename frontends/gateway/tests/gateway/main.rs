//! The gateway in front of services that the tests play.

mod entrance;
mod orders;
mod support;
