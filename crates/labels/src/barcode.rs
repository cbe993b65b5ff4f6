//! Bars and squares, as modules that are dark or not.

use barcoders::sym::code128::Code128;
use qrcode::{Color, EcLevel, QrCode};

/// A text cannot be made into a code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BarcodeError {
    /// Empty, longer than 40 characters, or not visible ASCII.
    #[error("a barcode takes 1 to 40 visible ASCII characters")]
    Text,
}

/// Code 128 (ISO/IEC 15417): one `true` for each dark module, from the left.
pub fn code128(text: &str) -> Result<Vec<bool>, BarcodeError> {
    if !(1..=40).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(BarcodeError::Text);
    }
    // Character set B holds all visible ASCII.
    let symbol = Code128::new(format!("\u{0181}{text}")).map_err(|_| BarcodeError::Text)?;
    Ok(symbol.encode().into_iter().map(|bar| bar == 1).collect())
}

/// A QR code (ISO/IEC 18004).
pub struct Qr {
    /// Modules on each side.
    pub width: usize,
    /// Row by row from the top: dark or not.
    pub dark: Vec<bool>,
}

/// A QR code of a text, readable with a seventh of it damaged.
pub fn qr(text: &str) -> Result<Qr, BarcodeError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M);
    let code = code.map_err(|_| BarcodeError::Text)?;
    Ok(Qr {
        width: code.width(),
        dark: code.to_colors().iter().map(|c| *c == Color::Dark).collect(),
    })
}
