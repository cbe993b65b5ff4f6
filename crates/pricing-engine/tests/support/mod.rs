//! Baskets and rules in few words, and what must hold of every result.
#![allow(dead_code, missing_docs)]

use contracts::{
    cart::LineId,
    pricing::{Benefit, Condition, Coupon, LineFilter, Promotion, Region, Stacking, TaxRate},
};
use kernel::{Currency, Money, MoneyError, Timestamp};
use pricing_engine::{
    Basket, BasketLine, Destination, GivenCoupon, Priced, RuleSet, Rules, ShippingCharge, price,
};

pub fn gbp(amount: i64) -> Money {
    Money::new(amount, Currency::GBP)
}

/// The ids a shop makes begin with the time; these, with a number.
pub fn id<T: std::str::FromStr<Err = String>>(prefix: &str, number: usize) -> T {
    format!("{prefix}_{number:04}").parse().expect("an id")
}

#[derive(Clone, Debug)]
pub struct Line {
    pub id: LineId,
    pub sku: String,
    pub product: String,
    pub categories: Vec<String>,
    pub class: Option<String>,
    pub quantity: i64,
    pub price: Money,
}

/// Everything a calculation depends on.
#[derive(Clone, Debug)]
pub struct Case {
    pub rules: RuleSet,
    pub currency: Currency,
    pub channel: String,
    pub groups: Vec<String>,
    /// Country, province, postcode.
    pub to: Option<[String; 3]>,
    pub vat: Option<String>,
    pub first_order: Option<bool>,
    pub coupons: Vec<GivenCoupon>,
    pub lines: Vec<Line>,
    pub shipping: Option<(Money, Option<String>)>,
    pub now: Timestamp,
}

/// A basket of a shop in pounds that has no rules yet.
pub fn given() -> Case {
    Case {
        rules: RuleSet::default(),
        currency: Currency::GBP,
        channel: "web".into(),
        groups: Vec::new(),
        to: None,
        vat: None,
        first_order: None,
        coupons: Vec::new(),
        lines: Vec::new(),
        shipping: None,
        now: Timestamp(1_000),
    }
}

impl Case {
    pub fn line(self, sku: &str, quantity: i64, price: i64) -> Self {
        self.line_in(sku, quantity, price, &[])
    }

    pub fn line_in(mut self, sku: &str, quantity: i64, price: i64, categories: &[&str]) -> Self {
        self.lines.push(Line {
            id: id("lin", self.lines.len() + 1),
            sku: sku.into(),
            product: format!("product-of-{sku}"),
            categories: categories.iter().map(|c| (*c).into()).collect(),
            class: None,
            quantity,
            price: Money::new(price, self.currency),
        });
        self
    }

    pub fn shipping(mut self, amount: i64) -> Self {
        self.shipping = Some((Money::new(amount, self.currency), None));
        self
    }

    pub fn to(mut self, country: &str) -> Self {
        self.to = Some([country.into(), String::new(), String::new()]);
        self
    }

    /// Adds a promotion; the first one is the oldest.
    pub fn promotion(self, name: &str, benefit: Benefit) -> Self {
        self.promotion_with(name, benefit, |_| {})
    }

    pub fn promotion_with(
        mut self,
        name: &str,
        benefit: Benefit,
        change: impl FnOnce(&mut Promotion),
    ) -> Self {
        let mut promotion = Promotion {
            id: id("prm", self.rules.promotions.len() + 1),
            name: name.into(),
            label: format!("The {name}"),
            benefit,
            conditions: Vec::new(),
            needs_coupon: false,
            priority: 0,
            stacking: Stacking::Stackable,
            starts_at: None,
            ends_at: None,
            limit: None,
            limit_per_buyer: None,
            campaign: None,
            active: true,
        };
        change(&mut promotion);
        self.rules.promotions.push(promotion);
        self
    }

    /// Adds a promotion that applies under one condition.
    pub fn promotion_if(self, name: &str, benefit: Benefit, condition: Condition) -> Self {
        self.promotion_with(name, benefit, |p| p.conditions.push(condition))
    }

    /// Enters a code of the n-th promotion.
    pub fn code(mut self, entered: &str, promotion: usize) -> Self {
        let code = contracts::pricing::coupon_code(entered).unwrap_or_default();
        let coupon = Coupon {
            code,
            promotion_id: id("prm", promotion),
            limit: None,
            active: true,
        };
        self.coupons.push(GivenCoupon {
            code: entered.into(),
            coupon: Some(coupon),
        });
        self
    }

    pub fn region(mut self, countries: &[&str], included: bool) -> Self {
        self.rules.regions.push(Region {
            code: format!("region-{}", self.rules.regions.len() + 1),
            name: "A region".into(),
            currency: self.currency,
            countries: countries.iter().map(|c| (*c).into()).collect(),
            prices_include_tax: included,
            tax_rounding: Default::default(),
        });
        self
    }

    pub fn rate(mut self, country: &str, ppm: i64) -> Self {
        self.rules.tax_rates.push(TaxRate {
            id: id("txr", self.rules.tax_rates.len() + 1),
            name: "VAT".into(),
            rate_ppm: ppm,
            class: "standard".into(),
            country: country.into(),
            province: None,
            postcodes: Vec::new(),
            priority: 1,
            compound: false,
            shipping: true,
            starts_at: None,
            ends_at: None,
        });
        self
    }

