//! A customer's profile: what can be asked of it, and what happens then.

mod checks;
mod state;

use contracts::{
    address::Address,
    customers::{
        AddressId, CustomerAddressDefaultsChanged, CustomerAddressRemoved, CustomerAddressSaved,
        CustomerCountrySeen, CustomerEmailVerified, CustomerErased, CustomerEvent,
        CustomerGroupsChanged, CustomerMembershipsChanged, CustomerMerged, CustomerNoteAdded,
        CustomerNoteRemoved, CustomerPersonLinked, CustomerProfileChanged, CustomerProfileOpened,
        CustomerStatisticsChanged, EmailVerificationRequested, NoteId, Statistics,
        api::{AddressDefaults, ProfileChange},
    },
    identity::CustomerId,
};
use kernel::{Decider, PersonId, Personal, Rejection, RejectionKind, Timestamp, opened};

pub use checks::{check_address, check_note};
pub use state::{CustomerState, Note, Standing, VERIFY_WITHIN_SECONDS};

/// Addresses in one address book.
const MOST_ADDRESSES: usize = 50;
/// Notes about one customer.
const MOST_NOTES: usize = 500;
/// A customer may ask for another mail after so long.
const MAIL_AGAIN_SECONDS: i64 = 60;

/// Something asked of a customer's profile.
#[derive(Clone, Debug)]
pub struct CustomerCommand {
    /// Whose.
    pub id: CustomerId,
    /// Whose key seals what they tell, when the caller's token says so: then nobody need wait for
    /// identity's news of the account.
    pub person: Option<PersonId>,
    /// The present.
    pub at: Timestamp,
    /// What.
    pub step: Step,
}

/// What can be asked of a customer's profile.
#[derive(Clone, Debug)]
pub enum Step {
    /// They have an account.
    Open(CustomerProfileOpened),
    /// They tell something of themself.
    ChangeProfile(ProfileChange),
    /// Put an address into the book, or (`new` is not set) replace it there.
    SaveAddress {
        /// Which.
        address_id: AddressId,
        /// The address.
        address: Address,
        /// Whether it is a new one.
        new: bool,
    },
    /// Take an address out of the book.
    RemoveAddress(AddressId),
    /// Offer these first.
    SetDefaults(AddressDefaults),
    /// Their newest order goes to this country.
    SeeCountry(Personal<String>),
    /// They are in these groups (by hand) and segments (by rule).
    Belong {
        /// Sorted.
        by_hand: Vec<String>,
        /// Sorted.
        segments: Vec<String>,
    },
    /// What they bought comes to this.
    Count(Statistics),
    /// Mail them a token; `asked` by themself, or by the shop because they are new.
    RequestVerification {
        /// The token. A secret.
        token: String,
        /// Its SHA-256, hex.
        token_hash: String,
        /// By themself.
        asked: bool,
    },
    /// They sent a token back; this is its SHA-256.
    Verify(String),
    /// This person's data is theirs too.
    LinkPerson(PersonId),
    /// Staff note something.
    AddNote {
        /// Which note.
        note_id: NoteId,
        /// The text.
        text: String,
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// Take a note away.
    RemoveNote(NoteId),
    /// Close: it was a duplicate.
    Merge(CustomerId),
    /// Close: they are erased.
    Erase,
}

/// The rules of profiles.
pub struct Customers;

impl Decider for Customers {
    const CATEGORY: &'static str = "customer";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type State = CustomerState;
    type Command = CustomerCommand;
    type Event = CustomerEvent;

