//! In which currency and channel a cart is opened, and where it is to go.

use contracts::cart::CartDestination;
use kernel::{Currency, Rejection};
use pricing_engine::Rules;

use crate::CartConfig;

/// As asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub currency: Option<Currency>,
    pub channel: Option<String>,
    pub destination: Option<CartDestination>,
}

impl Place {
    /// Currency, channel and destination, or what is wrong with them. The region of the destination
    /// has a say about the currency. `web` is there without having been set up.
    pub fn checked(
        self,
        rules: &Rules,
        config: &CartConfig,
    ) -> Result<(Currency, String, Option<CartDestination>), Rejection> {
        let destination = self.destination.map(checked_destination).transpose()?;
        let channel = self.channel.unwrap_or_else(contracts::cart::web);
        match rules.channel(&channel) {
            Some(known) if known.active => {}
            None if channel == contracts::cart::web() => {}
            _ => {
                let detail = "must be the code of an active channel of this shop, such as web";
                return Err(Rejection::invalid("channel", detail));
            }
        }
        let region = destination.as_ref();
        let region = region.and_then(|place| rules.region_of(&place.country));
        let usual = region.map_or(config.currency, |region| region.currency);
        Ok((self.currency.unwrap_or(usual), channel, destination))
    }
}

/// A destination as prices can use it.
pub(crate) fn checked_destination(place: CartDestination) -> Result<CartDestination, Rejection> {
    let country = place.country.as_bytes();
    if country.len() != 2 || !country.iter().all(u8::is_ascii_uppercase) {
        let detail = "must be two capital letters (ISO 3166-1), for example GB";
        return Err(Rejection::invalid("destination.country", detail));
    }
    if place.province.len() > 40 || place.province.contains(char::is_control) {
        let detail = "must be at most 40 characters (ISO 3166-2 without the country)";
        return Err(Rejection::invalid("destination.province", detail));
    }
    Ok(place)
}
