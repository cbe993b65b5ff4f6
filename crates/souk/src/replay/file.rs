//! Reads the data set into a plan.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use importers::online_retail::{self, Reason};

use super::plan::{self, Plan, Rejected, Row};
use crate::failure::{Context as _, Failure, Result};

/// The plan, and a name for this file with these options: what idempotency keys are made of.
pub fn read(path: &Path, limit: Option<usize>) -> Result<(Plan, String)> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let input: Box<dyn Read> = match path.extension().is_some_and(|ending| ending == "gz") {
        true => Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(file))),
        false => Box::new(BufReader::new(file)),
    };
    let mut rejected = Vec::new();
    let mut rows = Vec::new();
    let mut print = Fingerprint::new();
    for row in online_retail::read(input).take(limit.unwrap_or(usize::MAX)) {
        match row {
            Ok(line) => {
                print.add(line.row, line.quantity, line.unit_price_minor);
                rows.push(Row {
                    row: line.row,
                    invoice: line.invoice,
                    code: line.stock_code,
                    description: line.description,
                    quantity: line.quantity,
                    at: line.at.0,
                    price: line.unit_price_minor,
                    customer: line.customer,
                    country: line.country,
                });
            }
            Err(row) => match row.reason {
                Reason::File(reason) => {
                    return Err(Failure::new(format!("{}: {reason}", path.display())));
                }
                reason => rejected.push(Rejected {
                    row: row.row,
                    invoice: row.invoice,
                    reason: reason.to_string(),
                }),
            },
        }
    }
    Ok((plan::build(rows, rejected), print.name()))
}

/// FNV-1a over the rows.
struct Fingerprint(u64);

impl Fingerprint {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, row: u64, quantity: i64, price: i64) {
        let bytes = [
            row.to_le_bytes(),
            quantity.to_le_bytes(),
            price.to_le_bytes(),
        ];
        for byte in bytes.as_flattened() {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn name(&self) -> String {
        format!("{:012x}", self.0 >> 16)
    }
}
