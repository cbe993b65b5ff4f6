//! Identity over HTTP.

mod administering;
mod keeping;
mod shop;
mod signing_in;
