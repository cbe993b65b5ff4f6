//! Tax: what is taken of, or contained in, what promotions left.
//!
//! Whose rates: of the country the goods go to; while that is not known, of the country the shop
//! sells from, as an estimate. A country of no region has its prices taken to contain tax, rounded
//! per line. A class of which a place has no rate is not taxed there.
//!
//! How much: rates are composed as exact fractions (`share`), and only the tax itself is rounded, so
//! that a compound tax does not depend on how the one below it was rounded. Of a price that contains
//! tax, each tax is its share of the price; what remains is the net price, exactly.
//!
//! Reverse charge: the shop asks for it, sells from a country of the EU, and the goods go to another
//! one, to a business with a VAT number of another one. The tax that prices contain is taken off by an
//! adjustment `reverse-charge`, and one tax line of zero says so.

pub(crate) mod place;
mod ratio;
mod rounding;

use contracts::{
    orders::TaxLine,
    pricing::{Region, STANDARD_CLASS, TaxBasis, TaxRate, TaxRounding},
};
use kernel::{Money, MoneyError};

use crate::{
    basket::Basket,
    price::{Bill, Charge},
    rules::{Rules, country_code},
    vat_number::{member_state, vat_member_state},
};
use place::Place;
use ratio::Ratio;

/// The code of the adjustment that takes contained VAT off under the reverse charge.
pub const REVERSE_CHARGE_CODE: &str = "reverse-charge";

/// Works out the taxes of every charge.
pub(crate) fn tax(
    rules: &Rules,
    basket: &Basket<'_>,
    bill: &mut Bill<'_>,
) -> Result<TaxBasis, MoneyError> {
    let (place, estimated) = where_to(rules, basket);
    let region = rules.region_of(&place.country);
    let basis = basis(rules, basket, &place, region, estimated);
    let included = basis.prices_include_tax;
    let mut mixes = Mixes::default();
    let of_shipping = basket.shipping.map(|shipping| (shipping.tax_class, true));
    let of_lines = bill.items.iter().map(|item| (item.line.tax_class, false));
    let mut mix_of = Vec::with_capacity(bill.items.len() + 1);
    for (class, shipping) in of_lines.chain(of_shipping) {
        let class = class.filter(|c| !c.is_empty()).unwrap_or(STANDARD_CLASS);
        let rates = || place::rates(rules, &place, class, shipping, basket.now);
        mix_of.push(mixes.find((class, shipping), rates, included)?);
    }
    let charges = bill.charges().zip(&mix_of);
    let dues = charges.map(|(charge, mix)| (charge.left, &mixes.all[*mix].1));
    let dues: Vec<(i64, &Mix<'_>)> = dues.collect();
    let amounts = match basis.rounding {
        TaxRounding::PerLine => rounding::per_line(&dues, included)?,
        TaxRounding::PerOrder => rounding::per_order(&dues, included)?,
    };
    for ((charge, mix), amounts) in bill.charges_mut().zip(&mix_of).zip(amounts) {
        let rates = &mixes.all[*mix].1.rates;
        match basis.reverse_charge {
            true => shift(charge, rates, &amounts, included),
            false => levy(charge, rates, &amounts, included),
        }
    }
    Ok(basis)
}

/// Rates that are levied together, in the order they are computed, and the share of the price each
/// of them is.
pub(crate) struct Mix<'r> {
    pub(crate) rates: Vec<&'r TaxRate>,
    pub(crate) shares: Vec<Ratio>,
}

/// The mixes of a bill, by class and whether it is for shipping. Few, so they are just looked through.
#[derive(Default)]
struct Mixes<'r> {
    all: Vec<((&'r str, bool), Mix<'r>)>,
}

