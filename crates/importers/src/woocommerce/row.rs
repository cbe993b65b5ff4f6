//! Reading the fields of one row.

use contracts::{
    catalog::{Media, ProductInput, ProductStatus, slug},
    inventory::BackorderPolicy,
};
use kernel::{Currency, Money};

use super::Names;
use crate::{
    RowIssue,
    table::{Columns, Row},
    values,
};

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Simple,
    Variable,
    Variation,
    Grouped,
    External,
}

/// An attribute of a row: its name and its values.
pub(crate) type Attribute = (String, Vec<String>);

/// A price and what it was before.
pub(crate) struct Prices {
    pub price: Money,
    pub was: Option<Money>,
}

/// A row together with what is needed to read it.
pub(crate) struct Reading<'a> {
    pub row: Row<'a>,
    columns: Option<&'a Columns>,
    pub currency: Currency,
}

impl<'a> Reading<'a> {
    pub fn new(row: Row<'a>, columns: Option<&'a Columns>, currency: Currency) -> Self {
        Self {
            row,
            columns,
            currency,
        }
    }

    pub fn issue(&self, column: &str, message: impl Into<String>) -> RowIssue {
        RowIssue::new(self.row.number(), Some(column), message)
    }

    /// The field `column` as `read` reads it.
    pub fn field<T>(
        &self,
        column: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, RowIssue> {
        read(self.row.get(column)).map_err(|message| self.issue(column, message))
    }

    pub fn kind(&self) -> Result<Kind, RowIssue> {
        let kinds = self.row.get("Type").split(',').map(str::trim);
        let known = kinds.filter_map(|kind| match kind {
            "simple" => Some(Kind::Simple),
            "variable" => Some(Kind::Variable),
            "variation" => Some(Kind::Variation),
            "grouped" => Some(Kind::Grouped),
            "external" => Some(Kind::External),
            _ => None,
        });
        let kinds: Vec<Kind> = known.collect();
        match kinds.as_slice() {
            [kind] => Ok(*kind),
            _ => {
                let message = "must be simple, variable, variation, grouped or external";
                Err(self.issue("Type", message))
            }
        }
    }

    /// Whether it is delivered without a parcel.
    pub fn is_virtual(&self) -> bool {
        self.is("virtual") || self.is("downloadable")
    }

    fn is(&self, word: &str) -> bool {
        self.row
            .get("Type")
            .split(',')
            .any(|kind| kind.trim() == word)
    }

    /// What every product has, but its variants.
    pub fn product(&self, names: &mut Names) -> Result<ProductInput, RowIssue> {
        let title = self.row.get("Name");
        if title.is_empty() {
            return Err(self.issue("Name", "is missing"));
        }
        let (description, short) = (self.text("Description"), self.text("Short description"));
        let description = match description.is_empty() {
            true => short.clone(),
            false => description,
        };
        let mut product = ProductInput {
            handle: self.handle(title, names),
            title: title.to_owned(),
            status: Some(self.status()?),
            categories: list(self.row.get("Categories")),
            tags: list(self.row.get("Tags")),
            media: self.media()?,
            ..ProductInput::default()
        };
        if !short.is_empty() && short != description {
            product
                .attributes
                .insert("short_description".into(), text_value(short));
        }
        product.description = description;
        if self.is("downloadable") {
            let yes = contracts::catalog::AttributeValue::Boolean(true);
            product.attributes.insert("downloadable".into(), yes);
        }
        Ok(product)
    }

    /// A text in which the export wrote line ends as `\n`.
    fn text(&self, column: &str) -> String {
        self.row.get(column).replace("\\n", "\n")
    }

    /// Made of the name; with SKU, id or row behind it when another product has it.
    fn handle(&self, title: &str, names: &mut Names) -> String {
        let row = self.row.number().to_string();
        let name = match slug(title) {
            name if name.is_empty() => "product".to_owned(),
            name => name,
        };
        let further = [self.row.get("SKU"), self.row.get("ID"), &row];
        let further = further
            .into_iter()
            .map(slug)
            .filter(|part| !part.is_empty());
        let candidates = further.map(|part| slug(&format!("{:.100}-{part}", name)));
        let mut all = std::iter::once(name.clone()).chain(candidates);
        let handle = all
            .find(|handle| !names.handles.contains(handle))
            .unwrap_or(name);
        names.handles.insert(handle.clone());
        handle
    }

    fn status(&self) -> Result<ProductStatus, RowIssue> {
        let published = match self.row.get("Published") {
            // -1 is a draft of WooCommerce's own.
            "-1" => false,
            _ => self.field("Published", |text| values::flag(text, true))?,
        };
        Ok(match published && !self.is_hidden() {
            true => ProductStatus::Published,
            false => ProductStatus::Draft,
        })
    }

    /// Hidden from catalogue and search: there, it was to be had by its address only.
    pub fn is_hidden(&self) -> bool {
        self.row
            .get("Visibility in catalog")
            .eq_ignore_ascii_case("hidden")
    }

    pub fn media(&self) -> Result<Vec<Media>, RowIssue> {
        let mut media: Vec<Media> = Vec::new();
        let addresses = self.row.get("Images").split(',').map(str::trim);
        for address in addresses.filter(|address| !address.is_empty()) {
            let url = values::picture(address).map_err(|m| self.issue("Images", m))?;
            if !media.iter().any(|known| known.url == url) {
                let alt = String::new();
                media.push(Media { url, alt });
            }
        }
        Ok(media)
    }

    pub fn prices(&self) -> Result<Prices, RowIssue> {
        let regular = self.field("Regular price", |t| values::price(t, self.currency))?;
        let sale = match self.row.get("Sale price") {
            "" => {
                return Ok(Prices {
                    price: regular,
                    was: None,
                });
            }
            _ => self.field("Sale price", |t| values::price(t, self.currency))?,
        };
        Ok(match sale.amount < regular.amount {
            true => Prices {
                price: sale,
                was: Some(regular),
            },
            false => Prices {
                price: regular,
                was: None,
            },
        })
    }

    /// Units, whether they are counted here, and what may be sold beyond them.
    pub fn stock(&self) -> Result<(i64, BackorderPolicy, Option<RowIssue>), RowIssue> {
        let backorder = match self
            .row
            .get("Backorders allowed?")
            .to_ascii_lowercase()
            .as_str()
        {
            "1" | "yes" | "notify" => BackorderPolicy::Allow,
            "" | "0" | "no" => BackorderPolicy::Deny,
            _ => return Err(self.issue("Backorders allowed?", "must be 0, 1 or notify")),
        };
        let in_stock = match self.row.get("In stock?") {
            "backorder" => true,
            _ => self.field("In stock?", |text| values::flag(text, true))?,
        };
        match self.row.get("Stock") {
            "" if in_stock => Ok((0, BackorderPolicy::Allow, None)),
            "" => Ok((0, backorder, None)),
            "parent" => {
                let message =
                    "the stock is counted for all variations together; this one begins with 0";
                Ok((0, backorder, Some(self.issue("Stock", message))))
            }
            _ => {
                let quantity = self.field("Stock", values::whole)?;
                let message = || self.issue("Stock", format!("{quantity} became 0"));
                let warning = (quantity < 0).then(message);
                Ok((quantity.max(0), backorder, warning))
            }
        }
    }

    /// The weight in grams; its unit stands in the header.
    pub fn weight(&self) -> Result<Option<i64>, RowIssue> {
        let names = self.columns.map(Columns::names).unwrap_or_default();
        let Some(column) = names.iter().find(|name| name.starts_with("Weight (")) else {
            return Ok(None);
        };
        let (numerator, denominator) = match column.as_str() {
            "Weight (g)" => (1, 1),
            "Weight (lbs)" => (45_359_237, 100_000),
            "Weight (oz)" => (45_359_237, 1_600_000),
            _ => (1_000, 1),
        };
        let weight = self.field(column, |text| values::grams(text, numerator, denominator))?;
        Ok(weight.filter(|grams| *grams > 0))
    }

    /// All attributes that have a name, in their order.
    pub fn attributes(&self) -> Vec<Attribute> {
        let numbered = (1..=30).map(|n| {
            let name = self.row.get(&format!("Attribute {n} name")).to_owned();
            (name, list(self.row.get(&format!("Attribute {n} value(s)"))))
        });
        numbered.filter(|(name, _)| !name.is_empty()).collect()
    }
}

/// Values parted by commas; `\,` is a comma inside one.
pub(crate) fn list(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, values.last_mut()) {
            ('\\', Some(value)) if letters.next_if_eq(&',').is_some() => value.push(','),
            (',', _) => values.push(String::new()),
            (letter, Some(value)) => value.push(letter),
            (_, None) => {}
        }
    }
    let mut found: Vec<String> = Vec::new();
    for value in values {
        let value = value.trim();
        if !value.is_empty() && !found.iter().any(|known| known == value) {
            found.push(value.to_owned());
        }
    }
    found
}

pub(crate) fn text_value(text: String) -> contracts::catalog::AttributeValue {
    contracts::catalog::AttributeValue::Text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_may_hold_commas() {
        assert_eq!(list("Red, Blue\\, dark ,,Red"), ["Red", "Blue, dark"]);
        assert_eq!(list("a\\b"), ["a\\b"]);
        assert!(list("").is_empty());
    }
}
