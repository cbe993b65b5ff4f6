//! What the file says should happen: sales in time order, and refunds matched to them. Pure: the
//! same file always gives the same plan, which is what lets an interrupted replay go on.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

/// A row of the file that a shop could accept.
#[derive(Clone, Debug)]
pub struct Row {
    /// Line number in the file, the header being 1.
    pub row: u64,
    /// Invoice number; cancellations begin with `C`.
    pub invoice: String,
    /// Stock code.
    pub code: String,
    /// May be empty.
    pub description: String,
    /// Positive for a sale, negative for a cancellation.
    pub quantity: i64,
    /// Microseconds UTC.
    pub at: i64,
    /// Pence.
    pub price: i64,
    /// Who bought, if known.
    pub customer: Option<u32>,
    /// Country name.
    pub country: String,
}

/// A row that is not part of any order, and why.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct Rejected {
    /// Line number in the file.
    pub row: u64,
    /// Which invoice.
    pub invoice: String,
    /// Why.
    pub reason: String,
}

/// A stock code at one of its prices: what the shop sells. The file gives many codes several
/// prices over the year; each price is a variant of its own, so that a customer can buy at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sku {
    /// `85123A` at its first price, `85123A@295` at another.
    pub sku: String,
    /// The stock code.
    pub code: String,
    /// Pence.
    pub price: i64,
    /// Units the file sells: the opening stock.
    pub sold: i64,
}

/// A stock code with all its prices.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The stock code.
    pub code: String,
    /// The first description that is not empty.
    pub description: String,
    /// Its SKUs, as indices.
    pub skus: Vec<usize>,
}

/// An invoice to be placed.
#[derive(Clone, Debug, PartialEq)]
pub struct Sale {
    /// Its number.
    pub invoice: String,
    /// When.
    pub at: i64,
    /// Who.
    pub customer: Option<u32>,
    /// Country name.
    pub country: String,
    /// (SKU, units), rows on the same SKU summed, in the order of the file.
    pub lines: Vec<(usize, i64)>,
    /// What it comes to, pence.
    pub total: i64,
}

/// A part of a cancellation, matched to the invoice the customer bought it on.
#[derive(Clone, Debug, PartialEq)]
pub struct Refund {
    /// The cancellation's number.
    pub cancellation: String,
    /// Which sale.
    pub sale: usize,
    /// (SKU, units) that come back.
    pub lines: Vec<(usize, i64)>,
    /// Pence.
    pub amount: i64,
}

/// What happens, in time order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Place this sale.
    Sale(usize),
    /// Make this refund.
    Refund(usize),
}

/// Everything the file asks for.
#[derive(Debug, Default)]
pub struct Plan {
    /// Stock codes.
    pub items: Vec<Item>,
    /// What is sold.
    pub skus: Vec<Sku>,
    /// Invoices.
    pub sales: Vec<Sale>,
    /// Refunds.
    pub refunds: Vec<Refund>,
    /// The order of things.
    pub steps: Vec<Step>,
    /// Rows no shop could accept.
    pub rejected: Vec<Rejected>,
    /// Units of cancellations that match nothing the customer bought.
    pub unmatched: Vec<Rejected>,
    /// Invoices of which no row was acceptable.
    pub empty_invoices: Vec<String>,
}

#[derive(Default)]
struct Builder {
    plan: Plan,
    codes: HashMap<String, usize>,
    by_price: HashMap<(usize, i64), usize>,
    sale_of: HashMap<String, usize>,
    cancellations: BTreeMap<(i64, String), Vec<Row>>,
    cancelled_at: HashMap<String, i64>,
}

/// Builds the plan. `rows` are accepted rows in the order of the file; `rejected` the others.
pub fn build(rows: impl IntoIterator<Item = Row>, rejected: Vec<Rejected>) -> Plan {
    let mut builder = Builder::default();
    for row in rows {
        builder.take(row);
    }
    let mut plan = builder.finish();
    let mut seen = HashSet::new();
    let sales: HashSet<&str> = plan.sales.iter().map(|s| s.invoice.as_str()).collect();
    plan.empty_invoices = rejected
        .iter()
        .filter(|r| {
            !r.invoice.starts_with('C')
                && !sales.contains(r.invoice.as_str())
                && seen.insert(r.invoice.clone())
        })
        .map(|r| r.invoice.clone())
        .collect();
    plan.rejected = rejected;
    plan
}

