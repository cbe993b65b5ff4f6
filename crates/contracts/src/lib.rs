//! The published language of Souk: the events every service publishes and the API types it speaks,
//! one file per service. Pure data: a type here may be read by anyone and is changed only by adding
//! optional fields or a new version beside the old one; golden files keep old versions readable.

pub mod address;
pub mod cart;
pub mod catalog;
pub mod credit;
pub mod identity;
pub mod inbound;
pub mod inventory;
pub mod notifications;
pub mod orders;
pub mod payments;
pub mod pricing;
pub mod shipping;

/// The wire names of every event any service publishes, with the service that owns it: what the
/// workspace lint checks golden files against.
pub fn all_event_types() -> Vec<(&'static str, &'static str)> {
    use kernel::Event;
    let mut all = Vec::new();
    let mut add = |service, types: &'static [&'static str]| {
        all.extend(types.iter().map(|kind| (service, *kind)));
    };
    add("identity", identity::SigningKeysEvent::TYPES);
    add("identity", identity::EmailEvent::TYPES);
    add("identity", identity::CredentialEvent::TYPES);
    add("identity", identity::CustomerEvent::TYPES);
    add("identity", identity::StaffEvent::TYPES);
    add("identity", identity::AdminEvent::TYPES);
    add("identity", identity::RoleEvent::TYPES);
    add("identity", identity::ApiKeyEvent::TYPES);
    add("identity", identity::SessionEvent::TYPES);
    add("catalog", catalog::ProductEvent::TYPES);
    add("catalog", catalog::CategoryEvent::TYPES);
    add("catalog", catalog::ClaimEvent::TYPES);
    add("inventory", inventory::StockEvent::TYPES);
    add("inventory", inventory::ReservationEvent::TYPES);
    add("inventory", inventory::LocationsEvent::TYPES);
    add("cart", cart::CartEvent::TYPES);
    add("orders", orders::OrderEvent::TYPES);
    add("payments", payments::PaymentEvent::TYPES);
    add("payments", payments::ProviderEventEvent::TYPES);
    add("notifications", notifications::MessageEvent::TYPES);
    add("notifications", notifications::KnownOrderEvent::TYPES);
    add("notifications", notifications::ReaderEvent::TYPES);
    add("notifications", notifications::AddressEvent::TYPES);
    add("notifications", notifications::RestockEvent::TYPES);
    all
}

/// A page of a list: pass `next_cursor` back to get the next one; absent on the last page.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct List<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Opaque; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
