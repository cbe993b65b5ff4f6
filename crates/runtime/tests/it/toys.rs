//! Two small services over the kernel's types alone: a bank whose accounts hold money, and an
//! auditor that hears of every movement. Everything a test wants to break can be broken from here.

#![allow(dead_code)] // The benchmark uses a part of it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use kernel::{
    Command, Decide, Decider, DecodeError, Module, PersonId, Personal, Poison, Projection,
    Reaction, Recorded, Rejection, Statement, StreamId, Timer, Timestamp, UnitOfWork, sql,
};
use serde::{Deserialize, Serialize};

/// An account was opened.
#[derive(Debug, Serialize, Deserialize)]
pub struct Opened {
    /// Whose it is.
    pub owner: Option<Personal<String>>,
}

/// Money came or went.
#[derive(Debug, Serialize, Deserialize)]
pub struct Moved {
    /// Minor units; negative when it went.
    pub amount: i64,
    /// What for. Some memos mean trouble, see [`Trouble`].
    pub memo: String,
}

kernel::event_set! {
    /// What happens to an account.
    pub enum AccountEvent {
        /// It was opened.
        Opened(Opened) = "bank.account.opened.v1",
        /// Its balance changed.
        Moved(Moved) = "bank.account.moved.v1",
    }
}

/// What can be asked of an account.
#[derive(Clone)]
pub enum AccountCommand {
    /// Open it.
    Open(Option<Personal<String>>),
    /// Change the balance; never below zero.
    Move(i64, String),
    /// A defect in the rules.
    Panic,
}

/// The state of an account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AccountState {
    /// Money there.
    pub balance: i64,
    /// How often it changed.
    pub moves: i64,
    /// Whose.
    pub owner: Option<Personal<String>>,
}

/// An account.
pub struct Account;

impl Decider for Account {
    const CATEGORY: &'static str = "acct";
    const SNAPSHOT_EVERY: Option<i64> = Some(5);
    type State = AccountState;
    type Command = AccountCommand;
    type Event = AccountEvent;

    fn decide(
        state: &AccountState,
        command: &AccountCommand,
    ) -> Result<Vec<AccountEvent>, Rejection> {
        Ok(match command {
            AccountCommand::Open(owner) => vec![
                Opened {
                    owner: owner.clone(),
                }
                .into(),
            ],
            AccountCommand::Move(amount, _) if state.balance + amount < 0 => {
                return Err(Rejection::conflict(
                    "overdrawn",
                    "there is not enough money",
                ));
            }
            AccountCommand::Move(amount, memo) => {
                vec![
                    Moved {
                        amount: *amount,
                        memo: memo.clone(),
                    }
                    .into(),
                ]
            }
            AccountCommand::Panic => panic!("a defect in the rules"),
        })
    }

    fn evolve(state: &mut AccountState, event: &AccountEvent) {
        match event {
            AccountEvent::Opened(opened) => state.owner = opened.owner.clone(),
            AccountEvent::Moved(moved) => {
                state.balance += moved.amount;
                state.moves += 1;
            }
        }
    }
}

/// `amount` onto account `id`.
pub fn deposit(id: &str, amount: i64) -> Decide<Account> {
    noted(id, amount, "")
}

/// The same with a memo.
pub fn noted(id: &str, amount: i64, memo: &str) -> Decide<Account> {
    Decide::new(id, AccountCommand::Move(amount, memo.to_owned()))
}

/// Opens account `id` for `person`.
pub fn open(id: &str, person: &str, name: &str) -> Decide<Account> {
    let person: PersonId = format!("per_{person}").parse().expect("a person");
    Decide::new(
        id,
        AccountCommand::Open(Some(Personal::new(person, name.to_owned()))),
    )
}

/// Money from one account to another: both or neither.
pub struct Transfer {
    /// From this account,
    pub from: String,
    /// to this one,
    pub to: String,
    /// so much.
    pub amount: i64,
    /// Whether it says beforehand which streams it needs.
    pub announced: bool,
}

impl Command for Transfer {
    type Output = i64;

