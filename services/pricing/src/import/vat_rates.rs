//! The open table of VAT rates of the European Union: JSON of countries, each with periods, their
//! rates in per cent, and exceptions by postcode.

use std::collections::BTreeMap;

use contracts::pricing::{STANDARD_CLASS, TaxRate, TaxRateInput, TaxRowProblem};
use jiff::{civil::Date, tz::TimeZone};
use kernel::{Rejection, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{MAX_ROWS, Row, decimal::percent_to_ppm, once_each, problem, rate, regex};

/// Rates as written, so that no number is read as a float.
type Rates = BTreeMap<String, Box<RawValue>>;

#[derive(Deserialize)]
struct Document {
    items: BTreeMap<String, Vec<Period>>,
}

#[derive(Deserialize)]
struct Period {
    effective_from: String,
    rates: Rates,
    /// Each has a `name`, a `postcode`, and rates beside them.
    #[serde(default)]
    exceptions: Vec<Rates>,
}

struct Exception {
    name: String,
    postcode: String,
    rates: Vec<(String, Box<RawValue>)>,
}

impl Exception {
    fn read(path: &str, members: &Rates) -> Result<Self, TaxRowProblem> {
        let text = |name: &str| {
            let text = members.get(name).map(|raw| serde_json::from_str(raw.get()));
            match text {
                Some(Ok(text)) => Ok(text),
                _ => Err(problem(format!("{path}.{name}"), "must be text")),
            }
        };
        let (name, postcode) = (text("name")?, text("postcode")?);
        let rates = members
            .iter()
            .filter(|(member, _)| *member != "name" && *member != "postcode")
            .map(|(level, percent)| (level.clone(), percent.clone()))
            .collect();
        Ok(Self {
            name,
            postcode,
            rates,
        })
    }
}

/// Reads the table. A period holds until the next one of its country begins, at midnight UTC. Rows
/// are numbered in the order of countries, periods and classes.
///
/// # Errors
/// When it is no such table at all.
pub fn read(text: &str) -> Result<Vec<Row>, Rejection> {
    let document: Document = serde_json::from_str(text).map_err(|error| {
        let text = error.to_string();
        Rejection::invalid("body", format!("is not a table of VAT rates: {text}"))
    })?;
    let mut table = Table::default();
    for (country, periods) in &document.items {
        table.country(country, periods);
        if table.rows.len() > MAX_ROWS {
            let detail = format!("must have at most {MAX_ROWS} rates");
            return Err(Rejection::invalid("body", detail));
        }
    }
    once_each(&mut table.rows);
    Ok(table.rows)
}

#[derive(Default)]
struct Table {
    rows: Vec<Row>,
}

/// Where and when a rate holds.
struct Place<'a> {
    country: &'a str,
    path: String,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
}

impl Table {
    fn country(&mut self, country: &str, periods: &[Period]) {
        let starts: Vec<_> = periods.iter().map(|p| date(&p.effective_from)).collect();
        for (i, period) in periods.iter().enumerate() {
            let path = format!("items.{country}[{i}]");
            let starts_at = match starts[i] {
                Ok(starts_at) => starts_at,
                Err(detail) => {
                    let field = format!("{path}.effective_from");
                    self.push(country.to_owned(), Err(problem(field, detail)));
                    continue;
                }
            };
            let known = starts.iter().filter_map(|start| start.ok().flatten());
            let place = Place {
                country,
                path,
                starts_at,
                ends_at: known.filter(|later| starts_at < Some(*later)).min(),
            };
            self.period(&place, period);
        }
    }

