//! Every event that was ever written stays readable.

use contracts::notifications::{
    AddressEvent, KnownOrderEvent, MessageEvent, ReaderEvent, RestockEvent,
};
use kernel::testing::assert_golden;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");

#[test]
fn every_event_reads_and_writes_as_its_golden_file() {
    assert_golden::<MessageEvent>(FOLDER);
    assert_golden::<KnownOrderEvent>(FOLDER);
    assert_golden::<ReaderEvent>(FOLDER);
    assert_golden::<AddressEvent>(FOLDER);
    assert_golden::<RestockEvent>(FOLDER);
}
