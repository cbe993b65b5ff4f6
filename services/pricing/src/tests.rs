//! The rules of pricing, as sentences.

mod api;
mod claims;
mod counting;
mod engine;
mod orders;
mod patterns;
mod promotions;
mod samples;
mod tables;

use contracts::pricing::{
    CampaignEvent, CampaignMemberEvent, ChannelEvent, CouponEvent, PriceEvent, PriceListEvent,
    PromotionEvent, RedemptionEvent, RegionEvent, TaxRateEvent, TaxSettingsEvent, UsageEvent,
};
use kernel::testing::assert_golden;

#[test]
fn every_event_reads_as_its_golden_file_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");
    assert_golden::<PriceListEvent>(folder);
    assert_golden::<PriceEvent>(folder);
    assert_golden::<PromotionEvent>(folder);
    assert_golden::<CampaignEvent>(folder);
    assert_golden::<CampaignMemberEvent>(folder);
    assert_golden::<CouponEvent>(folder);
    assert_golden::<ChannelEvent>(folder);
    assert_golden::<RegionEvent>(folder);
    assert_golden::<TaxRateEvent>(folder);
    assert_golden::<TaxSettingsEvent>(folder);
    assert_golden::<RedemptionEvent>(folder);
    assert_golden::<UsageEvent>(folder);
}
