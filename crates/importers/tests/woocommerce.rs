//! WooCommerce exports, good and bad, in small files of our own.

use contracts::{
    catalog::{AttributeValue, ProductStatus},
    inventory::BackorderPolicy,
};
use importers::{ImportRow, RowIssue, woocommerce};
use kernel::{Currency, Money};
use proptest::prelude::*;

const HEADER: &str = "ID,Type,SKU,Name,Published,Visibility in catalog,Short description,Description,In stock?,Stock,Backorders allowed?,Weight (kg),Sale price,Regular price,Categories,Tags,Images,Parent,Grouped products,External URL,Button text,Attribute 1 name,Attribute 1 value(s),Attribute 2 name,Attribute 2 value(s),Download 1 URL\n";

fn read(rows: &[&str]) -> Vec<Result<ImportRow, RowIssue>> {
    let text = format!("{HEADER}{}\n", rows.join("\n"));
    woocommerce::read(text.as_bytes(), Currency::GBP).collect()
}

fn good(found: &[Result<ImportRow, RowIssue>]) -> Vec<&str> {
    found
        .iter()
        .flatten()
        .map(|row| row.product.handle.as_str())
        .collect()
}

fn bad(found: &[Result<ImportRow, RowIssue>]) -> Vec<String> {
    found
        .iter()
        .filter_map(|row| row.as_ref().err())
        .map(ToString::to_string)
        .collect()
}

const HAT: &str = "1,simple,HAT,Felt hat,1,visible,Warm.,\"Line one\\nline two\",1,5,notify,0.25,8,10,\"Clothing > Hats, Gifts\",\"wool, warm\",\"https://img.example/a.png, https://img.example/b.png\",,,,,Colour,Grey,Care,\"Dry clean, Brush\",";
const SHIRT: &str = "2,variable,SHIRT,Shirt,1,visible,,,1,,0,,,,Clothing > Shirts,,,,,,,Colour,\"Red, Blue\",Size,\"S, M\",";

fn variation(id: u32, sku: &str, parent: &str, colour: &str, size: &str, price: &str) -> String {
    format!(
        "{id},variation,{sku},Shirt - {colour},1,visible,,,1,3,0,,,{price},,,https://img.example/{id}.png,{parent},,,,Colour,{colour},Size,{size},"
    )
}

#[test]
fn a_simple_product_is_read_whole() {
    let found = read(&[HAT]);
    let row = found[0].as_ref().unwrap();
    let product = &row.product;
    assert_eq!(
        (row.row, product.handle.as_str(), product.title.as_str()),
        (2, "felt-hat", "Felt hat")
    );
    assert_eq!(product.description, "Line one\nline two");
    assert_eq!(product.categories, ["Clothing > Hats", "Gifts"]);
    assert_eq!(product.tags, ["wool", "warm"]);
    assert_eq!(product.media.len(), 2);
    assert_eq!(
        product.attributes["Colour"],
        AttributeValue::Text("Grey".into())
    );
    assert_eq!(
        product.attributes["Care"],
        AttributeValue::List(vec!["Dry clean".into(), "Brush".into()])
    );
    assert_eq!(
        product.attributes["short_description"],
        AttributeValue::Text("Warm.".into())
    );
    let variant = &product.variants[0];
    assert_eq!(variant.prices, [Money::new(800, Currency::GBP)]);
    assert_eq!(variant.compare_at, [Money::new(1_000, Currency::GBP)]);
    assert_eq!(variant.weight_grams, Some(250));
    assert_eq!(
        (row.stock[0].quantity, row.stock[0].backorder),
        (5, BackorderPolicy::Allow)
    );
}

