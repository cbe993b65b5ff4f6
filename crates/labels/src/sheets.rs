//! Pick lists and packing slips, on A4.

use crate::{
    barcode::BarcodeError,
    page::{Font, Page, file},
    text::clip,
};

/// What a sheet says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// The order's number.
    pub order: String,
    /// The fulfilment: also its code, for scanners; 1 to 40 visible ASCII characters, or longer
    /// (then the sheet has its QR code alone).
    pub fulfilment: String,
    /// The shop's address, line by line.
    pub sender: Vec<String>,
    /// Where to, line by line.
    pub recipient: Vec<String>,
    /// Where from: the stock location.
    pub location: String,
    /// What.
    pub lines: Vec<SheetLine>,
}

/// A line of a sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SheetLine {
    /// What.
    pub sku: String,
    /// Its name.
    pub title: String,
    /// How many.
    pub quantity: i64,
}

const WIDTH: f32 = 595.3;
const HEIGHT: f32 = 841.9;
const LEFT: f32 = 50.0;
const INNER: f32 = WIDTH - 2.0 * LEFT;
const ROW: f32 = 20.0;
/// Rows on the first page and on the others.
const FIRST: usize = 25;
const LATER: usize = 34;

/// What is to be fetched from where, with boxes to tick.
///
/// # Errors
/// When the fulfilment cannot be a code.
pub fn pick_list(sheet: &Sheet) -> Result<Vec<u8>, BarcodeError> {
    pages("Pick list", sheet, true)
}

/// What lies in the parcel, for whom it is for.
///
/// # Errors
/// When the fulfilment cannot be a code.
pub fn packing_slip(sheet: &Sheet) -> Result<Vec<u8>, BarcodeError> {
    pages("Packing slip", sheet, false)
}

fn pages(title: &str, sheet: &Sheet, boxes: bool) -> Result<Vec<u8>, BarcodeError> {
    let (first, rest) = sheet.lines.split_at(sheet.lines.len().min(FIRST));
    let count = 1 + rest.len().div_ceil(LATER);
    let mut drawn = Vec::with_capacity(count);
    let mut page = Page::new(WIDTH, HEIGHT);
    head(&mut page, title, sheet)?;
    table(&mut page, first, 610.0, boxes);
    foot(&mut page, 1, count);
    drawn.push(page);
    for (i, lines) in rest.chunks(LATER).enumerate() {
        let mut page = Page::new(WIDTH, HEIGHT);
        let title = format!("{title} {}", sheet.order);
        page.text(LEFT, 800.0, 11.0, Font::Bold, &clip(&title, 60));
        table(&mut page, lines, 770.0, boxes);
        foot(&mut page, i + 2, count);
        drawn.push(page);
    }
    Ok(file(drawn))
}

fn head(page: &mut Page, title: &str, sheet: &Sheet) -> Result<(), BarcodeError> {
    page.text(LEFT, 785.0, 20.0, Font::Bold, title);
    let order = format!("Order {}", sheet.order);
    page.text(LEFT, 765.0, 12.0, Font::Plain, &clip(&order, 50));
    page.text(LEFT, 748.0, 10.0, Font::Plain, &clip(&sheet.location, 60));
    page.qr(WIDTH - LEFT - 70.0, 735.0, 70.0, &sheet.fulfilment)?;
    column(page, LEFT, "From", &sheet.sender);
    column(page, LEFT + INNER / 2.0, "To", &sheet.recipient);
    Ok(())
}

fn column(page: &mut Page, x: f32, title: &str, lines: &[String]) {
    page.text(x, 722.0, 8.0, Font::Plain, title);
    let mut y = 708.0;
    for line in lines.iter().take(7) {
        page.text(x, y, 10.0, Font::Plain, &clip(line, 42));
        y -= 13.0;
    }
}

fn table(page: &mut Page, lines: &[SheetLine], top: f32, boxes: bool) {
    let quantity = LEFT + 24.0;
    let (sku, title) = (quantity + 50.0, quantity + 170.0);
    page.text(quantity, top, 9.0, Font::Bold, "Quantity");
    page.text(sku, top, 9.0, Font::Bold, "SKU");
    page.text(title, top, 9.0, Font::Bold, "Item");
    page.rule(LEFT, top - 5.0, INNER);
    let mut y = top - ROW;
    for line in lines {
        if boxes {
            page.square(LEFT, y - 2.0, 11.0);
        }
        page.text(quantity, y, 11.0, Font::Bold, &line.quantity.to_string());
        page.text(sku, y, 9.0, Font::Plain, &clip(&line.sku, 22));
        page.text(title, y, 9.0, Font::Plain, &clip(&line.title, 54));
        page.rule(LEFT, y - 6.0, INNER);
        y -= ROW;
    }
}

fn foot(page: &mut Page, number: usize, count: usize) {
    let text = format!("Page {number} of {count}");
    page.text(WIDTH - LEFT - 60.0, 30.0, 8.0, Font::Plain, &text);
}
