//! Tax rates, their import and the settings over the API.

use super::super::engine::Call;
use super::*;

const RATES: &str = "/api/pricing/tax-rates";

async fn import(shop: &Shop, kind: &str, body: &str) -> (StatusCode, Value) {
    let call = Call {
        method: Method::POST,
        path: "/api/pricing/tax-rates/import",
        permissions: Some("pricing:write"),
        key: None,
        kind,
        body: Some(body.to_owned()),
    };
    let (status, text) = shop.call(call).await;
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

#[tokio::test]
async fn tables_are_taken_in_once() {
    let shop = Shop::open().await;
    let csv = "Country Code,State Code,ZIP/Postcode,City,Rate %,Tax Name,Priority,Compound,Shipping,Tax Class\n\
        GB,*,*,*,20.0000,VAT,1,0,1,\nGB,*,*,*,,VAT,1,0,1,reduced-rate\n";
    let (status, answer) = import(&shop, "text/csv; charset=utf-8", csv).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(
        (&answer["created"], &answer["refused"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        answer["rows"][1],
        json!({"row": 3, "rate": "GB reduced-rate VAT", "status": "refused",
            "problem": {"field": "Rate %", "detail": "must be a decimal number of per cent, such as 8.5"}})
    );
    let vat = r#"{"details": "x", "version": 4, "items": {"ES": [{"effective_from": "0000-01-01",
        "rates": {"standard": 21}, "exceptions": [{"name": "Islands", "postcode": "(35\\d{3}|38\\d{3})", "standard": 0}]}]}}"#;
    let (_, first) = import(&shop, "application/json", vat).await;
    assert_eq!(first["created"], json!(2));
    let (_, again) = import(&shop, "application/json", vat).await;
    assert_eq!(
        (&again["created"], &again["unchanged"]),
        (&json!(0), &json!(2))
    );
    assert_eq!(first["rows"][1]["id"], again["rows"][1]["id"]);

    let spain = shop.get(&format!("{RATES}?country=ES")).await;
    let spain = spain["items"].as_array().unwrap();
    assert_eq!(spain.len(), 2);
    let islands = spain
        .iter()
        .find(|rate| rate["rate_ppm"] == json!(0))
        .unwrap();
    assert_eq!(
        islands["postcodes"],
        json!(["35000..35999", "38000..38999"])
    );
    assert_eq!(shop.get(RATES).await["items"].as_array().unwrap().len(), 3);
    shop.rebuild().await;
    assert_eq!(shop.get(RATES).await["items"].as_array().unwrap().len(), 3);

    for (kind, body, status) in [
        ("text/plain", "x", 415),
        ("text/csv", "a,b\n1,2", 400),
        ("application/json", "{", 400),
        ("application/json", r#"{"items": 1}"#, 400),
    ] {
        let (found, problem) = import(&shop, kind, body).await;
        assert_eq!(found.as_u16(), status, "{problem}");
    }
    let huge = "x".repeat(5 * 1024 * 1024);
    assert_eq!(
        import(&shop, "text/csv", &huge).await.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn a_rate_is_made_changed_and_removed() {
    let shop = Shop::open().await;
    let body = json!({"name": "VAT", "rate_ppm": 200_000, "class": "standard", "country": "GB",
        "postcodes": ["bt1 *"]});
    let made = shop.done(Method::POST, RATES, body.clone()).await;
    assert_eq!(made["postcodes"], json!(["BT1*"]));
    let one = format!("{RATES}/{}", made["id"].as_str().unwrap());
    let mut dearer = body.clone();
    dearer["rate_ppm"] = json!(225_000);
    shop.done(Method::PUT, &one, dearer.clone()).await;
    assert_eq!(shop.get(&one).await["rate_ppm"], json!(225_000));
    dearer["rate_ppm"] = json!(2_000_000);
    let refused = shop.staff(Method::PUT, &one, dearer).await;
    assert_eq!(refusal(&refused), (400, "invalid", "rate_ppm"));
    shop.done(Method::DELETE, &one, json!({})).await;
    let gone = shop.staff(Method::PUT, &one, body).await;
    assert_eq!(refusal(&gone), (404, "not-found", ""));
    let refused = shop
        .json(
            Method::GET,
            &format!("{RATES}?country=uk"),
            None,
            Some("pricing:read"),
            None,
        )
        .await;
    assert_eq!(refusal(&refused), (400, "invalid", "country"));
}

#[tokio::test]
async fn the_settings_are_decided() {
    let shop = Shop::open().await;
    let path = "/api/pricing/tax-settings";
    let none = shop.get(path).await;
    assert_eq!(none, json!({"origin_country": "", "reverse_charge": false}));
    let settings = json!({"origin_country": "DE", "reverse_charge": true});
    shop.done(Method::PUT, path, settings.clone()).await;
    assert_eq!(shop.get(path).await, settings);
    let brexit = json!({"origin_country": "GB", "reverse_charge": true});
    let refused = shop.staff(Method::PUT, path, brexit).await;
    assert_eq!(refusal(&refused), (422, "not-in-the-eu", "reverse_charge"));
}