impl Builder {
    fn take(&mut self, row: Row) {
        if row.invoice.starts_with('C') {
            // One invoice may carry several times; the first is when it happened.
            let at = *self
                .cancelled_at
                .entry(row.invoice.clone())
                .or_insert(row.at);
            self.cancellations
                .entry((at, row.invoice.clone()))
                .or_default()
                .push(row);
            return;
        }
        let sku = self.sku(&row);
        self.plan.skus[sku].sold += row.quantity;
        let sale = *self.sale_of.entry(row.invoice.clone()).or_insert_with(|| {
            self.plan.sales.push(Sale {
                invoice: row.invoice.clone(),
                at: row.at,
                customer: row.customer,
                country: row.country.clone(),
                lines: Vec::new(),
                total: 0,
            });
            self.plan.sales.len() - 1
        });
        let sale = &mut self.plan.sales[sale];
        sale.total += row.price * row.quantity;
        match sale.lines.iter_mut().find(|(known, _)| *known == sku) {
            Some((_, quantity)) => *quantity += row.quantity,
            None => sale.lines.push((sku, row.quantity)),
        }
    }

    fn sku(&mut self, row: &Row) -> usize {
        let plan = &mut self.plan;
        let item = *self.codes.entry(row.code.clone()).or_insert_with(|| {
            plan.items.push(Item {
                code: row.code.clone(),
                description: String::new(),
                skus: Vec::new(),
            });
            plan.items.len() - 1
        });
        if plan.items[item].description.is_empty() {
            plan.items[item].description.clone_from(&row.description);
        }
        *self.by_price.entry((item, row.price)).or_insert_with(|| {
            let sku = match plan.items[item].skus.is_empty() {
                true => row.code.clone(),
                false => format!("{}@{}", row.code, row.price),
            };
            plan.skus.push(Sku {
                sku,
                code: row.code.clone(),
                price: row.price,
                sold: 0,
            });
            plan.items[item].skus.push(plan.skus.len() - 1);
            plan.skus.len() - 1
        })
    }

    /// Matches cancellations, oldest first, each to the newest earlier purchases of the same
    /// customer, code and price; then puts everything in time order.
    fn finish(mut self) -> Plan {
        let mut bought: HashMap<(u32, usize), Vec<(usize, i64)>> = HashMap::new();
        let mut by_time: Vec<usize> = (0..self.plan.sales.len()).collect();
        by_time.sort_by_key(|n| self.plan.sales[*n].at);
        for n in &by_time {
            let sale = &self.plan.sales[*n];
            let Some(customer) = sale.customer else {
                continue;
            };
            for (sku, quantity) in &sale.lines {
                bought
                    .entry((customer, *sku))
                    .or_default()
                    .push((*n, *quantity));
            }
        }
        let mut refund_times = Vec::new();
        for ((at, cancellation), rows) in std::mem::take(&mut self.cancellations) {
            let first = self.plan.refunds.len();
            for row in rows {
                self.match_row(&row, at, &cancellation, first, &mut bought);
            }
            refund_times.extend((first..self.plan.refunds.len()).map(|n| (at, n)));
        }
        let sales = by_time
            .into_iter()
            .map(|n| (self.plan.sales[n].at, 0, Step::Sale(n)));
        let refunds = refund_times
            .into_iter()
            .map(|(at, n)| (at, 1, Step::Refund(n)));
        let mut steps: Vec<_> = sales.chain(refunds).collect();
        steps.sort_by_key(|(at, kind, _)| (*at, *kind));
        self.plan.steps = steps.into_iter().map(|(_, _, step)| step).collect();
        self.plan
    }

