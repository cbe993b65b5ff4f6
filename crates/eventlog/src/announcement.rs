//! A head as it is announced: position and incarnation with a space between.

use store::LogHead;

/// The longest incarnation that is read.
const LONGEST: usize = 200;

/// The text of an announcement.
pub(crate) fn write(head: &LogHead) -> String {
    format!("{} {}", head.position, head.incarnation)
}

/// The head in an announcement; `None` if it is none.
pub(crate) fn read(payload: &[u8]) -> Option<LogHead> {
    let text = std::str::from_utf8(payload).ok()?;
    let (position, incarnation) = text.split_once(' ')?;
    let position = position.parse().ok().filter(|position| *position >= 0)?;
    let fits = !incarnation.is_empty() && incarnation.len() <= LONGEST;
    fits.then(|| LogHead {
        position,
        incarnation: incarnation.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_comes_back_as_it_was(position in 0i64.., incarnation in "\\PC{1,60}") {
            let head = LogHead { position, incarnation };
            prop_assert_eq!(read(write(&head).as_bytes()), Some(head));
        }

        #[test]
        fn garbage_is_none(garbage in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(head) = read(&garbage) {
                prop_assert!(head.position >= 0 && head.incarnation.len() <= LONGEST);
            }
        }
    }
}
