//! WooCommerce's product export: one row per product or variation; a variation names its parent by
//! SKU or as `id:123`, and may stand anywhere in the file. Simple products stream through; variable
//! products are held until the file ends, when all their variations are known.
//!
//! What becomes of it: the handle is made of the name (with the SKU behind it when another product
//! has the name) · a sale price is the price, the regular one "was" · attributes that some variation
//! fixes are options, and a variation that leaves one of them open gets the value `Any`; the other
//! attributes are attributes · **grouped** and **external** products cannot be bought as one thing
//! here: they become drafts, with `grouped_skus` or `external_url` as attributes · a product hidden
//! from the catalogue becomes a draft · files to download are not taken over (their addresses are
//! not for everyone), only that there are some · stock that was not counted is sold without end
//! while it is "in stock". A variable product with a bad variation is rejected whole.

mod product;
mod row;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    io::Read,
};

use kernel::Currency;

use crate::{
    ImportRow, RowIssue,
    table::{Next, Row, Table},
    values,
};
use product::{Parent, Variation};
use row::{Kind, Reading};

const REQUIRED: &[&str] = &["Type", "SKU", "Name", "Regular price"];

/// Reads an export whose prices are in `currency`.
pub fn read<R: Read>(input: R, currency: Currency) -> Products<R> {
    Products {
        table: Table::new(input, REQUIRED),
        names: Names::default(),
        currency,
        parents: Vec::new(),
        by_reference: HashMap::new(),
        orphans: Vec::new(),
        suspect: None,
        ended: false,
        ready: VecDeque::new(),
    }
}

/// What must not be there twice.
#[derive(Default)]
pub(crate) struct Names {
    /// Handles given so far.
    pub handles: HashSet<String>,
    /// SKUs given so far.
    pub skus: HashSet<String>,
    /// SKUs and ids of the file, with their rows.
    seen: HashMap<String, u64>,
}

impl Names {
    /// Takes a row's own SKU and id; says which is there already.
    fn claim(&mut self, row: &Row<'_>) -> Result<(), RowIssue> {
        for (column, value) in [("SKU", row.get("SKU").to_owned()), ("ID", id(row))] {
            if value.is_empty() {
                continue;
            }
            if let Some(first) = self.seen.get(&value) {
                let message = format!("`{}` is there already, at row {first}", row.get(column));
                return Err(RowIssue::new(row.number(), Some(column), message));
            }
            self.seen.insert(value, row.number());
        }
        Ok(())
    }
}

impl Names {
    /// A SKU for a variant that has none; taken from here on.
    fn generate(&mut self, handle: &str, values: &[&str], row: u64) -> String {
        let sku = values::generated_sku(handle, values, &self.skus);
        self.skus.insert(sku.clone());
        self.seen.insert(sku.clone(), row);
        sku
    }
}

/// A row's id as a variation writes it.
fn id(row: &Row<'_>) -> String {
    match row.get("ID") {
        "" => String::new(),
        id => format!("id:{id}"),
    }
}

/// The products of an export.
pub struct Products<R> {
    table: Table<R>,
    currency: Currency,
    names: Names,
    /// Variable products, in the order of the file.
    parents: Vec<Parent>,
    /// Where each is, by `id:…` and by SKU.
    by_reference: HashMap<String, usize>,
    /// Variations whose parent was not seen yet.
    orphans: Vec<(String, Result<Variation, RowIssue>)>,
    /// A row that cannot be read and may be a variation of any product.
    suspect: Option<u64>,
    ended: bool,
    ready: VecDeque<Result<ImportRow, RowIssue>>,
}

impl<R: Read> Iterator for Products<R> {
    type Item = Result<ImportRow, RowIssue>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.ended {
            match self.table.advance() {
                Some(Next::Row) => self.take_row(),
                Some(Next::Unreadable(issue)) => self.take_unreadable(issue),
                None => {
                    self.ended = true;
                    self.finish();
                }
            }
        }
        self.ready.pop_front()
    }
}

impl<R: Read> Products<R> {
    fn take_row(&mut self) {
        let reading = Reading::new(self.table.row(), self.table.columns(), self.currency);
        let kind = match reading.kind() {
            Ok(kind) => kind,
            Err(issue) => {
                self.ready.push_back(Err(issue.of(reading.row.get("Name"))));
                return;
            }
        };
        let claimed = self.names.claim(&reading.row);
        match kind {
            Kind::Variation => {
                let parent = reading.row.get("Parent").to_owned();
                let variation = claimed.and_then(|()| Variation::read(&reading, &mut self.names));
                let variation = variation.map_err(|issue| issue.of(reading.row.get("Name")));
                self.take_variation(parent, variation);
            }
            Kind::Variable => {
                let references = [id(&reading.row), reading.row.get("SKU").to_owned()];
                let parent = Parent::read(&reading, &mut self.names, claimed);
                for reference in references.into_iter().filter(|r| !r.is_empty()) {
                    self.by_reference
                        .entry(reference)
                        .or_insert(self.parents.len());
                }
                self.parents.push(parent);
            }
            Kind::Simple | Kind::Grouped | Kind::External => {
                let read = claimed.and_then(|()| product::single(&reading, kind, &mut self.names));
                self.ready
                    .push_back(read.map_err(|issue| issue.of(reading.row.get("Name"))));
            }
        }
    }

    /// A variation goes to its parent, if that was seen; a bad one rejects it.
    fn take_variation(&mut self, parent: String, variation: Result<Variation, RowIssue>) {
        match self.by_reference.get(&parent) {
            Some(place) => self.parents[*place].take(variation),
            None => self.orphans.push((parent, variation)),
        }
    }

    fn take_unreadable(&mut self, issue: RowIssue) {
        let row = self.table.row();
        let kind = row.find("Type").unwrap_or_default();
        let parent = row.find("Parent").filter(|parent| !parent.is_empty());
        match (kind.is_empty() || kind.contains("variation"), parent) {
            (true, Some(parent)) => self.take_variation(parent.to_owned(), Err(issue)),
            (true, None) => {
                // Before the header is read there is nothing it could belong to.
                self.suspect = self.table.columns().map(|_| issue.row);
                self.ready.push_back(Err(issue));
            }
            (false, _) => self.ready.push_back(Err(issue)),
        }
    }

    fn finish(&mut self) {
        for (parent, variation) in std::mem::take(&mut self.orphans) {
            match (self.by_reference.get(&parent), variation) {
                (Some(place), variation) => self.parents[*place].take(variation),
                (None, Err(issue)) => self.ready.push_back(Err(issue)),
                (None, Ok(variation)) => {
                    let message = match parent.as_str() {
                        "" => "is missing: a variation needs its parent".to_owned(),
                        parent => format!("there is no variable product `{parent}` in this file"),
                    };
                    let issue = RowIssue::new(variation.row, Some("Parent"), message);
                    self.ready.push_back(Err(issue));
                }
            }
        }
        for mut parent in std::mem::take(&mut self.parents) {
            if let Some(row) = self.suspect {
                let message = format!("row {row} cannot be read and may be a variation of it");
                parent.reject(RowIssue::new(parent.row, None, message));
            }
            parent.finish(&mut self.names, &mut self.ready);
        }
    }
}