    fn decide(
        state: &CustomerState,
        command: &CustomerCommand,
    ) -> Result<Vec<CustomerEvent>, Rejection> {
        if let Some(closed) = closed(state, &command.step) {
            return closed;
        }
        let customer_id = command.id.clone();
        Ok(match &command.step {
            Step::Open(opened) if state.registered_at.is_none() => vec![opened.clone().into()],
            Step::Open(_) => vec![],
            Step::ChangeProfile(change) => {
                let old = opened(&state.profile).cloned().unwrap_or_default();
                let new = checks::changed_profile(&old, change)?;
                let profile = Personal::new(person(state, command)?, new.clone());
                let changed = CustomerProfileChanged {
                    customer_id,
                    profile,
                };
                (new != old).then(|| changed.into()).into_iter().collect()
            }
            Step::SaveAddress {
                address_id,
                address,
                new,
            } => save_address(state, command, (address_id, address, *new))?,
            Step::RemoveAddress(address_id) => {
                find_address(state, address_id, "address")?;
                let address_id = address_id.clone();
                let removed = CustomerAddressRemoved {
                    customer_id,
                    address_id,
                };
                vec![removed.into()]
            }
            Step::SetDefaults(defaults) => set_defaults(state, customer_id, defaults)?,
            Step::SeeCountry(country) if opened(&state.country_seen) != country.get() => {
                let country = country.clone();
                let seen = CustomerCountrySeen {
                    customer_id,
                    country,
                };
                vec![seen.into()]
            }
            Step::Belong { by_hand, segments } => belong(state, customer_id, by_hand, segments),
            Step::Count(statistics) if *statistics != state.statistics => {
                let statistics = statistics.clone();
                let changed = CustomerStatisticsChanged {
                    customer_id,
                    statistics,
                };
                vec![changed.into()]
            }
            Step::RequestVerification {
                token,
                token_hash,
                asked,
            } => request_verification(state, command, (token, token_hash, *asked))?,
            Step::Verify(token_hash) => verify(state, command, token_hash)?,
            Step::LinkPerson(person) if !state.persons.contains(person) => {
                let person = person.clone();
                let linked = CustomerPersonLinked {
                    customer_id,
                    person,
                };
                vec![linked.into()]
            }
            Step::AddNote {
                note_id,
                text,
                by,
                at,
            } => {
                check_note(text)?;
                if state.notes.len() >= MOST_NOTES {
                    let detail = format!("there may be {MOST_NOTES} notes; remove one first");
                    return Err(Rejection::unprocessable("too-many-notes", detail));
                }
                let added = CustomerNoteAdded {
                    customer_id,
                    note_id: note_id.clone(),
                    text: Personal::new(person(state, command)?, text.trim().to_owned()),
                    by: by.clone(),
                    at: *at,
                };
                vec![added.into()]
            }
            Step::RemoveNote(note_id) => {
                if !state.notes.iter().any(|note| note.id == *note_id) {
                    return Err(Rejection::not_found("note"));
                }
                let note_id = note_id.clone();
                let removed = CustomerNoteRemoved {
                    customer_id,
                    note_id,
                };
                vec![removed.into()]
            }
            Step::Merge(into) => {
                let merged = CustomerMerged {
                    customer_id: customer_id.clone(),
                    into: into.clone(),
                    at: command.at,
                };
                in_no_group(state, customer_id, merged.into())
            }
            Step::Erase => {
                let erased = CustomerErased {
                    customer_id: customer_id.clone(),
                    at: command.at,
                };
                in_no_group(state, customer_id, erased.into())
            }
            Step::SeeCountry(_) | Step::Count(_) | Step::LinkPerson(_) => vec![],
        })
    }

