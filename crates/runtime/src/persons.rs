//! Whose keys will be needed in a moment: found by looking through payloads for sealed fields, so
//! that they are fetched in one trip before anything is opened.

use std::{collections::HashSet, sync::Arc};

use kernel::{PersonId, Recorded};
use store::LoadedStream;

use crate::service::Shared;

/// How a sealed field begins (see `kernel::Personal`).
const PERSON: &str = "\"person\":\"";

/// Adds the persons of a payload's sealed fields. Text that merely looks like one costs a key
/// that is fetched in vain.
fn add(text: &str, found: &mut HashSet<PersonId>) {
    let mut rest = text;
    while let Some(at) = rest.find(PERSON) {
        rest = &rest[at + PERSON.len()..];
        let Some(end) = rest.find('"') else { return };
        if let Ok(person) = rest[..end].parse() {
            found.insert(person);
        }
        rest = &rest[end..];
    }
}

/// Fetches the keys of everybody in `texts`. One that cannot be fetched now is asked for again
/// when it is needed.
async fn prefetch<'a>(shared: &Shared, texts: impl Iterator<Item = &'a str>) {
    let mut found = HashSet::new();
    texts.for_each(|text| add(text, &mut found));
    if found.is_empty() {
        return;
    }
    let persons = found.into_iter().collect();
    if let Err(error) = shared.keyring.clone().prefetch(persons).await {
        tracing::debug!(%error, "keys were not fetched beforehand");
    }
}

/// For events about to be handled.
pub(crate) async fn prefetch_events<'a>(
    shared: &Shared,
    events: impl Iterator<Item = &'a Arc<Recorded>>,
) {
    let closed = events.filter(|event| event.typed.get().is_none());
    prefetch(shared, closed.map(|event| &*event.data)).await;
}

/// For streams about to be folded.
pub(crate) async fn prefetch_streams(shared: &Shared, streams: &[LoadedStream]) {
    let snapshots = streams.iter().filter_map(|stream| stream.snapshot.as_ref());
    let events = streams.iter().flat_map(|stream| &stream.events);
    let snapshots = snapshots.map(|(_, text)| text.as_str());
    prefetch(
        shared,
        snapshots.chain(events.map(|(_, data)| data.as_str())),
    )
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_persons_of_sealed_fields_are_found() {
        let keys = kernel::testing::plain_keys();
        let sealed = |id: &str| {
            let person: PersonId = id.parse().expect("an id");
            let field = kernel::Personal::new(person, "Ann".to_owned());
            kernel::with_keys(&keys, || serde_json::to_string(&field)).expect("sealed")
        };
        let text = format!(
            r#"{{"a":{},"person":"","b":[{}],"c":"{{\"person\":\"per_x\"","person":"per"#,
            sealed("per_1"),
            sealed("per_2")
        );
        let mut found = HashSet::new();
        add(&text, &mut found);
        let mut found: Vec<String> = found.iter().map(|p| p.as_str().to_owned()).collect();
        found.sort();
        assert_eq!(found, ["per_1", "per_2"]);
    }
}
