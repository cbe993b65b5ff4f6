//! The API on a real store: accounts, address books, groups, history, companies, duplicates.

use crate::support::{STAFF, Shop, address, until};
use axum::http::StatusCode;
use serde_json::{Value, json};

const ME: &str = "/api/customers/me";

fn codes(view: &Value) -> Vec<&str> {
    let groups = view["groups"].as_array().expect("groups");
    groups.iter().filter_map(Value::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_looks_after_their_own_profile() {
    let shop = Shop::open().await;
    let ann = shop.registers(1, "ann@example.org").await;
    let change = json!({"name": "Ann Example", "phone": "+44 20 7946 0000"});
    let (status, view) = ann.patch(ME, change).await;
    assert_eq!(
        (status, &view["profile"]["name"]),
        (StatusCode::OK, &json!("Ann Example"))
    );
    let book = format!("{ME}/addresses");
    let (status, saved) = ann.post(&book, json!(address())).await;
    assert_eq!(
        (status, &saved["default_shipping"]),
        (StatusCode::CREATED, &json!(true)),
        "{saved}"
    );
    let mut wrong = json!(address());
    wrong["postcode"] = "12345".into();
    let (status, refused) = ann.post(&book, wrong).await;
    assert_eq!(
        (status, &refused["field"]),
        (StatusCode::BAD_REQUEST, &json!("postcode"))
    );
    let one = format!("{book}/{}", saved["id"].as_str().expect("an id"));
    let mut moved = json!(address());
    moved["line1"] = "2 Low Street".into();
    let (status, view) = ann.put(&one, moved).await;
    assert_eq!(
        (status, &view["address"]["line1"]),
        (StatusCode::OK, &json!("2 Low Street"))
    );
    let defaults = json!({"billing": "adr_nothere"});
    let (status, _) = ann.put(&format!("{book}/defaults"), defaults).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(ann.delete(&one).await.0, StatusCode::NO_CONTENT);
    assert_eq!(ann.delete(&one).await.0, StatusCode::NOT_FOUND);
    assert_eq!(ann.get(&book).await.1, json!([]));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_what_is_not_theirs() {
    let shop = Shop::open().await;
    let ann = shop.registers(1, "ann@example.org").await;
    assert_eq!(shop.nobody().get(ME).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(shop.staff(STAFF).get(ME).await.0, StatusCode::FORBIDDEN);
    for path in [
        "/api/customers",
        "/api/customers/cus_1",
        "/api/customers/cus_1/export",
    ] {
        assert_eq!(ann.get(path).await.0, StatusCode::FORBIDDEN, "{path}");
    }
    let reader = shop.staff(&["customers:read"]);
    assert_eq!(reader.get("/api/customers/cus_1").await.0, StatusCode::OK);
    assert_eq!(
        reader.get("/api/customers/cus_9").await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        reader.get("/api/customers/nonsense").await.0,
        StatusCode::NOT_FOUND
    );
    let erase = json!({"confirm": "cus_1"});
    let (status, _) = reader.post("/api/customers/cus_1/erase", erase).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_find_customers_by_address_and_by_group() {
    let shop = Shop::open().await;
    shop.registers(1, "ann@example.org").await;
    shop.registers(2, "bob@example.org").await;
    shop.registers(3, "cas@example.org").await;
    let staff = shop.staff(STAFF);
    let (_, found) = staff.get("/api/customers?email=BOB@example.org").await;
    assert_eq!(
        (
            found["items"].as_array().map(Vec::len),
            &found["items"][0]["id"]
        ),
        (Some(1), &json!("cus_2"))
    );
    let (_, none) = staff.get("/api/customers?email=bob").await;
    assert_eq!(none["items"], json!([]));
    let (_, first) = staff.get("/api/customers?limit=2").await;
    let cursor = first["next_cursor"].as_str().expect("more");
    let (_, rest) = staff
        .get(&format!("/api/customers?limit=2&cursor={cursor}"))
        .await;
    assert_eq!(
        (&rest["items"][0]["id"], rest.get("next_cursor")),
        (&json!("cus_3"), None)
    );
    let (status, _) = staff
        .put("/api/customers/groups/trade", json!({"name": "Trade"}))
        .await;
    assert_eq!(status, StatusCode::OK);
    let (_, joined) = staff
        .put("/api/customers/cus_3/groups/trade", json!({}))
        .await;
    assert_eq!(codes(&joined), ["trade"]);
    let (_, members) = staff.get("/api/customers?group=trade").await;
    assert_eq!(members["items"][0]["email"], "cas@example.org");
    let (status, _) = staff.delete("/api/customers/groups/trade").await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    until("nobody is in it", async || {
        staff.get("/api/customers?group=trade").await.1["items"] == json!([])
    })
    .await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_follow_orders_definitions_and_time() {
    let shop = Shop::open().await;
    let ann = shop.registers(1, "ann@example.org").await;
    shop.places(1, Some(1), "ann@example.org", 5_000).await;
    shop.confirms(1, 5_000).await;
    let amount = json!({"amount": 4_000, "currency": "GBP"});
    let spenders = json!({"name": "Spenders", "rule": {"conditions": [{"kind": "spent_at_least", "amount": amount}]}});
    let staff = shop.staff(STAFF);
    let path = "/api/customers/segments/spenders";
    let (status, defined) = staff.put(path, spenders).await;
    assert_eq!(status, StatusCode::OK, "{defined}");
    until("she is found by the new rule", async || {
        codes(&ann.get(ME).await.1) == ["spenders"]
    })
    .await;
    let lost = json!({"name": "Lost", "rule": {"conditions": [{"kind": "last_order_before", "days": 30}]}});
    staff.put("/api/customers/segments/lost", lost).await;
    shop.clock.advance(31 * 86_400 * 1_000_000);
    until("she was away for long", async || {
        codes(&ann.get(ME).await.1) == ["lost", "spenders"]
    })
    .await;
    shop.places(2, Some(1), "ann@example.org", 100).await;
    shop.confirms(2, 100).await;
    until("she is back", async || {
        codes(&ann.get(ME).await.1) == ["spenders"]
    })
    .await;
    let odd =
        json!({"name": "Odd", "rule": {"conditions": [{"kind": "orders_at_least", "count": 0}]}});
    let (status, refused) = staff.put("/api/customers/segments/odd", odd).await;
    assert_eq!(
        (status, &refused["field"]),
        (StatusCode::BAD_REQUEST, &json!("rule.conditions[0].count"))
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guest_orders_are_claimed_by_a_verified_address() {
    let shop = Shop::open().await;
    for number in 1..=3 {
        shop.places(number, None, "Ann@example.org", 1_000).await;
        shop.confirms(number, 1_000).await;
    }
    shop.places(4, None, "eve@example.org", 1_000).await;
    let ann = shop.registers(1, "ann@example.org").await;
    assert_eq!(ann.get(&format!("{ME}/orders")).await.1["items"], json!([]));
    let verify = format!("{ME}/verify-email");
    let (status, refused) = ann.post(&verify, json!({"token": "evt_guess"})).await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("token-not-good"))
    );
    let token = mailed_token(&shop, 1).await;
    let (status, view) = ann.post(&verify, json!({"token": token})).await;
    assert_eq!(
        (status, &view["email_verified"]),
        (StatusCode::OK, &json!(true)),
        "{view}"
    );
    until("the orders are hers", async || {
        ann.get(ME).await.1["statistics"]["orders"] == 3
    })
    .await;
    shop.places(5, None, "ann@example.org", 1_000).await;
    until("later ones come by themselves", async || {
        let page = ann.get(&format!("{ME}/orders?limit=1")).await.1;
        page["items"][0]["number"] == "S-5" && page["items"][0]["claimed"] == true
    })
    .await;
    let (_, page) = ann.get(&format!("{ME}/orders")).await;
    let numbers: Vec<_> = page["items"]
        .as_array()
        .expect("orders")
        .iter()
        .map(|o| o["number"].clone())
        .collect();
    assert_eq!(numbers, ["S-5", "S-3", "S-2", "S-1"]);
    let (_, view) = ann.get(ME).await;
    assert_eq!(
        view["statistics"]["by_currency"][0]["average"]["amount"],
        1_000
    );
    shop.close().await;
}

/// The token that notifications would mail.
async fn mailed_token(shop: &Shop, number: u32) -> String {
    use contracts::customers::CustomerEvent;
    let mut found = None;
    until("a mail is asked for", async || {
        let events = shop
            .runtime
            .ops()
            .events("customers", 0, 1_000)
            .await
            .expect("events");
        found = kernel::with_keys(shop.app().keys(), || {
            events.iter().find_map(
                |event| match event.decode::<CustomerEvent>().ok()??.as_ref() {
                    CustomerEvent::VerificationRequested(asked)
                        if asked.customer_id.as_str() == format!("cus_{number}") =>
                    {
                        asked.token.get().cloned()
                    }
                    _ => None,
                },
            )
        });
        found.is_some()
    })
    .await;
    found.expect("a token")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_is_looked_after_by_its_admins() {
    let shop = Shop::open().await;
    let ann = shop.registers(1, "ann@example.org").await;
    let bob = shop.registers(2, "bob@example.org").await;
    let eve = shop.registers(3, "eve@example.org").await;
    let staff = shop.staff(STAFF);
    let acme = json!({"name": "Acme Ltd", "vat_number": "GB 123 4567 89"});
    assert_eq!(
        ann.post("/api/customers/companies", acme.clone()).await.0,
        StatusCode::FORBIDDEN
    );
    let (status, company) = staff.post("/api/customers/companies", acme).await;
    assert_eq!(
        (status, &company["profile"]["vat_number"]),
        (StatusCode::CREATED, &json!("GB123456789"))
    );
    let path = format!(
        "/api/customers/companies/{}",
        company["id"].as_str().expect("an id")
    );
    let (status, _) = staff
        .put(&format!("{path}/members/cus_1"), json!({"role": "admin"}))
        .await;
    assert_eq!(status, StatusCode::OK);
    let invite = json!({"email": "Bob@example.org", "role": "buyer"});
    let members = format!("{path}/members");
    assert_eq!(
        eve.post(&members, invite.clone()).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        ann.post(&members, invite.clone()).await.0,
        StatusCode::CREATED
    );
    assert_eq!(bob.post(&members, invite).await.0, StatusCode::FORBIDDEN);
    let unknown = json!({"email": "nobody@example.org", "role": "buyer"});
    let (status, refused) = ann.post(&members, unknown).await;
    assert_eq!(
        (status, &refused["field"]),
        (StatusCode::NOT_FOUND, &json!("email"))
    );
    let (status, view) = bob.get(&path).await;
    assert_eq!(
        (status, view["members"].as_array().map(Vec::len)),
        (StatusCode::OK, Some(2))
    );
    assert_eq!(eve.get(&path).await.0, StatusCode::NOT_FOUND);
    let (status, view) = ann
        .post(&format!("{path}/addresses"), json!(address()))
        .await;
    assert_eq!(
        (status, view["addresses"].as_array().map(Vec::len)),
        (StatusCode::CREATED, Some(1))
    );
    assert_eq!(
        bob.get(&format!("{ME}/companies")).await.1[0]["profile"]["name"],
        "Acme Ltd"
    );
    let (status, refused) = ann.delete(&format!("{members}/cus_1")).await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::CONFLICT, &json!("last-admin"))
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_points_to_who_it_is_and_its_orders_are_found_there() {
    let shop = Shop::open().await;
    let ann = shop.registers(1, "ann@example.org").await;
    let twin = shop.registers(2, "ann@work.example.org").await;
    shop.places(1, Some(2), "ann@work.example.org", 700).await;
    shop.confirms(1, 700).await;
    until("it is counted", async || {
        twin.get(ME).await.1["statistics"]["orders"] == 1
    })
    .await;
    let staff = shop.staff(STAFF);
    let note = json!({"text": "the same person, by phone"});
    let (status, _) = staff.post("/api/customers/cus_2/notes", note).await;
    assert_eq!(status, StatusCode::CREATED);
    let merge = "/api/customers/cus_2/merge";
    let (status, kept) = staff.post(merge, json!({"into": "cus_1"})).await;
    assert_eq!(
        (status, &kept["id"], &kept["statistics"]["orders"]),
        (StatusCode::OK, &json!("cus_1"), &json!(1))
    );
    let (_, closed) = twin.get(ME).await;
    assert_eq!(
        (&closed["status"], &closed["merged_into"]),
        (&json!("merged"), &json!("cus_1"))
    );
    assert_eq!(
        twin.patch(ME, json!({"name": "x"})).await.0,
        StatusCode::GONE
    );
    let (_, orders) = ann.get(&format!("{ME}/orders")).await;
    assert_eq!(orders["items"][0]["number"], "S-1");
    let (_, notes) = staff.get("/api/customers/cus_1/notes").await;
    assert_eq!(notes[0]["by"], "staff:usr_1");
    assert_eq!(
        staff
            .get("/api/customers?email=ann@work.example.org")
            .await
            .1["items"],
        json!([])
    );
    shop.close().await;
}
