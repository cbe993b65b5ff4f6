//! The rows of one product, put together.

use std::collections::{HashMap, HashSet, VecDeque};

use contracts::{
    catalog::{
        AttributeValue, Media, ProductInput, ProductOption, ProductStatus, VariantInput, is_handle,
        slug,
    },
    inventory::BackorderPolicy,
};
use kernel::Currency;

use crate::{ImportRow, OpeningStock, RowIssue, table::Row, values};

/// Most variants the catalogue takes.
const MAX_VARIANTS: usize = 2_000;
const OPTIONS: [(&str, &str); 3] = [
    ("Option1 Name", "Option1 Value"),
    ("Option2 Name", "Option2 Value"),
    ("Option3 Name", "Option3 Value"),
];

/// A row together with what is needed to read it.
pub(super) struct Reading<'a> {
    pub row: Row<'a>,
    pub currency: Currency,
}

impl Reading<'_> {
    fn issue(&self, column: &str, message: impl Into<String>) -> RowIssue {
        RowIssue::new(self.row.number(), Some(column), message)
    }

    /// The field `column` as `read` reads it.
    fn field<T>(
        &self,
        column: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, RowIssue> {
        read(self.row.get(column)).map_err(|message| self.issue(column, message))
    }
}

/// A product in the making.
pub(super) struct Group {
    pub handle: String,
    row: u64,
    product: ProductInput,
    stock: Vec<OpeningStock>,
    choices: HashSet<Vec<String>>,
    issues: Vec<RowIssue>,
    warnings: Vec<RowIssue>,
    /// Its first row was read.
    titled: bool,
    /// Its first row cannot be read: the others would only seem wrong without it.
    headless: bool,
}

impl Group {
    pub fn begin(row: &Row<'_>, handle: &str) -> Self {
        Self {
            handle: handle.to_owned(),
            row: row.number(),
            product: ProductInput::default(),
            stock: Vec::new(),
            choices: HashSet::new(),
            issues: Vec::new(),
            warnings: Vec::new(),
            titled: false,
            headless: false,
        }
    }

    pub fn issue(&mut self, issue: RowIssue) {
        self.issues.push(issue.of(&self.handle));
    }

    fn warn(&mut self, warning: RowIssue) {
        self.warnings.push(warning.of(&self.handle));
    }

    /// Its first row cannot be read.
    pub fn lose_head(&mut self) {
        self.headless = true;
    }

    /// Each handle may begin once, and its rows stand together.
    pub fn check_place(
        &mut self,
        row: &Row<'_>,
        begun: &mut HashMap<String, u64>,
        scattered: &HashSet<String>,
    ) {
        let column = Some("Handle");
        let handle = match is_handle(&self.handle) {
            true => self.handle.clone(),
            false => slug(&self.handle),
        };
        if handle.is_empty() {
            let message = "needs a Latin letter or a digit";
            self.issue(RowIssue::new(row.number(), column, message));
        } else if let Some(first) = begun.get(&handle) {
            let message = format!(
                "this handle was there before, at row {first}: the rows of a product must stand together"
            );
            self.issue(RowIssue::new(row.number(), column, message));
        } else if scattered.contains(&self.handle) {
            let message = "the rows of this product do not stand together";
            self.issue(RowIssue::new(row.number(), column, message));
        }
        if handle != self.handle {
            let message = format!("became `{handle}`");
            self.warn(RowIssue::new(row.number(), column, message));
        }
        begun.entry(handle.clone()).or_insert(row.number());
        self.product.handle = handle;
    }

    pub fn take(&mut self, reading: &Reading<'_>, skus: &mut HashSet<String>) {
        if self.headless {
            return;
        }
        if !self.titled {
            self.titled = true;
            if let Err(issue) = self.read_product(reading) {
                self.issue(issue);
            }
        }
        if let Err(issue) = self.read_picture(reading) {
            self.issue(issue);
        }
        let has_variant = ["Variant Price", "Option1 Value", "Variant SKU"]
            .iter()
            .any(|column| !reading.row.get(column).is_empty());
        if has_variant {
            match self.read_variant(reading, skus) {
                Ok((variant, stock)) => {
                    self.product.variants.push(variant);
                    self.stock.push(stock);
                }
                Err(issue) => self.issue(issue),
            }
        } else if reading.row.number() == self.row {
            self.issue(reading.issue("Variant Price", "the price is missing"));
        } else if reading.row.get("Image Src").is_empty() {
            self.warn(RowIssue::new(
                reading.row.number(),
                None,
                "holds neither variant nor picture",
            ));
        }
    }