    fn streams(&self) -> Vec<StreamId> {
        match self.announced {
            true => vec![
                StreamId::new("acct", &self.from),
                StreamId::new("acct", &self.to),
            ],
            false => Vec::new(),
        }
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<i64, Rejection> {
        let memo = || "transfer".to_owned();
        work.decide::<Account>(&self.to, &AccountCommand::Move(self.amount, memo()))?;
        work.decide::<Account>(&self.from, &AccountCommand::Move(-self.amount, memo()))?;
        Ok(work.state::<Account>(&self.from)?.balance)
    }
}

/// Sets or cancels timers, and moves money in the same commit.
pub struct Alarm {
    /// The account.
    pub id: String,
    /// When it rings; `None` cancels it.
    pub due: Option<Timestamp>,
    /// How often it sets itself again.
    pub again: i64,
    /// Its kind.
    pub kind: &'static str,
}

impl Command for Alarm {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        Vec::new()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let key = format!("{}:{}", self.kind, self.id);
        match self.due {
            Some(due) => work.set_timer(Timer {
                key,
                due,
                kind: self.kind.to_owned(),
                data: format!("[\"{}\",{}]", self.id, self.again),
            }),
            None => work.cancel_timer(key),
        }
        Ok(())
    }
}

/// What a ringing alarm does: pays one unit of interest, and sets itself again at once.
pub struct Ring {
    id: String,
    again: i64,
    key: String,
}

impl Command for Ring {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        Vec::new()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        if self.again > 0 {
            work.set_timer(Timer {
                key: self.key.clone(),
                due: work.now(),
                kind: "interest".into(),
                data: format!("[\"{}\",{}]", self.id, self.again - 1),
            });
        }
        work.decide::<Account>(&self.id, &AccountCommand::Move(1, "interest".into()))?;
        Ok(())
    }
}

fn ring(timer: &Timer) -> Result<Ring, Poison> {
    let (id, again) = serde_json::from_str(&timer.data).map_err(|e| Poison(e.to_string()))?;
    Ok(Ring {
        id,
        again,
        key: timer.key.clone(),
    })
}

/// The bank with its read model at its narrowest, to be measured.
pub fn narrow_bank() -> Module {
    let schema = "CREATE TABLE balances (id TEXT PRIMARY KEY, balance BIGINT NOT NULL, moves BIGINT NOT NULL)";
    let mut module = bank();
    module.projections = vec![Projection::own(
        "balances",
        1,
        &["balances"],
        schema,
        balances,
    )];
    module
}

/// The bank's read model.
pub const BALANCES: &str = "CREATE TABLE balances (id TEXT PRIMARY KEY, balance BIGINT NOT NULL, moves BIGINT NOT NULL); \
     CREATE INDEX balances_by_balance ON balances (balance);";

fn balances(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    if let Some(AccountEvent::Moved(moved)) = event.decode::<AccountEvent>()?.as_deref() {
        let balance = match moved.memo.as_str() {
            "bad statement" => None,
            _ => Some(moved.amount),
        };
        out.push(sql!(
            "INSERT INTO balances (id, balance, moves) VALUES ($1, $2, 1) ON CONFLICT (id) DO UPDATE \
             SET balance = balances.balance + excluded.balance, moves = balances.moves + 1",
            event.stream.id(),
            balance
        ));
    }
    Ok(())
}

/// The bank: accounts, balances, and an alarm that pays interest.
pub fn bank() -> Module {
    Module::new("bank")
        .decider::<Account>()
        .projection(Projection::own(
            "balances",
            1,
            &["balances"],
            BALANCES,
            balances,
        ))
        .timer("interest", |timer| Ok(Box::new(ring(timer)?)))
        .timer("refused", |timer| {
            let ring = ring(timer)?;
            Ok(Box::new(noted(&ring.id, -1_000_000, "refused")))
        })
}

/// The same with a newer version of its read model: moves count double.
pub fn bank_with_doubled_moves() -> Module {
    let mut module = bank();
    module.projections = vec![Projection::own(
        "balances",
        2,
        &["balances"],
        BALANCES,
        |event, out| {
            balances(event, out)?;
            if let Some(AccountEvent::Moved(_)) = event.decode::<AccountEvent>()?.as_deref() {
                let text = "UPDATE balances SET moves = moves + 1 WHERE id = $1";
                out.push(sql!(text, event.stream.id()));
            }
            Ok(())
        },
    )];
    module
}

/// The auditor noted a movement.
#[derive(Debug, Serialize, Deserialize)]
pub struct Noted {
    /// How much.
    pub amount: i64,
    /// The bank's version of the account, which must go up one by one.
    pub version: i64,
}

kernel::event_set! {
    /// What happens to a page of the audit.
    pub enum PageEvent {
        /// A movement was noted.
        Noted(Noted) = "audit.page.noted.v1",
    }
}

/// The audit's page on one account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PageState {
    /// Sum of what was noted.
    pub total: i64,
    /// Versions in the order they came.
    pub versions: Vec<i64>,
}

/// A page.
pub struct Page;

impl Decider for Page {
    const CATEGORY: &'static str = "page";
    type State = PageState;
    type Command = (i64, i64);
    type Event = PageEvent;

