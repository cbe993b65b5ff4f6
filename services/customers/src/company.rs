//! A company that buys: its data, its addresses, and who may do what for it.

use std::collections::BTreeMap;

use contracts::{
    address::Address,
    customers::{
        AddressId, CompanyAddressRemoved, CompanyAddressSaved, CompanyCreated, CompanyEvent,
        CompanyId, CompanyMemberRemoved, CompanyMemberSet, CompanyProfile, CompanyProfileChanged,
        CompanyRole,
    },
    identity::CustomerId,
};
use kernel::{Decider, PersonId, Personal, Rejection, Timestamp, opened};
use serde::{Deserialize, Serialize};

use crate::customer::check_address;

const MOST_ADDRESSES: usize = 50;
const MOST_MEMBERS: usize = 500;

/// A company.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Company {
    /// Whose key seals its data; `None` before it is added.
    pub person: Option<PersonId>,
    /// Name and VAT number.
    pub profile: Option<Personal<CompanyProfile>>,
    /// In the order they came.
    pub addresses: Vec<(AddressId, Personal<Address>)>,
    /// Who acts for it, as what.
    pub members: BTreeMap<CustomerId, CompanyRole>,
    /// When it was added.
    pub created_at: Timestamp,
}

impl Company {
    /// Whether somebody looks after it.
    pub fn is_admin(&self, customer: &str) -> bool {
        let mut members = self.members.iter();
        members.any(|(id, role)| id.as_str() == customer && *role == CompanyRole::Admin)
    }

    /// Whether somebody acts for it.
    pub fn is_member(&self, customer: &str) -> bool {
        self.members.keys().any(|id| id.as_str() == customer)
    }
}

/// What can be asked of a company.
#[derive(Clone, Debug)]
pub enum CompanyCommand {
    /// Add it.
    Create {
        /// Under this id.
        company_id: CompanyId,
        /// A person of its own.
        person: PersonId,
        /// Name and VAT number.
        profile: CompanyProfile,
        /// When.
        at: Timestamp,
    },
    /// It is called something else, or has another VAT number.
    Change(CompanyId, CompanyProfile),
    /// Add an address, or (`new` is not set) replace it.
    SaveAddress {
        /// Of which company.
        company_id: CompanyId,
        /// Which address.
        address_id: AddressId,
        /// The address.
        address: Address,
        /// Whether it is a new one.
        new: bool,
    },
    /// Remove an address.
    RemoveAddress(CompanyId, AddressId),
    /// A customer acts for it, in this role.
    SetMember(CompanyId, CustomerId, CompanyRole),
    /// A customer acts for it no more; `for_good` even when they were its last admin, because they
    /// are gone.
    RemoveMember {
        /// Of which company.
        company_id: CompanyId,
        /// Who.
        customer_id: CustomerId,
        /// Whatever that means for the company.
        for_good: bool,
    },
    /// One customer was a duplicate of another: their role is the other one's, the stronger stays.
    HandOver {
        /// Of which company.
        company_id: CompanyId,
        /// The duplicate.
        from: CustomerId,
        /// Who stays.
        to: CustomerId,
    },
}

/// The rules of companies.
pub struct Companies;

impl Decider for Companies {
    const CATEGORY: &'static str = "company";
    type State = Company;
    type Command = CompanyCommand;
    type Event = CompanyEvent;

    fn decide(state: &Company, command: &CompanyCommand) -> Result<Vec<CompanyEvent>, Rejection> {
        let person = match (&state.person, command) {
            (Some(person), _) => person.clone(),
            (None, CompanyCommand::Create { person, .. }) => person.clone(),
            (None, CompanyCommand::HandOver { .. } | CompanyCommand::RemoveMember { .. }) => {
                return Ok(vec![]);
            }
            (None, _) => return Err(Rejection::not_found("company")),
        };
        Ok(match command {
            CompanyCommand::Create { .. } if state.person.is_some() => vec![],
            CompanyCommand::Create {
                company_id,
                profile,
                at,
                ..
            } => vec![
                CompanyCreated {
                    company_id: company_id.clone(),
                    person: person.clone(),
                    profile: Personal::new(person, checked(profile)?),
                    at: *at,
                }
                .into(),
            ],
            CompanyCommand::Change(company_id, profile) => {
                let profile = checked(profile)?;
                let same = opened(&state.profile) == Some(&profile);
                let changed = CompanyProfileChanged {
                    company_id: company_id.clone(),
                    profile: Personal::new(person, profile),
                };
                (!same).then(|| changed.into()).into_iter().collect()
            }
            CompanyCommand::SaveAddress {
                company_id,
                address_id,
                address,
                new,
            } => {
                check_address(address)?;
                may_save(state, address_id, *new)?;
                let saved = CompanyAddressSaved {
                    company_id: company_id.clone(),
                    address_id: address_id.clone(),
                    address: Personal::new(person, address.clone()),
                };
                vec![saved.into()]
            }
            CompanyCommand::RemoveAddress(company_id, address_id) => {
                may_save(state, address_id, false)?;
                let removed = CompanyAddressRemoved {
                    company_id: company_id.clone(),
                    address_id: address_id.clone(),
                };
                vec![removed.into()]
            }
            CompanyCommand::SetMember(company_id, customer_id, role) => {
                set_member(state, company_id, customer_id, *role)?
            }
            CompanyCommand::RemoveMember {
                company_id,
                customer_id,
                for_good,
            } => {
                if !state.members.contains_key(customer_id) {
                    return Ok(vec![]);
                }
                if !for_good {
                    keeps_an_admin(state, customer_id)?;
                }
                vec![removed(company_id, customer_id)]
            }
            CompanyCommand::HandOver {
                company_id,
                from,
                to,
            } => hand_over(state, company_id, from, to),
        })
    }

