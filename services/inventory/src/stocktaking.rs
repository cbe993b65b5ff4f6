//! Commands of the people who run the stock-room: many lines in one commit.

use contracts::inventory::{BackorderPolicy, LineProblem, LineResult, LocationId, SkuPolicy};
use kernel::{Command, Decider, Rejection, StreamId, UnitOfWork};

use crate::{
    locations::{ALL, Locations},
    stock::{Adjustment, Change, Stock, StockCommand},
};

/// Changes on-hand units line by line, all or none unless said otherwise.
pub struct Adjust {
    /// The lines, in order.
    pub lines: Vec<Adjustment>,
    /// Whether one bad line stops all.
    pub all_or_none: bool,
    /// What the caller calls the list: errors name `adjustments[3].delta`.
    pub list: &'static str,
}

impl Command for Adjust {
    type Output = Vec<LineResult>;

    fn streams(&self) -> Vec<StreamId> {
        streams_of(self.lines.iter().map(|line| line.sku.as_str()))
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Vec<LineResult>, Rejection> {
        let mut results = Vec::with_capacity(self.lines.len());
        for (index, line) in self.lines.iter().enumerate() {
            let before = work.state::<Stock>(&line.sku)?.on_hand(&line.location);
            let outcome =
                apply(work, line).map_err(|rejection| in_line(rejection, self.list, index));
            let problem = match outcome {
                Err(rejection) if self.all_or_none => return Err(rejection),
                Err(rejection) => Some(LineProblem {
                    code: rejection.code.into(),
                    detail: rejection.detail,
                    field: rejection.field,
                }),
                Ok(()) => None,
            };
            let state = work.state::<Stock>(&line.sku)?;
            let on_hand = state.on_hand(&line.location);
            results.push(LineResult {
                sku: line.sku.clone(),
                location: line.location.clone(),
                delta: on_hand - before,
                on_hand,
                available: state.available(),
                problem,
            });
        }
        Ok(results)
    }
}

fn apply(work: &mut UnitOfWork<'_>, line: &Adjustment) -> Result<(), Rejection> {
    let adds = match line.change {
        Change::By(delta) => delta > 0,
        Change::To(count) => count > work.state::<Stock>(&line.sku)?.on_hand(&line.location),
    };
    let locations = work.state::<Locations>(ALL)?;
    match adds {
        true => locations.open(&line.location),
        false => locations.existing(&line.location),
    }
    .map_err(|rejection| rejection.field("location"))?;
    work.decide::<Stock>(&line.sku, &StockCommand::Adjust(line.clone()))?;
    Ok(())
}

/// Moves free units between two locations, all lines or none.
pub struct Transfer {
    /// From where.
    pub from: LocationId,
    /// To where.
    pub to: LocationId,
    /// The document behind it.
    pub reference: Option<String>,
    /// SKU and quantity.
    pub lines: Vec<(String, i64)>,
}

impl Command for Transfer {
    type Output = Vec<LineResult>;

    fn streams(&self) -> Vec<StreamId> {
        streams_of(self.lines.iter().map(|(sku, _)| sku.as_str()))
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Vec<LineResult>, Rejection> {
        let locations = work.state::<Locations>(ALL)?;
        locations
            .existing(&self.from)
            .map_err(|rejection| rejection.field("from"))?;
        locations
            .open(&self.to)
            .map_err(|rejection| rejection.field("to"))?;
        let mut results = Vec::with_capacity(self.lines.len());
        for (index, (sku, quantity)) in self.lines.iter().enumerate() {
            let transfer = StockCommand::Transfer {
                sku: sku.clone(),
                from: self.from.clone(),
                to: self.to.clone(),
                quantity: *quantity,
                reference: self.reference.clone(),
            };
            work.decide::<Stock>(sku, &transfer)
                .map_err(|rejection| in_line(rejection, "lines", index))?;
            let state = work.state::<Stock>(sku)?;
            results.push(LineResult {
                sku: sku.clone(),
                location: self.to.clone(),
                delta: *quantity,
                on_hand: state.on_hand(&self.to),
                available: state.available(),
                problem: None,
            });
        }
        Ok(results)
    }
}

/// Sets the backorder policies of many SKUs.
pub struct SetPolicies(pub Vec<SkuPolicy>);

impl Command for SetPolicies {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        self.0
            .iter()
            .map(|policy| StreamId::new(Stock::CATEGORY, &policy.sku))
            .collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        for policy in &self.0 {
            let set = StockCommand::SetPolicy {
                sku: policy.sku.clone(),
                backorder: policy.backorder,
            };
            work.decide::<Stock>(&policy.sku, &set)?;
        }
        Ok(())
    }
}

/// What is wrong with a policy, if anything.
pub fn policy_problem(policy: BackorderPolicy) -> Option<&'static str> {
    match policy {
        BackorderPolicy::UpTo(units) if !(0..=10_000_000).contains(&units) => {
            Some("must be 0 to 10,000,000")
        }
        _ => None,
    }
}

fn streams_of<'a>(skus: impl Iterator<Item = &'a str>) -> Vec<StreamId> {
    let mut streams = vec![StreamId::new(Locations::CATEGORY, ALL)];
    streams.extend(skus.map(|sku| StreamId::new(Stock::CATEGORY, sku)));
    streams
}

/// Says in which line a rule said no.
fn in_line(mut rejection: Rejection, list: &str, index: usize) -> Rejection {
    rejection.field = Some(match rejection.field {
        Some(field) => format!("{list}[{index}].{field}"),
        None => format!("{list}[{index}]"),
    });
    rejection
}
