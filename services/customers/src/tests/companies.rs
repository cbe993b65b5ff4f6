//! Companies and their members.

use contracts::customers::{CompanyEvent, CompanyId, CompanyProfile, CompanyRole};
use kernel::testing::{Given, given};

use super::*;
use crate::company::CompanyCommand;

fn company() -> CompanyId {
    "com_1".parse().expect("an id")
}

fn profile(vat_number: &str) -> CompanyProfile {
    CompanyProfile {
        name: "Acme Ltd".into(),
        vat_number: vat_number.into(),
    }
}

fn added() -> Given<Companies> {
    let mut company_given = given::<Companies>([]);
    let create = CompanyCommand::Create {
        company_id: company(),
        person: person(9),
        profile: profile("de 123.456-789"),
        at: Timestamp(1),
    };
    company_given.when(create).expect("added");
    company_given
}

fn set(number: u32, role: CompanyRole) -> CompanyCommand {
    CompanyCommand::SetMember(company(), id(number), role)
}

fn remove(number: u32, for_good: bool) -> CompanyCommand {
    CompanyCommand::RemoveMember {
        company_id: company(),
        customer_id: id(number),
        for_good,
    }
}

#[test]
fn a_vat_number_is_kept_without_spaces_and_must_look_like_one() {
    let mut it = added();
    let kept = it
        .state
        .profile
        .as_ref()
        .and_then(|profile| profile.get())
        .cloned();
    assert_eq!(kept.expect("a profile").vat_number, "DE123456789");
    for bad in [
        "123456789",
        "DE",
        "D1234567",
        "DE1234567890123456",
        "DEABCDEF",
        "DÉ123",
    ] {
        let refused = it.when(CompanyCommand::Change(company(), profile(bad)));
        assert_eq!(refused.expect_err(bad).field.as_deref(), Some("vat_number"));
    }
    assert!(
        it.when(CompanyCommand::Change(company(), profile("")))
            .is_ok()
    );
}

#[test]
fn the_last_admin_stays_unless_they_are_gone_for_good() {
    let mut it = added();
    it.when(set(1, CompanyRole::Admin)).expect("set");
    it.when(set(2, CompanyRole::Buyer)).expect("set");
    let code = |refused: Result<Vec<CompanyEvent>, Rejection>| refused.expect_err("refused").code;
    assert_eq!(code(it.when(set(1, CompanyRole::Approver))), "last-admin");
    assert_eq!(code(it.when(remove(1, false))), "last-admin");
    it.when(set(2, CompanyRole::Admin)).expect("another one");
    it.when(remove(1, false)).expect("free to go");
    assert!(it.when(remove(1, false)).expect("gone").is_empty());
    it.when(remove(2, true)).expect("erased");
    assert!(it.state.members.is_empty());
}

#[test]
fn addresses_of_a_company_are_checked_like_a_customers() {
    let mut it = added();
    let save = |address: Address, new: bool| CompanyCommand::SaveAddress {
        company_id: company(),
        address_id: "adr_1".parse().expect("an id"),
        address,
        new,
    };
    let wrong = Address {
        province: "ZZ".into(),
        ..address("US")
    };
    let refused = it.when(save(wrong, true)).expect_err("refused");
    assert_eq!(refused.field.as_deref(), Some("province"));
    assert_eq!(
        it.when(save(address("US"), false))
            .expect_err("unknown")
            .code,
        "not-found"
    );
    it.when(save(address("US"), true)).expect("saved");
    it.when(save(address("GB"), false)).expect("replaced");
    let id = "adr_1".parse().expect("an id");
    it.when(CompanyCommand::RemoveAddress(company(), id))
        .expect("removed");
    assert!(it.state.addresses.is_empty());
}

#[test]
fn what_is_not_there_can_not_be_changed() {
    let mut it = given::<Companies>([]);
    let refused = it.when(set(1, CompanyRole::Admin)).expect_err("refused");
    assert_eq!(refused.code, "not-found");
    assert!(it.when(remove(1, true)).expect("nothing to do").is_empty());
}