    fn read_product(&mut self, reading: &Reading<'_>) -> Result<(), RowIssue> {
        let row = &reading.row;
        // First, so that a bad title does not make every variant look bad as well.
        for (name, _) in OPTIONS {
            let name = row.get(name);
            if !name.is_empty() {
                self.product.options.push(ProductOption {
                    name: name.to_owned(),
                    values: Vec::new(),
                });
            }
        }
        let title = row.get("Title");
        if title.is_empty() {
            return Err(reading.issue("Title", "is missing"));
        }
        let published = reading.field("Published", |text| values::flag(text, true))?;
        let active = match row.get("Status").to_ascii_lowercase().as_str() {
            "" | "active" => true,
            "draft" | "archived" => false,
            _ => return Err(reading.issue("Status", "must be active, draft or archived")),
        };
        let product = &mut self.product;
        product.title = title.to_owned();
        product.description = row.get("Body (HTML)").to_owned();
        product.vendor = row.get("Vendor").to_owned();
        product.product_type = row.get("Type").to_owned();
        product.status = Some(match published && active {
            true => ProductStatus::Published,
            false => ProductStatus::Draft,
        });
        let tags = row.get("Tags").split(',').map(str::trim);
        product.tags = tags
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect();
        product.categories = category(row).into_iter().collect();
        for (column, name) in [
            ("SEO Title", "seo_title"),
            ("SEO Description", "seo_description"),
        ] {
            let text = row.get(column);
            if !text.is_empty() {
                let value = AttributeValue::Text(text.to_owned());
                product.attributes.insert(name.to_owned(), value);
            }
        }
        if reading.field("Gift Card", |text| values::flag(text, false))? {
            let value = AttributeValue::Boolean(true);
            product.attributes.insert("gift_card".to_owned(), value);
        }
        Ok(())
    }

    fn read_picture(&mut self, reading: &Reading<'_>) -> Result<(), RowIssue> {
        if reading.row.get("Image Src").is_empty() {
            return Ok(());
        }
        let url = reading.field("Image Src", values::picture)?;
        if !self.product.media.iter().any(|media| media.url == url) {
            let alt = reading.row.get("Image Alt Text").to_owned();
            self.product.media.push(Media { url, alt });
        }
        Ok(())
    }

    fn read_variant(
        &mut self,
        reading: &Reading<'_>,
        skus: &mut HashSet<String>,
    ) -> Result<(VariantInput, OpeningStock), RowIssue> {
        let row = &reading.row;
        if self.product.variants.len() >= MAX_VARIANTS {
            let message = format!("more than {MAX_VARIANTS} variants of one product");
            return Err(reading.issue("Handle", message));
        }
        let chosen = self.choose(reading)?;
        let price = reading.field("Variant Price", |text| {
            values::price(text, reading.currency)
        })?;
        let compare_at = match row.get("Variant Compare At Price") {
            "" => None,
            _ => Some(reading.field("Variant Compare At Price", |text| {
                values::price(text, reading.currency)
            })?),
        };
        let requires_shipping =
            reading.field("Variant Requires Shipping", |text| values::flag(text, true))?;
        let weight_grams = reading.field("Variant Grams", |text| values::grams(text, 1, 1))?;
        let media = match row.get("Variant Image") {
            "" => None,
            _ => Some(Media {
                url: reading.field("Variant Image", values::picture)?,
                alt: String::new(),
            }),
        };
        // Spreadsheets are kept from rounding a barcode by an apostrophe in front of it.
        let barcode = row.get("Variant Barcode").trim_start_matches('\'');
        let (quantity, backorder) = self.read_stock(reading)?;
        let sku = self.read_sku(reading, &chosen, skus)?;
        let names = self
            .product
            .options
            .iter()
            .map(|option| option.name.clone());
        let variant = VariantInput {
            sku: sku.clone(),
            title: String::new(),
            options: names.zip(chosen).collect(),
            prices: vec![price],
            compare_at: compare_at
                .into_iter()
                .filter(|was| was.amount > price.amount)
                .collect(),
            weight_grams: weight_grams.filter(|grams| *grams > 0),
            size_mm: None,
            barcode: (!barcode.is_empty()).then(|| barcode.to_owned()),
            media,
            requires_shipping,
        };
        let stock = OpeningStock {
            sku,
            quantity,
            backorder,
        };
        Ok((variant, stock))
    }

