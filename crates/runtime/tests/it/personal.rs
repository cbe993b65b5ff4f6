//! Personal data: sealed on disk, readable by its key alone, gone with it, and never in a log.

use kernel::{PersonId, sql};
use runtime::Runtime;
use serde::{Deserialize, Serialize};

use crate::{
    life::{anyone, app, number, start},
    toys::{Account, bank, deposit, open},
};

const NAME: &str = "Ann Archetype-Example";

async fn owner(shop: &Runtime, id: &str) -> Option<String> {
    let state = app(shop, "bank")
        .state::<Account>(id)
        .await
        .expect("a state")
        .state;
    state.owner.and_then(|owner| owner.get().cloned())
}

/// Whether any file below `folder` holds `text`.
fn on_disk(folder: &std::path::Path, text: &[u8]) -> bool {
    let files = std::fs::read_dir(folder).expect("a folder");
    let mut bytes = files.map(|file| std::fs::read(file.expect("a file").path()).expect("bytes"));
    bytes.any(|bytes| bytes.windows(text.len()).any(|window| window == text))
}

fn person(name: &str) -> PersonId {
    format!("per_{name}").parse().expect("a person")
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_is_on_disk_only_sealed_and_opens_again_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank_app = app(&shop, "bank");
    bank_app
        .execute(&anyone(), open("a", "ann", NAME))
        .await
        .expect("committed");
    // Enough for snapshots, which hold the owner as well.
    for _ in 0..12 {
        bank_app
            .execute(&anyone(), deposit("a", 1))
            .await
            .expect("committed");
    }
    assert!(number(&bank_app, sql!("SELECT count(*) FROM snapshots")).await > 0);
    assert!(
        !on_disk(folder.path(), NAME.as_bytes()),
        "personal data in clear while it runs"
    );
    shop.shutdown().await;
    assert!(
        !on_disk(folder.path(), NAME.as_bytes()),
        "personal data in clear"
    );
    assert!(
        on_disk(folder.path(), b"bank.account.opened.v1"),
        "the search looks at the right files"
    );
    let shop = start(folder.path(), vec![bank()]).await;
    assert_eq!(owner(&shop, "a").await.as_deref(), Some(NAME));
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_can_have_a_person_forgotten_everywhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank_app = app(&shop, "bank");
    let opened = bank_app.execute(&anyone(), open("a", "ann", NAME)).await;
    opened.expect("committed");
    assert_eq!(owner(&shop, "a").await.as_deref(), Some(NAME));
    for _ in 0..2 {
        let forgotten = bank_app.forget(person("ann")).await;
        forgotten.expect("forgotten, however often it is asked");
    }
    assert_eq!(owner(&shop, "a").await, None);
    let events = shop.ops().events("bank", 0, 1).await.expect("events");
    assert!(events[0].typed.get().is_none(), "still opened in memory");
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_unreadable_at_once_and_for_ever() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank_app = app(&shop, "bank");
    bank_app
        .execute(&anyone(), open("a", "ann", NAME))
        .await
        .expect("committed");
    bank_app
        .execute(&anyone(), open("b", "bob", "Bob"))
        .await
        .expect("committed");
    assert_eq!(owner(&shop, "a").await.as_deref(), Some(NAME));
    shop.ops().erase(&person("ann")).await.expect("erased");
    shop.ops()
        .erase(&person("ann"))
        .await
        .expect("erased twice is erased");
    // Neither the cached state, nor what readers of the log still held in memory.
    assert_eq!(owner(&shop, "a").await, None);
    let events = shop.ops().events("bank", 0, 1).await.expect("events");
    assert!(
        events[0].typed.get().is_none(),
        "an opened event is still in memory"
    );
    assert_eq!(owner(&shop, "b").await.as_deref(), Some("Bob"));
    // The history stays and goes on.
    bank_app
        .execute(&anyone(), deposit("a", 1))
        .await
        .expect("committed");
    let again = bank_app
        .execute(&anyone(), open("a", "ann", "Ann again"))
        .await;
    assert!(again.is_err(), "an erased person got a new key");
    shop.shutdown().await;
    let shop = start(folder.path(), vec![bank()]).await;
    assert_eq!(owner(&shop, "a").await, None);
    assert_eq!(owner(&shop, "b").await.as_deref(), Some("Bob"));
    assert_eq!(
        app(&shop, "bank")
            .state::<Account>("a")
            .await
            .expect("a state")
            .version,
        2
    );
    shop.shutdown().await;
}

