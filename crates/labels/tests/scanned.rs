//! Documents are rendered to pictures and read by an independent program, as a scanner would.
//! Needs `pdftoppm`, `pdftotext` (poppler) and `zbarimg` (zbar).

use std::{path::Path, process::Command};

use labels::{Label, Sheet, SheetLine, packing_slip, pdf, pick_list};
use proptest::prelude::*;

fn run(program: &str, arguments: &[&str], at: &Path) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(at)
        .output()
        .unwrap_or_else(|e| panic!("{program} is needed: {e}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {error}");
    String::from_utf8(output.stdout).expect("text")
}

/// What a scanner reads on the first page of a PDF: `CODE-128:…` and `QR-Code:…`, sorted.
fn scanned(pdf: &[u8]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("it.pdf"), pdf).expect("written");
    let at = folder.path();
    run(
        "pdftoppm",
        &["-r", "300", "-png", "-singlefile", "it.pdf", "it"],
        at,
    );
    let read = run("zbarimg", &["--quiet", "it.png"], at);
    let mut lines: Vec<String> = read.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn text(pdf: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("it.pdf"), pdf).expect("written");
    run("pdftotext", &["-layout", "it.pdf", "-"], folder.path())
}

fn label(number: &str) -> Label {
    Label {
        carrier: "Souk Post".into(),
        service: "Standard delivery".into(),
        number: number.into(),
        sender: vec!["Souk Ltd".into(), "1 Market Street".into(), "GB".into()],
        recipient: vec!["Zoë Čapková".into(), "Straße 5".into(), "10115 Łódź".into()],
        reference: "S-1001".into(),
        weight_grams: 1_250,
        parcel: "1/2".into(),
    }
}

#[test]
fn a_label_is_read_by_a_scanner_and_by_a_person() {
    let pdf = pdf(&label("SP123456785GB")).expect("a label");
    assert_eq!(
        scanned(&pdf),
        ["CODE-128:SP123456785GB", "QR-Code:SP123456785GB"]
    );
    let text = text(&pdf);
    for wanted in [
        "Zoë Capková",
        "Straße 5",
        "10115 Lódz",
        "1.250 kg",
        "1/2",
        "S-1001",
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
}

#[test]
fn sheets_hold_every_line_over_several_pages() {
    let line = |i: i64| SheetLine {
        sku: format!("SKU-{i}"),
        title: format!("Thing № {i} – grün"),
        quantity: i,
    };
    let sheet = Sheet {
        order: "S-1001".into(),
        fulfilment: "ful_0190aax1".into(),
        sender: vec!["Souk Ltd".into()],
        recipient: vec!["Zoë".into()],
        location: "Main".into(),
        lines: (1..=80).map(line).collect(),
    };
    for pdf in [pick_list(&sheet), packing_slip(&sheet)] {
        let pdf = pdf.expect("a sheet");
        assert_eq!(scanned(&pdf), ["QR-Code:ful_0190aax1"]);
        let text = text(&pdf);
        for i in 1..=80 {
            let wanted = format!("Thing No {i} – grün");
            assert!(text.contains(&wanted), "{wanted} in {text}");
        }
        assert!(text.contains("Page 3 of 3"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn any_number_is_read_back(number in "[0-9A-Z]{4,24}") {
        let pdf = pdf(&label(&number)).expect("a label");
        prop_assert_eq!(scanned(&pdf), [format!("CODE-128:{number}"), format!("QR-Code:{number}")]);
    }
}
