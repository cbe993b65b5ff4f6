//! Whatever happens in whatever order: the books balance, and money is neither made nor lost.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{
    credit::{
        CreditAccountEvent, CreditAccountId, CreditHoldEvent, CreditHoldStatus, CreditKind,
        CreditReason, CreditRefundTo, CreditUse,
    },
    orders::{OrderId, OrderRefundToCreditRequested},
};
use kernel::{AnyCommand, Currency, Money, Timestamp, Work, testing::World};
use proptest::prelude::*;

use super::{card, change, customer, order, place, store_credit, uses, world};
use crate::{
    account::Account,
    accounts::{Block, ChangeBalance, Expire, IssueCards, NewCard, SetExpiry},
    hold::Hold,
    holding::{Release, Spend},
    ledger::{ADJUSTED, HELD, Line, REFUNDS, SPENT, kind_name, liability, of_account, of_hold},
    refund::Refund,
};

const CARDS: [&str; 3] = ["a", "b", "c"];
const BUYERS: [&str; 2] = ["ann", "bob"];
const ORDERS: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    Issue(usize, i64, bool, Option<i64>),
    Grant(usize, i64),
    Adjust(usize, i64),
    Block(usize, bool),
    MoveEnd(usize, Option<i64>),
    Pass(i64),
    Expire(usize),
    Place(usize, Option<usize>, Vec<(usize, i64)>),
    Confirm(usize),
    Cancel(usize),
    RefundTo(usize, u8, Vec<(usize, i64)>),
    RefundStore(usize, u8, Option<usize>, i64),
}

