//! A small set of pens over a PDF: text, lines, boxes, codes. Measures are in points, a
//! seventy-second of an inch, from the lower left corner.

use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str};

use crate::{
    barcode::{BarcodeError, code128, qr},
    text::encode,
};

/// The fonts: every reader has them.
#[derive(Clone, Copy)]
pub enum Font {
    /// Helvetica.
    Plain,
    /// Helvetica-Bold.
    Bold,
}

/// One page being drawn.
pub struct Page {
    width: f32,
    height: f32,
    content: Content,
}

impl Page {
    /// An empty page.
    pub fn new(width: f32, height: f32) -> Self {
        Self {
            width,
            height,
            content: Content::new(),
        }
    }

    /// Writes one line of text whose baseline begins at (x, y).
    pub fn text(&mut self, x: f32, y: f32, size: f32, font: Font, text: &str) {
        let name: &[u8] = match font {
            Font::Plain => b"F1",
            Font::Bold => b"F2",
        };
        self.content.begin_text();
        self.content.set_font(Name(name), size);
        self.content.next_line(x, y);
        self.content.show(Str(&encode(text)));
        self.content.end_text();
    }

    /// A thin line across.
    pub fn rule(&mut self, x: f32, y: f32, width: f32) {
        self.fill(x, y, width, 0.7);
    }

    /// The outline of a box.
    pub fn square(&mut self, x: f32, y: f32, side: f32) {
        self.content.set_line_width(0.7);
        self.content.rect(x, y, side, side);
        self.content.stroke();
    }

    fn fill(&mut self, x: f32, y: f32, width: f32, height: f32) {
        self.content.rect(x, y, width, height);
        self.content.fill_nonzero();
    }

    /// A Code 128 of modules `module` wide, its left edge at x. The caller leaves ten modules of
    /// white on both sides.
    pub fn code128(
        &mut self,
        x: f32,
        y: f32,
        module: f32,
        height: f32,
        text: &str,
    ) -> Result<(), BarcodeError> {
        let bars = code128(text)?;
        let mut at = 0;
        while at < bars.len() {
            let run = bars[at..]
                .iter()
                .take_while(|bar| **bar == bars[at])
                .count();
            if bars[at] {
                self.fill(x + at as f32 * module, y, run as f32 * module, height);
            }
            at += run;
        }
        Ok(())
    }

    /// How wide a Code 128 will be, in modules.
    pub fn code128_modules(text: &str) -> Result<f32, BarcodeError> {
        Ok(code128(text)?.len() as f32)
    }

    /// A QR code of this side. The caller leaves white around it.
    pub fn qr(&mut self, x: f32, y: f32, side: f32, text: &str) -> Result<(), BarcodeError> {
        let code = qr(text)?;
        let module = side / code.width as f32;
        for (row, modules) in code.dark.chunks(code.width).enumerate() {
            for (column, dark) in modules.iter().enumerate() {
                if *dark {
                    let left = x + column as f32 * module;
                    let below = y + side - (row + 1) as f32 * module;
                    self.fill(left, below, module, module);
                }
            }
        }
        Ok(())
    }
}

/// The pages as a PDF file.
pub fn file(pages: Vec<Page>) -> Vec<u8> {
    let (catalog, tree, plain, bold) = (Ref::new(1), Ref::new(2), Ref::new(3), Ref::new(4));
    let page_id = |i: usize| Ref::new(5 + 2 * i as i32);
    let content_id = |i: usize| Ref::new(6 + 2 * i as i32);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree)
        .kids((0..pages.len()).map(page_id))
        .count(pages.len() as i32);
    for (id, name) in [(plain, &b"Helvetica"[..]), (bold, b"Helvetica-Bold")] {
        let mut font = pdf.type1_font(id);
        font.base_font(Name(name));
        font.encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (i, drawn) in pages.into_iter().enumerate() {
        let mut page = pdf.page(page_id(i));
        page.media_box(Rect::new(0.0, 0.0, drawn.width, drawn.height));
        page.parent(tree);
        page.contents(content_id(i));
        let mut resources = page.resources();
        let mut fonts = resources.fonts();
        fonts.pair(Name(b"F1"), plain).pair(Name(b"F2"), bold);
        fonts.finish();
        resources.finish();
        page.finish();
        pdf.stream(content_id(i), &drawn.content.finish());
    }
    pdf.finish()
}