    fn period(&mut self, place: &Place<'_>, period: &Period) {
        for (level, percent) in &period.rates {
            let field = format!("{}.rates.{level}", place.path);
            let outcome = percent_to_ppm(percent.get())
                .map_err(|detail| problem(field, detail))
                .and_then(|ppm| place.rate("VAT".into(), level, ppm, vec![]));
            self.push(place.name(level, None), outcome);
        }
        for (i, exception) in period.exceptions.iter().enumerate() {
            let path = format!("{}.exceptions[{i}]", place.path);
            match Exception::read(&path, exception) {
                Ok(exception) => self.exception(place, &path, period, &exception),
                Err(problem) => self.push(place.country.to_owned(), Err(problem)),
            }
        }
    }

    fn exception(&mut self, place: &Place<'_>, path: &str, period: &Period, one: &Exception) {
        let postcodes = regex::patterns(&one.postcode);
        let postcodes = postcodes.map_err(|detail| problem(format!("{path}.postcode"), detail));
        for (level, ppm) in levels(period, one, path) {
            let outcome = ppm.and_then(|ppm| {
                let name = format!("VAT ({})", one.name);
                place.rate(name, &level, ppm, postcodes.clone()?)
            });
            self.push(place.name(&level, Some(&one.name)), outcome);
        }
    }

    fn push(&mut self, rate: String, outcome: Result<TaxRate, TaxRowProblem>) {
        let rate = rate.chars().filter(|c| !c.is_control()).take(120).collect();
        self.rows.push(Row {
            row: self.rows.len() as i64 + 1,
            rate,
            outcome,
        });
    }
}

/// The rates of an exception. A place whose standard rate is nought lies outside of the tax: there
/// the other rates of its country are nought too. Where it has a rate of its own, only the levels
/// that are named are known.
fn levels(
    period: &Period,
    one: &Exception,
    path: &str,
) -> Vec<(String, Result<i64, TaxRowProblem>)> {
    let mut levels: Vec<(String, Result<i64, TaxRowProblem>)> = one
        .rates
        .iter()
        .map(|(level, percent)| {
            let field = format!("{path}.{level}");
            let ppm = percent_to_ppm(percent.get());
            (level.clone(), ppm.map_err(|detail| problem(field, detail)))
        })
        .collect();
    let named = |level: &String| one.rates.iter().any(|(named, _)| named == level);
    let outside = levels
        .iter()
        .any(|(level, ppm)| level == STANDARD_CLASS && *ppm == Ok(0));
    if outside {
        let others = period.rates.keys().filter(|level| !named(level));
        levels.extend(others.map(|level| (level.clone(), Ok(0))));
    }
    levels
}

impl Place<'_> {
    fn name(&self, level: &str, exception: Option<&str>) -> String {
        let comma = exception.map_or(String::new(), |name| format!(", {name}"));
        format!("{} {}{comma}", self.country, class(level))
    }

    fn rate(
        &self,
        name: String,
        level: &str,
        rate_ppm: i64,
        postcodes: Vec<String>,
    ) -> Result<TaxRate, TaxRowProblem> {
        let input = TaxRateInput {
            name,
            rate_ppm,
            class: class(level),
            country: self.country.to_owned(),
            province: None,
            postcodes,
            priority: 1,
            compound: false,
            shipping: true,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
        };
        rate(input, "").map_err(|wrong| {
            let field = format!("{}.{}", self.path, wrong.field);
            problem(field, wrong.detail)
        })
    }
}

/// `super_reduced` is the class `super-reduced`.
fn class(level: &str) -> String {
    level.replace('_', "-")
}

/// The beginning of a day in UTC; `None` for the year 0, which stands for "ever since".
fn date(text: &str) -> Result<Option<Timestamp>, &'static str> {
    let bad = "must be a day such as 2021-01-01";
    let date: Date = text.parse().map_err(|_| bad)?;
    if date.year() == 0 {
        return Ok(None);
    }
    let midnight = date.to_zoned(TimeZone::UTC).map_err(|_| bad)?;
    match midnight.timestamp().as_microsecond() {
        before if before < 0 => Err("must not be before 1970"),
        at => Ok(Some(Timestamp(at))),
    }
}
