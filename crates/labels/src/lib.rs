//! What a shop prints to send goods: shipping labels (PDF and ZPL) with a Code 128 and a QR code
//! that scanners read, pick lists and packing slips (PDF). Pure: data in, bytes out.
//!
//! PDF text uses the base fonts every reader has (Helvetica, WinAnsi encoding), so nothing is
//! embedded. A character they do not have is written in the Latin letters nearest to it
//! (Москва → Moskva, Łódź → Lódz, 東京 → Dong Jing): what carriers ask of addresses abroad.

mod barcode;
mod label;
mod page;
pub mod s10;
mod sheets;
mod text;
mod zpl;

pub use barcode::BarcodeError;
pub use label::{Label, pdf};
pub use sheets::{Sheet, SheetLine, packing_slip, pick_list};
pub use text::latin;
pub use zpl::zpl;
