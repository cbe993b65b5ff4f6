//! One batch in the making, without a store.

use std::sync::Arc;

use kernel::{Context, DeciderSpec, StreamId, StreamMap, Timer, Timestamp, testing::plain_keys};
use store::LoadedStream;

use super::{Plan, Surroundings, Undecided};
use crate::{
    states::StateCache,
    toys::{Account, AccountCommand, AccountState, Transfer, deposit},
};

struct Bench {
    topic: Arc<str>,
    cache: StateCache,
    keys: Arc<dyn kernel::KeyRing>,
}

impl Bench {
    /// Accounts that were loaded and hold nothing.
    fn with(accounts: &[&str]) -> Self {
        let mut cache = StateCache::new(&[DeciderSpec::of::<Account>()]);
        let keys = plain_keys();
        for id in accounts {
            let empty = LoadedStream {
                stream: StreamId::new("acct", id),
                snapshot: None,
                events: Vec::new(),
            };
            assert!(cache.fold(empty, &keys).is_ok());
        }
        Self {
            topic: "bank".into(),
            cache,
            keys,
        }
    }

    fn around(&self) -> Surroundings<'_> {
        Surroundings {
            topic: &self.topic,
            cache: &self.cache,
            keys: &self.keys,
            now: Timestamp(7),
            fresh_id: &|| "fresh".to_owned(),
            note_reads: true,
            token: None,
        }
    }

    /// Whether the command was taken; not for commands that need more streams.
    fn run(&self, plan: &mut Plan, command: &dyn kernel::AnyCommand) -> bool {
        match plan.command(&self.around(), &Context::default(), command) {
            Ok(decided) => decided.is_ok(),
            Err(Undecided::Broken(reason)) => panic!("{reason}"),
            Err(Undecided::Load(streams)) => panic!("{streams:?} were not loaded"),
        }
    }
}

fn transfer(from: &str, to: &str, amount: i64) -> Transfer {
    Transfer {
        from: from.into(),
        to: to.into(),
        amount,
        announced: true,
    }
}

fn balance(plan: &Plan, id: &str) -> Option<(i64, i64)> {
    let (state, version) = plan.changed.get(&StreamId::new("acct", id))?;
    let state = state.as_any().downcast_ref::<AccountState>()?;
    Some((state.balance, *version))
}

fn versions(plan: &Plan) -> Vec<(String, i64)> {
    let events = plan.batch.events.iter();
    events
        .map(|event| (event.stream.id().to_owned(), event.version))
        .collect()
}

#[test]
fn a_refused_command_takes_back_what_it_had_changed_and_nothing_else() {
    let bench = Bench::with(&["a", "b", "c"]);
    let mut plan = Plan::default();
    assert!(bench.run(&mut plan, &deposit("a", 10)));
    assert!(bench.run(&mut plan, &deposit("a", 5)));
    // It changes "a", which the batch has changed before, and then "c" has nothing to give.
    assert!(!bench.run(&mut plan, &transfer("c", "a", 3)));
    // It changes "b", which nobody had touched.
    assert!(!bench.run(&mut plan, &transfer("c", "b", 3)));
    assert_eq!(balance(&plan, "a"), Some((15, 2)));
    assert_eq!(balance(&plan, "b"), None);
    assert!(bench.run(&mut plan, &transfer("a", "b", 15)));
    assert_eq!(
        (balance(&plan, "a"), balance(&plan, "b")),
        (Some((0, 3)), Some((15, 1)))
    );
    let expected = [("a", 1), ("a", 2), ("b", 1), ("a", 3)].map(|(id, v)| (id.to_owned(), v));
    assert_eq!(versions(&plan), expected);
}

#[test]
fn versions_of_streams_that_were_only_read_are_noted_also_of_refused_commands() {
    let bench = Bench::with(&["a", "b"]);
    let mut plan = Plan::default();
    assert!(!bench.run(&mut plan, &deposit("b", -1)));
    assert!(bench.run(&mut plan, &kernel::Read::<Account>::new("a")));
    let expected: StreamMap<i64> = ["a", "b"]
        .map(|id| (StreamId::new("acct", id), 0))
        .into_iter()
        .collect();
    assert_eq!(plan.read, expected);
    assert!(plan.batch.events.is_empty());
}

#[test]
fn a_defect_in_the_rules_is_no_ones_else() {
    let bench = Bench::with(&["a"]);
    let mut plan = Plan::default();
    assert!(bench.run(&mut plan, &deposit("a", 1)));
    let defect = kernel::Decide::<Account>::new("a", AccountCommand::Panic);
    let decided = plan.command(&bench.around(), &Context::default(), &defect);
    assert!(matches!(decided, Err(Undecided::Broken(_))));
    assert_eq!(balance(&plan, "a"), Some((1, 1)));
}

#[test]
fn a_timer_fires_only_if_it_still_stands_as_it_was_read() {
    let bench = Bench::with(&["a"]);
    let timer = Timer {
        key: "interest:a".into(),
        due: Timestamp(5),
        kind: "interest".into(),
        data: String::new(),
    };
    let fired = |standing, before: Option<kernel::TimerOp>| {
        let mut plan = Plan::default();
        if let Some(op) = before {
            plan.timer(op);
        }
        let command: Box<dyn kernel::AnyCommand> = Box::new(deposit("a", 1));
        let due = plan.timer_due(&bench.around(), &timer, &Ok(command), standing);
        assert!(due.is_ok());
        plan.batch.events.len()
    };
    let moved = |due| {
        Some(kernel::TimerOp::Set(Timer {
            due: Timestamp(due),
            ..timer.clone()
        }))
    };
    assert_eq!(fired(Some(timer.due), None), 1);
    assert_eq!(fired(None, None), 0, "it was cancelled");
    assert_eq!(fired(Some(Timestamp(9)), None), 0, "it was moved");
    // The same by a command of the same batch.
    let cancelled = kernel::TimerOp::Cancel(timer.key.clone());
    assert_eq!(fired(Some(timer.due), Some(cancelled)), 0);
    assert_eq!(fired(Some(timer.due), moved(9)), 0);
    assert_eq!(fired(None, moved(5)), 1);
}
