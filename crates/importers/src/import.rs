//! What the readers of product files give.

use std::fmt;

use contracts::{catalog::ProductInput, inventory::BackorderPolicy};
use serde::Serialize;

/// A product read from a file, with what the file says about its stock.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImportRow {
    /// Where it begins.
    pub row: u64,
    /// For the catalogue.
    pub product: ProductInput,
    /// For the inventory: one entry per variant.
    pub stock: Vec<OpeningStock>,
    /// What was changed or left out on the way, worth telling the merchant.
    pub warnings: Vec<RowIssue>,
}

/// Units of a SKU there are at the beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpeningStock {
    /// Which SKU.
    pub sku: String,
    /// How many, never below zero.
    pub quantity: i64,
    /// Whether it is sold beyond that. A SKU whose stock the other system did not count may be
    /// sold without end, as it was there.
    pub backorder: BackorderPolicy,
}

/// Something wrong with a row, or worth knowing about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowIssue {
    /// Which row; the header is 1.
    pub row: u64,
    /// Which column, when it is one.
    pub column: Option<String>,
    /// What, in words for the merchant.
    pub message: String,
    /// The product concerned, when it is known: its handle or name in the file.
    pub product: Option<String>,
}

impl RowIssue {
    pub(crate) fn new(row: u64, column: Option<&str>, message: impl Into<String>) -> Self {
        Self {
            row,
            column: column.map(str::to_owned),
            message: message.into(),
            product: None,
        }
    }

    pub(crate) fn of(mut self, product: &str) -> Self {
        self.product = Some(product.to_owned());
        self
    }
}

impl fmt::Display for RowIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}", self.row)?;
        if let Some(column) = &self.column {
            write!(f, ", {column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for RowIssue {}
