//! What customers' routes take and answer. Personal data travels here in clear, over the wire only.

use kernel::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    AddressId, CompanyId, CompanyProfile, CompanyRole, ConsentSource, NoteId, Profile, Purpose,
    SegmentRule,
};
use crate::{
    address::Address,
    identity::CustomerId,
    orders::{OrderId, OrderStatus},
};

/// Where a profile stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProfileStatus {
    /// In use.
    #[default]
    Open,
    /// It was a duplicate: see `merged_into`.
    Merged,
    /// The person was erased.
    Erased,
}

/// An address of an address book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SavedAddress {
    /// Its id.
    pub id: AddressId,
    /// The address.
    pub address: Address,
    /// Offered first for delivery.
    pub default_shipping: bool,
    /// Offered first for invoices.
    pub default_billing: bool,
}

/// Confirmed orders in one currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SpentView {
    /// How many orders.
    pub orders: i64,
    /// Their totals less what was refunded.
    pub spent: Money,
    /// `spent / orders`, rounded towards zero.
    pub average: Money,
}

/// What a customer bought so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatisticsView {
    /// Confirmed orders in all currencies.
    pub orders: i64,
    /// Per currency.
    pub by_currency: Vec<SpentView>,
    /// When the newest confirmed order was placed, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_order_at: Option<Timestamp>,
}

/// A customer, as they and the staff see them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomerView {
    /// Their id.
    pub id: CustomerId,
    /// Where the profile stands.
    pub status: ProfileStatus,
    /// Who they really are, when this was a duplicate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<CustomerId>,
    /// Absent until identity's news has come, and once erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether they showed that the address is theirs.
    pub email_verified: bool,
    /// What they told of themself.
    pub profile: Profile,
    /// Address book.
    pub addresses: Vec<SavedAddress>,
    /// Codes of groups and segments.
    pub groups: Vec<String>,
    /// What they bought.
    pub statistics: StatisticsView,
    /// When the account was opened, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_at: Option<Timestamp>,
}

/// `PATCH /api/customers/me`: fields left out stay as they are, empty ones are cleared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileChange {
    /// At most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Digits, spaces and `+-/().`, at most 40.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// BCP 47, such as `de-AT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// At most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketing_name: Option<String>,
}

/// `PUT …/addresses/defaults`: a field left out stays as it is, `null` is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressDefaults {
    /// Where goods go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<AddressId>,
    /// Where invoices go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing: Option<AddressId>,
}

/// An order in a customer's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryEntry {
    /// Its id.
    pub order_id: OrderId,
    /// The number people use.
    pub number: String,
    /// `placed`, `confirmed` or `cancelled`.
    pub status: OrderStatus,
    /// What it came to.
    pub total: Money,
    /// What was refunded of that.
    pub refunded: Money,
    /// When, microseconds UTC.
    pub placed_at: Timestamp,
    /// Whether it was placed as a guest and claimed later.
    pub claimed: bool,
}

/// A consent as it stands, or stood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConsentView {
    /// For what.
    pub purpose: Purpose,
    /// Given, or withdrawn.
    pub granted: bool,
    /// Where.
    pub source: ConsentSource,
    /// Which version of the text they saw.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub policy_version: String,
    /// When, microseconds UTC.
    pub at: Timestamp,
}

/// Consents of a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConsentsView {
    /// As they stand. A purpose that is not here was never agreed to.
    pub current: Vec<ConsentView>,
    /// Everything that was given or withdrawn, the newest first, 200 at most.
    pub history: Vec<ConsentView>,
}

/// `POST …/consents`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentGiven {
    /// For what.
    pub purpose: Purpose,
    /// Given, or withdrawn.
    pub granted: bool,
    /// Where; customers themselves say `account` or `checkout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<ConsentSource>,
    /// Which version of the text they saw, at most 50 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub policy_version: String,
}

/// `POST /api/customers/me/verify-email`.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailProof {
    /// As it came by mail.
    pub token: String,
}

/// A group or a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroupView {
    /// Its code.
    pub code: String,
    /// For people.
    pub name: String,
    /// Who belongs to it, when that goes by a rule; absent when staff decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<SegmentRule>,
}

/// `PUT /api/customers/groups/{code}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupDefinition {
    /// For people, 1 to 100 characters.
    pub name: String,
}

/// `PUT /api/customers/segments/{code}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentDefinition {
    /// For people, 1 to 100 characters.
    pub name: String,
    /// Who belongs to it.
    pub rule: SegmentRule,
}

/// A note about a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NoteView {
    /// Its id.
    pub id: NoteId,
    /// The text.
    pub text: String,
    /// Who wrote it (`staff:usr_…`).
    pub by: String,
    /// When, microseconds UTC.
    pub at: Timestamp,
}

/// `POST /api/customers/{id}/notes`.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    /// 1 to 2,000 characters.
    pub text: String,
}

/// `POST /api/customers/{id}/merge`: the customer of the path was a duplicate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeInto {
    /// Who stays.
    pub into: CustomerId,
}

/// `POST /api/customers/me/erase` and `POST /api/customers/{id}/erase`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseCustomer {
    /// The customer's id, once more: what is erased never comes back.
    pub confirm: CustomerId,
}

/// `POST /api/customers/erase-guest`.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseGuest {
    /// Number of an order placed as a guest.
    pub order_number: String,
    /// The e-mail address it was placed with.
    pub email: String,
}

/// How far an erasure is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ErasureView {
    /// How many keys go: the account's, and those of orders placed as a guest.
    pub persons: usize,
    /// How many are deleted already. The rest follows by itself.
    pub deleted: usize,
}

/// A company.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CompanyView {
    /// Its id.
    pub id: CompanyId,
    /// Name and VAT number.
    pub profile: CompanyProfile,
    /// Addresses.
    pub addresses: Vec<CompanyAddressView>,
    /// Who acts for it.
    pub members: Vec<MemberView>,
    /// Microseconds UTC.
    pub created_at: Timestamp,
}

/// An address of a company.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CompanyAddressView {
    /// Its id.
    pub id: AddressId,
    /// The address.
    pub address: Address,
}

/// Who acts for a company, as what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    /// Who.
    pub customer_id: CustomerId,
    /// As what.
    pub role: CompanyRole,
}

/// `PUT …/members/{customer}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberRole {
    /// As what.
    pub role: CompanyRole,
}

/// `POST …/members`: by the e-mail address of an account.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// Of somebody who has an account.
    pub email: String,
    /// As what.
    pub role: CompanyRole,
}
