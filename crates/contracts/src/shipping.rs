//! What shipping publishes, and the types of its API: quotes, options and fulfilments.

mod fulfilment;
mod quote;

pub use fulfilment::*;
pub use quote::*;

use kernel::id;

id!(
    /// An offer to ship a cart in a way for a price.
    QuoteId, "quo"
);
id!(
    /// A way of shipping that shoppers may choose.
    ShippingOptionId, "sho"
);
id!(
    /// Goods of one order that leave one place together.
    FulfilmentId, "ful"
);
