//! The cart prices with its own copy of what pricing, shipping, customers and credit say.

use crate::support::{
    Accounts, Coupons, Groups, Promotions, QuoteKeys, Regions, Shop, TaxRates, checkout, until,
};
use axum::http::{Method, StatusCode};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use contracts::{
    credit::{
        CreditAccountOpened, CreditChanged, CreditKind, CreditReason, GIFT_CARD_CODES,
        GiftCardCode, account_of_hash,
    },
    customers::CustomerGroupsChanged,
    pricing::{
        Benefit, Condition, Coupon, CouponSet, LineFilter, Promotion, PromotionSet, Region,
        RegionSet, Stacking, TaxRate, TaxRateSet, TaxRounding,
    },
    shipping::{QuoteKeyPublished, ShippingQuote, destination_text, items_text},
};
use kernel::{Currency, Money, Timestamp};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

fn gbp(amount: i64) -> Money {
    Money::new(amount, Currency::GBP)
}

fn promotion(id: &str, needs_coupon: bool, conditions: Vec<Condition>) -> PromotionSet {
    let promotion = Promotion {
        id: id.parse().expect("an id"),
        name: id.replace('_', "-"),
        label: "Ten percent off".into(),
        benefit: Benefit::PercentOff {
            ppm: 100_000,
            of: LineFilter::default(),
        },
        conditions,
        needs_coupon,
        priority: 0,
        stacking: Stacking::Stackable,
        starts_at: None,
        ends_at: None,
        limit: None,
        limit_per_buyer: None,
        campaign: None,
        active: true,
    };
    PromotionSet { promotion }
}

/// 20 % VAT in Great Britain, in the prices; TEN takes ten percent off.
async fn with_rules(shop: &Shop) {
    let region = Region {
        code: "uk".into(),
        name: "United Kingdom".into(),
        currency: Currency::GBP,
        countries: vec!["GB".into()],
        prices_include_tax: true,
        tax_rounding: TaxRounding::PerLine,
    };
    let rate = TaxRate {
        id: "txr_1".parse().expect("an id"),
        name: "VAT".into(),
        rate_ppm: 200_000,
        class: "standard".into(),
        country: "GB".into(),
        province: None,
        postcodes: vec![],
        priority: 1,
        compound: false,
        shipping: true,
        starts_at: None,
        ends_at: None,
    };
    let coupon = Coupon {
        code: "TEN".into(),
        promotion_id: "prm_1".parse().expect("an id"),
        limit: None,
        active: true,
    };
    let (region, rate) = (RegionSet { region }, TaxRateSet { rate });
    shop.say::<Regions>("pricing", "all", region.into()).await;
    shop.say::<TaxRates>("pricing", "txr_1", rate.into()).await;
    let ten = promotion("prm_1", true, vec![]);
    shop.say::<Promotions>("pricing", "prm_1", ten.into()).await;
    let coupon = CouponSet { coupon };
    shop.say::<Coupons>("pricing", "TEN", coupon.into()).await;
    until("the cart knows the rules", async || {
        let ask = json!({"lines": [{"sku": "MUG", "quantity": 1}], "coupons": ["ten"],
            "destination": {"country": "GB"}});
        let (_, price) = shop.post("/api/carts/price").send(ask).await;
        price["coupons"][0]["applied"] == json!(true)
            && price["totals"]["tax"]["amount"].as_i64() > Some(0)
    })
    .await;
}

async fn filled(shop: &Shop) -> String {
    let cart = shop.cart().await;
    let mugs = json!({"sku": "MUG", "quantity": 2});
    let lines = format!("/api/carts/{cart}/lines");
    let (status, view) = shop.post(&lines).send(mugs).await;
    assert_eq!(status, StatusCode::OK, "{view}");
    cart
}

fn amount(of: &Value) -> i64 {
    of["amount"].as_i64().expect("an amount")
}

