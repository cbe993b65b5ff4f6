//! What an import of tax rates answers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::TaxRateId;

/// What came of one row of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaxRowStatus {
    /// A new rate.
    Created,
    /// A rate that was known and has changed.
    Updated,
    /// Known and the same.
    Unchanged,
    /// It could not be used; `problem` says why.
    Refused,
}

/// Why a row was not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaxRowProblem {
    /// The column, or the path in a JSON document.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

/// One row of an import.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaxImportRow {
    /// Its number: as a spreadsheet counts (the header is row 1), or the rate's place in a JSON
    /// document, from 1.
    pub row: i64,
    /// Which rate it is about, for people: `ES standard, Canary Islands`.
    pub rate: String,
    /// What came of it.
    pub status: TaxRowStatus,
    /// The rate's id, unless the row was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<TaxRateId>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<TaxRowProblem>,
}

/// What came of an import. Rows that could not be used do not hinder the others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaxImportAnswer {
    /// How many rates are new.
    pub created: i64,
    /// How many have changed.
    pub updated: i64,
    /// How many were the same.
    pub unchanged: i64,
    /// How many rows could not be used.
    pub refused: i64,
    /// Every row.
    pub rows: Vec<TaxImportRow>,
}
