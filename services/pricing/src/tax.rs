//! Tax rates and the shop's tax settings.

use contracts::pricing::{
    TaxRate, TaxRateId, TaxRateInput, TaxSettings, TaxSettingsEvent, TaxSettingsSet,
};
use kernel::{Command, Decider, Rejection, StreamId, UnitOfWork};

use crate::{
    check,
    postcodes::pattern_of,
    whole::{Whole, WholeCommand, stream},
};

/// Most postcodes and patterns of a rate.
pub const MAX_POSTCODES: usize = 1_000;

/// A tax rate as a caller wants it.
pub fn rate_of(id: TaxRateId, input: TaxRateInput) -> Result<TaxRate, Rejection> {
    check::text("name", &input.name, 80)?;
    check::number("rate_ppm", input.rate_ppm, 0, 1_000_000)?;
    check::code("class", &input.class, 40)?;
    check::country("country", &input.country)?;
    if let Some(province) = &input.province {
        check_province(province)?;
    }
    check::count("postcodes", input.postcodes.len(), 0, MAX_POSTCODES)?;
    check::number("priority", input.priority, 1, 100)?;
    check::period(input.starts_at, input.ends_at)?;
    let mut postcodes = Vec::with_capacity(input.postcodes.len());
    for (i, typed) in input.postcodes.iter().enumerate() {
        let pattern = pattern_of(typed);
        postcodes
            .push(pattern.map_err(|detail| Rejection::invalid(format!("postcodes[{i}]"), detail))?);
    }
    check::each_once("postcodes", &postcodes)?;
    Ok(TaxRate {
        id,
        name: input.name,
        rate_ppm: input.rate_ppm,
        class: input.class,
        country: input.country,
        province: input.province,
        postcodes,
        priority: input.priority,
        compound: input.compound,
        shipping: input.shipping,
        starts_at: input.starts_at,
        ends_at: input.ends_at,
    })
}

fn check_province(province: &str) -> Result<(), Rejection> {
    let fine = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    match (1..=3).contains(&province.len()) && province.bytes().all(fine) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            "province",
            "must be 1 to 3 capital letters and digits (ISO 3166-2 without the country), as in CA",
        )),
    }
}

/// Makes a tax rate, or changes one that exists.
pub struct PutTaxRate {
    /// What it is to be.
    pub rate: TaxRate,
    /// Whether it is a new one.
    pub new: bool,
}

impl Command for PutTaxRate {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![stream::<TaxRate>(self.rate.id.as_str())]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let id = self.rate.id.as_str();
        if !self.new && work.state::<Whole<TaxRate>>(id)?.is_none() {
            return Err(Rejection::not_found("tax rate"));
        }
        work.decide::<Whole<TaxRate>>(id, &WholeCommand::Set(self.rate.clone()))?;
        Ok(())
    }
}

/// The rules of the shop's tax settings.
pub struct Settings;

/// Checks tax settings as a caller wants them.
pub fn check_settings(settings: &TaxSettings) -> Result<(), Rejection> {
    check::country("origin_country", &settings.origin_country)?;
    if settings.reverse_charge && !EU.contains(&settings.origin_country.as_str()) {
        let detail = "reverse charge is for shops in the European Union";
        return Err(Rejection::unprocessable("not-in-the-eu", detail).field("reverse_charge"));
    }
    Ok(())
}

/// The member states of the European Union.
const EU: &[&str] = &[
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT",
    "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

impl Decider for Settings {
    const CATEGORY: &'static str = "tax_settings";
    const SNAPSHOT_EVERY: Option<i64> = Some(100);
    type State = TaxSettings;
    type Command = TaxSettings;
    type Event = TaxSettingsEvent;

    fn decide(
        state: &TaxSettings,
        command: &TaxSettings,
    ) -> Result<Vec<TaxSettingsEvent>, Rejection> {
        check_settings(command)?;
        if state == command {
            return Ok(vec![]);
        }
        let settings = command.clone();
        Ok(vec![TaxSettingsSet { settings }.into()])
    }

    fn evolve(state: &mut TaxSettings, event: &TaxSettingsEvent) {
        let TaxSettingsEvent::Set(set) = event;
        *state = set.settings.clone();
    }
}
