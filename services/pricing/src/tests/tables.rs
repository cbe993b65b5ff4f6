//! Channels, regions, price lists, tax rates and settings: what may be made of them, and what not.

use contracts::pricing::{
    Channel, PriceInput, PriceList, PriceListInput, PriceTier, Region, TaxRateInput, TaxRounding,
    TaxSettings,
};
use kernel::{
    DeciderSpec, Money, Timestamp,
    testing::{World, given, kinds},
};

use super::samples::*;
use crate::{
    places::{Channels, PlaceCommand, Regions},
    price_list::{PutPriceList, RemoveListedPrice, SetListedPrices, list_of, price_of},
    tax::{Settings, rate_of},
    whole::{Whole, WholeCommand},
};

fn region(code: &str, countries: &[&str]) -> Region {
    Region {
        code: code.into(),
        name: "Region".into(),
        currency: "EUR".parse().unwrap(),
        countries: countries.iter().map(|c| (*c).to_owned()).collect(),
        prices_include_tax: true,
        tax_rounding: TaxRounding::PerLine,
    }
}

#[test]
fn a_country_belongs_to_one_region() {
    let mut regions = given::<Regions>([]);
    let put = |code, countries: &[&str]| PlaceCommand::Put(region(code, countries));
    regions.when(put("eu", &["DE", "FR"])).unwrap();
    let taken = regions.when(put("dach", &["AT", "DE"])).unwrap_err();
    assert_eq!(
        (taken.code, taken.field.as_deref()),
        ("country-taken", Some("countries[1]"))
    );
    assert_eq!(taken.detail, "DE belongs to the region `eu` already");
    assert_eq!(regions.when(put("eu", &["FR"])).unwrap().len(), 1);
    assert_eq!(regions.when(put("dach", &["AT", "DE"])).unwrap().len(), 1);
    assert_eq!(regions.when(put("dach", &["AT", "DE"])).unwrap().len(), 0);
    let again = regions.when(PlaceCommand::Add(region("eu", &["IT"])));
    assert_eq!(again.unwrap_err().code, "code-taken");
    let remove = || PlaceCommand::Remove("dach".into());
    regions.when(remove()).unwrap();
    assert_eq!(regions.when(remove()).unwrap_err().code, "not-found");
    regions.when(put("eu", &["FR", "DE"])).unwrap();
}

#[test]
fn a_region_that_makes_no_sense_is_refused_by_field() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("code", "EU", &["DE"]),
        ("code", "public", &["DE"]),
        ("countries", "eu", &[]),
        ("countries[0]", "eu", &["de"]),
        ("countries[1]", "eu", &["DE", "DE"]),
        ("countries[0]", "eu", &["DEU"]),
    ];
    for (field, code, countries) in cases {
        let put = PlaceCommand::Put(region(code, countries));
        let refused = given::<Regions>([]).when(put).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some(*field));
    }
}

#[test]
fn the_channel_web_is_built_in_and_channels_stay() {
    let mut channels = given::<Channels>([]);
    assert!(channels.state.0["web"].active);
    let app = Channel {
        code: "app".into(),
        name: "App".into(),
        capture: Default::default(),
        active: true,
    };
    channels.when(PlaceCommand::Add(app.clone())).unwrap();
    let again = channels.when(PlaceCommand::Add(app)).unwrap_err();
    assert_eq!(again.code, "code-taken");
    let remove = PlaceCommand::Remove("app".into());
    assert_eq!(channels.when(remove).unwrap_err().code, "channel-stays");
}

fn list_input() -> PriceListInput {
    PriceListInput {
        name: "Trade".into(),
        currency: "GBP".parse().unwrap(),
        channels: vec![],
        groups: vec!["trade".into()],
        starts_at: None,
        ends_at: None,
        priority: 1,
        active: true,
    }
}

fn lists() -> World {
    World::new([
        DeciderSpec::of::<Whole<PriceList>>(),
        DeciderSpec::of::<Whole<contracts::pricing::ListedPrice>>(),
    ])
}

fn put_list(world: &mut World, input: PriceListInput, new: bool) -> Result<(), kernel::Rejection> {
    let list = list_of(id("plt_1"), input)?;
    world.run(&PutPriceList { list, new }).map(drop)
}

fn price(sku: &str, tiers: &[(i64, Money)]) -> Result<SetListedPrices, kernel::Rejection> {
    let tiers = tiers.iter().map(|(from_quantity, price)| PriceTier {
        from_quantity: *from_quantity,
        price: *price,
    });
    let input = PriceInput {
        sku: sku.into(),
        tiers: tiers.collect(),
        compare_at: None,
    };
    Ok(SetListedPrices {
        list_id: id("plt_1"),
        prices: vec![(
            "prices[0].".into(),
            price_of("prices[0].", &id("plt_1"), input)?,
        )],
    })
}