    fn decide(_: &PageState, (amount, version): &(i64, i64)) -> Result<Vec<PageEvent>, Rejection> {
        if *amount == 13 {
            return Err(Rejection::conflict("unlucky", "thirteen is refused"));
        }
        Ok(vec![
            Noted {
                amount: *amount,
                version: *version,
            }
            .into(),
        ])
    }

    fn evolve(state: &mut PageState, PageEvent::Noted(noted): &PageEvent) {
        state.total += noted.amount;
        state.versions.push(noted.version);
    }
}

/// Trouble that can be switched on and off while the audit runs.
#[derive(Clone, Default)]
pub struct Trouble {
    /// While off, memos "poison", "panic" and "bad reaction" are trouble.
    pub healed: Arc<AtomicBool>,
    /// How many events "note" was given.
    pub heard: Arc<AtomicUsize>,
}

impl Trouble {
    /// Ends the trouble.
    pub fn heal(&self) {
        self.healed.store(true, Ordering::SeqCst);
    }

    fn strikes(&self) -> bool {
        !self.healed.load(Ordering::SeqCst)
    }
}

fn note(trouble: &Trouble, event: &Recorded) -> Result<Reaction, Poison> {
    trouble.heard.fetch_add(1, Ordering::SeqCst);
    let Some(decoded) = event.decode::<AccountEvent>()? else {
        return Ok(Reaction::none());
    };
    let AccountEvent::Moved(moved) = &*decoded else {
        return Ok(Reaction::none());
    };
    let page = Decide::<Page>::new(event.stream.id(), (moved.amount, event.version));
    let mut reaction = Reaction::command(page);
    match moved.memo.as_str() {
        "poison" if trouble.strikes() => return Err(Poison("a poisonous memo".into())),
        "panic" if trouble.strikes() => panic!("a defect in the reaction"),
        "bad reaction" if trouble.strikes() => {
            let nothing: Option<i64> = None;
            reaction
                .statements
                .push(sql!("UPDATE totals SET total = $1", nothing));
            reaction.statements.push(sql!(
                "INSERT INTO totals (id, total) VALUES ('x', $1)",
                nothing
            ));
        }
        "two pages" => {
            let second = format!("{}x", event.stream.id());
            let second = Decide::<Page>::new(second, (moved.amount, event.version));
            reaction.commands.push(Box::new(second));
        }
        _ => {}
    }
    Ok(reaction)
}

/// The audit: notes every movement of the bank once, and mirrors the balances.
pub fn audit(trouble: &Trouble) -> Module {
    let (noting, mirroring) = (trouble.clone(), trouble.clone());
    Module::new("audit")
        .decider::<Page>()
        .projection(Projection::own(
            "totals",
            1,
            &["totals"],
            "CREATE TABLE totals (id TEXT PRIMARY KEY, total BIGINT NOT NULL)",
            |event, out| {
                if let Some(PageEvent::Noted(noted)) = event.decode::<PageEvent>()?.as_deref() {
                    out.push(sql!(
                        "INSERT INTO totals (id, total) VALUES ($1, $2) \
                         ON CONFLICT (id) DO UPDATE SET total = totals.total + excluded.total",
                        event.stream.id(),
                        noted.amount
                    ));
                }
                Ok(())
            },
        ))
        .projection(mirror(1, mirroring))
        .subscription(kernel::Subscription::new("note", &["bank"], move |event| {
            note(&noting, event)
        }))
}

/// A read model of the bank's events in the audit's database.
pub fn mirror(version: i64, trouble: Trouble) -> Projection {
    let schema =
        "CREATE TABLE mirror (id TEXT PRIMARY KEY, balance BIGINT NOT NULL, moves BIGINT NOT NULL)";
    let apply = move |event: &Recorded, out: &mut Vec<Statement>| {
        if let Some(AccountEvent::Moved(moved)) = event.decode::<AccountEvent>()?.as_deref() {
            if moved.memo == "unreadable" && trouble.strikes() {
                let (kind, reason) = (event.kind.to_string(), "unreadable".to_owned());
                return Err(DecodeError { kind, reason });
            }
            out.push(sql!(
                "INSERT INTO mirror (id, balance, moves) VALUES ($1, $2, 1) ON CONFLICT (id) DO UPDATE \
                 SET balance = mirror.balance + excluded.balance, moves = mirror.moves + 1",
                event.stream.id(),
                moved.amount
            ));
        }
        Ok(())
    };
    Projection::own("mirror", version, &["mirror"], schema, apply).of_topics(&["bank"])
}
