//! A customer's profile: what can be asked of it, and what happens then.

mod checks;
mod rules;
mod state;

use contracts::{
    address::Address,
    customers::{
        AddressId, CustomerAddressRemoved, CustomerCountrySeen, CustomerErased, CustomerEvent,
        CustomerMerged, CustomerNoteAdded, CustomerNoteRemoved, CustomerPersonLinked,
        CustomerProfileChanged, CustomerProfileOpened, CustomerStatisticsChanged, NoteId,
        Statistics,
        api::{AddressDefaults, ProfileChange},
    },
    identity::CustomerId,
};
use kernel::{Decider, PersonId, Personal, Rejection, Timestamp, opened};

pub use checks::{check_address, check_note};
pub use state::{CustomerState, Note, Standing, VERIFY_WITHIN_SECONDS};

/// Notes about one customer.
const MOST_NOTES: usize = 500;

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
        if let Some(closed) = rules::closed(state, &command.step) {
            return closed;
        }
        let customer_id = command.id.clone();
        Ok(match &command.step {
            Step::Open(opened) if state.registered_at.is_none() => vec![opened.clone().into()],
            Step::Open(_) => vec![],
            Step::ChangeProfile(change) => {
                let old = opened(&state.profile).cloned().unwrap_or_default();
                let new = checks::changed_profile(&old, change)?;
                let profile = Personal::new(rules::person(state, command)?, new.clone());
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
            } => rules::save_address(state, command, (address_id, address, *new))?,
            Step::RemoveAddress(address_id) => {
                rules::find_address(state, address_id, "address")?;
                let address_id = address_id.clone();
                let removed = CustomerAddressRemoved {
                    customer_id,
                    address_id,
                };
                vec![removed.into()]
            }
            Step::SetDefaults(defaults) => rules::set_defaults(state, customer_id, defaults)?,
            Step::SeeCountry(country) if opened(&state.country_seen) != country.get() => {
                let country = country.clone();
                let seen = CustomerCountrySeen {
                    customer_id,
                    country,
                };
                vec![seen.into()]
            }
            Step::Belong { by_hand, segments } => {
                rules::belong(state, customer_id, by_hand, segments)
            }
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
            } => rules::request_verification(state, command, (token, token_hash, *asked))?,
            Step::Verify(token_hash) => rules::verify(state, command, token_hash)?,
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
                    text: Personal::new(rules::person(state, command)?, text.trim().to_owned()),
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
                rules::in_no_group(state, customer_id, merged.into())
            }
            Step::Erase => {
                let erased = CustomerErased {
                    customer_id: customer_id.clone(),
                    at: command.at,
                };
                rules::in_no_group(state, customer_id, erased.into())
            }
            Step::SeeCountry(_) | Step::Count(_) | Step::LinkPerson(_) => vec![],
        })
    }

    fn evolve(state: &mut CustomerState, event: &CustomerEvent) {
        state.evolve(event);
    }
}
