//! The demo catalogue on an empty shop.

use runtime::Runtime;

use crate::failure::Result;

/// Fills an empty catalogue.
pub async fn fill(_runtime: &Runtime) -> Result<()> {
    Ok(())
}