/// Gift cards first, then store credit, then an account that does not exist.
fn account(index: usize) -> CreditAccountId {
    match index {
        0..3 => card(CARDS[index]),
        3..5 => store_credit(BUYERS[index - 3]),
        _ => card("unknown"),
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Mostly accounts that can pay, now and then one that does not exist.
    let part = || prop_oneof![12 => 0usize..5, 1 => Just(5usize)];
    let parts = || prop::collection::vec((part(), -2i64..80), 1..3);
    let end = || prop::option::of(50i64..500);
    let step = prop_oneof![
        3 => (0usize..3, 1i64..300, prop::bool::weighted(0.1), end()).prop_map(|(c, n, e, t)| Step::Issue(c, n, e, t)),
        3 => (0usize..2, 1i64..300).prop_map(|(b, n)| Step::Grant(b, n)),
        2 => (0usize..6, -200i64..200).prop_map(|(a, n)| Step::Adjust(a, n)),
        1 => (0usize..6, prop::bool::weighted(0.4)).prop_map(|(a, b)| Step::Block(a, b)),
        1 => (0usize..6, end()).prop_map(|(a, t)| Step::MoveEnd(a, t)),
        2 => (1i64..100).prop_map(Step::Pass),
        2 => (0usize..6).prop_map(Step::Expire),
        8 => (0..ORDERS, prop::option::of(0usize..2), parts()).prop_map(|(o, b, p)| Step::Place(o, b, p)),
        4 => (0..ORDERS).prop_map(Step::Confirm),
        3 => (0..ORDERS).prop_map(Step::Cancel),
        4 => (0..ORDERS, 0u8..4, parts()).prop_map(|(o, r, p)| Step::RefundTo(o, r, p)),
        2 => (0..ORDERS, 0u8..4, prop::option::of(0usize..2), -5i64..200)
            .prop_map(|(o, r, b, n)| Step::RefundStore(o, r, b, n)),
    ];
    prop::collection::vec(step, 1..80)
}

fn gbp(amount: i64) -> Money {
    Money::new(amount, Currency::GBP)
}

/// The command of a step, and whether an event causes it (so that it must never be refused, but
/// for an order confirmed without its credit, which cannot happen).
fn command(world: &World, step: &Step) -> (Box<dyn AnyCommand>, bool) {
    let at = |seconds: &Option<i64>| seconds.map(|s| world.now.plus_seconds(s));
    match step {
        Step::Issue(index, amount, euros, end) => {
            let currency = if *euros { Currency::EUR } else { Currency::GBP };
            let new = NewCard {
                account_id: account(*index),
                code_hash: "hash".into(),
            };
            let issue = IssueCards {
                cards: vec![new],
                amount: Money::new(*amount, currency),
                expires_at: at(end),
                note: None,
            };
            (Box::new(issue), false)
        }
        Step::Grant(buyer, amount) => (Box::new(grant(world, *buyer, *amount)), false),
        Step::Adjust(index, amount) => {
            let change = change(
                world,
                &account(*index),
                CreditReason::Adjusted,
                gbp(*amount),
            );
            (Box::new(ChangeBalance { open: None, change }), false)
        }
        Step::Block(index, blocked) => {
            let block = Block {
                account_id: account(*index),
                blocked: *blocked,
                note: "test".into(),
            };
            (Box::new(block), false)
        }
        Step::MoveEnd(index, end) => {
            let set = SetExpiry {
                account_id: account(*index),
                expires_at: at(end),
            };
            (Box::new(set), false)
        }
        Step::Pass(_) => unreachable!("time is not a command"),
        Step::Expire(index) => {
            let account_id = account(*index);
            (Box::new(Expire { account_id }), true)
        }
        _ => (of_order(world, step), true),
    }
}

fn of_order(world: &World, step: &Step) -> Box<dyn AnyCommand> {
    let named = |parts: &[(usize, i64)]| -> Vec<(CreditAccountId, Money)> {
        let part = |(index, amount): &(usize, i64)| (account(*index), gbp(*amount));
        parts.iter().map(part).collect()
    };
    let borrowed = |parts: &[(CreditAccountId, Money)]| {
        let all: Vec<_> = parts.iter().map(|(id, amount)| (id, *amount)).collect();
        uses(&all)
    };
    let refund = |number: &usize, id: &u8, buyer: Option<usize>, amount, to| {
        Box::new(Refund::of(&OrderRefundToCreditRequested {
            order_id: order(*number),
            refund_id: id.to_string(),
            customer_id: buyer.map(|b| customer(BUYERS[b])),
            amount,
            to,
            at: Timestamp(0),
        }))
    };
    match step {
        Step::Place(number, buyer, parts) => {
            let parts = named(parts);
            let all: Vec<_> = parts.iter().map(|(id, amount)| (id, *amount)).collect();
            Box::new(place(*number, buyer.map(|b| BUYERS[b]), &all))
        }
        Step::Confirm(number) => Box::new(Spend {
            order_id: order(*number),
        }),
        Step::Cancel(number) => Box::new(Release {
            order_id: order(*number),
        }),
        Step::RefundTo(number, id, parts) => {
            let total = gbp(parts.iter().map(|(_, amount)| amount).sum());
            let parts = payers(world, *number, parts);
            let to = CreditRefundTo::Accounts(borrowed(&parts));
            refund(number, id, None, total, to)
        }
        Step::RefundStore(number, id, buyer, amount) => refund(
            number,
            id,
            *buyer,
            gbp(*amount),
            CreditRefundTo::StoreCredit,
        ),
        _ => unreachable!("not of an order"),
    }
}

/// The parts, for accounts that the order named, so that most of the refunds can be made.
fn payers(world: &World, number: usize, parts: &[(usize, i64)]) -> Vec<(CreditAccountId, Money)> {
    let hold = world.state::<Hold>(order(number).as_str());
    let payer = |(index, amount): &(usize, i64)| match hold.uses.as_slice() {
        named if *index < 5 && !named.is_empty() => {
            let named = &named[index % named.len()];
            (named.account_id.clone(), gbp(*amount))
        }
        _ => (account(*index), gbp(*amount)),
    };
    parts.iter().map(payer).collect()
}

fn grant(world: &World, buyer: usize, amount: i64) -> ChangeBalance {
    let account_id = account(3 + buyer);
    let open = contracts::credit::CreditAccountOpened {
        account_id: account_id.clone(),
        kind: CreditKind::StoreCredit,
        customer_id: Some(customer(BUYERS[buyer])),
        balance: gbp(0),
        code_hash: None,
        expires_at: None,
        at: world.now,
    };
    ChangeBalance {
        open: Some(open),
        change: change(world, &account_id, CreditReason::Issued, gbp(amount)),
    }
}

/// Sums by ledger account and currency.
type Books = BTreeMap<(String, String), i64>;

fn post(books: &mut Books, work: &Work) {
    for event in &work.events {
        let lines: Vec<Line> = match event.typed.downcast_ref::<CreditAccountEvent>() {
            Some(event) => of_account(event),
            None => match event.typed.downcast_ref::<CreditHoldEvent>() {
                Some(event) => of_hold(event),
                None => panic!("{} is not booked", event.kind),
            },
        };
        assert_eq!(lines.iter().map(|line| line.amount.amount).sum::<i64>(), 0);
        for line in lines {
            let key = (line.account, line.amount.currency.to_string());
            *books.entry(key).or_insert(0) += line.amount.amount;
        }
    }
}

/// What orders took from accounts and did not give back, and the refunds that were answered.
#[derive(Default)]
struct Taken {
    of: BTreeMap<(OrderId, CreditAccountId), i64>,
    refunds: BTreeSet<(OrderId, String)>,
}

impl Taken {
    /// No order gives more back to an account than it took, and no refund is answered twice.
    fn follow(&mut self, work: &Work) {
        for event in &work.events {
            let Some(event) = event.typed.downcast_ref::<CreditHoldEvent>() else {
                continue;
            };
            match event {
                CreditHoldEvent::Held(e) => self.take(&e.order_id, &e.uses, 1),
                CreditHoldEvent::Released(e) => self.take(&e.order_id, &e.uses, -1),
                CreditHoldEvent::RefundMade(e) => {
                    let back = if e.to_payers { -1 } else { 0 };
                    self.take(&e.order_id, &e.uses, back);
                    let id = (e.order_id.clone(), e.refund_id.clone());
                    assert!(self.refunds.insert(id), "{e:?}");
                }
                CreditHoldEvent::RefundRefused(e) => {
                    let id = (e.order_id.clone(), e.refund_id.clone());
                    assert!(self.refunds.insert(id), "{e:?}");
                }
                CreditHoldEvent::Refused(_) | CreditHoldEvent::Spent(_) => {}
            }
        }
        assert!(self.of.values().all(|taken| *taken >= 0), "{:?}", self.of);
    }

    fn take(&mut self, order: &OrderId, uses: &[CreditUse], sign: i64) {
        for used in uses {
            let key = (order.clone(), used.account_id.clone());
            *self.of.entry(key).or_insert(0) += sign * used.amount.amount;
        }
    }
}

fn check(world: &World, books: &Books) {
    for currency in [Currency::GBP, Currency::EUR] {
        let book = |account: &str| {
            let key = (account.to_owned(), currency.to_string());
            books.get(&key).copied().unwrap_or(0)
        };
        let of_currency = books
            .iter()
            .filter(|((_, c), _)| *c == currency.to_string());
        assert_eq!(of_currency.map(|(_, sum)| sum).sum::<i64>(), 0);
        let mut owed = 0;
        for kind in [CreditKind::GiftCard, CreditKind::StoreCredit] {
            let balances = balances(world, kind, currency);
            assert_eq!(-book(&liability(kind)), balances);
            owed += balances;
        }
        let held = held(world, currency);
        assert_eq!(-book(HELD), held);
        let of_kinds = |prefix: &str| -> i64 {
            let kinds = [CreditKind::GiftCard, CreditKind::StoreCredit];
            kinds
                .map(|kind| book(&format!("{prefix}:{}", kind_name(kind))))
                .iter()
                .sum()
        };
        let came = of_kinds("issued") + book(REFUNDS) + book(ADJUSTED);
        let gone = -book(SPENT) - of_kinds("expired");
        assert_eq!(owed + held, came - gone, "{books:?}");
        assert!(book(SPENT) <= 0 && of_kinds("expired") <= 0);
    }
}

fn balances(world: &World, kind: CreditKind, currency: Currency) -> i64 {
    let states = (0..6).map(|index| world.state::<Account>(account(index).as_str()));
    let of_both = states.filter(|state| {
        assert!(state.balance >= 0);
        let opened = state.opened.as_ref();
        opened.is_some_and(|o| o.kind == kind && o.balance.currency == currency)
    });
    of_both.map(|state| state.balance).sum()
}

fn held(world: &World, currency: Currency) -> i64 {
    let states = (0..ORDERS).map(|number| world.state::<Hold>(order(number).as_str()));
    let held = states.filter(|state| state.status == Some(CreditHoldStatus::Held));
    held.flat_map(|state| state.uses)
        .filter(|used| used.amount.currency == currency)
        .map(|used| used.amount.amount)
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_books_balance_and_money_is_neither_made_nor_lost(steps in steps()) {
        let mut world = world();
        let mut books = Books::new();
        let mut taken = Taken::default();
        for step in &steps {
            if let Step::Pass(seconds) = step {
                world.now = world.now.plus_seconds(*seconds);
                continue;
            }
            // Orders does not confirm what credit refused.
            if let Step::Confirm(number) = step
                && world.state::<Hold>(order(*number).as_str()).status == Some(CreditHoldStatus::Refused)
            {
                continue;
            }
            let (command, caused_by_event) = command(&world, step);
            match world.run_any(command.as_ref()) {
                Ok((_, work)) => {
                    post(&mut books, &work);
                    taken.follow(&work);
                }
                Err(refused) => prop_assert!(!caused_by_event, "{step:?}: {refused}"),
            }
            check(&world, &books);
        }
    }
}
