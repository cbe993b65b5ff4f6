//! Companies that buy, and who may do what for them.

use kernel::{PersonId, Personal, Timestamp, event_set, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AddressId;
use crate::{address::Address, identity::CustomerId};

id!(
    /// A company that buys.
    CompanyId, "com"
);

/// What a member may do for their company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompanyRole {
    /// Looks after the company's data and members.
    Admin,
    /// Buys.
    Buyer,
    /// Approves what others want to buy.
    Approver,
}

impl CompanyRole {
    /// As in JSON and in read models.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Buyer => "buyer",
            Self::Approver => "approver",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Admin, Self::Buyer, Self::Approver];
        all.into_iter().find(|role| role.as_str() == text)
    }
}

/// What a company is called, and its VAT number. Sealed, since a company may be one person.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompanyProfile {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// VAT identification number with its country, without spaces, such as `DE123456789`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vat_number: String,
}

impl std::fmt::Debug for CompanyProfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CompanyProfile(***)")
    }
}

/// A company was added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompanyCreated {
    /// Which.
    pub company_id: CompanyId,
    /// Whose key seals its data: its own.
    pub person: PersonId,
    /// Name and VAT number.
    pub profile: Personal<CompanyProfile>,
    /// When.
    pub at: Timestamp,
}

/// A company has another name or VAT number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompanyProfileChanged {
    /// Which.
    pub company_id: CompanyId,
    /// The whole of it.
    pub profile: Personal<CompanyProfile>,
}

/// An address of a company was added or replaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompanyAddressSaved {
    /// Which company.
    pub company_id: CompanyId,
    /// Which address.
    pub address_id: AddressId,
    /// The address.
    pub address: Personal<Address>,
}

/// An address of a company was removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompanyAddressRemoved {
    /// Which company.
    pub company_id: CompanyId,
    /// Which address.
    pub address_id: AddressId,
}

/// A customer acts for a company from now on, in this role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompanyMemberSet {
    /// Which company.
    pub company_id: CompanyId,
    /// Who.
    pub customer_id: CustomerId,
    /// As what.
    pub role: CompanyRole,
}

/// A customer acts for a company no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompanyMemberRemoved {
    /// Which company.
    pub company_id: CompanyId,
    /// Who.
    pub customer_id: CustomerId,
}

event_set! {
    /// The life of a company.
    pub enum CompanyEvent {
        /// Added.
        Created(CompanyCreated) = "customers.company.created.v1",
        /// Another name or VAT number.
        ProfileChanged(CompanyProfileChanged) = "customers.company.profile_changed.v1",
        /// An address.
        AddressSaved(CompanyAddressSaved) = "customers.company.address_saved.v1",
        /// An address no more.
        AddressRemoved(CompanyAddressRemoved) = "customers.company.address_removed.v1",
        /// A member, or a member's other role.
        MemberSet(CompanyMemberSet) = "customers.company.member_set.v1",
        /// A member no more.
        MemberRemoved(CompanyMemberRemoved) = "customers.company.member_removed.v1",
    }
}
