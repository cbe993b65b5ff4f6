//! Invoice lines of the UCI "Online Retail" data set (csv; the caller unpacks): streaming, without
//! floats. Each row becomes a [`Line`], or is [`Rejected`] for one [`Reason`]; reasons are tried in
//! the order of the enum, so that every row counts once.

use std::{fmt, io::Read};

use jiff::{civil::DateTime, tz::TimeZone};
use kernel::{Currency, Money, MoneyError, Timestamp};
use serde::Serialize;

use crate::records::{Broken, Record, Records};

/// The columns the data set has.
const COLUMNS: [&str; 8] = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
];
const INVOICE: usize = 0;
const CODE: usize = 1;
const DESCRIPTION: usize = 2;
const QUANTITY: usize = 3;
const DATE: usize = 4;
const PRICE: usize = 5;
const CUSTOMER: usize = 6;
const COUNTRY: usize = 7;

/// Stock codes that are no goods: postage, carriage, manual entries, fees, discounts, samples,
/// commissions, and pads sold at a tenth of a penny. Vouchers (`gift_0001_…`) are the others.
pub const SERVICE_CODES: &[&str] = &[
    "POST",
    "DOT",
    "C2",
    "M",
    "m",
    "D",
    "S",
    "B",
    "BANK CHARGES",
    "AMAZONFEE",
    "CRUK",
    "PADS",
];

/// What an invoice is, by the letter it begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceKind {
    /// Goods were sold.
    Sale,
    /// `C…`: goods came back.
    Cancellation,
    /// `A…`: the books were adjusted.
    Adjustment,
}

impl InvoiceKind {
    fn of(invoice: &str) -> Self {
        match invoice.as_bytes().first() {
            Some(b'C' | b'c') => Self::Cancellation,
            Some(b'A' | b'a') => Self::Adjustment,
            _ => Self::Sale,
        }
    }
}

/// A line of an invoice that a shop could take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its row; the header is 1.
    pub row: u64,
    /// The invoice, with its letter if it has one.
    pub invoice: String,
    /// What the invoice is.
    pub kind: InvoiceKind,
    /// The article; case matters.
    pub stock_code: String,
    /// As written on the invoice; may be empty.
    pub description: String,
    /// Units: above zero, and below zero on cancellations.
    pub quantity: i64,
    /// When; the data set's times are taken as UTC.
    pub at: Timestamp,
    /// Price of one unit in pence, above zero.
    pub unit_price_minor: i64,
    /// The customer's number, if known.
    pub customer: Option<u32>,
    /// The customer's country, as a name.
    pub country: String,
}

/// A row no shop could take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// Its row; the header is 1.
    pub row: u64,
    /// The invoice it stands on, if that could be read.
    pub invoice: String,
    /// The article, if that could be read.
    pub stock_code: String,
    /// Why.
    pub reason: Reason,
}

/// Why a row is rejected.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "code", content = "detail")]
pub enum Reason {
    /// The file is not this data set, or cannot be read any further.
    File(String),
    /// The row cannot be read: quotes, encoding, or the number of its fields.
    Unreadable(String),
    /// A field is not what its column holds; which.
    BadField(&'static str),
    /// Not goods but postage, a fee, a voucher and the like.
    ServiceCode,
    /// No price: zero.
    NoPrice,
    /// A price below zero.
    NegativePrice,
    /// A price that is not a whole number of pence, such as 0.001.
    BelowAPenny,
    /// No units.
    ZeroQuantity,
    /// Units below zero on an invoice that is no cancellation: a correction of stock.
    NegativeQuantity,
    /// Units above zero on a cancellation.
    PositiveCancellation,
    /// An adjustment of the books, no trade.
    Adjustment,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::File(detail) | Self::Unreadable(detail) => detail,
            Self::BadField(column) => return write!(f, "{column} cannot be read"),
            Self::ServiceCode => "a service, not goods",
            Self::NoPrice => "no price",
            Self::NegativePrice => "a price below zero",
            Self::BelowAPenny => "the price is not a whole number of pence",
            Self::ZeroQuantity => "no units",
            Self::NegativeQuantity => "units below zero, but not a cancellation",
            Self::PositiveCancellation => "a cancellation with units above zero",
            Self::Adjustment => "an adjustment of the books",
        };
        f.write_str(text)
    }
}

