//! Price lists and the prices in them.

use contracts::pricing::{
    ListedPrice, PriceInput, PriceList, PriceListId, PriceListInput, PricesSet,
};
use kernel::{Command, Currency, Rejection, StreamId, UnitOfWork};

use crate::{
    check,
    whole::{Whole, WholeCommand, stream},
};

/// Most tiers of a price.
const MAX_TIERS: usize = 20;

/// A price list as a caller wants it.
pub fn list_of(id: PriceListId, input: PriceListInput) -> Result<PriceList, Rejection> {
    check::text("name", &input.name, 100)?;
    check::codes("channels", &input.channels)?;
    check::codes("groups", &input.groups)?;
    check::period(input.starts_at, input.ends_at)?;
    check::priority(input.priority)?;
    Ok(PriceList {
        id,
        name: input.name,
        currency: input.currency,
        channels: input.channels,
        groups: input.groups,
        starts_at: input.starts_at,
        ends_at: input.ends_at,
        priority: input.priority,
        active: input.active,
    })
}

/// A price as a caller wants it, its tiers in order. `field` stands before the fields' names:
/// `prices[3].`, or nothing.
pub fn price_of(
    field: &str,
    list_id: &PriceListId,
    input: PriceInput,
) -> Result<ListedPrice, Rejection> {
    check::sku(&format!("{field}sku"), &input.sku)?;
    let tiers_field = format!("{field}tiers");
    check::count(&tiers_field, input.tiers.len(), 1, MAX_TIERS)?;
    for (i, tier) in input.tiers.iter().enumerate() {
        let tier_field = format!("{tiers_field}[{i}]");
        let quantity = format!("{tier_field}.from_quantity");
        check::number(&quantity, tier.from_quantity, 1, 1_000_000_000)?;
        if input.tiers[..i]
            .iter()
            .any(|earlier| earlier.from_quantity == tier.from_quantity)
        {
            let detail = "another tier begins with this quantity; each may have one price";
            return Err(Rejection::invalid(quantity, detail));
        }
        check::amount(&format!("{tier_field}.price"), tier.price, 0)?;
    }
    if let Some(compare_at) = input.compare_at {
        check::amount(&format!("{field}compare_at"), compare_at, 0)?;
    }
    let mut tiers = input.tiers;
    tiers.sort_by_key(|tier| tier.from_quantity);
    Ok(ListedPrice {
        list_id: list_id.clone(),
        sku: input.sku,
        tiers,
        compare_at: input.compare_at,
    })
}

/// Makes a price list, or changes one that exists.
pub struct PutPriceList {
    /// What it is to be.
    pub list: PriceList,
    /// Whether it is a new one.
    pub new: bool,
}

impl Command for PutPriceList {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![stream::<PriceList>(self.list.id.as_str())]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let id = self.list.id.as_str();
        if !self.new {
            let old = existing(work, &self.list.id)?;
            if old != self.list.currency {
                let detail = format!("the list has prices in {old}; make another list");
                return Err(Rejection::conflict("currency-fixed", detail).field("currency"));
            }
        }
        work.decide::<Whole<PriceList>>(id, &WholeCommand::Set(self.list.clone()))?;
        Ok(())
    }
}

/// The currency of a list that must exist.
fn existing(work: &mut UnitOfWork<'_>, id: &PriceListId) -> Result<Currency, Rejection> {
    let list = work.state::<Whole<PriceList>>(id.as_str())?;
    let list = list
        .as_ref()
        .ok_or_else(|| Rejection::not_found("price list"))?;
    Ok(list.currency)
}

/// The stream of a SKU's price in a list. Ids of lists hold no colon, SKUs may.
pub fn price_id(list: &PriceListId, sku: &str) -> String {
    format!("{list}:{sku}")
}

/// Sets prices of a list, all or none.
pub struct SetListedPrices {
    /// Whose.
    pub list_id: PriceListId,
    /// The prices, each with what stands before its fields' names in an error.
    pub prices: Vec<(String, ListedPrice)>,
}

impl Command for SetListedPrices {
    type Output = PricesSet;

    fn streams(&self) -> Vec<StreamId> {
        let prices = self.prices.iter();
        let streams =
            prices.map(|(_, price)| stream::<ListedPrice>(&price_id(&self.list_id, &price.sku)));
        std::iter::once(stream::<PriceList>(self.list_id.as_str()))
            .chain(streams)
            .collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<PricesSet, Rejection> {
        let currency = existing(work, &self.list_id)?;
        let mut done = PricesSet::default();
        for (field, price) in &self.prices {
            same_currency(field, price, currency)?;
            let id = price_id(&self.list_id, &price.sku);
            let known = work.state::<Whole<ListedPrice>>(&id)?.is_some();
            let set = WholeCommand::Set(price.clone());
            match (work.decide::<Whole<ListedPrice>>(&id, &set)?, known) {
                (0, _) => done.unchanged += 1,
                (_, true) => done.updated += 1,
                (_, false) => done.created += 1,
            }
        }
        Ok(done)
    }
}

fn same_currency(field: &str, price: &ListedPrice, currency: Currency) -> Result<(), Rejection> {
    let tiers = price.tiers.iter().enumerate();
    let amounts = tiers.map(|(i, tier)| (format!("tiers[{i}].price"), tier.price));
    let compared = price.compare_at.map(|money| ("compare_at".into(), money));
    for (name, money) in amounts.chain(compared) {
        if money.currency != currency {
            return Err(Rejection::invalid(
                format!("{field}{name}.currency"),
                format!("the list's prices are in {currency}"),
            ));
        }
    }
    Ok(())
}

/// Takes a SKU's price off a list.
pub struct RemoveListedPrice {
    /// Which list.
    pub list_id: PriceListId,
    /// Which SKU.
    pub sku: String,
}

impl Command for RemoveListedPrice {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![
            stream::<PriceList>(self.list_id.as_str()),
            stream::<ListedPrice>(&price_id(&self.list_id, &self.sku)),
        ]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        // The prices of a list that is gone went with it.
        existing(work, &self.list_id)?;
        let id = price_id(&self.list_id, &self.sku);
        work.decide::<Whole<ListedPrice>>(&id, &WholeCommand::Remove)?;
        Ok(())
    }
}