/// What a read model of owners needs of the bank's events: its own, smaller view of them.
#[derive(Debug, Serialize, Deserialize)]
pub struct OwnerSeen {
    /// Whose it is.
    owner: Option<kernel::Personal<String>>,
}

kernel::event_set! {
    /// The part of an account's events that is about its owner.
    pub enum OwnerEvent {
        /// It was opened.
        Seen(OwnerSeen) = "bank.account.opened.v1",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_may_read_personal_data_through_a_view_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = "CREATE TABLE owners (id TEXT PRIMARY KEY, letters BIGINT NOT NULL)";
    let owners = kernel::Projection::own("owners", 1, &["owners"], schema, |event, out| {
        if let Some(OwnerEvent::Seen(seen)) = event.decode::<OwnerEvent>()?.as_deref() {
            let letters = kernel::opened(&seen.owner).map_or(0, String::len);
            let text = "INSERT INTO owners (id, letters) VALUES ($1, $2)";
            out.push(sql!(text, event.stream.id(), letters));
        }
        Ok(())
    });
    let shop = start(folder.path(), vec![bank().projection(owners)]).await;
    let bank_app = app(&shop, "bank");
    bank_app
        .execute(&anyone(), open("a", "ann", NAME))
        .await
        .expect("committed");
    let letters = || sql!("SELECT letters FROM owners WHERE id = 'a'");
    assert_eq!(number(&bank_app, letters()).await, NAME.len() as i64);
    shop.ops().rebuild("bank", "owners").await.expect("rebuilt");
    assert_eq!(number(&bank_app, letters()).await, NAME.len() as i64);
    shop.shutdown().await;
}

/// The key itself leaves the disk, so that no copy of the files made later can bring it back.
#[tokio::test(flavor = "multi_thread")]
async fn an_erased_key_is_in_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    let bank_app = app(&shop, "bank");
    bank_app
        .execute(&anyone(), open("a", "ann", NAME))
        .await
        .expect("committed");
    let ring = rusqlite::Connection::open(folder.path().join("keyring.db")).expect("opens");
    let key: Vec<u8> = ring
        .query_row("SELECT key FROM keys WHERE person = 'per_ann'", [], |row| {
            row.get(0)
        })
        .expect("a key that is durable before the commit is acknowledged");
    drop(ring);
    assert!(on_disk(folder.path(), &key));
    shop.ops().erase(&person("ann")).await.expect("erased");
    assert!(!on_disk(folder.path(), &key));
    shop.shutdown().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_may_read_the_keys() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    app(&shop, "bank")
        .execute(&anyone(), open("a", "ann", NAME))
        .await
        .expect("committed");
    let mut seen = 0;
    for file in std::fs::read_dir(folder.path()).expect("a folder") {
        let file = file.expect("a file");
        if file.file_name().to_string_lossy().starts_with("keyring") {
            let mode = file
                .metadata()
                .expect("its permissions")
                .permissions()
                .mode();
            assert_eq!(mode & 0o077, 0, "{:?} is open to others", file.file_name());
            seen += 1;
        }
    }
    assert!(seen >= 2, "the database and its log");
    shop.shutdown().await;
}

/// Keys made by many services at once for the same persons: one key each, all durable.
#[tokio::test(flavor = "multi_thread")]
async fn services_that_seal_for_the_same_new_person_agree_on_one_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = || {
        ["bank", "bank2", "bank3"]
            .map(|name| kernel::Module { name, ..bank() })
            .into_iter()
            .collect()
    };
    let shop = start(folder.path(), services()).await;
    let all = ["bank", "bank2", "bank3"].into_iter().flat_map(|name| {
        let app = app(&shop, name);
        (0..60).map(move |n| {
            let app = app.clone();
            tokio::spawn(async move {
                let person = format!("p{n}");
                app.execute(&anyone(), open(&format!("{n}"), &person, &person))
                    .await
            })
        })
    });
    for one in all.collect::<Vec<_>>() {
        one.await.expect("a caller").expect("committed");
    }
    shop.shutdown().await;
    let shop = start(folder.path(), services()).await;
    for name in ["bank", "bank2", "bank3"] {
        for n in 0..60 {
            let state = app(&shop, name)
                .state::<Account>(&format!("{n}"))
                .await
                .expect("readable")
                .state;
            assert_eq!(state.owner.expect("an owner").get(), Some(&format!("p{n}")));
        }
    }
    shop.shutdown().await;
}
