//! The cart's own copy of pricing's rules: kept in its database by a projection, and in memory in
//! the shape the engine wants. Each look-up asks for the revision in its one trip; only when that
//! has changed are the rules read again.

use std::sync::{Arc, Mutex, PoisonError};

use contracts::pricing::{
    CampaignEvent, ChannelEvent, CouponEvent, PriceEvent, PriceListEvent, PromotionEvent,
    RegionEvent, TaxRateEvent, TaxSettingsEvent,
};
use kernel::{App, AppError, DecodeError, Projection, Recorded, Rows, Statement, sql};
use pricing_engine::{RuleSet, Rules};
use serde::{Serialize, de::DeserializeOwned};

/// The rules in memory, for all requests of this process.
#[derive(Default)]
pub struct RulesCache(Mutex<Arc<Cached>>);

/// The rules as of a revision.
#[derive(Default)]
pub struct Cached {
    revision: i64,
    /// Ready for use.
    pub rules: Arc<Rules>,
    /// Whether there are price lists at all: else no SKU's price in them need be looked up.
    pub has_lists: bool,
}

impl RulesCache {
    /// The rules as last read.
    pub fn held(&self) -> Arc<Cached> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The question whether they have changed since.
    pub fn revision() -> Statement {
        sql!("SELECT revision FROM pricing_revision WHERE id = 1")
    }

    /// The rules, read again if `answer` to [`revision`](Self::revision) says that they changed.
    pub async fn current(&self, app: &App, answer: &Rows) -> Result<Arc<Cached>, AppError> {
        let held = self.held();
        match answer.first().map_or(0, |row| row.get::<i64>(0)) == held.revision {
            true => Ok(held),
            false => self.read(app).await,
        }
    }

    async fn read(&self, app: &App) -> Result<Arc<Cached>, AppError> {
        // The revision first: rules newer than it are read again next time, older ones never kept.
        let all = sql!("SELECT kind, body FROM pricing_rules");
        let mut answers = app.query_all(vec![Self::revision(), all]).await?;
        let (rules, revision) = (
            answers.pop().unwrap_or_default(),
            answers.pop().unwrap_or_default(),
        );
        let set = rule_set(&rules)?;
        let read = Arc::new(Cached {
            revision: revision.first().map_or(0, |row| row.get::<i64>(0)),
            has_lists: !set.price_lists.is_empty(),
            rules: Arc::new(Rules::new(set)),
        });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = read.clone();
        Ok(read)
    }
}

fn rule_set(rows: &Rows) -> Result<RuleSet, AppError> {
    let mut set = RuleSet::default();
    for row in rows.iter() {
        let body: String = row.get(1);
        match row.get::<String>(0).as_str() {
            "price_list" => set.price_lists.push(parsed(&body)?),
            "promotion" => set.promotions.push(parsed(&body)?),
            "campaign" => set.campaigns.push(parsed(&body)?),
            "channel" => set.channels.push(parsed(&body)?),
            "region" => set.regions.push(parsed(&body)?),
            "tax_rate" => set.tax_rates.push(parsed(&body)?),
            "tax_settings" => set.tax_settings = parsed(&body)?,
            _ => {}
        }
    }
    Ok(set)
}

fn parsed<T: DeserializeOwned>(body: &str) -> Result<T, AppError> {
    let damaged = |_| AppError::Internal("a pricing rule in the cart's copy is damaged".into());
    serde_json::from_str(body).map_err(damaged)
}

/// Pricing's rules, prices in lists, and coupons.
pub fn rules() -> Projection {
    const SCHEMA: &str = "CREATE TABLE pricing_rules (
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (kind, id)
    );
    CREATE TABLE pricing_revision (id BIGINT PRIMARY KEY NOT NULL, revision BIGINT NOT NULL);
    CREATE TABLE list_prices (
        sku TEXT NOT NULL,
        list_id TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (sku, list_id)
    );
    CREATE TABLE coupons (code TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL)";
    const TABLES: &[&str] = &[
        "pricing_rules",
        "pricing_revision",
        "list_prices",
        "coupons",
    ];
    Projection::own("rules", 1, TABLES, SCHEMA, apply).of_topics(&["pricing"])
}

