//! Every statement of every service, found in its source, is understood by SQLite and PostgreSQL
//! over the tables that service has on them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use kernel::{Module, Statement, Value};
use store::{Batch, Store, StoreError, Stores, postgres::Databases, sqlite::Folder};

use super::*;

const WORDS: [&str; 5] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "];

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_is_understood_by_both_databases() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("postgres");
    let start = move || {
        let options = scratch::PostgresOptions {
            fsync: false,
            ..scratch::PostgresOptions::default()
        };
        scratch::Postgres::start(&place, options).expect("PostgreSQL starts")
    };
    let server = tokio::task::spawn_blocking(start).await.expect("a server");
    let places: [Arc<dyn Stores>; 2] = [
        Arc::new(Folder {
            path: folder.path().to_owned(),
            readers: 1,
        }),
        Arc::new(Databases {
            url: server.url("{service}"),
            readers: 1,
        }),
    ];
    let settings = Settings {
        provider_url: "http://127.0.0.1:1".into(),
        provider_key: "none".into(),
        webhook_secret: "none".into(),
        patience: Patience::default(),
        mail: Mail::default(),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let system: Vec<&'static str> = ["system.rs", "sharing.rs"]
        .iter()
        .flat_map(|file| statements(&root.join("crates/store/src").join(file)))
        .collect();
    let mut wrong = Vec::new();
    for service in all(&settings).expect("services") {
        let module = service.module;
        let source = root.join("services").join(module.name).join("src");
        let found: Vec<&'static str> = sources(&source)
            .iter()
            .flat_map(|file| statements(file))
            .chain(system.clone())
            .collect();
        assert!(
            found.len() > system.len(),
            "no statements in {}",
            module.name
        );
        for place in &places {
            let store = place
                .open(module.name, "first".into())
                .await
                .expect("opens");
            make_tables(&*store, &module).await;
            for sql in &found {
                if let Err(error) = understand(&*store, sql).await {
                    wrong.push(format!("{}: {error}\n{sql}", module.name));
                }
            }
            store.close().await;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn make_tables(store: &dyn Store, module: &Module) {
    store
        .migrate(module.name, module.migrations)
        .await
        .expect("migrated");
    for projection in &module.projections {
        let made = store
            .define(projection.schema.to_owned(), Batch::default())
            .await;
        made.unwrap_or_else(|e| panic!("{}: {e}", projection.name));
    }
}

/// A query answers; what writes is refused for that and nothing else, after it was prepared.
async fn understand(store: &dyn Store, sql: &'static str) -> std::result::Result<(), StoreError> {
    let values = (1..).take_while(|n| sql.contains(&format!("${n}")));
    let limit = |n| match sql.contains(&format!("LIMIT ${n}")) {
        true => Value::Int(1),
        false => Value::Null,
    };
    let args = values.map(limit).collect();
    let statement = Statement { sql, args };
    match store.query(vec![statement]).await {
        Ok(_) => Ok(()),
        Err(StoreError::Data(text)) if text == "a query must not write" => Ok(()),
        Err(error) => Err(error),
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        match path.is_dir() {
            _ if name.contains("tests") => {}
            true => found.append(&mut sources(&path)),
            false => found.push(path),
        }
    }
    found
}

/// String literals of a file that are SQL.
fn statements(file: &Path) -> Vec<&'static str> {
    let text = std::fs::read_to_string(file).expect("a source file");
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code
        .join("\n")
        .replace("'\"'", "' '")
        .replace("\\\"", "\u{1}");
    let literals = code.split('"').skip(1).step_by(2);
    literals
        .map(|literal| {
            // A backslash at the end of a line joins it with the next.
            let lines = literal.split("\\\n").map(str::trim_start);
            lines.collect::<String>().replace('\u{1}', "\"")
        })
        .filter(|literal| WORDS.iter().any(|word| literal.starts_with(word)))
        .map(|literal| &*literal.leak())
        .collect()
}