#[test]
fn variations_find_their_parent_by_sku_or_id_wherever_they_stand() {
    let found = read(&[
        &variation(11, "S-RED-S", "SHIRT", "Red", "S", "20"),
        HAT,
        SHIRT,
        &variation(12, "", "id:2", "Blue", "", "21"),
    ]);
    assert_eq!(good(&found), ["felt-hat", "shirt"]);
    let shirt = found[1].as_ref().unwrap();
    let product = &shirt.product;
    let options: Vec<_> = product
        .options
        .iter()
        .map(|o| (o.name.as_str(), o.values.join("|")))
        .collect();
    assert_eq!(
        options,
        [("Colour", "Blue|Red".into()), ("Size", "Any|S".into())]
    );
    let skus: Vec<&str> = product.variants.iter().map(|v| v.sku.as_str()).collect();
    assert_eq!(skus, ["shirt-blue-any", "S-RED-S"]);
    assert_eq!(
        shirt
            .stock
            .iter()
            .map(|s| s.sku.as_str())
            .collect::<Vec<_>>(),
        skus
    );
    assert!(product.variants.iter().all(|v| v.media.is_some()));
}

#[test]
fn an_attribute_no_variation_fixes_is_no_option() {
    let found = read(&[
        SHIRT,
        &variation(11, "A", "SHIRT", "Red", "", "20"),
        &variation(12, "B", "SHIRT", "Blue", "", "20"),
    ]);
    let product = &found[0].as_ref().unwrap().product;
    assert_eq!(product.options.len(), 1);
    assert_eq!(
        product.attributes["Size"],
        AttributeValue::List(vec!["S".into(), "M".into()])
    );
}

#[test]
fn groups_and_things_sold_elsewhere_are_drafts() {
    let found = read(&[
        "5,grouped,SET,Tea set,1,visible,,,1,,0,,,,,,,,\"HAT, CUP\",,,,,,,",
        "6,external,EXT,A book,1,visible,,,1,,0,,,12,,,,,,https://books.example/1,Buy there,,,,,",
        "7,\"simple, downloadable, virtual\",MP3,Album,1,hidden,,,1,,0,,,9,,,,,,,,,,,,https://files.example/secret.zip",
    ]);
    let rows: Vec<&ImportRow> = found.iter().flatten().collect();
    assert_eq!(rows.len(), 3);
    assert!(
        rows.iter()
            .all(|row| row.product.status == Some(ProductStatus::Draft) && row.warnings.len() == 1)
    );
    assert!(rows[0].product.variants[0].prices.is_empty());
    assert_eq!(
        rows[0].product.attributes["grouped_skus"],
        AttributeValue::List(vec!["HAT".into(), "CUP".into()])
    );
    assert_eq!(
        rows[1].product.attributes["external_url"],
        AttributeValue::Text("https://books.example/1".into())
    );
    assert!(!rows[2].product.variants[0].requires_shipping);
    let written = serde_json::to_string(&rows[2]).unwrap();
    assert!(
        !written.contains("secret"),
        "addresses of downloads are not for everyone"
    );
}

#[test]
fn a_bad_variation_rejects_its_product_whole() {
    let found = read(&[
        SHIRT,
        &variation(11, "A", "SHIRT", "Red", "S", "20"),
        &variation(12, "B", "SHIRT", "Blue", "S", ""),
        &variation(13, "C", "SHIRT", "Red", "S", "20"),
        HAT,
        &variation(14, "D", "GHOST", "Red", "S", "20"),
        &variation(15, "A", "SHIRT", "Red", "M", "20"),
    ]);
    assert_eq!(good(&found), ["felt-hat"]);
    assert_eq!(
        bad(&found),
        [
            "row 7, Parent: there is no variable product `GHOST` in this file",
            "row 4, Regular price: the price is missing",
            "row 8, SKU: `A` is there already, at row 3",
            "row 5: another variation of this product has the same attributes",
        ]
    );
}

