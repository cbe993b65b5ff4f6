//! What customers publishes: profiles, groups and segments, consents, order history, companies, and
//! the erasure of a person, one event set per kind of stream. The types of its API are in [`api`].

use kernel::{PersonId, Personal, Timestamp, event_set, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{address::Address, identity::CustomerId};

pub mod api;
mod company;
mod consent;
mod history;
mod segment;

pub use company::*;
pub use consent::*;
pub use history::*;
pub use segment::*;

id!(
    /// An address in a customer's or a company's address book.
    AddressId, "adr"
);
id!(
    /// A note of the staff about a customer.
    NoteId, "not"
);

/// What a customer told of themself beside the e-mail address.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Profile {
    /// Full name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Telephone number as it was typed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phone: String,
    /// Language, BCP 47, such as `de-AT`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub locale: String,
    /// How mails greet them, such as a first name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub marketing_name: String,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Profile(***)")
    }
}

/// A customer's profile was opened, because they have an account now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerProfileOpened {
    /// Who.
    pub customer_id: CustomerId,
    /// Whose key seals their data.
    pub person: PersonId,
    /// Their e-mail address.
    pub email: Personal<String>,
    /// Keyed hash of the address in lower case; equal for equal addresses.
    pub email_hash: String,
    /// When the account was opened.
    pub at: Timestamp,
}

/// What a customer tells of themself is this now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerProfileChanged {
    /// Who.
    pub customer_id: CustomerId,
    /// The whole of it.
    pub profile: Personal<Profile>,
}

/// The country of a customer's newest order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerCountrySeen {
    /// Who.
    pub customer_id: CustomerId,
    /// ISO 3166-1 alpha-2.
    pub country: Personal<String>,
}

/// An address was put into the address book, or replaced there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerAddressSaved {
    /// Whose.
    pub customer_id: CustomerId,
    /// Which.
    pub address_id: AddressId,
    /// The address.
    pub address: Personal<Address>,
}

/// An address was taken out of the address book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerAddressRemoved {
    /// Whose.
    pub customer_id: CustomerId,
    /// Which.
    pub address_id: AddressId,
}

/// Which addresses are offered first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerAddressDefaultsChanged {
    /// Whose.
    pub customer_id: CustomerId,
    /// Where goods go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<AddressId>,
    /// Where invoices go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing: Option<AddressId>,
}

/// A customer is in these groups and segments from now on: the fact that prices and promotions go by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerGroupsChanged {
    /// Who.
    pub customer_id: CustomerId,
    /// Codes of groups and segments, sorted: the whole set, not a difference.
    pub groups: Vec<String>,
}

/// Why a customer is in which groups: by hand, or by a segment's rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerMembershipsChanged {
    /// Who.
    pub customer_id: CustomerId,
    /// Codes of groups that staff put them into, sorted: the whole set.
    pub by_hand: Vec<String>,
    /// Codes of segments whose rule they meet, sorted: the whole set.
    pub segments: Vec<String>,
}

/// What a customer bought so far comes to this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerStatisticsChanged {
    /// Who.
    pub customer_id: CustomerId,
    /// The whole of it.
    pub statistics: Statistics,
}

/// A customer is to show that an e-mail address is theirs: notifications mails them the token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmailVerificationRequested {
    /// Who.
    pub customer_id: CustomerId,
    /// Where to.
    pub email: Personal<String>,
    /// What they send back (`POST /api/customers/me/verify-email`). A secret.
    pub token: Personal<String>,
    /// SHA-256 of the token, hex.
    pub token_hash: String,
    /// The token is good until then.
    pub expires_at: Timestamp,
}

/// A customer showed that their e-mail address is theirs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerEmailVerified {
    /// Who.
    pub customer_id: CustomerId,
    /// Keyed hash of the address.
    pub email_hash: String,
    /// When.
    pub at: Timestamp,
}

/// Another person's data (a guest order's, a merged profile's) turned out to be this customer's: it
/// is erased with them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerPersonLinked {
    /// Who.
    pub customer_id: CustomerId,
    /// Whose key seals that data.
    pub person: PersonId,
}

/// Staff noted something about a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerNoteAdded {
    /// About whom.
    pub customer_id: CustomerId,
    /// Which note.
    pub note_id: NoteId,
    /// The text.
    pub text: Personal<String>,
    /// Who wrote it (`staff:usr_…`).
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A note was taken away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerNoteRemoved {
    /// About whom.
    pub customer_id: CustomerId,
    /// Which note.
    pub note_id: NoteId,
}

/// A profile was a duplicate: it is closed, and what it held is the other one's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerMerged {
    /// The duplicate, closed.
    pub customer_id: CustomerId,
    /// Who it really is.
    pub into: CustomerId,
    /// When.
    pub at: Timestamp,
}

/// A customer's profile is closed because the person is erased.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerErased {
    /// Who it was.
    pub customer_id: CustomerId,
    /// When.
    pub at: Timestamp,
}

event_set! {
    /// The life of a customer's profile.
    pub enum CustomerEvent {
        /// Opened.
        Opened(CustomerProfileOpened) = "customers.customer.opened.v1",
        /// What they told of themself changed.
        ProfileChanged(CustomerProfileChanged) = "customers.customer.profile_changed.v1",
        /// Their newest order's country.
        CountrySeen(CustomerCountrySeen) = "customers.customer.country_seen.v1",
        /// An address saved.
        AddressSaved(CustomerAddressSaved) = "customers.address.saved.v1",
        /// An address removed.
        AddressRemoved(CustomerAddressRemoved) = "customers.address.removed.v1",
        /// Default addresses.
        AddressDefaultsChanged(CustomerAddressDefaultsChanged) = "customers.address.defaults_changed.v1",
        /// Groups or segments changed.
        GroupsChanged(CustomerGroupsChanged) = "customers.customer.groups_changed.v1",
        /// Why they are in them.
        MembershipsChanged(CustomerMembershipsChanged) = "customers.customer.memberships_changed.v1",
        /// What they bought.
        StatisticsChanged(CustomerStatisticsChanged) = "customers.customer.statistics_changed.v1",
        /// To verify the e-mail address.
        VerificationRequested(EmailVerificationRequested) = "customers.email_verification.requested.v1",
        /// Verified.
        EmailVerified(CustomerEmailVerified) = "customers.email.verified.v1",
        /// Another person's data is theirs.
        PersonLinked(CustomerPersonLinked) = "customers.person.linked.v1",
        /// A note.
        NoteAdded(CustomerNoteAdded) = "customers.note.added.v1",
        /// A note no more.
        NoteRemoved(CustomerNoteRemoved) = "customers.note.removed.v1",
        /// A duplicate, closed.
        Merged(CustomerMerged) = "customers.customer.merged.v1",
        /// Erased, closed.
        Erased(CustomerErased) = "customers.customer.erased.v1",
    }
}

/// A person is to be forgotten: their key is deleted next, and what was sealed with it never opens
/// again. Whoever keeps something of theirs in another way removes it now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PersonErased {
    /// Whose key goes.
    pub person: PersonId,
    /// The account, when they had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// When.
    pub at: Timestamp,
}

/// The key is deleted, and with it everything that was sealed for that person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PersonKeyDeleted {
    /// Whose key went.
    pub person: PersonId,
    /// When.
    pub at: Timestamp,
}

event_set! {
    /// The end of a person's data.
    pub enum PersonEvent {
        /// Decided.
        Erased(PersonErased) = "customers.person.erased.v1",
        /// Done.
        KeyDeleted(PersonKeyDeleted) = "customers.person.key_deleted.v1",
    }
}
