//! The commands of the binary, run as a person would run them.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use support::{Buying, Shop, eventually, lines_of, order_status, said, souk_in};

const SHOPIFY: &str = "\
Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,Image Src
scarf,Silk scarf,<p>Soft</p>,Weaver,Scarves,\"silk, gift\",true,Colour,Red,SC-RED,85,shopify,4,deny,24.50,30.00,
scarf,,,,,,,,Blue,SC-BLUE,85,shopify,7,continue,24.50,,
lamp,Oil lamp,,Smith,Lamps,,true,Title,Default Title,LAMP,900,shopify,3,deny,9,,
";

const WOOCOMMERCE: &str = "\
ID,Type,SKU,Name,Published,Short description,Description,In stock?,Stock,Backorders allowed?,Regular price,Sale price,Categories,Tags,Images,Parent,Attribute 1 name,Attribute 1 value(s)
1,simple,HAT,Felt hat,1,Warm.,,1,5,0,10,8,Clothing > Hats,wool,,,,
2,variable,SHIRT,Shirt,1,,,1,,0,,,Clothing > Shirts,,,,Colour,\"Red, Blue\"
3,variation,SHIRT-R,Shirt - Red,1,,,1,3,0,12.50,,,,,SHIRT,Colour,Red
4,variation,SHIRT-B,Shirt - Blue,1,,,1,2,0,12.50,,,,,SHIRT,Colour,Blue
";

fn ended_well(output: &Output) -> String {
    let text = said(output);
    assert!(output.status.success(), "{text}");
    text
}

fn ended_badly(output: &Output) -> String {
    let text = said(output);
    assert!(!output.status.success(), "{text}");
    text
}

fn file(shop: &Shop, name: &str, text: &str) -> PathBuf {
    let path = shop.folder().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

async fn head(shop: &Shop, topic: &str) -> i64 {
    let page = shop
        .staff()
        .get(&format!("/api/ops/events/{topic}?limit=1"))
        .await
        .ok();
    page["head"].as_i64().unwrap()
}

#[tokio::test]
async fn product_exports_are_imported_once_however_often() {
    let shop = Shop::start();
    file(&shop, "shopify.csv", SHOPIFY);
    file(&shop, "woocommerce.csv", WOOCOMMERCE);
    for format in ["shopify", "woocommerce"] {
        let name = format!("{format}.csv");
        let text = ended_well(&shop.souk(&["import", format, &name]));
        assert!(
            text.contains("2 products (3 variants): 2 created, 0 updated, 0 unchanged, 0 refused"),
            "{text}"
        );
        let before = (head(&shop, "catalog").await, head(&shop, "inventory").await);
        let text = ended_well(&shop.souk(&["import", format, &name]));
        assert!(
            text.contains("2 products (3 variants): 0 created, 0 updated, 2 unchanged, 0 refused"),
            "{text}"
        );
        let after = (head(&shop, "catalog").await, head(&shop, "inventory").await);
        assert_eq!(
            after, before,
            "a second import of {format} recorded something"
        );
    }
    for (sku, units) in [
        ("SC-RED", 4),
        ("SC-BLUE", 7),
        ("LAMP", 3),
        ("HAT", 5),
        ("SHIRT-R", 3),
        ("SHIRT-B", 2),
    ] {
        assert_eq!(shop.stock(sku).await["available"], units, "{sku}");
    }
    let scarf = shop.guest().get("/api/catalog/products/scarf").await.ok();
    assert_eq!(
        scarf["variants"][0]["prices"][0],
        json!({"amount": 2_450, "currency": "GBP"}),
        "{scarf}"
    );
    let buyable = eventually("the cart hears of the import", async || {
        let cart = shop.guest().new_cart().await;
        let added = shop
            .guest()
            .post(
                &format!("/api/carts/{cart}/lines"),
                json!({"sku": "HAT", "quantity": 1}),
            )
            .await;
        if added.status == 200 {
            Ok(added.body)
        } else {
            Err(added.text)
        }
    })
    .await;
    assert_eq!(
        buyable["totals"]["total"]["amount"], 800,
        "the sale price counts: {buyable}"
    );

    let changed = SHOPIFY.replace(",9,,", ",11,,");
    file(&shop, "shopify.csv", &changed);
    let text = ended_well(&shop.souk(&["import", "shopify", "shopify.csv"]));
    assert!(text.contains("0 created, 1 updated, 1 unchanged"), "{text}");
}

#[tokio::test]
async fn bad_rows_are_named_and_the_good_ones_are_imported() {
    let shop = Shop::start();
    let rows = [
        "vase,Vase,,,,,true,Title,Default Title,VASE,1,shopify,1,deny,not a price,,",
        // Rows of the scarf again, behind another product: half a scarf must not replace a whole one.
        "scarf,,,,,,,,Green,SC-GREEN,85,shopify,7,continue,24.50,,",
        "bowl,Bowl,,,,,true,Title,Default Title,BOWL,1,shopify,1,deny,5,,\n",
    ];
    file(&shop, "mixed.csv", &format!("{SHOPIFY}{}", rows.join("\n")));
    let text = ended_badly(&shop.souk(&["import", "shopify", "mixed.csv"]));
    assert!(
        text.contains("row 5") && text.contains("Variant Price"),
        "{text}"
    );
    assert!(
        text.contains("row 2") && text.contains("do not stand together"),
        "{text}"
    );
    shop.guest()
        .get("/api/catalog/products/scarf")
        .await
        .refused(404);
    shop.guest().get("/api/catalog/products/bowl").await.ok();
    shop.guest().get("/api/catalog/products/lamp").await.ok();
    shop.guest()
        .get("/api/catalog/products/vase")
        .await
        .refused(404);

    let text = ended_badly(&shop.souk(&["import", "shopify", "missing.csv"]));
    assert!(text.contains("cannot open missing.csv"), "{text}");
    file(&shop, "empty.csv", "");
    ended_badly(&shop.souk(&["import", "shopify", "empty.csv"]));
    let without_key = souk_in(
        shop.folder(),
        &[("SOUK_URL", &shop.url)],
        &["import", "shopify", "mixed.csv"],
    );
    assert!(
        ended_badly(&without_key).contains("API key"),
        "{}",
        said(&without_key)
    );
}

#[test]
fn an_import_can_bring_its_own_shop() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shopify.csv"), SHOPIFY).unwrap();
    let arguments = ["import", "shopify", "shopify.csv", "--data", "data"];
    let text = ended_well(&souk_in(folder.path(), &[], &arguments));
    assert!(text.contains("2 created"), "{text}");
    let text = ended_well(&souk_in(folder.path(), &[], &arguments));
    assert!(text.contains("2 unchanged"), "{text}");
}

