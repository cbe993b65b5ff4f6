//! Shopify exports, good and bad, in small files of our own.

use contracts::{catalog::ProductStatus, inventory::BackorderPolicy};
use importers::{ImportRow, RowIssue, shopify};
use kernel::{Currency, Money};
use proptest::prelude::*;

const HEADER: &str = "Handle,Title,Body (HTML),Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,Variant Requires Shipping,Variant Barcode,Image Src,Image Alt Text,Variant Image\n";

/// A whole row of a product without options.
fn plain(handle: &str, sku: &str, price: &str) -> String {
    format!(
        "{handle},The {handle},,Lamps,,true,Title,Default Title,,,{sku},,shopify,3,deny,{price},,true,,,,\n"
    )
}

fn read(rows: &[&str]) -> Vec<Result<ImportRow, RowIssue>> {
    let text = format!("{HEADER}{}", rows.concat());
    let scattered = shopify::scattered_handles(text.as_bytes());
    shopify::read(text.as_bytes(), Currency::GBP)
        .rejecting(scattered)
        .collect()
}

/// `Ok(handle)` or `Err(what is wrong)` for each.
fn outline(read: &[Result<ImportRow, RowIssue>]) -> Vec<Result<&str, String>> {
    let outline = |one: &'_ Result<ImportRow, RowIssue>| {
        one.as_ref()
            .map(|r| r.product.handle.clone())
            .map_err(ToString::to_string)
    };
    read.iter()
        .map(|one| match one {
            Ok(row) => Ok(row.product.handle.as_str()),
            Err(_) => Err(outline(one).unwrap_err()),
        })
        .collect()
}

#[test]
fn variants_options_and_pictures_come_from_several_rows() {
    let found = read(&[
        "scarf,Silk scarf,\"<p>Soft, \"\"very\"\" soft</p>\",Scarves,\"silk, gift\",true,Colour,Red,Size,S,SC-R-S,85,shopify,4,deny,24.50,30.00,true,'5012345678900,https://img.example/1.png,A red scarf,https://img.example/r.png\n",
        "scarf,,,,,,,Red,,L,,90,shopify,-2,continue,26.00,20.00,true,,https://img.example/2.png,,\n",
        "scarf,,,,,,,,,,,,,,,,,,,//img.example/3.png,,\n",
        &plain("lamp", "L-1", "9"),
    ]);
    assert_eq!(outline(&found), [Ok("scarf"), Ok("lamp")]);
    let row = found[0].as_ref().unwrap();
    let product = &row.product;
    assert_eq!(row.row, 2);
    assert_eq!(product.description, "<p>Soft, \"very\" soft</p>");
    assert_eq!(product.status, Some(ProductStatus::Published));
    assert_eq!(product.tags, ["silk", "gift"]);
    assert_eq!(product.categories, ["Scarves"]);
    assert_eq!(product.options[0].values, ["Red"]);
    assert_eq!(product.options[1].values, ["S", "L"]);
    let urls: Vec<&str> = product.media.iter().map(|m| m.url.as_str()).collect();
    assert_eq!(
        urls,
        [
            "https://img.example/1.png",
            "https://img.example/2.png",
            "https://img.example/3.png"
        ]
    );
    let [small, large] = &product.variants[..] else {
        panic!("{product:?}")
    };
    assert_eq!(small.prices, [Money::new(2_450, Currency::GBP)]);
    assert_eq!(small.compare_at, [Money::new(3_000, Currency::GBP)]);
    assert_eq!(small.barcode.as_deref(), Some("5012345678900"));
    assert_eq!(small.weight_grams, Some(85));
    assert!(small.media.is_some());
    assert_eq!(large.sku, "scarf-red-l", "made of handle and options");
    assert!(
        large.compare_at.is_empty(),
        "a was-price below the price is none"
    );
    let stock: Vec<_> = row
        .stock
        .iter()
        .map(|s| (s.quantity, s.backorder))
        .collect();
    assert_eq!(
        stock,
        [(4, BackorderPolicy::Deny), (0, BackorderPolicy::Allow)]
    );
    assert_eq!(row.warnings.len(), 1, "the negative stock");
    assert!(
        found[1].as_ref().unwrap().product.options.is_empty(),
        "Default Title is no option"
    );
}

#[test]
fn what_shopify_did_not_count_is_sold_without_end() {
    let found = read(&["gift,Gift,,,,true,Title,Default Title,,,G,,,7,deny,5.00,,false,,,,\n"]);
    let row = found[0].as_ref().unwrap();
    assert_eq!(
        (row.stock[0].quantity, row.stock[0].backorder),
        (7, BackorderPolicy::Allow)
    );
    assert!(!row.product.variants[0].requires_shipping);
}

#[test]
fn a_repeated_sku_is_replaced_and_told() {
    let found = read(&[&plain("a", "SAME", "1"), &plain("b", "SAME", "1")]);
    let skus: Vec<&str> = found
        .iter()
        .map(|r| r.as_ref().unwrap().stock[0].sku.as_str())
        .collect();
    assert_eq!(skus, ["SAME", "b"]);
    let warning = found[1].as_ref().unwrap().warnings[0].to_string();
    assert_eq!(
        warning,
        "row 3, Variant SKU: `SAME` was there before; this variant became `b`"
    );
}