impl<'r> Mixes<'r> {
    fn find(
        &mut self,
        key: (&'r str, bool),
        rates: impl FnOnce() -> Vec<&'r TaxRate>,
        included: bool,
    ) -> Result<usize, MoneyError> {
        if let Some(at) = self.all.iter().position(|(known, _)| *known == key) {
            return Ok(at);
        }
        let rates = rates();
        let shares = shares(&rates, included)?;
        self.all.push((key, Mix { rates, shares }));
        Ok(self.all.len() - 1)
    }
}

/// What share of the price each rate is: of the price alone, or, compound, of the price and the
/// taxes before it; of a price that includes them, divided by the price with all of them.
fn shares(rates: &[&TaxRate], included: bool) -> Result<Vec<Ratio>, MoneyError> {
    let mut shares = Vec::with_capacity(rates.len());
    let mut with_taxes = Ratio::ONE;
    for rate in rates {
        let alone = Ratio::new(i128::from(rate.rate_ppm.max(0)), 1_000_000)?;
        let share = match rate.compound {
            true => alone.times(with_taxes)?,
            false => alone,
        };
        with_taxes = with_taxes.plus(share)?;
        shares.push(share);
    }
    match included {
        true => shares.into_iter().map(|s| s.over(with_taxes)).collect(),
        false => Ok(shares),
    }
}

fn levy(charge: &mut Charge, rates: &[&TaxRate], amounts: &[i64], included: bool) {
    let currency = charge.full.currency;
    let line = |(rate, amount): (&&TaxRate, &i64)| TaxLine {
        label: label(rate),
        rate_ppm: rate.rate_ppm,
        amount: Money::new(*amount, currency),
        included,
    };
    charge.taxes = rates.iter().zip(amounts).map(line).collect();
}

/// Leaves the tax to the buyer: what the price contains of it is taken off.
fn shift(charge: &mut Charge, rates: &[&TaxRate], amounts: &[i64], included: bool) {
    if rates.is_empty() {
        return;
    }
    if included {
        let label = "VAT taken off (reverse charge)";
        charge.take_off(REVERSE_CHARGE_CODE, label, amounts.iter().sum());
    }
    charge.taxes = vec![TaxLine {
        label: "Reverse charge".into(),
        rate_ppm: 0,
        amount: Money::zero(charge.full.currency),
        included: false,
    }];
}

fn label(rate: &TaxRate) -> String {
    match rate.name.contains('%') {
        true => rate.name.clone(),
        false => format!("{} {}", rate.name, percent(rate.rate_ppm)),
    }
}

/// Millionths as people write them: `20 %`, `9.975 %`.
pub(crate) fn percent(ppm: i64) -> String {
    let (whole, rest) = (ppm / 10_000, (ppm % 10_000).unsigned_abs());
    let digits = format!("{rest:04}");
    match digits.trim_end_matches('0') {
        "" => format!("{whole} %"),
        digits => format!("{whole}.{digits} %"),
    }
}

/// The place whose rates count, and whether it is only an estimate.
fn where_to(rules: &Rules, basket: &Basket<'_>) -> (Place, bool) {
    let known = basket
        .destination
        .filter(|to| !to.country.trim().is_empty());
    match known {
        Some(to) => (Place::new(to.country, to.province, to.postcode), false),
        None => (
            Place::new(&rules.tax_settings().origin_country, "", ""),
            true,
        ),
    }
}

fn basis(
    rules: &Rules,
    basket: &Basket<'_>,
    place: &Place,
    region: Option<&Region>,
    estimated: bool,
) -> TaxBasis {
    let buyer = basket.vat_number.filter(|_| !estimated);
    let state = buyer.and_then(|number| acquirer(rules, place, number));
    let included = region.is_none_or(|region| region.prices_include_tax);
    let country = &place.country;
    let rates = match (country.as_str(), estimated, state) {
        ("", ..) => {
            "no tax: neither is it known where the goods go, nor what country the shop sells from"
                .into()
        }
        (_, true, _) => format!(
            "estimated with the rates of {country}, which the shop sells from, until it is known where the goods go"
        ),
        (_, _, Some(state)) => format!(
            "reverse charge: the goods go to {country}, to a business with a VAT number of {state}, which accounts for the VAT itself"
        ),
        (_, _, None) => format!("the rates of {country}, where the goods go"),
    };
    let prices = if included {
        "contain"
    } else {
        "do not contain"
    };
    TaxBasis {
        country: (!country.is_empty()).then(|| country.clone()),
        region: region.map(|region| region.code.clone()),
        estimated: estimated && !country.is_empty(),
        prices_include_tax: included,
        rounding: region.map(|region| region.tax_rounding).unwrap_or_default(),
        reverse_charge: state.is_some(),
        because: format!("{rates}; prices {prices} tax"),
    }
}

/// The member state of the buyer's VAT number, if goods sent to this place are an acquisition within
/// the EU on which the buyer owes the VAT (Directive 2006/112/EC, articles 138 and 196).
fn acquirer(rules: &Rules, place: &Place, vat_number: &str) -> Option<&'static str> {
    let settings = rules.tax_settings();
    let origin = member_state(&country_code(&settings.origin_country), "")?;
    let target = member_state(&place.country, &place.postcode)?;
    let buyer = vat_member_state(vat_number)?;
    let abroad = settings.reverse_charge && target != origin && buyer != origin;
    abroad.then_some(buyer)
}
