//! Readers of other systems' files: pure, streaming, no network. They turn rows into what the
//! catalogue and the inventory take, and say row by row what they could not use.
//!
//! - [`shopify`]: product exports of Shopify
//! - [`woocommerce`]: product exports of WooCommerce
//! - [`online_retail`]: invoice lines of the UCI "Online Retail" data set
//! - [`demo`]: a small catalogue of our own invention, with pictures
//!
//! Rows are numbered as a spreadsheet numbers them: the header is row 1. Input is UTF-8, with or
//! without a byte order mark; lines end with LF, CRLF or CR.

pub mod demo;
mod import;
pub mod online_retail;
mod records;
pub mod shopify;
mod table;
mod values;
pub mod woocommerce;

pub use import::{ImportRow, OpeningStock, RowIssue};
