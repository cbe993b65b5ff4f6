//! Places, price lists and promotions over the API.

use super::*;

const LISTS: &str = "/api/pricing/price-lists";

fn tier(amount: i64, currency: &str) -> Value {
    json!([{"from_quantity": 1, "price": {"amount": amount, "currency": currency}}])
}

#[tokio::test]
async fn prices_are_set_listed_changed_and_removed() {
    let shop = Shop::open().await;
    let body = json!({"name": "Trade", "currency": "GBP", "groups": ["trade"]});
    let list = shop.done(Method::POST, LISTS, body.clone()).await;
    let path = format!("{LISTS}/{}", list["id"].as_str().unwrap());
    let prices = format!("{path}/prices");
    let many: Vec<Value> = (0..2_000)
        .map(|i| json!({"sku": format!("S{i:04}"), "tiers": tier(i, "GBP")}))
        .collect();
    let done = shop
        .done(Method::POST, &prices, json!({"prices": many.clone()}))
        .await;
    assert_eq!(
        done,
        json!({"created": 2_000, "updated": 0, "unchanged": 0})
    );
    let done = shop
        .done(Method::POST, &prices, json!({"prices": many.clone()}))
        .await;
    assert_eq!(done["unchanged"], json!(2_000));

    // One that is wrong stops all of them.
    let mut wrong = many[..3].to_vec();
    wrong[0]["tiers"] = tier(9_999, "GBP");
    wrong[2]["tiers"] = tier(1, "EUR");
    let refused = shop
        .staff(Method::POST, &prices, json!({"prices": wrong}))
        .await;
    assert_eq!(
        refusal(&refused),
        (400, "invalid", "prices[2].tiers[0].price.currency")
    );
    let one = format!("{prices}/S0000");
    let price = shop.get(&one).await;
    assert_eq!(price["tiers"][0]["price"]["amount"], json!(0));

    let put = json!({"tiers": tier(450, "GBP"), "compare_at": {"amount": 500, "currency": "GBP"}});
    shop.done(Method::PUT, &format!("{prices}/A%2FB"), put)
        .await;
    let page = shop.get(&format!("{prices}?limit=1")).await;
    assert_eq!(page["items"][0]["sku"], json!("A/B"));
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = shop.get(&format!("{prices}?limit=1&cursor={cursor}")).await;
    assert_eq!(page["items"][0]["sku"], json!("S0000"));
    shop.done(Method::DELETE, &one, json!({})).await;
    let gone = shop.staff(Method::DELETE, &one, json!({})).await;
    assert_eq!(refusal(&gone), (404, "not-found", ""));

    for (field, body) in [
        ("prices", json!({"prices": []})),
        ("prices", json!({"prices": vec![many[0].clone(); 2_001]})),
        ("prices[1].sku", json!({"prices": [many[0], many[0]]})),
        (
            "prices[0].tiers[0].price.amount",
            json!({"prices": [{"sku": "A", "tiers": tier(-1, "GBP")}]}),
        ),
        (
            "prices[0].tiers[1].from_quantity",
            json!({"prices": [{"sku": "A", "tiers": [tier(1, "GBP")[0], tier(2, "GBP")[0]]}]}),
        ),
    ] {
        let refused = shop.staff(Method::POST, &prices, body).await;
        assert_eq!(refusal(&refused), (400, "invalid", field));
    }
    let mut euros = body;
    euros["currency"] = json!("EUR");
    let refused = shop.staff(Method::PUT, &path, euros).await;
    assert_eq!(refusal(&refused), (409, "currency-fixed", "currency"));
    shop.done(Method::DELETE, &path, json!({})).await;
    let read = Some("pricing:read");
    for gone in [path.clone(), prices, one] {
        let (status, _) = shop.json(Method::GET, &gone, None, read, None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{gone}");
    }
    assert_eq!(shop.get(LISTS).await["items"], json!([]));
}

#[tokio::test]
async fn storefronts_learn_where_is_sold() {
    let shop = Shop::open().await;
    let eu = json!({"code": "eu", "name": "Europe", "currency": "EUR", "countries": ["DE", "FR"],
        "prices_include_tax": true, "tax_rounding": "per_order"});
    shop.done(Method::POST, "/api/pricing/regions", eu.clone())
        .await;
    let again = shop.staff(Method::POST, "/api/pricing/regions", eu).await;
    assert_eq!(refusal(&again), (409, "code-taken", "code"));
    let us = json!({"name": "America", "currency": "USD", "countries": ["US", "DE"], "prices_include_tax": false});
    let taken = shop
        .staff(Method::PUT, "/api/pricing/regions/us", us.clone())
        .await;
    assert_eq!(refusal(&taken), (409, "country-taken", "countries[1]"));
    assert_eq!(
        (&taken.1["country"], &taken.1["region"]),
        (&json!("DE"), &json!("eu"))
    );
    let mut us = us;
    us["countries"] = json!(["US"]);
    shop.done(Method::PUT, "/api/pricing/regions/us", us).await;
    let app = json!({"name": "App", "capture": "on_shipment", "active": false});
    shop.done(Method::PUT, "/api/pricing/channels/app", app)
        .await;
    let (status, public) = shop
        .json(Method::GET, "/api/pricing/regions/public", None, None, None)
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        public,
        json!({
            "channels": [{"code": "web", "name": "Web"}],
            "regions": [
                {"code": "eu", "name": "Europe", "currency": "EUR", "countries": ["DE", "FR"], "prices_include_tax": true},
                {"code": "us", "name": "America", "currency": "USD", "countries": ["US"], "prices_include_tax": false},
            ],
        })
    );
    let channels = shop.get("/api/pricing/channels").await;
    assert_eq!(channels["items"][0]["capture"], json!("on_shipment"));
    shop.done(Method::DELETE, "/api/pricing/regions/us", json!({}))
        .await;
    assert_eq!(
        shop.get("/api/pricing/regions").await["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let bad = shop
        .staff(
            Method::PUT,
            "/api/pricing/channels/App",
            json!({"name": "App"}),
        )
        .await;
    assert_eq!(refusal(&bad), (400, "invalid", "code"));
}

#[tokio::test]
async fn promotions_are_made_once_changed_and_refused_by_field() {
    let shop = Shop::open().await;
    let path = "/api/pricing/promotions";
    let body = json!({"name": "sale", "label": "Sale", "benefit": {"type": "percent_off", "ppm": 100_000}});
    let write = Some("pricing:write");
    let ask = async || {
        shop.json(Method::POST, path, Some(body.clone()), write, Some("k"))
            .await
    };
    let (status, made) = ask().await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(ask().await.1, made, "the same key, the same promotion");
    assert_eq!(shop.get(path).await["items"].as_array().unwrap().len(), 1);
    let one = format!("{path}/{}", made["id"].as_str().unwrap());

    let with = |field: &str, value: Value| {
        let mut body = body.clone();
        body[field] = value;
        body
    };
    let eur = json!({"amount": 5, "currency": "EUR"});
    for (code, field, body) in [
        (
            "invalid",
            "benefit.ppm",
            with("benefit", json!({"type": "percent_off", "ppm": 1_000_001})),
        ),
        (
            "invalid",
            "benefit.type",
            with("benefit", json!({"type": "magic"})),
        ),
        ("invalid", "ends_at", with("ends_at", json!(-5))),
        ("invalid", "limit", with("limit", json!(0))),
        ("invalid", "discount", with("discount", json!(1))),
        (
            "unknown-campaign",
            "campaign",
            with("campaign", json!("cmp_1")),
        ),
    ] {
        let refused = shop.staff(Method::PUT, &one, body).await;
        let (_, found, named) = refusal(&refused);
        assert_eq!((found, named), (code, field), "{}", refused.1);
    }
    let budget = json!({"name": "Summer", "spend": {"amount": 1_000, "currency": "GBP"}});
    let campaign = shop
        .done(Method::POST, "/api/pricing/campaigns", budget)
        .await;
    let mut foreign = with("campaign", campaign["id"].clone());
    foreign["benefit"] = json!({"type": "amount_off", "amount": eur});
    let refused = shop.staff(Method::PUT, &one, foreign).await;
    assert_eq!(
        refusal(&refused),
        (422, "foreign-currency", "benefit.amount.currency")
    );
    let changed = shop
        .done(Method::PUT, &one, with("priority", json!(7)))
        .await;
    let shown = shop.get(&one).await;
    assert_eq!(
        (&changed["priority"], &shown["priority"]),
        (&json!(7), &json!(7))
    );
    assert_eq!((&shown["uses"], &shown["spent"]), (&json!(0), &json!([])));
    shop.done(Method::DELETE, &one, json!({})).await;
    let gone = shop.staff(Method::PUT, &one, body.clone()).await;
    assert_eq!(refusal(&gone), (404, "not-found", ""));
    shop.rebuild().await;
    assert_eq!(shop.get(path).await["items"], json!([]));
}
