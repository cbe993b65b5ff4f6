//! The label of a parcel in ZPL II, the language of label printers (Zebra), at 203 dots to the
//! inch on 4 × 6 inch paper.

use std::fmt::Write as _;

use crate::{
    barcode::{BarcodeError, code128},
    label::Label,
    text::clip,
};

/// The label as ZPL. Text goes as UTF-8 (`^CI28`): what the printer's font does not have, it
/// leaves out.
///
/// # Errors
/// When the number cannot be a barcode.
pub fn zpl(label: &Label) -> Result<String, BarcodeError> {
    code128(&label.number)?;
    let mut out = String::from("^XA\n^CI28\n^PW812\n^LL1218\n");
    let mut field = |x: u32, y: u32, size: u32, text: &str| {
        let _ = writeln!(out, "^FO{x},{y}^A0N,{size},{size}^FH^FD{}^FS", escape(text));
    };
    field(40, 40, 60, &clip(&label.carrier, 20));
    field(40, 110, 30, &clip(&label.service, 45));
    for (i, line) in (0u32..).zip(label.sender.iter().take(7)) {
        field(40, 170 + 32 * i, 26, &clip(line, 50));
    }
    for (i, line) in (0u32..).zip(label.recipient.iter().take(7)) {
        field(40, 430 + 48 * i, 42, &clip(line, 36));
    }
    let grams = label.weight_grams;
    let about = format!(
        "{}   {}.{:03} kg",
        label.parcel,
        grams / 1_000,
        grams % 1_000
    );
    field(40, 1_080, 34, &about);
    field(40, 1_130, 28, &clip(&label.reference, 40));
    let number = escape(&label.number);
    // Character set B from the start, so that the digits are not packed in pairs: as in the PDF.
    let _ = writeln!(out, "^FO40,800^BY3^BCN,160,Y,N,N,N^FH^FD>:{number}^FS");
    let _ = writeln!(out, "^FO620,1020^BQN,2,6^FH^FDMA,{number}^FS");
    out.push_str("^XZ\n");
    Ok(out)
}

/// A field's text: what is a command to the printer is written as hexadecimal (`^FH`).
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '^' | '~' | '_' | '\\' => {
                let _ = write!(out, "_{:02X}", u32::from(c));
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_command_the_printer() {
        let label = Label {
            number: "SP123456785GB".into(),
            recipient: vec!["^XZ~JR Zoë_\n".into()],
            ..Label::default()
        };
        let zpl = zpl(&label).expect("a label");
        assert_eq!(zpl.matches("^XZ").count(), 1);
        assert!(!zpl.contains('~'));
        assert!(zpl.contains("_5EXZ_7EJR Zoë_5F"));
        assert!(zpl.contains("^FD>:SP123456785GB^FS"));
    }

    #[test]
    fn what_is_no_barcode_is_refused() {
        for number in ["", "with space", "ümlaut", &"1".repeat(41)] {
            let label = Label {
                number: (*number).into(),
                ..Label::default()
            };
            assert_eq!(zpl(&label), Err(BarcodeError::Text));
            assert_eq!(crate::pdf(&label), Err(BarcodeError::Text));
        }
    }
}
