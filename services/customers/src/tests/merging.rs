//! Duplicates: what moves, what wins, what is refused.

use contracts::customers::{
    CompanyProfile, CompanyRole, ConsentChanged, ConsentSource, GroupDefined, Purpose,
};
use kernel::{Decide, opened, testing::kinds};

use super::*;
use crate::{
    company::CompanyCommand, customer::Standing, directory::DirectoryCommand, merge::Merge,
    profile::SetGroup, review::OnDirectory,
};

pub fn merge(from: u32, into: u32) -> Merge {
    Merge {
        from: id(from),
        into: id(into),
        companies: vec![],
    }
}

pub fn consents(shop: &mut Shop, number: u32, purpose: Purpose, granted: bool) {
    let change = ConsentChanged {
        customer_id: Some(id(number)),
        person: person(number),
        purpose,
        granted,
        source: ConsentSource::Account,
        policy_version: "1".into(),
        at: shop.0.now,
    };
    shop.does(&Decide::<ConsentBook>::new(person(number).as_str(), change));
}

#[test]
fn everything_of_a_duplicate_is_the_other_ones_afterwards() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    shop.registers(2, "ann@work.example.org");
    shop.saves(1, "adr_1", address("GB"));
    shop.saves(2, "adr_2", address("GB"));
    shop.saves(2, "adr_3", address("DE"));
    let note = Step::AddNote {
        note_id: "not_1".parse().expect("an id"),
        text: "prefers mornings".into(),
        by: "staff:usr_1".into(),
        at: shop.0.now,
    };
    let command = shop.step(2, note);
    shop.does(&command);
    shop.does(&OnDirectory(DirectoryCommand::DefineGroup(GroupDefined {
        code: "trade".into(),
        name: "Trade".into(),
    })));
    shop.does(&SetGroup {
        id: id(2),
        code: "trade".into(),
        member: true,
    });
    shop.buys(1, 1, gbp(100));
    shop.buys(2, 2, gbp(50));
    shop.verifies(2);

    shop.does(&merge(2, 1));
    let (kept, closed) = (shop.customer(1), shop.customer(2));
    assert_eq!(closed.standing, Standing::Merged(id(1)));
    let ids: Vec<_> = kept.addresses.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(
        ids,
        ["adr_1", "adr_3"],
        "the same address is not kept twice"
    );
    let sealed_for = kept.addresses.iter().map(|(_, address)| address.person());
    assert!(sealed_for.into_iter().all(|owner| *owner == person(1)));
    assert_eq!(kept.notes.len(), 1);
    assert_eq!(kept.groups, ["trade"]);
    assert_eq!(kept.statistics.currencies[0].spent, gbp(150));
    assert!(kept.persons.contains(&person(2)), "erased with them");
    assert_eq!(closed.groups, Vec::<String>::new());

    // What happens to the duplicate's orders and address from now on is the other one's.
    shop.moves(2, RecordCommand::Refunded(gbp(50)));
    shop.buys(3, 2, gbp(5));
    assert_eq!(shop.statistics(1).currencies[0].spent, gbp(105));
    shop.places(4, None, "ann@work.example.org", gbp(1));
    assert_eq!(shop.record(4).owner(), Some(&id(1)));
}

#[test]
fn of_consents_the_stricter_wins() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    shop.registers(2, "ann@work.example.org");
    consents(&mut shop, 1, Purpose::MarketingEmail, true);
    consents(&mut shop, 2, Purpose::MarketingEmail, false);
    consents(&mut shop, 1, Purpose::Profiling, false);
    consents(&mut shop, 2, Purpose::Profiling, true);
    consents(&mut shop, 2, Purpose::MarketingSms, true);
    shop.does(&merge(2, 1));
    let book = shop.0.state::<ConsentBook>(person(1).as_str());
    let granted: Vec<_> = book.current.iter().map(|(p, c)| (*p, c.granted)).collect();
    assert_eq!(
        granted,
        [
            (Purpose::MarketingEmail, false),
            (Purpose::MarketingSms, true),
            (Purpose::Profiling, false),
        ]
    );
}

#[test]
fn a_company_keeps_its_member_under_the_other_name() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    shop.registers(2, "ann@work.example.org");
    let company: contracts::customers::CompanyId = "com_1".parse().expect("an id");
    let create = CompanyCommand::Create {
        company_id: company.clone(),
        person: person(50),
        profile: CompanyProfile {
            name: "Acme".into(),
            vat_number: String::new(),
        },
        at: shop.0.now,
    };
    shop.does(&Decide::<Companies>::new("com_1", create));
    for (number, role) in [(1, CompanyRole::Buyer), (2, CompanyRole::Admin)] {
        let join = CompanyCommand::SetMember(company.clone(), id(number), role);
        shop.does(&Decide::<Companies>::new("com_1", join));
    }
    shop.does(&Merge {
        companies: vec![company],
        ..merge(2, 1)
    });
    let members = shop.0.state::<Companies>("com_1").members;
    let members: Vec<_> = members.into_iter().collect();
    assert_eq!(
        members,
        [(id(1), CompanyRole::Admin)],
        "the stronger role stays"
    );
}

#[test]
fn nobody_is_merged_into_themself_or_into_a_closed_profile() {
    let mut shop = Shop::open();
    for number in 1..=3 {
        shop.registers(number, &format!("{number}@example.org"));
    }
    assert_eq!(shop.refused(&merge(1, 1)).field.as_deref(), Some("into"));
    assert_eq!(shop.refused(&merge(1, 9)).field.as_deref(), Some("into"));
    assert_eq!(shop.refused(&merge(9, 1)).code, "not-found");
    shop.does(&merge(2, 1));
    assert_eq!(shop.refused(&merge(2, 3)).code, "merged");
    // Merged into the duplicate means into who the duplicate really is.
    shop.does(&merge(3, 2));
    assert_eq!(shop.customer(3).standing, Standing::Merged(id(1)));
    assert_eq!(shop.refused(&merge(1, 3)).field.as_deref(), Some("into"));
}

#[test]
fn a_closed_profile_takes_nothing_more() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    shop.registers(2, "ann@work.example.org");
    shop.does(&merge(2, 1));
    let change = ProfileChange {
        name: Some("Ann".into()),
        ..ProfileChange::default()
    };
    let command = shop.step(2, Step::ChangeProfile(change));
    let refused = shop.refused(&command);
    assert_eq!(refused.code, "merged");
    assert_eq!(refused.extra.expect("who it is")["merged_into"], "cus_1");
    assert!(opened(&shop.customer(2).email).is_none());
    assert!(kinds(&shop.registers(2, "ann@work.example.org")).is_empty());
}
