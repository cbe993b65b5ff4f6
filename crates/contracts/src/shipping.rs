//! What shipping publishes, and the types of its API: zones, profiles and options, quotes,
//! fulfilments, labels and tracking.

mod api;
mod dispatch;
mod fulfilment;
mod label;
mod plan;
mod quote;
mod work;

pub use api::*;
pub use dispatch::*;
pub use fulfilment::*;
pub use label::*;
pub use plan::*;
pub use quote::*;
pub use work::*;

use kernel::id;

id!(
    /// An offer to ship a cart in a way for a price.
    QuoteId, "quo"
);
id!(
    /// A part of the world that is shipped to in one way.
    ShippingZoneId, "szn"
);
id!(
    /// Items that are shipped in the same way.
    ShippingProfileId, "spf"
);
id!(
    /// A way of shipping that shoppers may choose.
    ShippingOptionId, "sho"
);
id!(
    /// Goods of one order that leave one place together.
    FulfilmentId, "ful"
);
