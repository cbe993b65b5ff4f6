//! The steps of a profile that take more than a line.

use contracts::{
    address::Address,
    customers::{
        AddressId, CustomerAddressDefaultsChanged, CustomerAddressSaved, CustomerEmailVerified,
        CustomerEvent, CustomerGroupsChanged, CustomerMembershipsChanged,
        EmailVerificationRequested, api::AddressDefaults,
    },
    identity::CustomerId,
};
use kernel::{PersonId, Personal, Rejection, RejectionKind, opened};

use super::{CustomerCommand, CustomerState, Standing, Step, VERIFY_WITHIN_SECONDS, check_address};

/// Addresses in one address book.
const MOST_ADDRESSES: usize = 50;
/// A customer may ask for another mail after so long.
const MAIL_AGAIN_SECONDS: i64 = 60;

/// What a closed profile answers: what others' events say of it leads to nothing, the rest is
/// refused.
pub fn closed(state: &CustomerState, step: &Step) -> Option<Result<Vec<CustomerEvent>, Rejection>> {
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

/// Whose key seals what is told.
pub fn person(state: &CustomerState, command: &CustomerCommand) -> Result<PersonId, Rejection> {
    let known = state.person.as_ref().or(command.person.as_ref());
    known
        .cloned()
        .ok_or_else(|| Rejection::not_found("customer"))
}

/// Refuses an address that is not in the book.
pub fn find_address(state: &CustomerState, id: &AddressId, field: &str) -> Result<(), Rejection> {
    match state.addresses.iter().any(|(known, _)| known == id) {
        true => Ok(()),
        false => Err(Rejection::not_found("address").field(field)),
    }
}

/// An address, and the defaults it becomes when it is the first.
pub fn save_address(
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

/// Which addresses are offered first.
pub fn set_defaults(
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
pub fn belong(
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
pub fn in_no_group(
    state: &CustomerState,
    customer_id: CustomerId,
    end: CustomerEvent,
) -> Vec<CustomerEvent> {
    let mut events = belong(state, customer_id, &[], &[]);
    events.push(end);
    events
}

/// A mail with a token.
pub fn request_verification(
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

/// A token that came back.
pub fn verify(
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