/// Reads the data set.
pub fn read<R: Read>(input: R) -> Lines<R> {
    Lines {
        records: Records::new(input),
        places: None,
        ended: false,
    }
}

/// The lines of the data set.
pub struct Lines<R> {
    records: Records<R>,
    /// Where each of [`COLUMNS`] is, and how many fields a row has.
    places: Option<([usize; 8], usize)>,
    ended: bool,
}

impl<R: Read> Iterator for Lines<R> {
    type Item = Result<Line, Rejected>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        if self.places.is_none() {
            match self.header() {
                Ok(places) => self.places = Some(places),
                Err(detail) => return Some(Err(self.end(detail))),
            }
        }
        let (places, width) = self.places?;
        match self.records.advance()? {
            Ok(()) => Some(line(self.records.record(), &places, width)),
            Err(Broken::Quotes(line)) => {
                let detail = format!("its quotes do not pair up (line {line} of the file)");
                let reason = Reason::Unreadable(detail);
                Some(Err(reject(self.records.record(), &places, reason)))
            }
            Err(Broken::Io(error)) => Some(Err(
                self.end(format!("the file cannot be read any further: {error}"))
            )),
        }
    }
}

impl<R: Read> Lines<R> {
    fn end(&mut self, detail: String) -> Rejected {
        self.ended = true;
        Rejected {
            row: self.records.record().row.max(1),
            invoice: String::new(),
            stock_code: String::new(),
            reason: Reason::File(detail),
        }
    }

    fn header(&mut self) -> Result<([usize; 8], usize), String> {
        match self.records.advance() {
            None => return Err("the file is empty".into()),
            Some(Err(Broken::Io(error))) => {
                return Err(format!("the file cannot be read: {error}"));
            }
            Some(_) => {}
        }
        let record = self.records.record();
        let mut places = [0; 8];
        for (place, name) in places.iter_mut().zip(COLUMNS) {
            let found = (0..record.len()).find(|i| record.get(*i).map(str::trim) == Some(name));
            *place = found.ok_or_else(|| format!("the header lacks the column `{name}`"))?;
        }
        Ok((places, record.len()))
    }
}

fn reject(record: &Record, places: &[usize; 8], reason: Reason) -> Rejected {
    let text = |column: usize| record.get(places[column]).unwrap_or_default().to_owned();
    Rejected {
        row: record.row,
        invoice: text(INVOICE),
        stock_code: text(CODE),
        reason,
    }
}

fn line(record: &Record, places: &[usize; 8], width: usize) -> Result<Line, Rejected> {
    fields(record, places, width).map_err(|reason| reject(record, places, reason))
}

