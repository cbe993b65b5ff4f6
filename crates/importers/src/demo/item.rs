//! How a demo product is written down, and what it becomes.

use std::collections::BTreeMap;

use contracts::{
    catalog::{
        AttributeValue, Media, ProductInput, ProductOption, ProductStatus, VariantInput, slug,
    },
    inventory::BackorderPolicy,
};
use kernel::{Currency, Money};

use super::{DemoProduct, MEDIA, palette::Tone};
use crate::OpeningStock;

/// What a thing is: where it stands in the shop and how it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    TableLamp,
    Lantern,
    Rug,
    Vase,
    Bowl,
    Mug,
    Tagine,
    Teapot,
    Tea,
    Spice,
    Tote,
    Satchel,
    Notebook,
    Slippers,
    Soap,
    Towel,
}

impl Kind {
    /// Category, maker and type.
    fn shelf(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::TableLamp => ("Home > Lamps", "Noor Works", "Table lamp"),
            Self::Lantern => ("Home > Lamps", "Noor Works", "Lantern"),
            Self::Rug => ("Home > Rugs", "Atlas & Daughters", "Rug"),
            Self::Vase => ("Home > Ceramics", "Kiln Lane", "Vase"),
            Self::Bowl => ("Home > Ceramics", "Kiln Lane", "Bowl"),
            Self::Mug => ("Home > Ceramics", "Kiln Lane", "Mug"),
            Self::Tagine => ("Home > Ceramics", "Kiln Lane", "Tagine"),
            Self::Teapot => ("Pantry > Tea", "Copper Street", "Teapot"),
            Self::Tea => ("Pantry > Tea", "The Ninth Caravan", "Tea"),
            Self::Spice => ("Pantry > Spices", "The Ninth Caravan", "Spice"),
            Self::Tote | Self::Satchel => ("Bags", "Cedar Yard", "Bag"),
            Self::Slippers => ("Bath > Slippers", "Cedar Yard", "Slippers"),
            Self::Notebook => ("Paper > Notebooks", "Paper Minaret", "Notebook"),
            Self::Soap => ("Bath > Soap", "Laurel House", "Soap"),
            Self::Towel => ("Bath > Towels", "Laurel House", "Towel"),
        }
    }
}

/// A value of an option: its name, what it adds to the SKU, and what it adds to the price.
pub(super) type Choice = (&'static str, &'static str, i64);

/// A demo product as it is written down.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub kind: Kind,
    pub title: &'static str,
    pub tone: Option<Tone>,
    /// Which of the ways to draw its kind, when that is not left to chance.
    pub form: Option<u32>,
    sku: &'static str,
    pence: i64,
    was: Option<i64>,
    grams: i64,
    text: &'static str,
    tags: &'static [&'static str],
    facts: Vec<(&'static str, &'static str)>,
    options: Vec<(&'static str, &'static [Choice])>,
    made_to_order: bool,
}

impl Item {
    pub fn new(kind: Kind, sku: &'static str, title: &'static str, pence: i64, grams: i64) -> Self {
        Self {
            kind,
            title,
            tone: None,
            form: None,
            sku,
            pence,
            was: None,
            grams,
            text: "",
            tags: &[],
            facts: Vec::new(),
            options: Vec::new(),
            made_to_order: false,
        }
    }

    /// What is said about it.
    pub fn text(mut self, text: &'static str) -> Self {
        self.text = text;
        self
    }

