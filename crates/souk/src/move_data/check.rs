//! Whether both logs are the same.

use kernel::Recorded;
use store::Store;

use super::Pair;
use crate::failure::{Context as _, Failure, Result};

const CHUNK: usize = 1_000;
const CHUNK_BYTES: usize = 4 << 20;

/// Compares every event, field by field; answers how many there are.
pub async fn events(pair: &Pair) -> Result<i64> {
    let mut at = 0;
    loop {
        let old = read(&pair.from, at).await.context(pair.service)?;
        let mut new = Vec::new();
        while new.len() < old.len() {
            let behind = new.last().map_or(at, |event: &Recorded| event.position);
            let more = read(pair.to.as_ref(), behind).await.context(pair.service)?;
            if more.is_empty() {
                break;
            }
            new.extend(more);
        }
        for (index, event) in old.iter().enumerate() {
            if !new.get(index).is_some_and(|copy| same(event, copy)) {
                return Err(Failure::new(format!(
                    "{} is not the same in the new place",
                    event.id()
                )));
            }
        }
        match old.last() {
            Some(last) => at = last.position,
            None => break,
        }
    }
    let head = pair.to.head().await.context(pair.service)?.position;
    match head == at {
        true => Ok(at),
        false => Err(Failure::new(format!(
            "{}: the new place has {head} events, the old one {at}",
            pair.service
        ))),
    }
}

async fn read(
    store: &dyn Store,
    after: i64,
) -> std::result::Result<Vec<Recorded>, store::StoreError> {
    store.read_log(after, CHUNK, CHUNK_BYTES).await
}

fn same(old: &Recorded, new: &Recorded) -> bool {
    (old.position, old.prev, old.partition, old.version)
        == (new.position, new.prev, new.partition, new.version)
        && (&old.stream, &old.kind, &old.data, old.at)
            == (&new.stream, &new.kind, &new.data, new.at)
        && old.meta == new.meta
}
