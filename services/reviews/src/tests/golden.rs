use contracts::reviews::{AuthorEvent, OpinionEvent, RatingEvent, ReviewEvent};
use kernel::testing::assert_golden;

#[test]
fn events_are_written_as_their_golden_files_say() {
    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");
    assert_golden::<ReviewEvent>(FOLDER);
    assert_golden::<RatingEvent>(FOLDER);
    assert_golden::<AuthorEvent>(FOLDER);
    assert_golden::<OpinionEvent>(FOLDER);
}
