//! The rules of credit, as sentences.

mod accounts;
mod books;
mod holds;
mod refunds;

use contracts::{
    credit::{
        CreditAccountEvent, CreditAccountId, CreditHoldEvent, CreditUse, account_of_customer,
    },
    identity::CustomerId,
    orders::OrderId,
};
use kernel::{
    Currency, DeciderSpec, Money, Timestamp,
    testing::{World, assert_golden},
};

use crate::{
    account::Account,
    accounts::{ChangeBalance, IssueCards, NewCard},
    change::Change,
    hold::Hold,
    holding::{PlaceHold, Wanted},
};

#[test]
fn every_event_reads_as_its_golden_file_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");
    assert_golden::<CreditAccountEvent>(folder);
    assert_golden::<CreditHoldEvent>(folder);
}

fn world() -> World {
    World::new([DeciderSpec::of::<Account>(), DeciderSpec::of::<Hold>()])
}

fn gbp(amount: i64) -> Money {
    Money::new(amount, Currency::GBP)
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn card(name: &str) -> CreditAccountId {
    format!("crd_{name}").parse().expect("an id")
}

fn customer(name: &str) -> CustomerId {
    format!("cus_{name}").parse().expect("an id")
}

fn order(number: usize) -> OrderId {
    format!("ord_{number}").parse().expect("an id")
}

fn store_credit(name: &str) -> CreditAccountId {
    account_of_customer(&customer(name), Currency::GBP).expect("an id")
}

fn uses(of: &[(&CreditAccountId, Money)]) -> Vec<CreditUse> {
    of.iter()
        .map(|(account_id, amount)| CreditUse {
            account_id: (*account_id).clone(),
            amount: *amount,
        })
        .collect()
}

/// Issues a gift card.
fn issue(world: &mut World, name: &str, amount: Money, expires_at: Option<Timestamp>) {
    let new = NewCard {
        account_id: card(name),
        code_hash: name.to_owned(),
    };
    let issue = IssueCards {
        cards: vec![new],
        amount,
        expires_at,
        note: None,
    };
    world.run(&issue).expect("issued");
}

/// Gives a customer store credit.
fn grant(world: &mut World, name: &str, amount: i64) {
    use contracts::credit::{CreditAccountOpened, CreditKind, CreditReason};
    let account_id = store_credit(name);
    let open = CreditAccountOpened {
        account_id: account_id.clone(),
        kind: CreditKind::StoreCredit,
        customer_id: Some(customer(name)),
        balance: gbp(0),
        code_hash: None,
        expires_at: None,
        at: world.now,
    };
    let change = change(world, &account_id, CreditReason::Issued, gbp(amount));
    let command = ChangeBalance {
        open: Some(open),
        change,
    };
    world.run(&command).expect("granted");
}

fn change(
    world: &World,
    account_id: &CreditAccountId,
    reason: contracts::credit::CreditReason,
    amount: Money,
) -> Change {
    Change {
        account_id: account_id.clone(),
        reason,
        amount,
        order_id: None,
        note: None,
        at: world.now,
    }
}

/// A pounds order of `buyer`.
fn place(number: usize, buyer: Option<&str>, of: &[(&CreditAccountId, Money)]) -> PlaceHold {
    PlaceHold {
        order_id: order(number),
        currency: Currency::GBP,
        customer_id: buyer.map(customer),
        wanted: Wanted::of(&uses(of)),
    }
}

fn balance(world: &World, account: &CreditAccountId) -> i64 {
    world.state::<Account>(account.as_str()).balance
}