    fn evolve(state: &mut Company, event: &CompanyEvent) {
        match event {
            CompanyEvent::Created(created) => {
                state.person = Some(created.person.clone());
                state.profile = Some(created.profile.clone());
                state.created_at = created.at;
            }
            CompanyEvent::ProfileChanged(changed) => state.profile = Some(changed.profile.clone()),
            CompanyEvent::AddressSaved(saved) => {
                let mut known = state.addresses.iter_mut();
                match known.find(|(id, _)| *id == saved.address_id) {
                    Some((_, address)) => *address = saved.address.clone(),
                    None => {
                        let new = (saved.address_id.clone(), saved.address.clone());
                        state.addresses.push(new);
                    }
                }
            }
            CompanyEvent::AddressRemoved(removed) => {
                state.addresses.retain(|(id, _)| *id != removed.address_id);
            }
            CompanyEvent::MemberSet(member) => {
                state
                    .members
                    .insert(member.customer_id.clone(), member.role);
            }
            CompanyEvent::MemberRemoved(member) => {
                state.members.remove(&member.customer_id);
            }
        }
    }
}

fn checked(profile: &CompanyProfile) -> Result<CompanyProfile, Rejection> {
    let name = profile.name.trim();
    let length = name.chars().count();
    if length == 0 || length > 200 || name.contains(char::is_control) {
        let detail = "must have 1 to 200 characters and no control characters";
        return Err(Rejection::invalid("name", detail));
    }
    let plain = |c: &char| !c.is_whitespace() && !".-".contains(*c);
    let vat: String = profile.vat_number.chars().filter(plain).collect();
    let vat_number = vat.to_uppercase();
    if !vat_number.is_empty() && !looks_like_vat(&vat_number) {
        let detail = "must be two letters and 2 to 13 letters and digits, such as DE123456789";
        return Err(Rejection::invalid("vat_number", detail));
    }
    Ok(CompanyProfile {
        name: name.to_owned(),
        vat_number,
    })
}

/// The form all VAT identification numbers of the EU and its neighbours share: a country prefix
/// and up to 13 characters. Whether a number is really assigned is for others to ask.
fn looks_like_vat(number: &str) -> bool {
    let (prefix, rest) = number.split_at_checked(2).unwrap_or_default();
    prefix.bytes().all(|b| b.is_ascii_uppercase())
        && prefix.len() == 2
        && (2..=13).contains(&rest.len())
        && rest
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+*".contains(&b))
        && rest.bytes().any(|b| b.is_ascii_digit())
}

fn may_save(state: &Company, address: &AddressId, new: bool) -> Result<(), Rejection> {
    let known = state.addresses.iter().any(|(id, _)| id == address);
    match new {
        true if state.addresses.len() >= MOST_ADDRESSES => Err(Rejection::unprocessable(
            "too-many-addresses",
            format!("there may be {MOST_ADDRESSES} addresses; remove one first"),
        )),
        false if !known => Err(Rejection::not_found("address")),
        _ => Ok(()),
    }
}

fn set_member(
    state: &Company,
    company_id: &CompanyId,
    customer_id: &CustomerId,
    role: CompanyRole,
) -> Result<Vec<CompanyEvent>, Rejection> {
    match state.members.get(customer_id) {
        Some(old) if *old == role => return Ok(vec![]),
        Some(_) if role != CompanyRole::Admin => keeps_an_admin(state, customer_id)?,
        None if state.members.len() >= MOST_MEMBERS => {
            let detail = format!("there may be {MOST_MEMBERS} members; remove one first");
            return Err(Rejection::unprocessable("too-many-members", detail));
        }
        _ => {}
    }
    Ok(vec![member(company_id, customer_id, role)])
}

/// Refuses to leave a company without anybody who looks after it.
fn keeps_an_admin(state: &Company, leaving: &CustomerId) -> Result<(), Rejection> {
    let is_admin = |role: &CompanyRole| *role == CompanyRole::Admin;
    let leaves = state.members.get(leaving).is_some_and(is_admin);
    let others = state.members.iter().filter(|(id, _)| *id != leaving);
    match leaves && !others.map(|(_, role)| role).any(is_admin) {
        false => Ok(()),
        true => Err(Rejection::conflict(
            "last-admin",
            "a company keeps at least one admin; name another one first",
        )),
    }
}

fn hand_over(
    state: &Company,
    company_id: &CompanyId,
    from: &CustomerId,
    to: &CustomerId,
) -> Vec<CompanyEvent> {
    let Some(theirs) = state.members.get(from) else {
        return vec![];
    };
    let ours = state.members.get(to).unwrap_or(theirs);
    vec![
        member(company_id, to, *ours.min(theirs)),
        removed(company_id, from),
    ]
}

fn member(company_id: &CompanyId, customer_id: &CustomerId, role: CompanyRole) -> CompanyEvent {
    CompanyMemberSet {
        company_id: company_id.clone(),
        customer_id: customer_id.clone(),
        role,
    }
    .into()
}

fn removed(company_id: &CompanyId, customer_id: &CustomerId) -> CompanyEvent {
    CompanyMemberRemoved {
        company_id: company_id.clone(),
        customer_id: customer_id.clone(),
    }
    .into()
}