    /// The value of each option, which no other variant may have together.
    fn choose(&mut self, reading: &Reading<'_>) -> Result<Vec<String>, RowIssue> {
        let mut chosen = Vec::with_capacity(self.product.options.len());
        for (i, (_, column)) in OPTIONS.into_iter().enumerate() {
            let value = reading.row.get(column);
            match (self.product.options.get_mut(i), value) {
                (None, "") => {}
                (None, _) => return Err(reading.issue(column, "the product has no such option")),
                (Some(option), "") => {
                    let message = format!("needs a value for `{}`", option.name);
                    return Err(reading.issue(column, message));
                }
                (Some(option), value) => {
                    if !option.values.iter().any(|known| known == value) {
                        option.values.push(value.to_owned());
                    }
                    chosen.push(value.to_owned());
                }
            }
        }
        if !self.choices.insert(chosen.clone()) {
            let message = "another variant of this product has the same options";
            return Err(reading.issue("Option1 Value", message));
        }
        Ok(chosen)
    }

    fn read_stock(&mut self, reading: &Reading<'_>) -> Result<(i64, BackorderPolicy), RowIssue> {
        let quantity = reading.field("Variant Inventory Qty", values::whole)?;
        if quantity < 0 {
            let message = format!("{quantity} became 0");
            self.warn(reading.issue("Variant Inventory Qty", message));
        }
        let policy = match reading
            .row
            .get("Variant Inventory Policy")
            .to_ascii_lowercase()
            .as_str()
        {
            "continue" => BackorderPolicy::Allow,
            "" | "deny" => BackorderPolicy::Deny,
            _ => {
                let message = "must be deny or continue";
                return Err(reading.issue("Variant Inventory Policy", message));
            }
        };
        // Shopify never runs out of what it does not track.
        let untracked = reading.row.find("Variant Inventory Tracker") == Some("");
        let policy = if untracked {
            BackorderPolicy::Allow
        } else {
            policy
        };
        Ok((quantity.max(0), policy))
    }

    fn read_sku(
        &mut self,
        reading: &Reading<'_>,
        chosen: &[String],
        skus: &mut HashSet<String>,
    ) -> Result<String, RowIssue> {
        let given = reading.field("Variant SKU", values::sku)?;
        let sku = match given {
            Some(sku) if !skus.contains(&sku) => sku,
            given => {
                let values: Vec<&str> = chosen.iter().map(String::as_str).collect();
                let values = match values.as_slice() {
                    ["Default Title"] => &[],
                    values => values,
                };
                let made = values::generated_sku(&self.product.handle, values, skus);
                if let Some(given) = given {
                    let message =
                        format!("`{given}` was there before; this variant became `{made}`");
                    self.warn(reading.issue("Variant SKU", message));
                }
                made
            }
        };
        skus.insert(sku.clone());
        Ok(sku)
    }

    pub fn finish(mut self, ready: &mut VecDeque<Result<ImportRow, RowIssue>>) {
        if !self.issues.is_empty() {
            ready.extend(self.issues.into_iter().map(Err));
            return;
        }
        self.drop_the_option_that_is_none();
        ready.push_back(Ok(ImportRow {
            row: self.row,
            product: self.product,
            stock: self.stock,
            warnings: self.warnings,
        }));
    }

    /// Shopify writes "no options" as one option `Title` with the value `Default Title`.
    fn drop_the_option_that_is_none(&mut self) {
        let product = &mut self.product;
        let is_none = matches!(product.options.as_slice(),
            [only] if only.name == "Title" && only.values == ["Default Title"]);
        if is_none {
            product.options.clear();
            product.variants.iter_mut().for_each(|v| v.options.clear());
        }
    }
}

/// The category: Shopify's own, else the merchant's type of product, if a path can be made of it.
fn category(row: &Row<'_>) -> Option<String> {
    let usable = |name: &&str| {
        let steps: Vec<String> = name.split('>').map(slug).collect();
        steps.len() <= 6 && steps.iter().all(|step| (1..=64).contains(&step.len()))
    };
    let columns = ["Product Category", "Type"];
    let mut named = columns.into_iter().map(|column| row.get(column));
    named.find(usable).map(str::to_owned)
}