    pub fn try_price(&self) -> Result<Priced, MoneyError> {
        let lines: Vec<BasketLine<'_>> = self.lines.iter().map(Line::of_basket).collect();
        let rules = Rules::new(self.rules.clone());
        price(
            &rules,
            &Basket {
                currency: self.currency,
                channel: &self.channel,
                groups: &self.groups,
                destination: self
                    .to
                    .as_ref()
                    .map(|[country, province, postcode]| Destination {
                        country,
                        province,
                        postcode,
                    }),
                vat_number: self.vat.as_deref(),
                first_order: self.first_order,
                coupons: &self.coupons,
                lines: &lines,
                shipping: self
                    .shipping
                    .as_ref()
                    .map(|(amount, class)| ShippingCharge {
                        amount: *amount,
                        tax_class: class.as_deref(),
                    }),
                now: self.now,
            },
        )
    }

    /// The result, after a look at what must hold of every one.
    pub fn price(&self) -> Priced {
        let priced = self.try_price().expect("it can be priced");
        holds(&priced);
        priced
    }
}

impl Line {
    pub fn of_basket(&self) -> BasketLine<'_> {
        BasketLine {
            id: self.id.clone(),
            sku: &self.sku,
            product_id: &self.product,
            categories: &self.categories,
            tax_class: self.class.as_deref(),
            quantity: self.quantity,
            unit_price: self.price,
        }
    }
}

/// What must hold of every result: sums, and nothing below zero.
pub fn holds(priced: &Priced) {
    let totals = &priced.totals;
    let (mut subtotal, mut adjustments, mut tax, mut added, mut total) = (0, 0, 0, 0, 0);
    let mut charge = |full: Money, adjusted: &[_], taxes: &[_], comes_to: Money| {
        let adjusted: i64 = adjusted
            .iter()
            .map(|a: &contracts::orders::Adjustment| a.amount.amount)
            .sum();
        let sum = |included: bool| -> i64 {
            let taxes = taxes
                .iter()
                .filter(|t: &&contracts::orders::TaxLine| t.included == included);
            taxes.map(|tax| tax.amount.amount).sum()
        };
        assert!(full.amount + adjusted >= 0, "below zero: {priced:?}");
        assert!(adjusted <= 0, "more than it was: {priced:?}");
        assert!(
            sum(true) <= full.amount + adjusted,
            "net below zero: {priced:?}"
        );
        assert_eq!(
            comes_to.amount,
            full.amount + adjusted + sum(false),
            "{priced:?}"
        );
        adjustments += adjusted;
        tax += sum(true) + sum(false);
        added += sum(false);
        total += comes_to.amount;
    };
    for line in &priced.lines {
        subtotal += line.subtotal.amount;
        charge(line.subtotal, &line.adjustments, &line.taxes, line.total);
    }
    let mut shipping = 0;
    if let Some(ship) = &priced.shipping {
        shipping = ship.amount.amount;
        charge(ship.amount, &ship.adjustments, &ship.taxes, ship.total);
    }
    assert_eq!(totals.subtotal.amount, subtotal);
    assert_eq!(totals.adjustments.amount, adjustments);
    assert_eq!(totals.shipping.amount, shipping);
    assert_eq!(totals.tax.amount, tax);
    assert_eq!(totals.total.amount, total);
    assert_eq!(total, subtotal + adjustments + shipping + added);
    for applied in &priced.promotions {
        let code = format!("promotion:{}", applied.name);
        let lines = priced.lines.iter().flat_map(|line| &line.adjustments);
        let all = lines.chain(priced.shipping.iter().flat_map(|s| &s.adjustments));
        let off: i64 = all
            .filter(|a| a.code == code)
            .map(|a| a.amount.amount)
            .sum();
        assert_eq!(applied.amount.amount, -off, "{code}");
        assert!(off < 0 && !applied.because.is_empty(), "{code}");
    }
}

/// What each line comes to.
pub fn totals(priced: &Priced) -> Vec<i64> {
    priced.lines.iter().map(|line| line.total.amount).collect()
}

/// The names of the promotions that applied, in order.
pub fn applied(priced: &Priced) -> Vec<&str> {
    priced.promotions.iter().map(|p| p.name.as_str()).collect()
}

pub fn all() -> LineFilter {
    LineFilter::default()
}

pub fn skus(skus: &[&str]) -> LineFilter {
    LineFilter {
        skus: skus.iter().map(|sku| (*sku).into()).collect(),
        ..LineFilter::default()
    }
}

pub fn percent(percent: i64) -> Benefit {
    Benefit::PercentOff {
        ppm: percent * 10_000,
        of: all(),
    }
}

pub fn amount_off(amount: i64) -> Benefit {
    Benefit::AmountOff {
        amount: gbp(amount),
        of: all(),
    }
}

pub fn shipping_off(percent: i64, up_to: Option<i64>) -> Benefit {
    Benefit::ShippingOff {
        ppm: percent * 10_000,
        up_to: up_to.map(gbp),
    }
}
