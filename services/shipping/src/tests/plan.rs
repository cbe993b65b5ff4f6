use contracts::shipping::{
    PriceRule, ShippingOption, ShippingProfile, ShippingProfileId, ShippingRate, ShippingZone,
    ZonePlace,
};
use kernel::{Currency, testing::given};

use crate::plan::{PlanCommand, Plans};

fn zone() -> ShippingZone {
    ShippingZone {
        id: "szn_1".parse().expect("an id"),
        name: "GB".into(),
        places: vec![ZonePlace {
            country: "GB".into(),
            provinces: vec![],
            postcodes: vec![],
        }],
    }
}

fn profile(id: &str) -> ShippingProfile {
    ShippingProfile {
        id: id.parse().expect("an id"),
        name: "Bulky".into(),
        skus: vec!["SOFA".into()],
        products: vec![],
        categories: vec![],
    }
}

fn option(profile: &str) -> ShippingOption {
    ShippingOption {
        id: "sho_1".parse().expect("an id"),
        zone_id: Some("szn_1".parse().expect("an id")),
        label: "Standard".into(),
        rates: vec![ShippingRate {
            profile_id: profile.parse().expect("an id"),
            currency: Currency::GBP,
            price: PriceRule::Flat { amount: 495 },
        }],
        free_over: vec![],
        collect_from: None,
        min_days: None,
        max_days: None,
        tax_class: "standard".into(),
        position: 0,
        active: true,
    }
}

fn set_zone(new: bool) -> PlanCommand {
    PlanCommand::SetZone { zone: zone(), new }
}

fn set_option(profile: &str) -> PlanCommand {
    PlanCommand::SetOption {
        option: option(profile),
        new: true,
    }
}

#[test]
fn an_option_names_only_what_is_there_and_what_it_names_stays() {
    let mut plan = given::<Plans>([]);
    let refused = plan.when(set_option("spf_general")).expect_err("no zone");
    assert_eq!(refused.field.as_deref(), Some("zone_id"));
    plan.when(set_zone(true)).expect("added");
    let refused = plan.when(set_option("spf_1")).expect_err("no profile");
    assert_eq!(refused.field.as_deref(), Some("rates[0].profile_id"));
    let profile = profile("spf_1");
    let add = PlanCommand::SetProfile { profile, new: true };
    plan.when(add).expect("added");
    plan.when(set_option("spf_1")).expect("added");
    let id = "szn_1".parse().expect("an id");
    let refused = plan.when(PlanCommand::RemoveZone(id)).expect_err("in use");
    assert_eq!(refused.code, "in-use");
    let id = "spf_1".parse().expect("an id");
    let refused = plan.when(PlanCommand::RemoveProfile(id)).expect_err("used");
    assert_eq!(refused.code, "in-use");
    let id = "sho_1".parse().expect("an id");
    plan.when(PlanCommand::RemoveOption(id)).expect("removed");
    let id = "szn_1".parse().expect("an id");
    assert_eq!(
        plan.when(PlanCommand::RemoveZone(id))
            .expect("removed")
            .len(),
        1
    );
}

#[test]
fn what_is_changed_must_be_there_and_a_repeat_changes_nothing() {
    let mut plan = given::<Plans>([]);
    assert_eq!(
        plan.when(set_zone(false)).expect_err("none").code,
        "not-found"
    );
    assert_eq!(plan.when(set_zone(true)).expect("added").len(), 1);
    assert!(plan.when(set_zone(false)).expect("the same").is_empty());
    let id = || "sho_9".parse().expect("an id");
    assert!(
        plan.when(PlanCommand::RemoveOption(id()))
            .expect("none")
            .is_empty()
    );
}

#[test]
fn the_built_in_profile_is_there_is_last_and_cannot_be_narrowed_or_removed() {
    let mut plan = given::<Plans>([]);
    let profile = profile("spf_zz");
    plan.when(PlanCommand::SetProfile { profile, new: true })
        .expect("added");
    let last = plan.state.profiles().last().map(|p| p.id.clone());
    assert_eq!(last, Some(ShippingProfileId::general()));
    let narrow = PlanCommand::SetProfile {
        profile: super::plan::profile("spf_general"),
        new: false,
    };
    assert_eq!(
        plan.when(narrow).expect_err("refused").code,
        "built-in-profile"
    );
    let remove = PlanCommand::RemoveProfile(ShippingProfileId::general());
    assert_eq!(
        plan.when(remove).expect_err("refused").code,
        "built-in-profile"
    );
}
