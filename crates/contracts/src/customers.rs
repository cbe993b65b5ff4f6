//! What customers publishes, and the types of its API.

use kernel::event_set;
use serde::{Deserialize, Serialize};

use crate::identity::CustomerId;

/// A customer is in these groups and segments from now on: the fact that prices and promotions go by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerGroupsChanged {
    /// Who.
    pub customer_id: CustomerId,
    /// Codes of groups and segments, sorted: the whole set, not a difference.
    pub groups: Vec<String>,
}

event_set! {
    /// The life of a customer's profile.
    pub enum CustomerEvent {
        /// Groups or segments changed.
        GroupsChanged(CustomerGroupsChanged) = "customers.customer.groups_changed.v1",
    }
}
