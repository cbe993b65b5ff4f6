//! Tax rate tables as WooCommerce exports them: CSV with the columns Country Code, State Code,
//! ZIP/Postcode, City, Rate %, Tax Name, Priority, Compound, Shipping, Tax Class.

use contracts::pricing::{STANDARD_CLASS, TaxRate, TaxRateInput, TaxRowProblem};
use csv::{ReaderBuilder, StringRecord, Trim};
use kernel::Rejection;

use super::{MAX_ROWS, Row, decimal::percent_to_ppm, once_each, problem, rate};
use crate::tax::MAX_POSTCODES;

const COUNTRY: &str = "Country Code";
const STATE: &str = "State Code";
const POSTCODE: &str = "ZIP/Postcode";
const CITY: &str = "City";
const RATE: &str = "Rate %";
const NAME: &str = "Tax Name";
const PRIORITY: &str = "Priority";
const COMPOUND: &str = "Compound";
const SHIPPING: &str = "Shipping";
const CLASS: &str = "Tax Class";

/// Reads a table. Rows are numbered as a spreadsheet numbers them: the header is row 1.
///
/// # Errors
/// When it is no such table at all.
pub fn read(text: &str) -> Result<Vec<Row>, Rejection> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().cloned();
    let columns = Columns::of(&header.map_err(|_| Rejection::invalid("body", "is not CSV"))?)?;
    let mut rows = Vec::new();
    for (i, record) in reader.records().enumerate() {
        if i >= MAX_ROWS {
            let detail = format!("must have at most {MAX_ROWS} rows");
            return Err(Rejection::invalid("body", detail));
        }
        let row = i as i64 + 2;
        rows.push(match record {
            Ok(record) => Row {
                row,
                rate: columns.name(&record),
                outcome: columns.rate(&record),
            },
            Err(_) => Row {
                row,
                rate: String::new(),
                outcome: Err(problem("row", "is not CSV")),
            },
        });
    }
    once_each(&mut rows);
    Ok(rows)
}

/// Where each column stands.
struct Columns(Vec<(&'static str, usize)>);

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, Rejection> {
        let wanted = [
            COUNTRY, STATE, POSTCODE, CITY, RATE, NAME, PRIORITY, COMPOUND, SHIPPING, CLASS,
        ];
        let find = |name: &'static str| {
            let found = header.iter().position(|h| h.eq_ignore_ascii_case(name));
            found.map(|index| (name, index)).ok_or_else(|| {
                Rejection::invalid("body", format!("the table has no column `{name}`"))
            })
        };
        wanted
            .into_iter()
            .map(find)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// What stands in a column; `*` and nothing both mean "all".
    fn get<'a>(&self, record: &'a StringRecord, name: &str) -> &'a str {
        let index = self.0.iter().find(|(known, _)| *known == name);
        let value = index.and_then(|(_, index)| record.get(*index));
        value.filter(|value| *value != "*").unwrap_or_default()
    }

    fn name(&self, record: &StringRecord) -> String {
        let parts = [COUNTRY, STATE, CLASS, NAME].map(|name| self.get(record, name));
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        let name: String = parts.collect::<Vec<_>>().join(" ");
        name.chars().filter(|c| !c.is_control()).take(120).collect()
    }

    fn rate(&self, record: &StringRecord) -> Result<TaxRate, TaxRowProblem> {
        let get = |name| self.get(record, name);
        if get(COUNTRY).is_empty() {
            let detail = "a rate is for one country; name it";
            return Err(problem(COUNTRY, detail));
        }
        if !get(CITY).is_empty() {
            let detail = "rates are not kept by city; name its postcodes";
            return Err(problem(CITY, detail));
        }
        let postcodes = postcodes(get(POSTCODE))?;
        let input = TaxRateInput {
            name: match get(NAME) {
                "" => "Tax".to_owned(),
                name => name.to_owned(),
            },
            rate_ppm: percent_to_ppm(get(RATE)).map_err(|detail| problem(RATE, detail))?,
            class: class(get(CLASS)),
            country: get(COUNTRY).to_ascii_uppercase(),
            province: Some(get(STATE).to_ascii_uppercase()).filter(|state| !state.is_empty()),
            postcodes,
            priority: match get(PRIORITY) {
                "" => 1,
                text => text
                    .parse()
                    .map_err(|_| problem(PRIORITY, "must be a whole number"))?,
            },
            compound: flag(COMPOUND, get(COMPOUND))?,
            shipping: flag(SHIPPING, get(SHIPPING))?,
            starts_at: None,
            ends_at: None,
        };
        // A table may have many rates of one name in a province, each for its own postcodes.
        let told_by = input.postcodes.join(";");
        rate(input, &told_by).map_err(|wrong| problem(column(&wrong.field), wrong.detail))
    }
}

/// The column behind a field of a rate.
fn column(field: &str) -> &str {
    match field {
        "country" => COUNTRY,
        "province" => STATE,
        "name" => NAME,
        "class" => CLASS,
        "priority" => PRIORITY,
        field if field.starts_with("postcodes") => POSTCODE,
        other => other,
    }
}

/// `reduced-rate` and `zero-rate` are the classes `reduced` and `zero` here; nothing is the standard
/// class; others keep their names.
fn class(text: &str) -> String {
    match text.to_ascii_lowercase().as_str() {
        "" | "standard-rate" => STANDARD_CLASS.to_owned(),
        "reduced-rate" => "reduced".to_owned(),
        "zero-rate" => "zero".to_owned(),
        other => other.to_owned(),
    }
}

fn flag(column: &str, text: &str) -> Result<bool, TaxRowProblem> {
    match text {
        "1" => Ok(true),
        "0" | "" => Ok(false),
        _ => Err(problem(column, "must be 0 or 1")),
    }
}

/// `12345; 99*; 90210...90299`.
fn postcodes(text: &str) -> Result<Vec<String>, TaxRowProblem> {
    let parts = text.split(';').map(str::trim);
    let mut postcodes: Vec<String> = Vec::new();
    for part in parts.filter(|part| !part.is_empty()) {
        // Three dots there are two dots here.
        let pattern = crate::postcodes::pattern_of(&part.replacen("...", "..", 1));
        let pattern = pattern.map_err(|detail| problem(POSTCODE, detail))?;
        if !postcodes.contains(&pattern) {
            postcodes.push(pattern);
        }
        if postcodes.len() > MAX_POSTCODES {
            let detail = format!("must have at most {MAX_POSTCODES} postcodes");
            return Err(problem(POSTCODE, detail));
        }
    }
    Ok(postcodes)
}