fn fields(record: &Record, places: &[usize; 8], width: usize) -> Result<Line, Reason> {
    if record.len() != width {
        let detail = format!("it has {} fields, the header has {width}", record.len());
        return Err(Reason::Unreadable(detail));
    }
    let text = |column: usize| {
        let bad = || Reason::Unreadable(format!("{} is not UTF-8", COLUMNS[column]));
        record.get(places[column]).map(str::trim).ok_or_else(bad)
    };
    let bad = |column: usize| move || Reason::BadField(COLUMNS[column]);
    let named = |column: usize| {
        let found = text(column)?;
        let usable = (1..=128).contains(&found.len()) && !found.contains(char::is_control);
        usable.then_some(found).ok_or_else(bad(column))
    };
    let (invoice, stock_code) = (named(INVOICE)?, named(CODE)?);
    let quantity: i64 = text(QUANTITY)?.parse().map_err(|_| bad(QUANTITY)())?;
    let at = moment(text(DATE)?).ok_or_else(bad(DATE))?;
    let customer = customer(text(CUSTOMER)?).ok_or_else(bad(CUSTOMER))?;
    let country = named(COUNTRY)?;
    let price = Money::parse_decimal(text(PRICE)?, Currency::GBP);
    let below_zero = text(PRICE)?.starts_with('-');
    let kind = InvoiceKind::of(invoice);
    if is_service(stock_code) {
        return Err(Reason::ServiceCode);
    }
    let unit_price_minor = match price {
        Ok(price) if price.amount == 0 => return Err(Reason::NoPrice),
        Ok(price) if price.amount < 0 => return Err(Reason::NegativePrice),
        Ok(price) => price.amount,
        Err(MoneyError::BadAmount) if is_decimal(text(PRICE)?) => {
            return Err(if below_zero {
                Reason::NegativePrice
            } else {
                Reason::BelowAPenny
            });
        }
        Err(_) => return Err(bad(PRICE)()),
    };
    match (kind, quantity) {
        (_, 0) => return Err(Reason::ZeroQuantity),
        (InvoiceKind::Adjustment, _) => return Err(Reason::Adjustment),
        (InvoiceKind::Sale, ..0_i64) => return Err(Reason::NegativeQuantity),
        (InvoiceKind::Cancellation, 1..) => return Err(Reason::PositiveCancellation),
        (InvoiceKind::Sale | InvoiceKind::Cancellation, _) => {}
    }
    Ok(Line {
        row: record.row,
        invoice: invoice.to_owned(),
        kind,
        stock_code: stock_code.to_owned(),
        description: text(DESCRIPTION)?.to_owned(),
        quantity,
        at,
        unit_price_minor,
        customer,
        country: country.to_owned(),
    })
}

/// Whether a stock code stands for something that is no goods.
pub fn is_service(stock_code: &str) -> bool {
    SERVICE_CODES.contains(&stock_code) || stock_code.starts_with("gift_0001_")
}

/// Digits, perhaps with a point and a minus.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    !(whole.is_empty() && fraction.is_empty()) && all_digits(whole) && all_digits(fraction)
}

