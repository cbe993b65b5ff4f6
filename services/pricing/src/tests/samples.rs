//! Things to test with, as short as they can be.

use contracts::pricing::{
    Benefit, Campaign, Coupon, LineFilter, Promotion, PromotionInput, PromotionUse, Stacking,
};
use kernel::{
    Currency, DeciderSpec, Money, Rejection,
    testing::{World, kinds},
};

use crate::{
    coupon::{Coupons, CreateCoupons},
    promotion::{Members, PutCampaign, PutPromotion},
    redemption::Redemptions,
    usage::Usage,
    whole::Whole,
};

pub fn id<T: std::str::FromStr<Err = String>>(text: &str) -> T {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

pub fn money(amount: i64, currency: &str) -> Money {
    Money::new(amount, currency.parse::<Currency>().unwrap())
}

pub fn gbp(amount: i64) -> Money {
    money(amount, "GBP")
}

/// The streams that claims meet on.
pub fn world() -> World {
    World::new([
        DeciderSpec::of::<Whole<Promotion>>(),
        DeciderSpec::of::<Whole<Campaign>>(),
        DeciderSpec::of::<Members>(),
        DeciderSpec::of::<Coupons>(),
        DeciderSpec::of::<Redemptions>(),
        DeciderSpec::of::<Usage>(),
    ])
}

/// Ten per cent off everything, without limits.
pub fn promotion_input() -> PromotionInput {
    PromotionInput {
        name: "sale".into(),
        label: "Sale".into(),
        benefit: Benefit::PercentOff {
            ppm: 100_000,
            of: LineFilter::default(),
        },
        conditions: vec![],
        needs_coupon: false,
        priority: 0,
        stacking: Stacking::Stackable,
        starts_at: None,
        ends_at: None,
        limit: None,
        limit_per_buyer: None,
        campaign: None,
        active: true,
    }
}

pub fn promotion(name: &str) -> Promotion {
    crate::promotion_check::promotion_of(id(name), promotion_input()).unwrap()
}

pub fn campaign(name: &str) -> Campaign {
    Campaign {
        id: id(name),
        name: "Summer".into(),
        uses: None,
        spend: None,
    }
}

/// Makes or changes a promotion.
pub fn put(world: &mut World, promotion: Promotion) -> Result<Vec<&'static str>, Rejection> {
    let new = true;
    let (_, work) = world.run(&PutPromotion { promotion, new })?;
    Ok(kinds(&work))
}

/// Makes or changes a campaign.
pub fn put_campaign(world: &mut World, campaign: Campaign) -> Result<(), Rejection> {
    let new = true;
    world.run(&PutCampaign { campaign, new }).map(drop)
}

/// Makes a coupon of a promotion.
pub fn coupon(
    world: &mut World,
    promotion: &str,
    code: &str,
    limit: Option<i64>,
) -> Result<(), Rejection> {
    let create = CreateCoupons {
        promotion_id: id(promotion),
        codes: vec![code.into()],
        limit,
    };
    world.run(&create).map(drop)
}

/// The coupon of a code.
pub fn coupon_state(world: &World, code: &str) -> Option<Coupon> {
    world.state::<Coupons>(code)
}

/// A use of a promotion that takes off some pounds.
pub fn a_use(promotion: &str, coupon: Option<&str>, amount: i64) -> PromotionUse {
    PromotionUse {
        promotion_id: id(promotion),
        coupon: coupon.map(str::to_owned),
        campaign: None,
        amount: gbp(amount),
    }
}
