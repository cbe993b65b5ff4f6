//! A shop's rules, ordered and indexed once, so that pricing a basket only looks at what could apply.

use std::{cmp::Reverse, collections::HashMap};

use contracts::pricing::{
    Campaign, CampaignId, Channel, PriceList, PriceListId, Promotion, PromotionId, Region, TaxRate,
    TaxSettings,
};
use kernel::Timestamp;

use crate::{filter, tax::place};

/// The rules as pricing publishes them, in any order, also those not in force.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// Price lists (their prices come with each [`PriceQuery`](crate::PriceQuery)).
    pub price_lists: Vec<PriceList>,
    /// Promotions.
    pub promotions: Vec<Promotion>,
    /// Campaigns. Budgets are pricing's to count; only their currency matters here.
    pub campaigns: Vec<Campaign>,
    /// Channels.
    pub channels: Vec<Channel>,
    /// Regions.
    pub regions: Vec<Region>,
    /// Tax rates.
    pub tax_rates: Vec<TaxRate>,
    /// Tax settings.
    pub tax_settings: TaxSettings,
}

/// Rules ready for use. Made once for every change of the rules and shared (`Arc<Rules>`).
#[derive(Clone, Debug, Default)]
pub struct Rules {
    price_lists: HashMap<PriceListId, PriceList>,
    /// By priority, then id: the order they are tried in.
    promotions: Vec<Promotion>,
    promotion_at: HashMap<PromotionId, usize>,
    /// Places in `promotions` of those that need no code.
    automatic: Vec<usize>,
    campaigns: HashMap<CampaignId, Campaign>,
    channels: HashMap<String, Channel>,
    regions: Vec<Region>,
    region_at: HashMap<String, usize>,
    /// By country, then class; each by priority.
    tax_rates: HashMap<String, HashMap<String, Vec<TaxRate>>>,
    tax_settings: TaxSettings,
}

impl Rules {
    /// Orders and indexes the rules.
    pub fn new(set: RuleSet) -> Self {
        let promotions = by(set.promotions, |promotion| promotion.id.clone());
        let mut promotions: Vec<Promotion> = promotions.into_values().collect();
        promotions.sort_by(|a, b| (Reverse(a.priority), &a.id).cmp(&(Reverse(b.priority), &b.id)));
        promotions.iter_mut().for_each(filter::prepare);
        let places = promotions.iter().enumerate();
        let automatic = places.clone().filter(|(_, p)| p.active && !p.needs_coupon);
        let countries = |(at, region): (usize, &Region)| {
            let codes = region.countries.iter();
            codes
                .map(|code| (country_code(code), at))
                .collect::<Vec<_>>()
        };
        Self {
            automatic: automatic.map(|(at, _)| at).collect(),
            promotion_at: places.map(|(at, p)| (p.id.clone(), at)).collect(),
            promotions,
            price_lists: by(set.price_lists, |list| list.id.clone()),
            campaigns: by(set.campaigns, |campaign| campaign.id.clone()),
            channels: by(set.channels, |channel| channel.code.clone()),
            region_at: set.regions.iter().enumerate().flat_map(countries).collect(),
            regions: set.regions,
            tax_rates: index(set.tax_rates),
            tax_settings: set.tax_settings,
        }
    }

    /// A channel by its code.
    pub fn channel(&self, code: &str) -> Option<&Channel> {
        self.channels.get(code)
    }

    /// The region a country belongs to (ISO 3166-1 alpha-2).
    pub fn region_of(&self, country: &str) -> Option<&Region> {
        let at = self.region_at.get(&country_code(country))?;
        self.regions.get(*at)
    }

    /// A promotion by its id.
    pub fn promotion(&self, id: &PromotionId) -> Option<&Promotion> {
        self.promotions.get(*self.promotion_at.get(id)?)
    }

    /// A price list by its id.
    pub fn price_list(&self, id: &PriceListId) -> Option<&PriceList> {
        self.price_lists.get(id)
    }

    /// How the shop is taxed.
    pub fn tax_settings(&self) -> &TaxSettings {
        &self.tax_settings
    }

    pub(crate) fn campaign(&self, id: &CampaignId) -> Option<&Campaign> {
        self.campaigns.get(id)
    }

    /// The promotions to try, in order: those that need no code, and `given`.
    pub(crate) fn candidates<'a>(
        &'a self,
        given: impl Iterator<Item = &'a PromotionId>,
    ) -> impl Iterator<Item = &'a Promotion> {
        let given = given.filter_map(|id| self.promotion_at.get(id).copied());
        let mut places: Vec<usize> = self.automatic.iter().copied().chain(given).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|at| self.promotions.get(at))
    }

    /// The rates of goods of a class in a country (as [`country_code`] writes it), by priority.
    pub(crate) fn tax_rates(&self, country: &str, class: &str) -> &[TaxRate] {
        let classes = self.tax_rates.get(country);
        classes
            .and_then(|c| c.get(class))
            .map_or(&[], Vec::as_slice)
    }
}

/// A country's code without spaces around it, in capital letters.
pub(crate) fn country_code(text: &str) -> String {
    text.trim().to_ascii_uppercase()
}

/// Whether something with these ends holds now: the first moment counts, the last does not.
pub(crate) fn in_force(
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    starts_at.is_none_or(|start| start <= now) && ends_at.is_none_or(|end| now < end)
}

fn by<K: std::hash::Hash + Eq, T>(all: Vec<T>, key: impl Fn(&T) -> K) -> HashMap<K, T> {
    all.into_iter().map(|one| (key(&one), one)).collect()
}

fn index(rates: Vec<TaxRate>) -> HashMap<String, HashMap<String, Vec<TaxRate>>> {
    let mut indexed: HashMap<String, HashMap<String, Vec<TaxRate>>> = HashMap::new();
    for mut rate in by(rates, |rate| rate.id.clone()).into_values() {
        place::prepare(&mut rate);
        let classes = indexed.entry(rate.country.clone()).or_default();
        classes.entry(rate.class.clone()).or_default().push(rate);
    }
    for rates in indexed.values_mut().flat_map(HashMap::values_mut) {
        rates.sort_by(|a, b| (a.priority, &a.id).cmp(&(b.priority, &b.id)));
    }
    indexed
}
