use contracts::wishlists::{ShelfEvent, WishlistEvent};
use kernel::testing::assert_golden;

#[test]
fn events_are_written_as_their_golden_files_say() {
    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");
    assert_golden::<WishlistEvent>(FOLDER);
    assert_golden::<ShelfEvent>(FOLDER);
}
