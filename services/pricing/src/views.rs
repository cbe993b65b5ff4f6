//! The read models: whole objects as JSON, by what they are listed by. Channels, regions and
//! settings are read from their streams.

use contracts::pricing::{
    CampaignEvent, CouponEvent, PriceEvent, PriceListEvent, PromotionEvent, TaxRateEvent,
    UsageEvent, UsageSubject,
};
use kernel::{DecodeError, Projection, Recorded, Statement, sql};
use serde::Serialize;

fn json(kind: &str, object: &impl Serialize) -> Result<String, DecodeError> {
    serde_json::to_string(object).map_err(|error| DecodeError {
        kind: kind.into(),
        reason: error.to_string(),
    })
}

/// Price lists and the prices in them; a list's prices go with it.
pub fn price_lists() -> Projection {
    Projection::own(
        "price_lists",
        1,
        &["pricing_lists", "pricing_prices"],
        "CREATE TABLE pricing_lists (id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL);
         CREATE TABLE pricing_prices (list_id TEXT NOT NULL, sku TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (list_id, sku))",
        |recorded, out| {
            if let Some(event) = recorded.decode::<PriceListEvent>()? {
                price_list(&event, out)
            } else if let Some(event) = recorded.decode::<PriceEvent>()? {
                price(&event, out)
            } else {
                Ok(())
            }
        },
    )
}

fn price_list(event: &PriceListEvent, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    match event {
        PriceListEvent::Set(set) => out.push(sql!(
            "INSERT INTO pricing_lists (id, body) VALUES ($1, $2)
             ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            &set.list.id,
            json("price list", &set.list)?
        )),
        PriceListEvent::Removed(removed) => {
            let id = &removed.list_id;
            out.push(sql!("DELETE FROM pricing_lists WHERE id = $1", id));
            out.push(sql!("DELETE FROM pricing_prices WHERE list_id = $1", id));
        }
    }
    Ok(())
}

fn price(event: &PriceEvent, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    match event {
        PriceEvent::Set(set) => out.push(sql!(
            "INSERT INTO pricing_prices (list_id, sku, body) VALUES ($1, $2, $3)
             ON CONFLICT (list_id, sku) DO UPDATE SET body = excluded.body",
            &set.price.list_id,
            &set.price.sku,
            json("price", &set.price)?
        )),
        PriceEvent::Removed(removed) => out.push(sql!(
            "DELETE FROM pricing_prices WHERE list_id = $1 AND sku = $2",
            &removed.list_id,
            &removed.sku
        )),
    }
    Ok(())
}

/// Promotions.
pub fn promotions() -> Projection {
    Projection::own(
        "promotions",
        1,
        &["pricing_promotions"],
        "CREATE TABLE pricing_promotions (id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL)",
        |recorded, out| {
            match recorded.decode::<PromotionEvent>()?.as_deref() {
                Some(PromotionEvent::Set(set)) => out.push(sql!(
                    "INSERT INTO pricing_promotions (id, body) VALUES ($1, $2)
                     ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                    &set.promotion.id,
                    json("promotion", &set.promotion)?
                )),
                Some(PromotionEvent::Removed(removed)) => out.push(sql!(
                    "DELETE FROM pricing_promotions WHERE id = $1",
                    &removed.promotion_id
                )),
                None => {}
            }
            Ok(())
        },
    )
}

/// Campaigns.
pub fn campaigns() -> Projection {
    Projection::own(
        "campaigns",
        1,
        &["pricing_campaigns"],
        "CREATE TABLE pricing_campaigns (id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL)",
        |recorded, out| {
            match recorded.decode::<CampaignEvent>()?.as_deref() {
                Some(CampaignEvent::Set(set)) => out.push(sql!(
                    "INSERT INTO pricing_campaigns (id, body) VALUES ($1, $2)
                     ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                    &set.campaign.id,
                    json("campaign", &set.campaign)?
                )),
                Some(CampaignEvent::Removed(removed)) => out.push(sql!(
                    "DELETE FROM pricing_campaigns WHERE id = $1",
                    &removed.campaign_id
                )),
                None => {}
            }
            Ok(())
        },
    )
}

/// Coupons with how often each was used. Of other counters there is no row: they are read from
/// their streams, so that a purchase writes as little as it can.
pub fn coupons() -> Projection {
    Projection::own(
        "coupons",
        1,
        &["pricing_coupons"],
        "CREATE TABLE pricing_coupons (
            code TEXT NOT NULL PRIMARY KEY,
            promotion_id TEXT NOT NULL,
            max_uses BIGINT,
            active BIGINT NOT NULL,
            uses BIGINT NOT NULL
         );
         CREATE INDEX pricing_coupons_of_promotion ON pricing_coupons (promotion_id, code)",
        coupon,
    )
}

fn coupon(recorded: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    if let Some(event) = recorded.decode::<CouponEvent>()? {
        let CouponEvent::Set(set) = event.as_ref();
        let coupon = &set.coupon;
        out.push(sql!(
            "INSERT INTO pricing_coupons (code, promotion_id, max_uses, active, uses) VALUES ($1, $2, $3, $4, 0)
             ON CONFLICT (code) DO UPDATE SET max_uses = excluded.max_uses, active = excluded.active",
            &coupon.code,
            &coupon.promotion_id,
            coupon.limit,
            coupon.active
        ));
    } else if let Some(event) = recorded.decode::<UsageEvent>()? {
        let (subject, uses) = match event.as_ref() {
            UsageEvent::Counted(e) => (&e.subject, e.uses),
            UsageEvent::GivenBack(e) => (&e.subject, e.uses),
        };
        if let UsageSubject::Coupon(code) = subject {
            out.push(sql!(
                "UPDATE pricing_coupons SET uses = $2 WHERE code = $1",
                code,
                uses
            ));
        }
    }
    Ok(())
}

/// Tax rates, also by country.
pub fn tax_rates() -> Projection {
    Projection::own(
        "tax_rates",
        1,
        &["pricing_tax_rates"],
        "CREATE TABLE pricing_tax_rates (id TEXT NOT NULL PRIMARY KEY, country TEXT NOT NULL, body TEXT NOT NULL);
         CREATE INDEX pricing_tax_rates_of_country ON pricing_tax_rates (country, id)",
        |recorded, out| {
            match recorded.decode::<TaxRateEvent>()?.as_deref() {
                Some(TaxRateEvent::Set(set)) => out.push(sql!(
                    "INSERT INTO pricing_tax_rates (id, country, body) VALUES ($1, $2, $3)
                     ON CONFLICT (id) DO UPDATE SET country = excluded.country, body = excluded.body",
                    &set.rate.id,
                    &set.rate.country,
                    json("tax rate", &set.rate)?
                )),
                Some(TaxRateEvent::Removed(removed)) => out.push(sql!(
                    "DELETE FROM pricing_tax_rates WHERE id = $1",
                    &removed.rate_id
                )),
                None => {}
            }
            Ok(())
        },
    )
}