/// An invoice history of our own making: several prices per code, codes that differ in case only,
/// cancellations in part and in whole, and rows no shop could accept.
fn history(invoices: u32) -> (String, i64, i64) {
    let mut text =
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
            .to_owned();
    let codes = ["22001", "22002A", "22002a", "22003", "85048"];
    let (mut revenue, mut refunds) = (0, 0);
    for n in 0..invoices {
        let (invoice, customer) = (500_000 + n, 12_000 + n % 7);
        let at = format!(
            "2011-01-{:02} {:02}:{:02}:00",
            1 + n / 60 % 28,
            8 + n % 8,
            n % 60
        );
        for line in 0..3 {
            let code = codes[((n + line * 2) % 5) as usize];
            let (quantity, price) = (
                1 + i64::from((n * 3 + line) % 9),
                125 + i64::from((n + line) % 3) * 40,
            );
            revenue += quantity * price;
            let price_text = format!("{}.{:02}", price / 100, price % 100);
            text += &format!(
                "{invoice},{code},\"BOX, {code}\",{quantity},{at},{price_text},{customer},United Kingdom\n"
            );
            // Every fourth invoice gives one unit of its first line back, a month later.
            if line == 0 && n % 4 == 0 {
                refunds += price;
                text += &format!(
                    "C{},{code},\"BOX, {code}\",-1,2011-03-01 10:{:02}:00,{price_text},{customer},United Kingdom\n",
                    600_000 + n,
                    n % 60
                );
            }
        }
    }
    text += "700001,22001,BOX,5,2011-04-01 10:00:00,0,12001,United Kingdom\n";
    text += "700002,22001,BOX,-5,2011-04-01 10:00:00,1.25,12001,United Kingdom\n";
    text += "700003,POST,POSTAGE,1,2011-04-01 10:00:00,18.00,12001,France\n";
    text += "A700004,B,Adjust bad debt,1,2011-04-01 10:00:00,-11062.06,,United Kingdom\n";
    text += "700005,22001,BOX,1,tomorrow,1.25,12001,United Kingdom\n";
    text += "C700006,22001,BOX,-3,2011-04-01 10:00:00,77.00,12001,United Kingdom\n";
    (text, revenue, refunds)
}

