//! The published language of Souk: the events every service publishes and the API types it speaks,
//! one file per service. Pure data: a type here may be read by anyone and is changed only by adding
//! optional fields or a new version beside the old one; golden files keep old versions readable.

pub mod address;
pub mod cart;
pub mod catalog;
pub mod credit;
pub mod customers;
pub mod identity;
pub mod inbound;
pub mod inventory;
pub mod notifications;
pub mod orders;
pub mod payments;
pub mod pricing;
pub mod reviews;
pub mod shipping;
pub mod wishlists;

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
    add("shipping", shipping::ShippingPlanEvent::TYPES);
    add("shipping", shipping::QuoteKeysEvent::TYPES);
    add("shipping", shipping::DispatchEvent::TYPES);
    add("shipping", shipping::FulfilmentEvent::TYPES);
    add("customers", customers::CustomerEvent::TYPES);
    add("credit", credit::CreditAccountEvent::TYPES);
    add("credit", credit::CreditHoldEvent::TYPES);
    add("pricing", pricing::PriceListEvent::TYPES);
    add("pricing", pricing::PriceEvent::TYPES);
    add("pricing", pricing::PromotionEvent::TYPES);
    add("pricing", pricing::CampaignEvent::TYPES);
    add("pricing", pricing::CampaignMemberEvent::TYPES);
    add("pricing", pricing::CouponEvent::TYPES);
    add("pricing", pricing::ChannelEvent::TYPES);
    add("pricing", pricing::RegionEvent::TYPES);
    add("pricing", pricing::TaxRateEvent::TYPES);
    add("pricing", pricing::TaxSettingsEvent::TYPES);
    add("pricing", pricing::RedemptionEvent::TYPES);
    add("pricing", pricing::UsageEvent::TYPES);
    add("reviews", reviews::ReviewEvent::TYPES);
    add("reviews", reviews::RatingEvent::TYPES);
    add("reviews", reviews::AuthorEvent::TYPES);
    add("reviews", reviews::OpinionEvent::TYPES);
    add("wishlists", wishlists::WishlistEvent::TYPES);
    add("wishlists", wishlists::ShelfEvent::TYPES);
    add("customers", customers::PersonEvent::TYPES);
    add("customers", customers::ConsentEvent::TYPES);
    add("customers", customers::DirectoryEvent::TYPES);
    add("customers", customers::OrderRecordEvent::TYPES);
    add("customers", customers::MailboxEvent::TYPES);
    add("customers", customers::CompanyEvent::TYPES);
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