#[tokio::test]
async fn a_cart_answers_with_every_adjustment_and_tax_and_why() {
    let shop = Shop::open().await;
    shop.on_sale(&[("MUG", 1_000)]).await;
    with_rules(&shop).await;
    let cart = filled(&shop).await;
    let path = format!("/api/carts/{cart}");
    let code = json!({"code": " ten "});
    let (status, view) = shop.post(&format!("{path}/coupons")).send(code).await;
    assert_eq!(status, StatusCode::OK, "{view}");
    assert_eq!(amount(&view["totals"]["total"]), 1_800);
    assert_eq!(
        view["lines"][0]["adjustments"][0]["code"],
        "promotion:prm-1"
    );
    assert_eq!(view["promotions"][0]["coupon"], "TEN");
    let destination = format!("{path}/destination");
    let put = |body| shop.call(Method::PUT, &destination).send(body);
    let (_, view) = put(json!({"country": "GB"})).await;
    assert_eq!(amount(&view["totals"]["tax"]), 300);
    assert_eq!(view["tax"]["estimated"], false);
    let (status, refused) = put(json!({"country": "gb"})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
    assert_eq!(refused["field"], "destination.country");

    let (status, answer) = shop
        .post(&format!("{path}/checkout"))
        .send(checkout())
        .await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let line = &answer["order"]["lines"][0];
    assert_eq!(amount(&line["total"]), 1_800);
    assert_eq!(amount(&line["taxes"][0]["amount"]), 300);
    shop.close().await;
}

#[tokio::test]
async fn a_hypothetical_cart_is_priced_and_not_kept_and_says_what_is_wrong_with_it() {
    let shop = Shop::open().await;
    shop.on_sale(&[("MUG", 1_000)]).await;
    with_rules(&shop).await;
    let price = |body| shop.post("/api/carts/price").send(body);
    let lines = json!([{"sku": "MUG", "quantity": 3}]);
    let (status, answer) = price(json!({"lines": lines, "coupons": ["TEN", "none"],
        "destination": {"country": "GB"}, "shipping": {"amount": 400, "currency": "GBP"}}))
    .await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(amount(&answer["totals"]["total"]), 2_700 + 400);
    assert_eq!(amount(&answer["lines"][0]["unit_price"]), 1_000);
    let of = |code: &str| {
        let coupons = answer["coupons"].as_array().expect("coupons");
        let found = coupons.iter().find(|coupon| coupon["code"] == code);
        found.expect("an answer")["applied"].clone()
    };
    assert_eq!((of("TEN"), of("NONE")), (json!(true), json!(false)));
    for (field, body) in [
        ("lines", json!({"lines": []})),
        (
            "lines[0].quantity",
            json!({"lines": [{"sku": "MUG", "quantity": 0}]}),
        ),
        (
            "lines[0].sku",
            json!({"lines": [{"sku": "NO", "quantity": 1}]}),
        ),
        ("coupons[0]", json!({"lines": lines, "coupons": ["a b"]})),
        ("groups", json!({"lines": lines, "groups": ["trade"]})),
        ("vat_number", json!({"lines": lines, "vat_number": "XX1"})),
        ("channel", json!({"lines": lines, "channel": "moon"})),
    ] {
        let (status, refused) = price(body).await;
        assert!(status.is_client_error(), "{field}: {refused}");
        assert_eq!(refused["field"], field);
    }
    shop.close().await;
}

#[tokio::test]
async fn a_customer_s_groups_decide_what_they_pay() {
    let shop = Shop::open().await;
    shop.on_sale(&[("MUG", 1_000)]).await;
    let trade = Condition::Groups {
        any_of: vec!["trade".into()],
    };
    let cheaper = promotion("prm_2", false, vec![trade]);
    shop.say::<Promotions>("pricing", "prm_2", cheaper.into())
        .await;
    let groups = CustomerGroupsChanged {
        customer_id: "cus_1".parse().expect("an id"),
        groups: vec!["trade".into()],
    };
    shop.say::<Groups>("customers", "cus_1", groups.into())
        .await;
    let total_of = async |who: &str| {
        let (_, cart) = shop.post("/api/carts").by(who, &[]).send(json!({})).await;
        let id = cart["id"].as_str().expect("an id");
        let lines = format!("/api/carts/{id}/lines");
        let mug = json!({"sku": "MUG", "quantity": 1});
        let (_, view) = shop.post(&lines).by(who, &[]).send(mug).await;
        amount(&view["totals"]["total"])
    };
    until("the group's price", async || total_of("cus_1").await == 900).await;
    assert_eq!(total_of("cus_2").await, 1_000);
    shop.close().await;
}

#[tokio::test]
async fn shipping_is_what_shipping_signed_and_a_gift_card_pays_first() {
    let shop = Shop::open().await;
    shop.on_sale(&[("MUG", 1_000)]).await;
    let pair = Ed25519KeyPair::from_seed_unchecked(&[3; 32]).expect("a seed of 32 bytes");
    let key = QuoteKeyPublished {
        kid: "q1".into(),
        x: BASE64URL.encode(pair.public_key()),
        not_before: Timestamp(0),
    };
    shop.say::<QuoteKeys>("shipping", "all", key.into()).await;
    let code = GiftCardCode::from_random(12_345);
    let hash = shop.blind(GIFT_CARD_CODES, code.secret());
    let account_id = account_of_hash(&hash);
    let opened = CreditAccountOpened {
        account_id: account_id.clone(),
        kind: CreditKind::GiftCard,
        customer_id: None,
        balance: gbp(0),
        code_hash: Some(hash),
        expires_at: None,
        at: Timestamp(0),
    };
    let account = account_id.as_str();
    shop.say::<Accounts>("credit", account, opened.into()).await;
    let issued = CreditChanged {
        account_id: account_id.clone(),
        kind: CreditKind::GiftCard,
        reason: CreditReason::Issued,
        amount: gbp(500),
        balance: gbp(500),
        order_id: None,
        note: None,
        at: Timestamp(0),
    };
    shop.say::<Accounts>("credit", account, issued.into()).await;

    let cart = filled(&shop).await;
    let mut body = checkout();
    let address = serde_json::from_value(body["shipping_address"].clone()).expect("an address");
    let quote = ShippingQuote {
        id: "quo_1".parse().expect("an id"),
        cart_id: cart.parse().expect("an id"),
        items_hash: web::hash_token(&items_text([("MUG", 2)])),
        destination_hash: web::hash_token(&destination_text(&address)),
        country: address.country.clone(),
        option_id: "sho_1".parse().expect("an id"),
        label: "Standard".into(),
        amount: gbp(400),
        tax_class: "standard".into(),
        collect_from: None,
        min_days: None,
        max_days: None,
        expires_at: Timestamp(i64::MAX),
    };
    let token = web::signed::sign("q1", &pair, &quote).expect("signed");
    let shipping = format!("/api/carts/{cart}/shipping");
    until("the cart knows the key", async || {
        let choice = json!({"quote": token});
        let answer = shop.call(Method::PUT, &shipping).send(choice).await;
        answer.0 == StatusCode::OK && amount(&answer.1["totals"]["total"]) == 2_400
    })
    .await;
    let forged = format!(
        "{}A{}",
        &token[..token.len() - 9],
        &token[token.len() - 8..]
    );
    let forged = json!({"quote": forged});
    let (status, refused) = shop.call(Method::PUT, &shipping).send(forged).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        (&refused["code"], &refused["field"]),
        (&json!("bad-quote"), &json!("quote"))
    );

    let path = format!("/api/carts/{cart}/checkout");
    body["gift_cards"] = json!([code.spelled().to_lowercase()]);
    body["expected_total"] = json!({"amount": 2_400, "currency": "GBP"});
    let (status, answer) = shop.post(&path).send(body.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    assert_eq!(answer["order"]["credits"][0]["account_id"], account);
    assert_eq!(amount(&answer["order"]["credits"][0]["amount"]), 500);
    assert_eq!(amount(&answer["order"]["shipping"]["total"]), 400);

    body["gift_cards"] = json!(["0000-0000-0000-0001"]);
    let other = filled(&shop).await;
    let path = format!("/api/carts/{other}/checkout");
    let (status, refused) = shop.post(&path).send(body).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
    assert_eq!(refused["field"], "gift_cards[0]");
    shop.close().await;
}
