//! Profiles, address books, verification, notes.

use contracts::customers::api::{AddressDefaults, ProfileChange};
use kernel::{opened, testing::kinds};

use super::*;
use crate::customer::VERIFY_WITHIN_SECONDS;

#[test]
fn an_account_opens_a_profile_once() {
    let mut shop = Shop::open();
    let opened = shop.registers(1, "Ann@Example.org ");
    assert_eq!(kinds(&opened), ["customers.customer.opened.v1"]);
    assert_eq!(shop.customer(1).email_hash, hash("ann@example.org"));
    assert!(kinds(&shop.registers(1, "ann@example.org")).is_empty());
}

#[test]
fn what_a_customer_tells_is_kept_and_only_what_they_name_changes() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    shop.names(1, " Ann Example ");
    let change = ProfileChange {
        phone: Some("+44 20 7946 0000".into()),
        locale: Some("en-GB".into()),
        ..ProfileChange::default()
    };
    let command = shop.step(1, Step::ChangeProfile(change.clone()));
    assert_eq!(shop.does(&command).1.events.len(), 1);
    assert!(shop.does(&command).1.events.is_empty(), "nothing new");
    let state = shop.customer(1);
    let profile = opened(&state.profile).expect("a profile");
    assert_eq!((&*profile.name, &*profile.locale), ("Ann Example", "en-GB"));
}

#[test]
fn nonsense_about_oneself_is_refused_and_the_field_named() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    let some = |text: &str| Some(text.to_owned());
    let none = ProfileChange::default();
    let cases = [
        (
            "name",
            ProfileChange {
                name: some(&"x".repeat(201)),
                ..none.clone()
            },
        ),
        (
            "name",
            ProfileChange {
                name: some("a\u{7}b"),
                ..none.clone()
            },
        ),
        (
            "phone",
            ProfileChange {
                phone: some("call me"),
                ..none.clone()
            },
        ),
        (
            "phone",
            ProfileChange {
                phone: some("+-"),
                ..none.clone()
            },
        ),
        (
            "locale",
            ProfileChange {
                locale: some("english please"),
                ..none.clone()
            },
        ),
        (
            "marketing_name",
            ProfileChange {
                marketing_name: some(&"x".repeat(101)),
                ..none
            },
        ),
    ];
    for (field, change) in cases {
        let command = shop.step(1, Step::ChangeProfile(change));
        assert_eq!(shop.refused(&command).field.as_deref(), Some(field));
    }
}

#[test]
fn the_first_address_is_the_default_and_a_removed_one_is_not_offered() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    shop.saves(1, "adr_1", address("GB"));
    shop.saves(1, "adr_2", address("DE"));
    let state = shop.customer(1);
    assert_eq!(state.shipping.as_ref().map(|id| id.as_str()), Some("adr_1"));
    assert_eq!(state.billing, state.shipping);
    let second = AddressDefaults {
        shipping: Some("adr_2".parse().expect("an id")),
        billing: None,
    };
    let command = shop.step(1, Step::SetDefaults(second));
    shop.does(&command);
    let command = shop.step(1, Step::RemoveAddress("adr_2".parse().expect("an id")));
    shop.does(&command);
    let state = shop.customer(1);
    assert_eq!((state.addresses.len(), state.shipping), (1, None));
    assert_eq!(shop.refused(&command).code, "not-found");
}

#[test]
fn an_address_that_its_country_cannot_have_is_refused() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    let wrong = Address {
        postcode: "12345".into(),
        ..address("GB")
    };
    let save = Step::SaveAddress {
        address_id: "adr_1".parse().expect("an id"),
        address: wrong,
        new: true,
    };
    let command = shop.step(1, save);
    assert_eq!(shop.refused(&command).field.as_deref(), Some("postcode"));
}

#[test]
fn who_is_not_known_yet_can_tell_something_with_their_token_alone() {
    let mut shop = Shop::open();
    let change = ProfileChange {
        name: Some("Ann".into()),
        ..ProfileChange::default()
    };
    let mut command = shop.step(1, Step::ChangeProfile(change));
    assert_eq!(shop.refused(&command).code, "not-found");
    command.0.person = Some(person(1));
    shop.does(&command);
    shop.registers(1, "ann@example.org");
    let state = shop.customer(1);
    assert!(opened(&state.profile).is_some() && opened(&state.email).is_some());
    assert_eq!(state.persons.len(), 1);
}

#[test]
fn a_token_is_good_once_for_a_while_and_only_the_last_one() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    let ask = |shop: &Shop, token: &str| {
        shop.step(
            1,
            Step::RequestVerification {
                token: token.into(),
                token_hash: web::hash_token(token),
                asked: true,
            },
        )
    };
    let back = |token: &str| crate::verification::VerifyEmail {
        id: id(1),
        token_hash: web::hash_token(token),
    };
    shop.does(&ask(&shop, "evt_1"));
    assert_eq!(
        shop.0.run(&ask(&shop, "evt_2")).err().map(|r| r.code),
        Some("mailed-already")
    );
    assert_eq!(shop.refused(&back("evt_0")).code, "token-not-good");
    shop.0.now = shop.0.now.plus_seconds(VERIFY_WITHIN_SECONDS);
    assert_eq!(shop.refused(&back("evt_1")).code, "token-not-good");
    shop.does(&ask(&shop, "evt_2"));
    assert_eq!(shop.refused(&back("evt_1")).code, "token-not-good");
    shop.does(&back("evt_2"));
    assert!(shop.customer(1).verified);
    assert!(
        kinds(&shop.does(&back("evt_2")).1).is_empty(),
        "the link opened twice"
    );
    assert_eq!(shop.refused(&back("evt_1")).code, "token-not-good");
}

#[test]
fn notes_are_kept_in_order_and_taken_away() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    let note = |shop: &Shop, note_id: &str, text: &str| {
        let at = shop.0.now;
        let step = Step::AddNote {
            note_id: note_id.parse().expect("an id"),
            text: text.into(),
            by: "staff:usr_1".into(),
            at,
        };
        shop.step(1, step)
    };
    shop.does(&note(&shop, "not_1", "called"));
    shop.does(&note(&shop, "not_2", "called again"));
    assert_eq!(
        shop.refused(&note(&shop, "not_3", "  ")).field.as_deref(),
        Some("text")
    );
    let command = shop.step(1, Step::RemoveNote("not_1".parse().expect("an id")));
    shop.does(&command);
    let state = shop.customer(1);
    let texts: Vec<_> = state
        .notes
        .iter()
        .filter_map(|note| note.text.get())
        .collect();
    assert_eq!(texts, ["called again"]);
}
