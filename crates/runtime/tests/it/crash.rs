//! Killed at any moment: whatever was acknowledged is there, and every event took effect once.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use kernel::{App, sql};

use crate::{
    life::{anyone, app, number, start, until},
    toys::{Account, Page, Transfer, Trouble, audit, bank, deposit, open},
};

/// Tells a child process which folder to work in.
const FOLDER: &str = "SOUK_TEST_CRASH_FOLDER";

/// Pays for ever, and says what was acknowledged.
async fn pay_until_killed(folder: &Path) {
    let shop = start(folder, vec![bank(), audit(&Trouble::default())]).await;
    let bank = app(&shop, "bank");
    let payers = (0..12).map(|n| tokio::spawn(payer(bank.clone(), n)));
    for payer in payers.collect::<Vec<_>>() {
        payer.await.expect("a payer");
    }
}

async fn payer(bank: App, n: i64) {
    let seed = bank.ids().next();
    for round in 0.. {
        let id = format!("{}", (n + round) % 15);
        let person = format!("{seed}{n}x{round}");
        let done = match round % 5 {
            0 => bank
                .execute(&anyone(), open(&person, &person, &person))
                .await
                .map(|_| format!("opened {person} 0")),
            1 => {
                let (from, to) = (id.clone(), format!("{}", n % 3));
                let transfer = Transfer {
                    from,
                    to,
                    amount: 1,
                    announced: round % 2 == 0,
                };
                let _ = bank.execute(&anyone(), transfer).await;
                continue;
            }
            _ => bank
                .execute(&anyone(), deposit(&id, 2))
                .await
                .map(|_| format!("paid {id} 2")),
        };
        let said = done.expect("committed");
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{said}").expect("the parent listens");
        out.flush().expect("the parent listens");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_loses_nothing_and_repeats_nothing() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return pay_until_killed(Path::new(&folder)).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (mut paid, mut opened) = (0i64, Vec::new());
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args([
                "--exact",
                "crash::a_killed_process_loses_nothing_and_repeats_nothing",
                "--nocapture",
            ])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("its words")).lines();
        let enough = 37 + round * 83;
        let mut heard = 0;
        for line in lines.map_while(Result::ok) {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["paid", _, amount] => paid += amount.parse::<i64>().expect("an amount"),
                ["opened", person, _] => opened.push(person.to_owned()),
                _ => continue,
            }
            heard += 1;
            if heard == enough {
                child.kill().expect("killed");
            }
        }
        child.wait().expect("it is over");
        assert!(
            heard >= enough,
            "the child ended by itself after {heard} payments"
        );
    }
    let shop = start(folder.path(), vec![bank(), audit(&Trouble::default())]).await;
    let (bank, audit) = (app(&shop, "bank"), app(&shop, "audit"));
    let kept = number(&bank, sql!("SELECT sum(balance) FROM balances")).await;
    assert!(kept >= paid, "{paid} was acknowledged, {kept} is there");
    for person in opened {
        let owner = bank
            .state::<Account>(&person)
            .await
            .expect("a state")
            .state
            .owner;
        let name = owner.expect("an owner").get().cloned();
        assert_eq!(name.as_ref(), Some(&person), "its key was not durable");
    }
    let moved = number(&bank, sql!("SELECT sum(moves) FROM balances")).await;
    until("the audit has caught up", || async {
        shop.ops().head("audit").is_ok_and(|head| head >= moved)
    })
    .await;
    assert_eq!(
        shop.ops().head("audit").expect("a head"),
        moved,
        "something was noted twice"
    );
    let mut moves: HashMap<String, Vec<i64>> = HashMap::new();
    for event in shop
        .ops()
        .events("bank", 0, 1_000_000)
        .await
        .expect("events")
    {
        if &*event.kind == "bank.account.moved.v1" {
            moves
                .entry(event.stream.id().to_owned())
                .or_default()
                .push(event.version);
        }
    }
    for (id, versions) in moves {
        let page = audit.state::<Page>(&id).await.expect("a page").state;
        let state = bank.state::<Account>(&id).await.expect("a state").state;
        assert_eq!(
            (page.versions, page.total),
            (versions, state.balance),
            "account {id}"
        );
    }
    assert!(shop.ops().dead_letters().await.expect("letters").is_empty());
    shop.shutdown().await;
}