#[test]
fn a_product_with_a_bad_row_is_rejected_whole_and_the_others_kept() {
    let found = read(&[
        &plain("good", "G", "1"),
        "bad,Bad,,,,true,Size,S,,,B-S,,shopify,1,deny,5.00,,true,,,,\n",
        "bad,,,,,,,M,,,B-M,,shopify,1,deny,five,,true,,,,\n",
        "bad,,,,,,,L,,,B-L,,shopify,x,deny,5.00,,true,,,,\n",
        &plain("free", "F", ""),
        "bare,,,,,true,Title,Default Title,,,N,,shopify,1,deny,1.00,,true,,,,\n",
        &plain("last", "Z", "1"),
    ]);
    assert_eq!(
        outline(&found),
        [
            Ok("good"),
            Err("row 4, Variant Price: not a price in GBP: write it like 19.99, with at most 2 decimals".into()),
            Err("row 5, Variant Inventory Qty: not a whole number".into()),
            Err("row 6, Variant Price: the price is missing".into()),
            Err("row 7, Title: is missing".into()),
            Ok("last"),
        ]
    );
    assert_eq!(
        found[1].as_ref().unwrap_err().product.as_deref(),
        Some("bad")
    );
}

#[test]
fn rows_of_a_product_must_stand_together() {
    let rows = [
        plain("a", "A", "1"),
        plain("b", "B", "1"),
        plain("a", "A2", "1"),
        plain("c", "C", "1"),
    ];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let found = read(&rows);
    assert_eq!(
        outline(&found),
        [
            Err("row 2, Handle: the rows of this product do not stand together".into()),
            Ok("b"),
            Err("row 4, Handle: this handle was there before, at row 2: the rows of a product must stand together".into()),
            Ok("c"),
        ],
        "nothing of it is taken"
    );
}

#[test]
fn broken_quotes_and_bad_encoding_reject_their_product_only() {
    let mut text = HEADER.as_bytes().to_vec();
    text.extend(plain("one", "O", "1").bytes());
    text.extend(b"two,\"Two,,,,true,Title,Default Title,,,T,,shopify,1,deny,1.00,,true,,,,\n");
    text.extend(plain("three", "H", "1").bytes());
    text.extend(b"four,Fo\xffur,,,,true,Size,S,,,F1,,shopify,1,deny,1.00,,true,,,,\n");
    text.extend(b"four,,,,,,,M,,,F2,,shopify,1,deny,1.00,,true,,,,\n");
    text.extend(b"five,too,few\n");
    text.extend(plain("six", "S", "1").bytes());
    let found: Vec<_> = shopify::read(&text[..], Currency::GBP).collect();
    let good: Vec<&str> = found
        .iter()
        .flatten()
        .map(|r| r.product.handle.as_str())
        .collect();
    assert_eq!(good, ["one", "three", "six"]);
    let rows: Vec<u64> = found
        .iter()
        .filter_map(|r| r.as_ref().err())
        .map(|e| e.row)
        .collect();
    assert_eq!(rows, [3, 5, 7]);
}

#[test]
fn an_unreadable_row_without_a_handle_rejects_what_it_may_belong_to() {
    let (a, b, c) = (
        plain("a", "A", "1"),
        plain("b", "B", "1"),
        plain("c", "C", "1"),
    );
    let found = read(&[&a, "\"oops\n", &b, &c]);
    let good: Vec<&str> = found
        .iter()
        .flatten()
        .map(|r| r.product.handle.as_str())
        .collect();
    assert_eq!(good, ["c"]);
}

#[test]
fn a_wrong_header_is_one_error() {
    let found: Vec<_> = shopify::read(&b"Name,Price\nx,1\n"[..], Currency::GBP).collect();
    assert_eq!(
        outline(&found),
        [Err("row 1: the header lacks the column `Handle`, `Title`, `Option1 Name`, `Option1 Value`, `Variant Price`".into())]
    );
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        shopify::read(&bytes[..], Currency::GBP).for_each(drop);
        let text = [HEADER.as_bytes(), &bytes].concat();
        let scattered = shopify::scattered_handles(&text[..]);
        shopify::read(&text[..], Currency::GBP).rejecting(scattered).for_each(drop);
    }

    #[test]
    fn any_fields_are_survived_and_what_is_taken_is_whole(
        rows in proptest::collection::vec(proptest::collection::vec(
            prop_oneof![Just(String::new()), Just("a".to_owned()), Just("1".to_owned()), Just("true".to_owned()), "[ -~\n]{0,6}"], 22), 0..12))
    {
        let mut text = HEADER.to_owned();
        for row in &rows {
            let fields: Vec<String> = row.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect();
            text.push_str(&fields.join(","));
            text.push('\n');
        }
        for row in shopify::read(text.as_bytes(), Currency::GBP).flatten() {
            prop_assert!(!row.product.variants.is_empty() && !row.product.title.is_empty());
            prop_assert_eq!(row.product.variants.len(), row.stock.len());
            prop_assert!(row.stock.iter().all(|s| s.quantity >= 0 && !s.sku.is_empty()));
        }
    }
}