    fn evolve(state: &mut CustomerState, event: &CustomerEvent) {
        state.evolve(event);
    }
}

/// What a closed profile answers: what others' events say of it leads to nothing, the rest is
/// refused.
fn closed(state: &CustomerState, step: &Step) -> Option<Result<Vec<CustomerEvent>, Rejection>> {
    let quiet = matches!(
        step,
        Step::Open(_)
            | Step::SeeCountry(_)
            | Step::Belong { .. }
            | Step::Count(_)
            | Step::LinkPerson(_)
            | Step::RequestVerification { asked: false, .. }
    );
    match &state.standing {
        Standing::Open => None,
        Standing::Erased if quiet || matches!(step, Step::Erase) => Some(Ok(vec![])),
        Standing::Merged(_) if quiet => Some(Ok(vec![])),
        Standing::Erased => Some(Err(Rejection::new(
            RejectionKind::Gone,
            "erased",
            "this customer was erased",
        ))),
        Standing::Merged(into) => {
            let extra = serde_json::json!({"merged_into": into});
            let detail =
                "this profile was a duplicate and is closed; use the one it was merged into";
            Some(Err(
                Rejection::new(RejectionKind::Gone, "merged", detail).extra(extra)
            ))
        }
    }
}

fn person(state: &CustomerState, command: &CustomerCommand) -> Result<PersonId, Rejection> {
    let known = state.person.as_ref().or(command.person.as_ref());
    known
        .cloned()
        .ok_or_else(|| Rejection::not_found("customer"))
}

fn find_address(state: &CustomerState, id: &AddressId, field: &str) -> Result<(), Rejection> {
    match state.addresses.iter().any(|(known, _)| known == id) {
        true => Ok(()),
        false => Err(Rejection::not_found("address").field(field)),
    }
}

fn save_address(
    state: &CustomerState,
    command: &CustomerCommand,
    (address_id, address, new): (&AddressId, &Address, bool),
) -> Result<Vec<CustomerEvent>, Rejection> {
    let person = person(state, command)?;
    check_address(address)?;
    match new {
        false => find_address(state, address_id, "address")?,
        true if state.addresses.len() >= MOST_ADDRESSES => {
            let detail = format!("there may be {MOST_ADDRESSES} addresses; remove one first");
            return Err(Rejection::unprocessable("too-many-addresses", detail));
        }
        true => {}
    }
    let saved = CustomerAddressSaved {
        customer_id: command.id.clone(),
        address_id: address_id.clone(),
        address: Personal::new(person, address.clone()),
    };
    let mut events = vec![saved.into()];
    // The first address is what both defaults are likely to be.
    if new && state.addresses.is_empty() {
        let defaults = CustomerAddressDefaultsChanged {
            customer_id: command.id.clone(),
            shipping: Some(address_id.clone()),
            billing: Some(address_id.clone()),
        };
        events.push(defaults.into());
    }
    Ok(events)
}

fn set_defaults(
    state: &CustomerState,
    customer_id: CustomerId,
    defaults: &AddressDefaults,
) -> Result<Vec<CustomerEvent>, Rejection> {
    for (field, id) in [
        ("shipping", &defaults.shipping),
        ("billing", &defaults.billing),
    ] {
        if let Some(id) = id {
            find_address(state, id, field)?;
        }
    }
    let new = CustomerAddressDefaultsChanged {
        customer_id,
        shipping: defaults.shipping.clone().or(state.shipping.clone()),
        billing: defaults.billing.clone().or(state.billing.clone()),
    };
    let same = new.shipping == state.shipping && new.billing == state.billing;
    Ok((!same).then(|| new.into()).into_iter().collect())
}

/// Why they are in which groups, and if the whole set is another now, that too.
fn belong(
    state: &CustomerState,
    customer_id: CustomerId,
    by_hand: &[String],
    segments: &[String],
) -> Vec<CustomerEvent> {
    if *by_hand == state.by_hand && *segments == state.segments {
        return vec![];
    }
    let mut groups: Vec<String> = by_hand.iter().chain(segments).cloned().collect();
    groups.sort();
    groups.dedup();
    let memberships = CustomerMembershipsChanged {
        customer_id: customer_id.clone(),
        by_hand: by_hand.to_vec(),
        segments: segments.to_vec(),
    };
    let mut events = vec![memberships.into()];
    if groups != state.groups {
        let changed = CustomerGroupsChanged {
            customer_id,
            groups,
        };
        events.push(changed.into());
    }
    events
}

/// The end of a profile: those who price by its groups are told first.
fn in_no_group(
    state: &CustomerState,
    customer_id: CustomerId,
    end: CustomerEvent,
) -> Vec<CustomerEvent> {
    let mut events = belong(state, customer_id, &[], &[]);
    events.push(end);
    events
}

fn request_verification(
    state: &CustomerState,
    command: &CustomerCommand,
    (token, token_hash, asked): (&str, &str, bool),
) -> Result<Vec<CustomerEvent>, Rejection> {
    let Some(email) = opened(&state.email) else {
        let detail = "the account is not known here yet; try again in a moment";
        return Err(Rejection::conflict("not-yet", detail));
    };
    if state.verified {
        return Ok(vec![]);
    }
    if let Some(pending) = &state.verification {
        let mailed = pending.expires_at.plus_seconds(-VERIFY_WITHIN_SECONDS);
        if !asked {
            return Ok(vec![]);
        }
        if command.at < mailed.plus_seconds(MAIL_AGAIN_SECONDS) {
            return Err(Rejection::new(
                RejectionKind::TooMany,
                "mailed-already",
                "a mail was sent less than a minute ago; wait for it, or ask again then",
            ));
        }
    }
    let person = person(state, command)?;
    let requested = EmailVerificationRequested {
        customer_id: command.id.clone(),
        email: Personal::new(person.clone(), email.clone()),
        token: Personal::new(person, token.to_owned()),
        token_hash: token_hash.to_owned(),
        expires_at: command.at.plus_seconds(VERIFY_WITHIN_SECONDS),
    };
    Ok(vec![requested.into()])
}

fn verify(
    state: &CustomerState,
    command: &CustomerCommand,
    token_hash: &str,
) -> Result<Vec<CustomerEvent>, Rejection> {
    let used = |hash: &String| *hash == token_hash;
    if state.verified && state.verified_by.as_ref().is_some_and(used) {
        return Ok(vec![]); // the same link, opened twice
    }
    let pending = state.verification.as_ref();
    match pending.filter(|pending| pending.token_hash == token_hash) {
        Some(pending) if command.at < pending.expires_at => Ok(vec![
            CustomerEmailVerified {
                customer_id: command.id.clone(),
                email_hash: state.email_hash.clone(),
                at: command.at,
            }
            .into(),
        ]),
        _ => Err(Rejection::unprocessable(
            "token-not-good",
            "this token is not known, was used, or has expired; ask for another mail",
        )
        .field("token")),
    }
}