    fn match_row(
        &mut self,
        row: &Row,
        at: i64,
        cancellation: &str,
        first: usize,
        bought: &mut HashMap<(u32, usize), Vec<(usize, i64)>>,
    ) {
        let mut left = -row.quantity;
        let sku = self
            .codes
            .get(&row.code)
            .and_then(|item| self.by_price.get(&(*item, row.price)))
            .copied();
        let reason = match (row.customer, sku) {
            (None, _) => "the customer is not known",
            (_, None) => "this code was never sold at this price",
            (Some(customer), Some(sku)) => {
                for (sale, open) in bought.entry((customer, sku)).or_default().iter_mut().rev() {
                    if self.plan.sales[*sale].at > at || *open == 0 || left == 0 {
                        continue;
                    }
                    let units = left.min(*open);
                    *open -= units;
                    left -= units;
                    self.refund(cancellation, first, *sale, sku, units, row.price);
                }
                "the customer had not bought that many of it at this price before"
            }
        };
        if left > 0 {
            let reason = format!("{left} × {} not refunded: {reason}", row.code);
            self.plan.unmatched.push(Rejected {
                row: row.row,
                invoice: cancellation.to_owned(),
                reason,
            });
        }
    }

    fn refund(
        &mut self,
        cancellation: &str,
        first: usize,
        sale: usize,
        sku: usize,
        units: i64,
        price: i64,
    ) {
        let found = self.plan.refunds[first..]
            .iter()
            .position(|r| r.sale == sale);
        let index = found.map_or(self.plan.refunds.len(), |n| first + n);
        if found.is_none() {
            let cancellation = cancellation.to_owned();
            self.plan.refunds.push(Refund {
                cancellation,
                sale,
                lines: Vec::new(),
                amount: 0,
            });
        }
        let refund = &mut self.plan.refunds[index];
        refund.amount += price * units;
        match refund.lines.iter_mut().find(|(known, _)| *known == sku) {
            Some((_, quantity)) => *quantity += units,
            None => refund.lines.push((sku, units)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(
        n: u64,
        invoice: &str,
        code: &str,
        quantity: i64,
        at: i64,
        price: i64,
        customer: Option<u32>,
    ) -> Row {
        Row {
            row: n,
            invoice: invoice.into(),
            code: code.into(),
            description: "LANTERN".into(),
            quantity,
            at,
            price,
            customer,
            country: "United Kingdom".into(),
        }
    }

    #[test]
    fn rows_on_the_same_code_and_price_are_summed_and_prices_are_variants() {
        let plan = build(
            [
                row(2, "1", "A", 2, 10, 100, None),
                row(3, "1", "A", 3, 10, 100, None),
                row(4, "1", "A", 1, 10, 150, None),
                row(5, "1", "a", 1, 10, 100, None),
            ],
            Vec::new(),
        );
        let skus: Vec<_> = plan.skus.iter().map(|s| (s.sku.as_str(), s.sold)).collect();
        assert_eq!(skus, [("A", 5), ("A@150", 1), ("a", 1)]);
        assert_eq!(plan.sales[0].lines, [(0, 5), (1, 1), (2, 1)]);
        assert_eq!(plan.sales[0].total, 750);
    }

    #[test]
    fn a_cancellation_is_matched_to_what_that_customer_bought_before_newest_first() {
        let plan = build(
            [
                row(2, "1", "A", 5, 10, 100, Some(7)),
                row(3, "2", "A", 5, 20, 100, Some(7)),
                row(4, "3", "A", 9, 15, 100, Some(8)),
                row(5, "C4", "A", -7, 30, 100, Some(7)),
                row(6, "5", "A", 9, 40, 100, Some(7)),
                row(7, "C6", "A", -5, 35, 100, Some(7)),
                row(8, "C7", "A", -1, 50, 90, Some(7)),
                row(9, "C8", "A", -1, 50, 100, None),
            ],
            Vec::new(),
        );
        let refunds: Vec<_> = plan
            .refunds
            .iter()
            .map(|r| (r.cancellation.as_str(), r.sale, r.amount))
            .collect();
        assert_eq!(refunds, [("C4", 1, 500), ("C4", 0, 200), ("C6", 0, 300)]);
        let unmatched: Vec<u64> = plan.unmatched.iter().map(|u| u.row).collect();
        assert_eq!(unmatched, [7, 8, 9]);
        assert!(plan.unmatched[0].reason.starts_with("2 × A"));
        assert_eq!(plan.steps.first(), Some(&Step::Sale(0)));
        assert_eq!(plan.steps[3], Step::Refund(0));
    }
}
