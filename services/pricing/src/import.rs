//! Readers of other people's tables of tax rates: pure, row by row. Every row becomes a rate, or the
//! reason why not.

mod decimal;
mod regex;
mod vat_rates;
mod woocommerce;

use contracts::pricing::{
    TaxImportAnswer, TaxImportRow, TaxRate, TaxRateId, TaxRateInput, TaxRowProblem, TaxRowStatus,
};
use kernel::{Command, Rejection, StreamId, Timestamp, UnitOfWork};
use ring::digest::{SHA256, digest};

#[cfg(test)]
pub use regex::patterns as patterns_of;
pub use vat_rates::read as read_vat_rates;
pub use woocommerce::read as read_woocommerce;

use crate::{
    tax::rate_of,
    whole::{Whole, WholeCommand, stream},
};

/// Most rows of an import.
pub const MAX_ROWS: usize = 20_000;
/// How many rates are set in one commit.
const CHUNK: usize = 500;

/// A row of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its number.
    pub row: i64,
    /// Which rate it is about, for people.
    pub rate: String,
    /// The rate, or why it is none.
    pub outcome: Result<TaxRate, TaxRowProblem>,
}

fn problem(field: impl Into<String>, detail: impl Into<String>) -> TaxRowProblem {
    TaxRowProblem {
        field: field.into(),
        detail: detail.into(),
    }
}

/// Checks a row's rate as one that a caller sends, under an id made of what tells it from others,
/// so that the same row has the same id for ever.
fn rate(input: TaxRateInput, told_by: &str) -> Result<TaxRate, TaxRowProblem> {
    let id = id_of(&input, told_by)?;
    rate_of(id, input).map_err(|rejection: Rejection| {
        problem(rejection.field.unwrap_or_default(), rejection.detail)
    })
}

/// An id made of country, province, class, name, priority and start, and `told_by` where these are
/// not enough.
fn id_of(input: &TaxRateInput, told_by: &str) -> Result<TaxRateId, TaxRowProblem> {
    let starts = input.starts_at.map(|Timestamp(at)| at.to_string());
    let priority = input.priority.to_string();
    let parts = [
        input.country.as_str(),
        input.province.as_deref().unwrap_or_default(),
        &input.class,
        &input.name,
        &priority,
        starts.as_deref().unwrap_or_default(),
        told_by,
    ];
    // None of the parts can hold a line break: they are checked, or made here.
    let hash = digest(&SHA256, parts.join("\n").as_bytes());
    let hex: String = hash.as_ref()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let id = format!("{}_{hex}", TaxRateId::PREFIX);
    id.parse().map_err(|detail: String| problem("id", detail))
}

/// Refuses rows that mean the same rate as an earlier one of the same table.
fn once_each(rows: &mut [Row]) {
    let mut seen = std::collections::HashMap::new();
    for row in rows {
        let Ok(rate) = &row.outcome else { continue };
        match seen.get(&rate.id) {
            None => drop(seen.insert(rate.id.clone(), row.row)),
            Some(first) => {
                let detail = format!("row {first} gives this rate already");
                row.outcome = Err(problem("row", detail));
            }
        }
    }
}

/// The commands that set the rates of a table, and what is to be answered when they are done.
pub fn commands(rows: &[Row]) -> Vec<SetRates> {
    let rates: Vec<TaxRate> = rows
        .iter()
        .filter_map(|row| row.outcome.as_ref().ok().cloned())
        .collect();
    rates
        .chunks(CHUNK)
        .map(|rates| SetRates(rates.to_vec()))
        .collect()
}

/// Sets rates, and answers what came of each.
pub struct SetRates(Vec<TaxRate>);

impl Command for SetRates {
    type Output = Vec<TaxRowStatus>;

    fn streams(&self) -> Vec<StreamId> {
        let rates = self.0.iter();
        rates
            .map(|rate| stream::<TaxRate>(rate.id.as_str()))
            .collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Vec<TaxRowStatus>, Rejection> {
        let mut done = Vec::with_capacity(self.0.len());
        for rate in &self.0 {
            let id = rate.id.as_str();
            let known = work.state::<Whole<TaxRate>>(id)?.is_some();
            let set = WholeCommand::Set(rate.clone());
            done.push(match (work.decide::<Whole<TaxRate>>(id, &set)?, known) {
                (0, _) => TaxRowStatus::Unchanged,
                (_, true) => TaxRowStatus::Updated,
                (_, false) => TaxRowStatus::Created,
            });
        }
        Ok(done)
    }
}

/// The answer to an import: `done` says what came of the rows that were rates, in order.
pub fn answer(rows: Vec<Row>, done: Vec<TaxRowStatus>) -> TaxImportAnswer {
    let mut answer = TaxImportAnswer::default();
    let mut done = done.into_iter();
    for row in rows {
        let (status, id, problem) = match row.outcome {
            Err(problem) => (TaxRowStatus::Refused, None, Some(problem)),
            Ok(rate) => {
                let status = done.next().unwrap_or(TaxRowStatus::Unchanged);
                (status, Some(rate.id), None)
            }
        };
        *match status {
            TaxRowStatus::Created => &mut answer.created,
            TaxRowStatus::Updated => &mut answer.updated,
            TaxRowStatus::Unchanged => &mut answer.unchanged,
            TaxRowStatus::Refused => &mut answer.refused,
        } += 1;
        answer.rows.push(TaxImportRow {
            row: row.row,
            rate: row.rate,
            status,
            id,
            problem,
        });
    }
    answer
}