#[test]
fn bad_rows_are_told_and_good_ones_kept() {
    let found = read(&[
        "1,simple,A,,1,visible,,,1,,0,,,5,,,,,,,,,,,,",
        "2,simple,B,Bee,maybe,visible,,,1,,0,,,5,,,,,,,,,,,,",
        "3,subscription,C,Sea,1,visible,,,1,,0,,,5,,,,,,,,,,,,",
        "4,simple,D,Dee,1,visible,,,1,2.5,0,,,5,,,,,,,,,,,,",
        "5,simple,E,Ee,1,visible,,,1,,0,,,5.555,,,,,,,,,,,,",
        "6,simple,F,Eff,1,visible,,,1,,0,,,5,,,ftp://x,,,,,,,,,",
        "7,simple,,Gee,1,visible,,,0,,0,,,5,,,,,,,,,,,,",
        "8,simple,H,Gee,1,visible,,,1,,0,,,5,,,,,,,,,,,,",
        "8,simple,I,Eye,1,visible,,,1,,0,,,5,,,,,,,,,,,,",
        "9,variable,V,Vee,1,visible,,,1,,0,,,,,,,,,,,,,,,",
    ]);
    assert_eq!(good(&found), ["gee", "gee-h"]);
    let rows: Vec<u64> = found
        .iter()
        .filter_map(|r| r.as_ref().err())
        .map(|e| e.row)
        .collect();
    assert_eq!(rows, [2, 3, 4, 5, 6, 7, 10, 11]);
    let sold_out = &found.iter().flatten().next().unwrap().stock[0];
    assert_eq!(
        (sold_out.sku.as_str(), sold_out.quantity, sold_out.backorder),
        ("gee", 0, BackorderPolicy::Deny)
    );
}

#[test]
fn a_row_that_may_be_a_variation_rejects_every_variable_product() {
    let child = variation(11, "A", "SHIRT", "Red", "S", "20");
    let found = read(&[SHIRT, &child, "\"broken", HAT]);
    assert_eq!(good(&found), ["felt-hat"]);
    let found = read(&[SHIRT, &child, "9,simple,\"bro\"ken", HAT]);
    assert_eq!(good(&found), ["felt-hat", "shirt"], "this one was none");
}

#[test]
fn a_wrong_header_is_one_error() {
    let found: Vec<_> = woocommerce::read(&b"Handle,Title\nx,y\n"[..], Currency::GBP).collect();
    assert_eq!(
        bad(&found),
        ["row 1: the header lacks the column `Type`, `SKU`, `Name`, `Regular price`"]
    );
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        woocommerce::read(&bytes[..], Currency::GBP).for_each(drop);
        let text = [HEADER.as_bytes(), &bytes].concat();
        woocommerce::read(&text[..], Currency::GBP).for_each(drop);
    }

    #[test]
    fn any_fields_are_survived_and_what_is_taken_is_whole(
        rows in proptest::collection::vec((
            prop_oneof![Just("simple"), Just("variable"), Just("variation"), Just("grouped"), Just("external")],
            prop_oneof![Just("SHIRT"), Just("id:2"), Just("2"), Just("")],
            proptest::collection::vec(prop_oneof![Just(String::new()), Just("2".to_owned()), Just("SHIRT".to_owned()), "[ -~]{0,6}"], 24)), 0..12))
    {
        let mut text = HEADER.to_owned();
        for (kind, parent, row) in &rows {
            let mut fields: Vec<String> = row.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect();
            fields.insert(1, (*kind).to_owned());
            fields.insert(17, (*parent).to_owned());
            text.push_str(&fields.join(","));
            text.push('\n');
        }
        let mut skus = std::collections::HashSet::new();
        for row in woocommerce::read(text.as_bytes(), Currency::GBP).flatten() {
            prop_assert!(!row.product.variants.is_empty() && !row.product.title.is_empty());
            let stock: Vec<&String> = row.stock.iter().map(|s| &s.sku).collect();
            let variants: Vec<&String> = row.product.variants.iter().map(|v| &v.sku).collect();
            prop_assert_eq!(stock, variants);
            for entry in &row.stock {
                prop_assert!(entry.quantity >= 0 && skus.insert(entry.sku.clone()), "{}", entry.sku);
            }
        }
    }
}