    pub fn tags(mut self, tags: &'static [&'static str]) -> Self {
        self.tags = tags;
        self
    }

    /// Colours that the name promises.
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = Some(tone);
        self
    }

    /// The shape that the name promises.
    pub fn form(mut self, form: u32) -> Self {
        self.form = Some(form);
        self
    }

    /// What it cost before.
    pub fn was(mut self, pence: i64) -> Self {
        self.was = Some(pence);
        self
    }

    /// A fact for the table of attributes.
    pub fn fact(mut self, name: &'static str, value: &'static str) -> Self {
        self.facts.push((name, value));
        self
    }

    /// A choice for the shopper.
    pub fn by(mut self, name: &'static str, choices: &'static [Choice]) -> Self {
        self.options.push((name, choices));
        self
    }

    /// Sold beyond what there is.
    pub fn made_to_order(mut self) -> Self {
        self.made_to_order = true;
        self
    }

    /// What the catalogue and the inventory get.
    pub fn product(&self) -> DemoProduct {
        let (category, vendor, product_type) = self.kind.shelf();
        let handle = slug(self.title);
        let facts = self.facts.iter();
        let fact = |(name, value): &(&str, &str)| {
            (
                (*name).to_owned(),
                AttributeValue::Text((*value).to_owned()),
            )
        };
        let (variants, stock) = self.variants(&handle).into_iter().unzip();
        let input = ProductInput {
            title: self.title.into(),
            description: format!("<p>{}</p>", self.text),
            vendor: vendor.into(),
            product_type: product_type.into(),
            tax_class: None,
            status: Some(ProductStatus::Published),
            categories: vec![category.into()],
            tags: self.tags.iter().map(|tag| (*tag).to_owned()).collect(),
            attributes: facts.map(fact).collect(),
            options: self.options.iter().map(option).collect(),
            media: vec![Media {
                url: format!("{MEDIA}{handle}.svg"),
                alt: format!("{}, drawn", self.title),
            }],
            variants,
            handle,
        };
        DemoProduct { input, stock }
    }

    /// One variant per combination of choices.
    fn variants(&self, handle: &str) -> Vec<(VariantInput, OpeningStock)> {
        let mut combinations: Vec<Vec<(&str, Choice)>> = vec![Vec::new()];
        for (name, choices) in &self.options {
            let with = |one: &Vec<(&'static str, Choice)>| {
                let add = |choice: &Choice| [one.clone(), vec![(*name, *choice)]].concat();
                choices.iter().map(add).collect::<Vec<_>>()
            };
            combinations = combinations.iter().flat_map(with).collect();
        }
        let variant = |chosen: &Vec<(&str, Choice)>| self.variant(handle, chosen);
        combinations.iter().map(variant).collect()
    }

    fn variant(&self, handle: &str, chosen: &[(&str, Choice)]) -> (VariantInput, OpeningStock) {
        let mut sku = self.sku.to_owned();
        let (mut pence, mut options) = (self.pence, BTreeMap::new());
        for (name, (value, part, more)) in chosen {
            sku = format!("{sku}-{part}");
            pence += more;
            options.insert((*name).to_owned(), (*value).to_owned());
        }
        let was = self.was.map(|was| was + pence - self.pence);
        let variant = VariantInput {
            options,
            compare_at: was.map(gbp).into_iter().collect(),
            weight_grams: Some(self.grams),
            size_mm: None,
            ..VariantInput::new(sku.clone(), gbp(pence))
        };
        let quantity = match self.made_to_order {
            true => 2,
            // 4 to 63, the same each time.
            false => 4 + i64::from(hash(&format!("{handle}/{sku}")) % 60),
        };
        let backorder = match self.made_to_order {
            true => BackorderPolicy::UpTo(25),
            false => BackorderPolicy::Deny,
        };
        let stock = OpeningStock {
            sku,
            quantity,
            backorder,
        };
        (variant, stock)
    }
}

fn option((name, choices): &(&'static str, &'static [Choice])) -> ProductOption {
    ProductOption {
        name: (*name).to_owned(),
        values: choices
            .iter()
            .map(|(value, ..)| (*value).to_owned())
            .collect(),
    }
}

fn gbp(pence: i64) -> Money {
    Money::new(pence, Currency::GBP)
}

/// FNV-1a, to pick colours and numbers that stay the same.
pub(super) fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |h, byte| {
        (h ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}
