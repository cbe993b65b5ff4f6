//! The label of a parcel, on A6 (105 × 148 mm).

use crate::{
    barcode::BarcodeError,
    page::{Font, Page, file},
    text::clip,
};

/// What a label says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// The carrier, in large letters.
    pub carrier: String,
    /// The way of shipping, such as `Standard delivery`.
    pub service: String,
    /// The tracking number: 1 to 40 visible ASCII characters.
    pub number: String,
    /// Where from, line by line.
    pub sender: Vec<String>,
    /// Where to, line by line.
    pub recipient: Vec<String>,
    /// For the sender's people: the order's number.
    pub reference: String,
    /// Grams.
    pub weight_grams: i64,
    /// Which parcel of how many, such as `1/2`.
    pub parcel: String,
}

const WIDTH: f32 = 297.6;
const HEIGHT: f32 = 419.5;
const LEFT: f32 = 16.0;
const INNER: f32 = WIDTH - 2.0 * LEFT;
/// Lines that fit, and characters on them.
const LINES: usize = 7;
const CHARACTERS: usize = 40;

/// The label as a PDF of one page.
///
/// # Errors
/// When the number cannot be a barcode.
pub fn pdf(label: &Label) -> Result<Vec<u8>, BarcodeError> {
    let mut page = Page::new(WIDTH, HEIGHT);
    page.text(LEFT, 392.0, 20.0, Font::Bold, &clip(&label.carrier, 18));
    page.text(
        LEFT,
        377.0,
        9.0,
        Font::Plain,
        &clip(&label.service, CHARACTERS),
    );
    page.rule(LEFT, 370.0, INNER);
    page.text(LEFT, 359.0, 7.0, Font::Plain, "From");
    let mut y = 349.0;
    for line in label.sender.iter().take(LINES) {
        page.text(LEFT, y, 8.0, Font::Plain, &clip(line, 50));
        y -= 10.0;
    }
    page.rule(LEFT, 275.0, INNER);
    page.text(LEFT, 263.0, 7.0, Font::Plain, "To");
    y = 246.0;
    for line in label.recipient.iter().take(LINES) {
        page.text(LEFT, y, 12.0, Font::Bold, &clip(line, 32));
        y -= 15.0;
    }
    page.rule(LEFT, 138.0, INNER);
    bars(&mut page, &label.number)?;
    page.qr(WIDTH - LEFT - 44.0, 10.0, 44.0, &label.number)?;
    let kilograms = format!(
        "{}.{:03} kg",
        label.weight_grams / 1_000,
        label.weight_grams % 1_000
    );
    page.text(
        LEFT,
        36.0,
        10.0,
        Font::Bold,
        &format!("{}   {kilograms}", label.parcel),
    );
    page.text(LEFT, 22.0, 8.0, Font::Plain, &clip(&label.reference, 40));
    Ok(file(vec![page]))
}

fn bars(page: &mut Page, number: &str) -> Result<(), BarcodeError> {
    let modules = Page::code128_modules(number)?;
    // The standard asks for ten modules of white on both sides; the paper's margin gives some.
    let module = (INNER / (modules + 10.0)).min(1.4);
    let x = (WIDTH - modules * module) / 2.0;
    page.code128(x, 78.0, module, 52.0, number)?;
    page.text(x, 64.0, 11.0, Font::Bold, number);
    Ok(())
}
