//! Reads the data set into a plan.

use std::{fs::File, io::{BufReader, Read}, path::Path};


use super::plan::{self, Plan, Rejected, Row};
use crate::failure::{Context as _, Result};

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
    let mut reader = csv::Reader::from_reader(input);
    for (n, record) in reader.records().take(limit.unwrap_or(usize::MAX)).enumerate() {
        let record = record.context("row")?;
        let row = n as u64 + 2;
        let text = |i: usize| record.get(i).unwrap_or_default().to_owned();
        let quantity: i64 = text(3).parse().unwrap_or(0);
        let price = kernel::Money::parse_decimal(&text(5), kernel::Currency::GBP).map(|m| m.amount).unwrap_or(0);
        let (invoice, code) = (text(0), text(1));
        let service = !code.starts_with(|c: char| c.is_ascii_digit()) && !code.starts_with("DCGS");
        let reason = if service { "service code" } else if price <= 0 { "price" } else if invoice.starts_with('C') != (quantity < 0) || quantity == 0 { "quantity" } else { "" };
        if !reason.is_empty() {
            rejected.push(Rejected { row, invoice, reason: reason.into() });
            continue;
        }
        let at = text(4).parse::<jiff::civil::DateTime>().context("date")?.to_zoned(jiff::tz::TimeZone::UTC).context("date")?.timestamp().as_microsecond();
        print.add(row, quantity, price);
        rows.push(Row { row, invoice, code, description: text(2), quantity, at, price, customer: text(6).split('.').next().and_then(|t| t.parse().ok()), country: text(7) });
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
        let bytes = [row.to_le_bytes(), quantity.to_le_bytes(), price.to_le_bytes()];
        for byte in bytes.as_flattened() {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn name(&self) -> String {
        format!("{:012x}", self.0 >> 16)
    }
}
