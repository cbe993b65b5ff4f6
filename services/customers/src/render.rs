//! States as the API shows them.

use contracts::{
    customers::{
        CompanyId,
        api::{
            CompanyAddressView, CompanyView, CustomerView, GroupView, MemberView, NoteView,
            ProfileStatus, SavedAddress, SpentView, StatisticsView,
        },
    },
    identity::CustomerId,
};
use kernel::{Money, opened};

use crate::{
    company::Company,
    customer::{CustomerState, Standing},
    directory::Directory,
};

/// A customer.
pub fn customer(id: &CustomerId, state: &CustomerState) -> CustomerView {
    let (status, merged_into) = match &state.standing {
        Standing::Open => (ProfileStatus::Open, None),
        Standing::Merged(into) => (ProfileStatus::Merged, Some(into.clone())),
        Standing::Erased => (ProfileStatus::Erased, None),
    };
    CustomerView {
        id: id.clone(),
        status,
        merged_into,
        email: opened(&state.email).cloned(),
        email_verified: state.verified,
        profile: opened(&state.profile).cloned().unwrap_or_default(),
        addresses: addresses(state),
        groups: state.groups.clone(),
        statistics: statistics(state),
        registered_at: state.registered_at,
    }
}

/// The address book.
pub fn addresses(state: &CustomerState) -> Vec<SavedAddress> {
    let saved = state.addresses.iter().filter_map(|(id, address)| {
        Some(SavedAddress {
            id: id.clone(),
            address: address.get()?.clone(),
            default_shipping: state.shipping.as_ref() == Some(id),
            default_billing: state.billing.as_ref() == Some(id),
        })
    });
    saved.collect()
}

fn statistics(state: &CustomerState) -> StatisticsView {
    let sums = state.statistics.currencies.iter();
    let by_currency = sums.map(|one| SpentView {
        orders: one.orders,
        spent: one.spent,
        average: Money::new(
            one.spent.amount.checked_div(one.orders).unwrap_or_default(),
            one.spent.currency,
        ),
    });
    StatisticsView {
        orders: state.statistics.orders(),
        by_currency: by_currency.collect(),
        last_order_at: state.statistics.last_order_at(),
    }
}

/// What staff noted, the newest first.
pub fn notes(state: &CustomerState) -> Vec<NoteView> {
    let notes = state.notes.iter().rev().filter_map(|note| {
        Some(NoteView {
            id: note.id.clone(),
            text: note.text.get()?.clone(),
            by: note.by.clone(),
            at: note.at,
        })
    });
    notes.collect()
}

/// Groups and segments, by code.
pub fn directory(directory: &Directory) -> Vec<GroupView> {
    let entries = directory.entries.iter();
    entries
        .map(|(code, entry)| GroupView {
            code: code.clone(),
            name: entry.name.clone(),
            rule: entry.rule.clone(),
        })
        .collect()
}

/// A company.
pub fn company(id: &CompanyId, company: &Company) -> CompanyView {
    let addresses = company.addresses.iter().filter_map(|(id, address)| {
        Some(CompanyAddressView {
            id: id.clone(),
            address: address.get()?.clone(),
        })
    });
    let members = company.members.iter().map(|(id, role)| MemberView {
        customer_id: id.clone(),
        role: *role,
    });
    CompanyView {
        id: id.clone(),
        profile: opened(&company.profile).cloned().unwrap_or_default(),
        addresses: addresses.collect(),
        members: members.collect(),
        created_at: company.created_at,
    }
}
