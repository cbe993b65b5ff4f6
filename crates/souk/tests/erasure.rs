//! A person who is erased is nowhere: not in any database, write-ahead log, or log of the shop; no
//! service can open what it keeps of them; and what they bought still adds up.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use serde_json::{Value, json};
use support::{Api, Buying, Order, Shop, eventually, no_dead_letters, order_status};

const EMAIL: &str = "quillon.zephyrine@private-mail.example";
const NAME: &str = "Quillon Zephyrine";
const STREET: &str = "42 Unforgettable Crescent";
const PHONE: &str = "+44 20 7946 0815";
const NOTE: &str = "collects left-handed teacups";
const ALL: [&str; 5] = [EMAIL, NAME, STREET, PHONE, NOTE];
const PASSWORD: &str = "a long pass phrase 17";

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let paths = entries.map(|entry| entry.path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .collect()
}

/// How a text may stand in a file: as it is, in other case, as hex, and as base64 wherever in a
/// larger text it begins (the letters at its ends, which depend on its neighbours, left out).
fn disguises(text: &str) -> Vec<Vec<u8>> {
    let mut all = vec![
        text.as_bytes().to_vec(),
        text.to_lowercase().into_bytes(),
        text.to_uppercase().into_bytes(),
        text.replace(' ', "+").into_bytes(),
        text.replace(' ', "%20").into_bytes(),
    ];
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    all.push(hex.to_uppercase().into_bytes());
    all.push(hex.into_bytes());
    for before in 0..3 {
        let encoded = BASE64.encode([&vec![0; before], text.as_bytes()].concat());
        let inner = &encoded[(before * 8).div_ceil(6)..encoded.len() - 1];
        all.push(inner.as_bytes().to_vec());
        let url = inner.replace('+', "-").replace('/', "_");
        all.push(url.into_bytes());
    }
    all
}

/// The files in which one of the texts can be read in any disguise.
fn readable<'a>(folder: &Path, texts: &[&'a str]) -> Vec<(PathBuf, &'a str)> {
    let (mut patterns, mut whose) = (Vec::new(), Vec::new());
    for text in texts {
        let disguises = disguises(text);
        whose.extend(disguises.iter().map(|_| *text));
        patterns.extend(disguises);
    }
    let search = aho_corasick::AhoCorasick::new(patterns).unwrap();
    let mut found = Vec::new();
    for path in files(folder) {
        // A server may delete its own files while they are looked at.
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let mut texts: Vec<_> = search
            .find_iter(&bytes)
            .map(|hit| whose[hit.pattern()])
            .collect();
        texts.sort_unstable();
        texts.dedup();
        found.extend(texts.into_iter().map(|text| (path.clone(), text)));
    }
    found
}

/// Waits for something that will be there.
async fn soon<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let missing = || "not yet".to_owned();
    eventually(what, async || look().await.ok_or_else(missing)).await
}

fn checkout() -> Value {
    json!({
        "email": EMAIL,
        "shipping_address": {"name": NAME, "line1": STREET, "city": "Town",
            "postcode": "SW1A 1AA", "country": "GB", "phone": PHONE},
        "payment": {"provider": "sandbox", "token": "tok_visa"},
    })
}

async fn buys(shop: &Shop, buyer: &Api) -> Order {
    let path = format!("/api/carts/{}", buyer.new_cart().await);
    let lines = Buying::one("MUG", 1, "tok_visa").lines();
    buyer.post(&format!("{path}/lines"), lines).await.ok();
    let placed = buyer.post(&format!("{path}/checkout"), checkout()).await;
    let order = Order::of(&placed.ok());
    assert_eq!(order_status(&shop.settled(&order).await), "confirmed");
    order
}

/// A customer whom every service knows: their API, session, id, person, and order.
struct Known {
    api: Api,
    session: String,
    id: String,
    person: String,
    order: Order,
}

async fn known(shop: &Shop) -> Known {
    shop.product("MUG", 750, 100).await;
    let register = json!({"email": EMAIL, "password": PASSWORD});
    let account = shop.guest().post("/api/identity/register", register).await;
    let account = account.ok();
    let text = |name: &str| account[name].as_str().unwrap().to_owned();
    let (api, session) = (shop.with(&text("access_token")), text("session_token"));
    let me = api.get("/api/identity/me").await.ok();
    let id = me["id"].as_str().unwrap().to_owned();
    let profile = json!({"name": NAME, "phone": PHONE});
    let patch = api.request(reqwest::Method::PATCH, "/api/customers/me");
    api.try_send(patch.json(&profile)).await.unwrap().ok();
    let address = checkout()["shipping_address"].clone();
    api.post("/api/customers/me/addresses", address).await.ok();
    let note = json!({"text": NOTE});
    let notes = format!("/api/customers/{id}/notes");
    shop.staff().post(&notes, note).await.ok();
    let order = buys(shop, &api).await;
    soon("the shop can tell all it knows", async || {
        let all = api.get("/api/customers/me/export").await.ok();
        let text = all.to_string();
        let told = ALL.iter().all(|wanted| text.contains(wanted));
        let paid = all["services"]["payments"].as_array()?;
        (told && !paid.is_empty() && all["order_history"][0]["status"] == "confirmed").then_some(())
    })
    .await;
    Known {
        person: me["person"].as_str().unwrap().to_owned(),
        api,
        session,
        id,
        order,
    }
}