fn apply(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    if let Some(e) = event.decode::<PromotionEvent>()? {
        match &*e {
            PromotionEvent::Set(e) => set("promotion", e.promotion.id.as_str(), &e.promotion, out),
            PromotionEvent::Removed(e) => remove("promotion", e.promotion_id.as_str(), out),
        }
    } else if let Some(e) = event.decode::<PriceListEvent>()? {
        match &*e {
            PriceListEvent::Set(e) => set("price_list", e.list.id.as_str(), &e.list, out),
            PriceListEvent::Removed(e) => remove("price_list", e.list_id.as_str(), out),
        }
    } else if let Some(e) = event.decode::<CampaignEvent>()? {
        match &*e {
            CampaignEvent::Set(e) => set("campaign", e.campaign.id.as_str(), &e.campaign, out),
            CampaignEvent::Removed(e) => remove("campaign", e.campaign_id.as_str(), out),
        }
    } else if let Some(e) = event.decode::<ChannelEvent>()? {
        let ChannelEvent::Set(e) = &*e;
        set("channel", &e.channel.code, &e.channel, out);
    } else if let Some(e) = event.decode::<RegionEvent>()? {
        match &*e {
            RegionEvent::Set(e) => set("region", &e.region.code, &e.region, out),
            RegionEvent::Removed(e) => remove("region", &e.code, out),
        }
    } else if let Some(e) = event.decode::<TaxRateEvent>()? {
        match &*e {
            TaxRateEvent::Set(e) => set("tax_rate", e.rate.id.as_str(), &e.rate, out),
            TaxRateEvent::Removed(e) => remove("tax_rate", e.rate_id.as_str(), out),
        }
    } else if let Some(e) = event.decode::<TaxSettingsEvent>()? {
        let TaxSettingsEvent::Set(e) = &*e;
        set("tax_settings", "shop", &e.settings, out);
    } else if let Some(e) = event.decode::<PriceEvent>()? {
        listed(&e, out);
    } else if let Some(e) = event.decode::<CouponEvent>()? {
        let CouponEvent::Set(e) = &*e;
        out.push(sql!(
            "INSERT INTO coupons (code, body) VALUES ($1, $2)
             ON CONFLICT (code) DO UPDATE SET body = excluded.body",
            &e.coupon.code,
            text(&e.coupon),
        ));
    }
    Ok(())
}

fn set(kind: &str, id: &str, rule: &impl Serialize, out: &mut Vec<Statement>) {
    out.push(sql!(
        "INSERT INTO pricing_rules (kind, id, body) VALUES ($1, $2, $3)
         ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
        kind,
        id,
        text(rule),
    ));
    out.push(changed());
}

fn remove(kind: &str, id: &str, out: &mut Vec<Statement>) {
    out.push(sql!(
        "DELETE FROM pricing_rules WHERE kind = $1 AND id = $2",
        kind,
        id
    ));
    out.push(changed());
}

fn changed() -> Statement {
    sql!(
        "INSERT INTO pricing_revision (id, revision) VALUES (1, 1)
         ON CONFLICT (id) DO UPDATE SET revision = pricing_revision.revision + 1"
    )
}

fn listed(event: &PriceEvent, out: &mut Vec<Statement>) {
    out.push(match event {
        PriceEvent::Set(e) => sql!(
            "INSERT INTO list_prices (sku, list_id, body) VALUES ($1, $2, $3)
             ON CONFLICT (sku, list_id) DO UPDATE SET body = excluded.body",
            &e.price.sku,
            &e.price.list_id,
            text(&e.price),
        ),
        PriceEvent::Removed(e) => sql!(
            "DELETE FROM list_prices WHERE sku = $1 AND list_id = $2",
            &e.sku,
            &e.list_id,
        ),
    });
}

/// These types hold nothing that could fail to be written.
fn text(rule: &impl Serialize) -> String {
    serde_json::to_string(rule).unwrap_or_default()
}