/// Nothing, or a number written like `17850` or `17850.0`.
fn customer(text: &str) -> Option<Option<u32>> {
    if text.is_empty() {
        return Some(None);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_whole = fraction.bytes().all(|byte| byte == b'0');
    is_whole.then(|| whole.parse().ok()).flatten().map(Some)
}

/// `2010-12-01 08:26:00`, or without seconds, as UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i16> {
        bytes.get(from..to)?.iter().try_fold(0i16, |sum, byte| {
            byte.is_ascii_digit()
                .then(|| sum * 10 + i16::from(byte - b'0'))
        })
    };
    let part = |from: usize| i8::try_from(number(from, from + 2)?).ok();
    let parted = |at: usize, by: &[u8]| bytes.get(at).is_some_and(|byte| by.contains(byte));
    let formed = parted(4, b"-") && parted(7, b"-") && parted(10, b" T") && parted(13, b":");
    let second = match bytes.len() {
        16 => 0,
        19 if parted(16, b":") => part(17)?,
        _ => return None,
    };
    if !formed {
        return None;
    }
    let time = DateTime::new(
        number(0, 4)?,
        part(5)?,
        part(8)?,
        part(11)?,
        part(14)?,
        second,
        0,
    );
    let utc = time.ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(Timestamp(utc.timestamp().as_microsecond()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: &str =
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

    fn one(row: &str) -> Result<Line, Reason> {
        let text = format!("{HEADER}{row}\n");
        let mut lines: Vec<_> = read(text.as_bytes()).collect();
        assert_eq!(lines.len(), 1);
        lines.remove(0).map_err(|rejected| rejected.reason)
    }

    #[test]
    fn a_line_is_read_exactly() {
        let line =
            one("536365,85123A,\"HEART, WHITE\",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom");
        let wanted = Line {
            row: 2,
            invoice: "536365".into(),
            kind: InvoiceKind::Sale,
            stock_code: "85123A".into(),
            description: "HEART, WHITE".into(),
            quantity: 6,
            at: Timestamp(1_291_191_960_000_000),
            unit_price_minor: 255,
            customer: Some(17_850),
            country: "United Kingdom".into(),
        };
        assert_eq!(line, Ok(wanted));
        let back = one("C536379,22632,,-1,2011-01-04 10:00:00,1.5,,EIRE").unwrap();
        assert_eq!(
            (back.kind, back.quantity, back.unit_price_minor),
            (InvoiceKind::Cancellation, -1, 150)
        );
        assert_eq!((back.customer, back.description.as_str()), (None, ""));
    }

    #[test]
    fn each_row_is_rejected_for_one_reason() {
        let row = |invoice: &str, code: &str, quantity: &str, price: &str| {
            one(&format!(
                "{invoice},{code},x,{quantity},2011-01-04 10:00:00,{price},1.0,France"
            ))
            .unwrap_err()
        };
        assert_eq!(row("1", "POST", "1", "0"), Reason::ServiceCode);
        assert_eq!(row("1", "gift_0001_20", "1", "20"), Reason::ServiceCode);
        assert_eq!(row("A1", "B", "1", "-11062.06"), Reason::ServiceCode);
        assert_eq!(row("1", "1", "1", "0.0"), Reason::NoPrice);
        assert_eq!(row("1", "1", "1", "-0.5"), Reason::NegativePrice);
        assert_eq!(row("1", "1", "1", "-0.001"), Reason::NegativePrice);
        assert_eq!(row("1", "1", "1", "0.001"), Reason::BelowAPenny);
        assert_eq!(row("1", "1", "1", "11.062"), Reason::BelowAPenny);
        assert_eq!(row("1", "1", "0", "1"), Reason::ZeroQuantity);
        assert_eq!(row("1", "1", "-3", "1"), Reason::NegativeQuantity);
        assert_eq!(row("C1", "1", "3", "1"), Reason::PositiveCancellation);
        assert_eq!(row("A1", "1", "3", "1"), Reason::Adjustment);
        assert_eq!(row("1", "1", "3.5", "1"), Reason::BadField("Quantity"));
        assert_eq!(row("1", "1", "3", "1e2"), Reason::BadField("UnitPrice"));
        assert_eq!(
            row("1", "1", "3", "99999999999999999999"),
            Reason::BadField("UnitPrice")
        );
        assert_eq!(row("", "1", "3", "1"), Reason::BadField("InvoiceNo"));
        assert!(one("1,m,x,1,2011-01-04 10:00:00,1,1.5,France").is_err());
        assert_eq!(
            one("1,1,x,1,2011-02-30 10:00:00,1,,France"),
            Err(Reason::BadField("InvoiceDate"))
        );
    }

    #[test]
    fn codes_differ_by_case() {
        assert!(is_service("m") && is_service("POST"));
        assert!(!is_service("post") && !is_service("DCGS0003"));
    }

    #[test]
    fn unreadable_rows_are_rejected_and_the_others_kept() {
        let good = "1,1,x,1,2011-01-04 10:00,1,,France\n";
        let mut text = format!("\u{feff}{HEADER}{good}").into_bytes();
        text.extend(
            b"2,1,\"x,1,2011-01-04 10:00,1,,France\n3,1\n4,\xff,x,1,2011-01-04 10:00,1,,France\n",
        );
        text.extend(good.bytes());
        let found: Vec<_> = read(&text[..]).collect();
        let rows: Vec<_> = found
            .iter()
            .map(|one| {
                one.as_ref()
                    .map(|l| l.row)
                    .map_err(|r| (r.row, r.invoice.as_str()))
            })
            .collect();
        assert_eq!(
            rows,
            [Ok(2), Err((3, "2")), Err((4, "3")), Err((5, "4")), Ok(6)]
        );
    }

    #[test]
    fn another_file_is_one_rejection() {
        let found: Vec<_> = read(&b"a,b\n1,2\n"[..]).collect();
        let reason = Reason::File("the header lacks the column `InvoiceNo`".into());
        assert!(matches!(&found[..], [Err(rejected)] if rejected.reason == reason));
        assert_eq!(read(&b""[..]).count(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            read(&bytes[..]).for_each(drop);
            let text = [HEADER.as_bytes(), &bytes].concat();
            read(&text[..]).for_each(drop);
        }

        #[test]
        fn any_moment_is_survived(text in "[0-9 T:-]{14,20}") {
            let _ = moment(&text);
        }
    }
}