/// Erases them, and waits until it is done everywhere.
async fn erase(shop: &Shop, known: &Known) {
    let confirm = json!({"confirm": known.id});
    let own = known.api.post("/api/customers/me/erase", confirm.clone());
    own.await.ok();
    let path = format!("/api/customers/{}/erase", known.id);
    soon("every key is deleted", async || {
        let view = shop.staff().post(&path, confirm.clone()).await.ok();
        (view["deleted"] == view["persons"]).then_some(())
    })
    .await;
    soon("the account is closed", async || {
        let me = shop.with(&known.session).get("/api/identity/me").await;
        (me.status == 401).then_some(())
    })
    .await;
}

/// No service tells anything of them, and nothing else is lost.
async fn nobody_knows(shop: &Shop, known: &Known) {
    let staff = shop.staff();
    let order = soon("the order is without its buyer", async || {
        let path = format!("/api/orders/{}", known.order.id);
        let order = staff.get(&path).await.ok();
        order["email"].is_null().then_some(order)
    })
    .await;
    assert_eq!(order_status(&order), "confirmed");
    assert_eq!(order["totals"]["total"]["amount"], 750);
    let customer = format!("/api/customers/{}", known.id);
    let mut told = vec![order.to_string()];
    for path in [
        customer.clone(),
        format!("{customer}/export"),
        format!("{customer}/notes"),
    ] {
        told.push(staff.get(&path).await.ok().to_string());
    }
    for text in ALL {
        assert!(
            !told.iter().any(|told| told.contains(text)),
            "{text}: {told:?}"
        );
    }
    let login = json!({"email": EMAIL, "password": PASSWORD});
    let login = shop.guest().post("/api/identity/login", login).await;
    login.refused(401);
    no_dead_letters(shop).await;
}

#[test]
fn the_search_finds_a_text_in_every_disguise() {
    let folder = tempfile::tempdir().unwrap();
    let hex = |text: &str| -> String { text.bytes().map(|b| format!("{b:02x}")).collect() };
    let around = |before: &str| BASE64.encode(format!("{before}{STREET}, and more"));
    let texts = [
        format!("..{STREET}.."),
        STREET.to_lowercase(),
        hex(STREET),
        hex(STREET).to_uppercase(),
        around(""),
        around("x"),
        around("xy"),
        around("xyz").replace('+', "-").replace('/', "_"),
    ];
    for text in texts {
        std::fs::write(folder.path().join("file"), &text).unwrap();
        let found = readable(folder.path(), &[NAME, STREET]);
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found[0].1, STREET);
    }
    std::fs::write(folder.path().join("file"), "42 Unforgettable").unwrap();
    assert!(readable(folder.path(), &[NAME, STREET]).is_empty());
}

fn nowhere(shop: &Shop, when: &str) {
    let found = readable(shop.folder(), &ALL);
    assert!(found.is_empty(), "{when}: {found:?}");
}

#[tokio::test]
async fn an_erased_customer_can_be_read_nowhere() {
    let mut shop = Shop::start_with(&["--log", "debug"]);
    let known = known(&shop).await;
    erase(&shop, &known).await;
    nobody_knows(&shop, &known).await;
    nowhere(&shop, "while the shop is open");
    let number = known.order.view["number"].as_str().unwrap();
    assert!(
        !readable(shop.folder(), &[number]).is_empty(),
        "the search finds what is there"
    );

    // Killed: also what only the write-ahead logs hold is looked at.
    shop.kill();
    nowhere(&shop, "after a crash");
    let ring = shop.data().join("keyring.db");
    let ring = runtime::SqliteKeyRing::open(&ring, std::sync::Arc::new(runtime::RandomIds));
    let person = known.person.parse().unwrap();
    let opened = kernel::KeyRing::open(&ring.unwrap(), &person, &[0; 64]);
    assert!(opened.unwrap().is_none(), "the key is still there");

    shop.open();
    nobody_knows(&shop, &known).await;
    // Whoever they are now, they begin anew with the same address.
    let register = json!({"email": EMAIL, "password": PASSWORD});
    let again = shop.guest().post("/api/identity/register", register).await;
    assert_ne!(again.ok()["account"], known.id);
}

#[tokio::test]
async fn an_erased_guest_can_be_read_nowhere() {
    let mut shop = Shop::start();
    shop.product("MUG", 750, 100).await;
    let order = buys(&shop, &shop.guest()).await;
    let number = order.view["number"].as_str().unwrap();
    let ask = json!({"order_number": number, "email": EMAIL});
    soon("the key is deleted", async || {
        let path = "/api/customers/erase-guest";
        let answer = shop.staff().post(path, ask.clone()).await;
        (answer.status == 202 && answer.body["deleted"] == 1).then_some(())
    })
    .await;
    let path = format!("/api/orders/{}", order.id);
    let view = shop.with(&order.token).get(&path).await.ok();
    assert!(
        view["email"].is_null() && view["shipping_address"].is_null(),
        "{view}"
    );
    shop.kill();
    nowhere(&shop, "after a crash");
}

#[tokio::test]
async fn an_erased_customer_can_be_read_nowhere_among_many_processes_either() {
    let mut shop = Shop::start_with(&["--processes", "--provider-timeout-ms", "1000"]);
    let known = known(&shop).await;
    erase(&shop, &known).await;
    nobody_knows(&shop, &known).await;
    nowhere(&shop, "while the shop is open");
    assert!(shop.terminate(), "it ends well");
    nowhere(&shop, "after it was closed");
}
