//! Shopify's product export: several rows per product, all with its handle and standing together.
//! The first row carries the product, each row may carry a variant and a picture.
//!
//! What becomes of it: `Type` is also the product's category (`Product Category`, where the file has
//! it, comes first) · a product is published when `Published` is true (and `Status`, if there, is
//! active) · a variant without a SKU, or with one that stood in the file before, gets one made of
//! its handle and option values · stock that Shopify did not track is sold without end · SEO texts
//! become attributes. A product with a bad row is rejected whole.

mod group;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    io::Read,
};

use kernel::Currency;

use crate::{
    ImportRow, RowIssue,
    table::{Next, Table},
};
use group::{Group, Reading};

const REQUIRED: &[&str] = &[
    "Handle",
    "Title",
    "Option1 Name",
    "Option1 Value",
    "Variant Price",
];
/// Reads an export whose prices are in `currency`.
pub fn read<R: Read>(input: R, currency: Currency) -> Products<R> {
    Products {
        table: Table::new(input, REQUIRED),
        currency,
        scattered: HashSet::new(),
        begun: HashMap::new(),
        skus: HashSet::new(),
        group: None,
        suspect: false,
        ready: VecDeque::new(),
    }
}

/// Handles whose rows do not stand together. A reader that streams notices too late that more of a
/// product follows: read the file with this first, and give the answer to
/// [`Products::rejecting`], so that none of such a product is taken.
pub fn scattered_handles(input: impl Read) -> HashSet<String> {
    let mut table = Table::new(input, REQUIRED);
    let (mut ended, mut scattered) = (HashSet::new(), HashSet::new());
    let mut present = String::new();
    while let Some(next) = table.advance() {
        let Some(handle) = table.row().find("Handle").filter(|h| !h.is_empty()) else {
            continue;
        };
        if matches!(next, Next::Unreadable(_)) || handle == present {
            continue;
        }
        if ended.contains(handle) {
            scattered.insert(handle.to_owned());
        }
        ended.insert(std::mem::replace(&mut present, handle.to_owned()));
    }
    scattered
}

/// The products of an export, one after the other.
pub struct Products<R> {
    table: Table<R>,
    currency: Currency,
    scattered: HashSet<String>,
    /// Where each handle began.
    begun: HashMap<String, u64>,
    skus: HashSet<String>,
    group: Option<Group>,
    /// A row was unreadable and may have belonged to the product that follows.
    suspect: bool,
    ready: VecDeque<Result<ImportRow, RowIssue>>,
}

impl<R: Read> Products<R> {
    /// Rejects the products with these handles whole.
    pub fn rejecting(mut self, scattered: HashSet<String>) -> Self {
        self.scattered = scattered;
        self
    }
}

impl<R: Read> Iterator for Products<R> {
    type Item = Result<ImportRow, RowIssue>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            match self.table.advance() {
                Some(Next::Row) => self.take_row(),
                Some(Next::Unreadable(issue)) => self.take_unreadable(issue),
                None => {
                    let last = self.group.take()?;
                    last.finish(&mut self.ready);
                }
            }
        }
        self.ready.pop_front()
    }
}

impl<R: Read> Products<R> {
    fn take_row(&mut self) {
        let row = self.table.row();
        let handle = row.get("Handle");
        if handle.is_empty() {
            let issue = RowIssue::new(row.number(), Some("Handle"), "is missing");
            self.take_unreadable(issue);
            return;
        }
        if self
            .group
            .as_ref()
            .is_none_or(|group| group.handle != handle)
        {
            if let Some(done) = self.group.take() {
                done.finish(&mut self.ready);
            }
            let row = self.table.row();
            let mut group = Group::begin(&row, handle);
            if std::mem::take(&mut self.suspect) {
                let message = "the row before it cannot be read and may belong to this product";
                group.issue(RowIssue::new(row.number(), None, message));
            }
            group.check_place(&row, &mut self.begun, &self.scattered);
            self.group = Some(group);
        }
        if let Some(group) = &mut self.group {
            let reading = Reading {
                row: self.table.row(),
                currency: self.currency,
            };
            group.take(&reading, &mut self.skus);
        }
    }

    /// A row that cannot be read rejects the product it belongs to; when even that cannot be told,
    /// the ones before and after it.
    fn take_unreadable(&mut self, issue: RowIssue) {
        let row = self.table.row();
        match (
            row.find("Handle").filter(|h| !h.is_empty()),
            &mut self.group,
        ) {
            (Some(handle), Some(group)) if group.handle == handle => group.issue(issue),
            (Some(handle), _) if self.table.columns().is_some() => {
                if let Some(done) = self.group.take() {
                    done.finish(&mut self.ready);
                }
                let mut group = Group::begin(&row, handle);
                group.check_place(&row, &mut self.begun, &self.scattered);
                group.issue(issue);
                group.lose_head();
                self.group = Some(group);
            }
            (_, Some(group)) => {
                group.issue(issue);
                self.suspect = true;
            }
            (_, None) => {
                self.ready.push_back(Err(issue));
                self.suspect = true;
            }
        }
    }
}
