//! What is known of a customer, folded from what happened.

use std::collections::BTreeSet;

use contracts::{
    address::Address,
    customers::{AddressId, CustomerEvent, NoteId, Profile, Statistics},
    identity::CustomerId,
};
use kernel::{PersonId, Personal, Timestamp, opened};
use serde::{Deserialize, Serialize};

use crate::segment::Facts;

/// How long a mailed token is good.
pub const VERIFY_WITHIN_SECONDS: i64 = 3 * 24 * 60 * 60;

/// Where a profile stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Standing {
    /// In use.
    #[default]
    Open,
    /// It was a duplicate of this one.
    Merged(CustomerId),
    /// The person was erased.
    Erased,
}

/// A note of the staff.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// The text.
    pub text: Personal<String>,
    /// Who wrote it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A token was mailed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// SHA-256 of the token, hex.
    pub token_hash: String,
    /// It is good until then.
    pub expires_at: Timestamp,
}

/// A customer's profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CustomerState {
    /// Whose key seals what they tell.
    pub person: Option<PersonId>,
    /// Everybody whose data is theirs: themself, guests they were, duplicates.
    pub persons: BTreeSet<PersonId>,
    /// E-mail address.
    pub email: Option<Personal<String>>,
    /// Its keyed hash.
    pub email_hash: String,
    /// When the account was opened; `None` until identity's news has come.
    pub registered_at: Option<Timestamp>,
    /// What they told of themself.
    pub profile: Option<Personal<Profile>>,
    /// Address book, in the order the addresses came.
    pub addresses: Vec<(AddressId, Personal<Address>)>,
    /// Offered first for delivery.
    pub shipping: Option<AddressId>,
    /// Offered first for invoices.
    pub billing: Option<AddressId>,
    /// Country of the newest order.
    pub country_seen: Option<Personal<String>>,
    /// Groups that staff put them into, sorted.
    pub by_hand: Vec<String>,
    /// Segments whose rule they meet, sorted.
    pub segments: Vec<String>,
    /// Both, as last published.
    pub groups: Vec<String>,
    /// What they bought.
    pub statistics: Statistics,
    /// A token is under way.
    pub verification: Option<Verification>,
    /// The address was shown to be theirs.
    pub verified: bool,
    /// By the token of this hash.
    pub verified_by: Option<String>,
    /// What staff noted, the oldest first.
    pub notes: Vec<Note>,
    /// Where it stands.
    pub standing: Standing,
}

impl CustomerState {
    /// Whether anything was ever heard of this customer.
    pub fn exists(&self) -> bool {
        self.person.is_some() || self.standing != Standing::Open
    }

    /// What segment rules look at.
    pub fn facts(&self, now: Timestamp) -> Facts {
        let default = self.addresses.iter();
        let mut default = default.filter(|(id, _)| Some(id) == self.shipping.as_ref());
        let country = default.next().and_then(|(_, address)| address.get());
        let country = country.map(|address| &address.country);
        Facts {
            statistics: self.statistics.clone(),
            country: country.or(opened(&self.country_seen)).cloned(),
            registered_at: self.registered_at,
            now,
        }
    }

    /// Takes an event in.
    pub(super) fn evolve(&mut self, event: &CustomerEvent) {
        match event {
            CustomerEvent::Opened(opened) => {
                self.person = Some(opened.person.clone());
                self.persons.insert(opened.person.clone());
                self.email = Some(opened.email.clone());
                self.email_hash = opened.email_hash.clone();
                self.registered_at = Some(opened.at);
            }
            CustomerEvent::ProfileChanged(changed) => {
                self.belongs_to(changed.profile.person());
                self.profile = Some(changed.profile.clone());
            }
            CustomerEvent::CountrySeen(seen) => self.country_seen = Some(seen.country.clone()),
            CustomerEvent::AddressSaved(saved) => {
                self.belongs_to(saved.address.person());
                let mut known = self.addresses.iter_mut();
                match known.find(|(id, _)| *id == saved.address_id) {
                    Some((_, address)) => *address = saved.address.clone(),
                    None => {
                        let new = (saved.address_id.clone(), saved.address.clone());
                        self.addresses.push(new);
                    }
                }
            }
            CustomerEvent::AddressRemoved(removed) => {
                self.addresses.retain(|(id, _)| *id != removed.address_id);
                for default in [&mut self.shipping, &mut self.billing] {
                    default.take_if(|id| *id == removed.address_id);
                }
            }
            CustomerEvent::AddressDefaultsChanged(changed) => {
                self.shipping = changed.shipping.clone();
                self.billing = changed.billing.clone();
            }
            CustomerEvent::GroupsChanged(changed) => self.groups = changed.groups.clone(),
            CustomerEvent::MembershipsChanged(changed) => {
                self.by_hand = changed.by_hand.clone();
                self.segments = changed.segments.clone();
            }
            CustomerEvent::StatisticsChanged(changed) => {
                self.statistics = changed.statistics.clone();
            }
            CustomerEvent::VerificationRequested(requested) => {
                self.verification = Some(Verification {
                    token_hash: requested.token_hash.clone(),
                    expires_at: requested.expires_at,
                });
            }
            CustomerEvent::EmailVerified(_) => {
                self.verified = true;
                self.verified_by = self.verification.take().map(|used| used.token_hash);
            }
            CustomerEvent::PersonLinked(linked) => {
                self.persons.insert(linked.person.clone());
            }
            CustomerEvent::NoteAdded(note) => self.notes.push(Note {
                id: note.note_id.clone(),
                text: note.text.clone(),
                by: note.by.clone(),
                at: note.at,
            }),
            CustomerEvent::NoteRemoved(removed) => {
                self.notes.retain(|note| note.id != removed.note_id);
            }
            CustomerEvent::Merged(merged) => self.close(Standing::Merged(merged.into.clone())),
            CustomerEvent::Erased(_) => self.close(Standing::Erased),
        }
    }

    /// What was told before identity's news came says whose it is, too.
    fn belongs_to(&mut self, person: &PersonId) {
        self.person.get_or_insert_with(|| person.clone());
        self.persons.insert(person.clone());
    }

    /// Of a closed profile only whose it was is still needed.
    fn close(&mut self, standing: Standing) {
        *self = Self {
            person: self.person.take(),
            persons: std::mem::take(&mut self.persons),
            registered_at: self.registered_at,
            standing,
            ..Self::default()
        };
    }
}
