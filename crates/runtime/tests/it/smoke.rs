//! The shortest way through everything: command → event → read model → other service.

use kernel::sql;

use crate::{
    life::{anyone, app, number, start, until},
    toys::{Account, Page, Trouble, audit, bank, deposit, noted},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_committed_projected_heard_and_still_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let modules = || vec![bank(), audit(&Trouble::default())];
    let shop = start(folder.path(), modules()).await;
    let (bank, audit) = (app(&shop, "bank"), app(&shop, "audit"));
    let done = bank
        .execute(&anyone(), deposit("a", 10))
        .await
        .expect("committed");
    assert_eq!((done.state.balance, done.version, done.events), (10, 1, 1));
    let balance = || sql!("SELECT balance FROM balances WHERE id = 'a'");
    assert_eq!(number(&bank, balance()).await, 10);
    let refused = bank.execute(&anyone(), deposit("a", -11)).await;
    assert!(refused.is_err(), "an overdraft was accepted");
    bank.execute(&anyone(), noted("a", 5, "two pages"))
        .await
        .expect("committed");
    until("the audit heard of it", || async {
        number(&audit, sql!("SELECT total FROM totals WHERE id = 'a'")).await == 15
            && number(&audit, sql!("SELECT total FROM totals WHERE id = 'ax'")).await == 5
            && number(&audit, sql!("SELECT balance FROM mirror WHERE id = 'a'")).await == 15
    })
    .await;
    shop.shutdown().await;

    let shop = start(folder.path(), modules()).await;
    let (bank, audit) = (app(&shop, "bank"), app(&shop, "audit"));
    assert_eq!(number(&bank, balance()).await, 15);
    assert_eq!(bank.state::<Account>("a").await.expect("read").version, 2);
    assert_eq!(
        audit.state::<Page>("a").await.expect("read").state.versions,
        [1, 2]
    );
    shop.shutdown().await;
}