#[test]
fn prices_are_of_their_lists_currency_and_go_with_it() {
    let mut world = lists();
    let one = || price("A", &[(1, gbp(500))]).unwrap();
    assert_eq!(world.run(&one()).map(drop).unwrap_err().code, "not-found");
    put_list(&mut world, list_input(), true).unwrap();
    let (done, work) = world.run(&one()).unwrap();
    assert_eq!(
        (done.created, kinds(&work)),
        (1, vec!["pricing.price.set.v1"])
    );
    assert_eq!(world.run(&one()).unwrap().0.unchanged, 1);
    let foreign = price("A", &[(1, gbp(1)), (5, money(4, "EUR"))]).unwrap();
    let refused = world.run(&foreign).map(drop).unwrap_err();
    assert_eq!(
        refused.field.as_deref(),
        Some("prices[0].tiers[1].price.currency")
    );
    let mut euros = list_input();
    euros.currency = "EUR".parse().unwrap();
    let fixed = put_list(&mut world, euros, false).unwrap_err();
    assert_eq!(
        (fixed.code, fixed.field.as_deref()),
        ("currency-fixed", Some("currency"))
    );
    let gone = kernel::Decide::<Whole<PriceList>>::new("plt_1", WholeCommand::Remove);
    world.run(&gone).unwrap();
    let remove = RemoveListedPrice {
        list_id: id("plt_1"),
        sku: "A".into(),
    };
    assert_eq!(world.run(&remove).map(drop).unwrap_err().code, "not-found");
    assert_eq!(world.run(&one()).map(drop).unwrap_err().code, "not-found");
}

#[test]
fn tiers_are_put_in_order_and_each_quantity_has_one_price() {
    let set = price("A", &[(10, gbp(4)), (1, gbp(5))]).unwrap();
    let tiers = &set.prices[0].1.tiers;
    assert_eq!(
        tiers.iter().map(|t| t.from_quantity).collect::<Vec<_>>(),
        [1, 10]
    );
    type Case<'a> = (&'a str, &'a str, &'a [(i64, Money)]);
    let cases: &[Case<'_>] = &[
        ("sku", "", &[(1, gbp(1))]),
        ("tiers", "A", &[]),
        ("tiers[1].from_quantity", "A", &[(5, gbp(1)), (5, gbp(2))]),
        ("tiers[0].from_quantity", "A", &[(0, gbp(1))]),
        ("tiers[0].price.amount", "A", &[(1, gbp(-1))]),
    ];
    for (field, sku, tiers) in cases {
        let refused = price(sku, tiers).map(drop).unwrap_err();
        assert_eq!(refused.field, Some(format!("prices[0].{field}")));
    }
}

#[test]
fn a_price_list_that_makes_no_sense_is_refused_by_field() {
    type Change = fn(&mut PriceListInput);
    let cases: &[(&str, Change)] = &[
        ("name", |l| l.name = "x".repeat(101)),
        ("channels[0]", |l| l.channels = vec!["Web".into()]),
        ("groups[1]", |l| l.groups = vec!["a".into(), "a".into()]),
        ("groups", |l| {
            l.groups = (0..51).map(|i| format!("g{i}")).collect()
        }),
        ("ends_at", |l| {
            l.starts_at = Some(Timestamp(2));
            l.ends_at = Some(Timestamp(1));
        }),
        ("ends_at", |l| l.ends_at = Some(Timestamp(i64::MAX))),
    ];
    for (field, change) in cases {
        let mut input = list_input();
        change(&mut input);
        let refused = list_of(id("plt_1"), input).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some(*field));
    }
}

#[test]
fn a_tax_rate_that_makes_no_sense_is_refused_by_field() {
    type Change = fn(&mut TaxRateInput);
    let cases: &[(&str, Change)] = &[
        ("name", |r| r.name = String::new()),
        ("rate_ppm", |r| r.rate_ppm = 1_000_001),
        ("rate_ppm", |r| r.rate_ppm = -1),
        ("class", |r| r.class = "Reduced".into()),
        ("country", |r| r.country = "Germany".into()),
        ("province", |r| r.province = Some("bavaria".into())),
        ("postcodes[1]", |r| {
            r.postcodes = vec!["1".into(), "1*2".into()]
        }),
        ("postcodes[1]", |r| {
            r.postcodes = vec!["a 1".into(), "A1".into()]
        }),
        ("priority", |r| r.priority = 0),
    ];
    let input = || TaxRateInput {
        name: "VAT".into(),
        rate_ppm: 200_000,
        class: "standard".into(),
        country: "DE".into(),
        province: None,
        postcodes: vec![],
        priority: 1,
        compound: false,
        shipping: true,
        starts_at: None,
        ends_at: None,
    };
    assert!(rate_of(id("txr_1"), input()).is_ok());
    for (field, change) in cases {
        let mut input = input();
        change(&mut input);
        let refused = rate_of(id("txr_1"), input).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some(*field));
    }
}

#[test]
fn reverse_charge_is_for_shops_in_the_union() {
    let settings = |country: &str, reverse_charge| TaxSettings {
        origin_country: country.into(),
        reverse_charge,
    };
    let mut taxes = given::<Settings>([]);
    assert_eq!(taxes.when(settings("DE", true)).unwrap().len(), 1);
    assert_eq!(taxes.when(settings("DE", true)).unwrap().len(), 0);
    assert_eq!(taxes.when(settings("GB", false)).unwrap().len(), 1);
    let refused = taxes.when(settings("GB", true)).unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("reverse_charge"));
    let refused = taxes.when(settings("", false)).unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("origin_country"));
}