fn report(shop: &Shop) -> Value {
    serde_json::from_str(&std::fs::read_to_string(shop.folder().join("report.json")).unwrap())
        .unwrap()
}

const REPLAY: [&str; 5] = [
    "replay",
    "online-retail",
    "history.csv",
    "--report",
    "report.json",
];

#[tokio::test]
async fn a_replay_reconciles_to_the_penny_and_notices_a_single_unit() {
    let shop = Shop::start();
    let (text, revenue, refunds) = history(16);
    file(&shop, "history.csv", &text);
    let said_first = ended_well(&shop.souk(&REPLAY));
    assert!(
        said_first.contains("Reconciled to the penny and the unit"),
        "{said_first}"
    );
    let first = report(&shop);
    assert_eq!(
        (&first["reconciled"], &first["differences"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(
        first["totals"]["revenue"],
        json!({"file": revenue, "services": revenue})
    );
    assert_eq!(
        first["totals"]["ledger_captured"],
        json!({"file": revenue, "services": revenue})
    );
    assert_eq!(
        first["totals"]["ledger_refunded"],
        json!({"file": refunds, "services": refunds})
    );
    assert_eq!(
        first["totals"]["invoices_confirmed"],
        json!({"file": 16, "services": 16})
    );
    assert_eq!(
        first["rejected_rows"].as_array().unwrap().len(),
        5,
        "{}",
        first["rejected_rows"]
    );
    assert_eq!(
        first["unmatched_cancellations"].as_array().unwrap().len(),
        1
    );
    for code in ["22002A", "22002a"] {
        assert!(
            first["per_code"][code]["units"]["services"]
                .as_i64()
                .unwrap()
                > 0,
            "{code}"
        );
    }
    // What matters of the log: services that record orders, money and units.
    let recorded = async || {
        (
            head(&shop, "orders").await,
            head(&shop, "payments").await,
            head(&shop, "inventory").await,
            head(&shop, "cart").await,
        )
    };
    let before = recorded().await;
    ended_well(&shop.souk(&REPLAY));
    assert_eq!(recorded().await, before, "a second replay did something");

    // Without its journal it asks for everything again, and is answered as before.
    for entry in std::fs::read_dir(shop.folder()).unwrap().flatten() {
        if entry.file_name().to_string_lossy().ends_with(".journal") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    ended_well(&shop.souk(&REPLAY));
    let after = recorded().await;
    assert_eq!(
        (after.0, after.1, after.2),
        (before.0, before.1, before.2),
        "a replay without its journal did something twice"
    );

    let lost = json!({"adjustments": [{"sku": "22001", "delta": -1, "reason": "damaged"}]});
    // All units of the file are sold: one has to arrive before one can get lost.
    shop.adjust("22001", 1).await;
    let text = ended_badly(&shop.souk(&REPLAY));
    assert!(
        text.contains("NOT reconciled") && text.contains("DIFFERENCE SKU 22001"),
        "{text}"
    );
    shop.staff()
        .post("/api/inventory/adjustments", lost)
        .await
        .ok();
    ended_badly(&shop.souk(&REPLAY));
    assert_eq!(report(&shop)["reconciled"], false);
}

#[tokio::test]
async fn a_replay_survives_that_the_shop_is_killed_half_way() {
    let mut shop = Shop::start();
    let (text, revenue, _) = history(120);
    file(&shop, "history.csv", &text);
    let mut replay = Command::new(env!("CARGO_BIN_EXE_souk"))
        .args(REPLAY)
        .args(["--parallel", "4", "--url", &shop.url, "--key", &shop.key])
        .current_dir(shop.folder())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = lines_of(replay.stdout.take().unwrap());
    for orders in [25, 60] {
        eventually("the replay places orders", async || {
            let placed = shop.staff().all("/api/orders").await.len();
            if placed >= orders {
                Ok(())
            } else {
                Err(format!("{placed} so far"))
            }
        })
        .await;
        shop.kill();
        shop.open();
    }
    let killed_at = shop.staff().all("/api/orders").await.len();
    let status = tokio::task::spawn_blocking(move || replay.wait().unwrap())
        .await
        .unwrap();
    let text: Vec<String> = lines.iter().collect();
    assert!(status.success(), "{}\n{}", text.join("\n"), shop.log());
    assert!(killed_at < 120, "it was all over when the shop was killed");
    let report = report(&shop);
    assert_eq!(
        report["totals"]["revenue"],
        json!({"file": revenue, "services": revenue})
    );
    assert_eq!(
        report["totals"]["invoices_confirmed"],
        json!({"file": 120, "services": 120})
    );
    ended_well(&shop.souk(&REPLAY));
}

#[tokio::test]
async fn operators_see_events_dead_letters_and_projections() {
    let mut shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let (order, _) = shop.bought(&Buying::one("MUG", 2, "tok_visa")).await;
    shop.stock_settles("MUG", 8).await;

    let text =
        ended_well(&shop.souk(&["events", "tail", "orders", "--after", "0", "--count", "2"]));
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.contains("orders.order.placed.v1") && text.contains(&order.id),
        "{text}"
    );
    let text = ended_well(&shop.souk(&["events", "show", "orders:1"]));
    assert!(text.contains("orders.order.placed.v1"), "{text}");
    assert!(
        !text.contains("buyer@example.com") && !text.contains("High Street"),
        "an event shows personal data: {text}"
    );
    assert!(
        ended_badly(&shop.souk(&["events", "show", "orders:999999"])).contains("there is no event")
    );
    assert!(ended_badly(&shop.souk(&["events", "show", "nonsense"])).contains("topic:position"));

    assert!(ended_well(&shop.souk(&["dead-letters", "list"])).contains("No dead letters."));
    assert!(ended_well(&shop.souk(&["dead-letters", "redrive", "orders"])).contains("0 handled"));

    let listed = ended_well(&shop.souk(&["projections", "list"]));
    assert!(
        listed.contains("orders/") && listed.contains("inventory/"),
        "{listed}"
    );
    let before = (
        shop.staff().all("/api/orders?include=lines").await,
        shop.staff().all("/api/inventory/summary").await,
        shop.staff().all("/api/payments/ledger").await,
    );
    for service in ["orders", "inventory", "payments", "cart", "catalog"] {
        let text = ended_well(&shop.souk(&["projections", "rebuild", service]));
        assert!(text.contains("rebuilt"), "{text}");
    }
    let after = (
        shop.staff().all("/api/orders?include=lines").await,
        shop.staff().all("/api/inventory/summary").await,
        shop.staff().all("/api/payments/ledger").await,
    );
    assert_eq!(
        after, before,
        "read models differ after they were built anew"
    );
    let (_, view) = shop.bought(&Buying::one("MUG", 1, "tok_visa")).await;
    assert_eq!(order_status(&view), "confirmed");
    assert_eq!(shop.stock_settles("MUG", 7).await["sold"], 3);
    assert!(
        ended_badly(&shop.souk(&["projections", "rebuild", "nothing"]))
            .contains("no such projection")
    );

    let data = shop.data();
    let doctor = ["doctor", "--data", data.to_str().unwrap()];
    let text = ended_well(&shop.souk(&doctor));
    assert!(text.contains("0 dead letters"), "{text}");
    assert!(shop.terminate());
    let text = ended_well(&shop.souk(&doctor));
    assert!(
        text.contains("no shop answers") && text.contains("sound"),
        "{text}"
    );
    let damaged = std::fs::read_dir(&data)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|ending| ending == "db"));
    std::fs::write(damaged.unwrap(), vec![7; 20_000]).unwrap();
    assert!(ended_badly(&shop.souk(&doctor)).contains("BAD"));
}

#[test]
fn help_and_the_openapi_document_need_no_shop() {
    let folder = tempfile::tempdir().unwrap();
    let help = ended_well(&souk_in(folder.path(), &[], &["--help"]));
    for command in [
        "up",
        "import",
        "replay",
        "events",
        "dead-letters",
        "projections",
        "doctor",
        "openapi",
    ] {
        assert!(
            help.contains(command),
            "{command} is not in the help:\n{help}"
        );
    }
    let document = ended_well(&souk_in(folder.path(), &[], &["openapi"]));
    let document: Value = serde_json::from_str(&document).unwrap();
    let text = document.to_string();
    for path in [
        "/api/carts/{id}/checkout",
        "/api/orders/{id}",
        "/api/payments/{id}/refund",
        "/api/inventory/adjustments",
    ] {
        assert!(text.contains(path), "{path} is not documented");
    }
    let wrong = souk_in(folder.path(), &[], &["fly"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", said(&wrong));
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "a file was left behind"
    );
}
