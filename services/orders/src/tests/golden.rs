//! Every event that was ever written stays readable.

use contracts::orders::OrderEvent;
use kernel::testing::assert_golden;

#[test]
fn every_event_reads_and_writes_as_its_golden_file() {
    assert_golden::<OrderEvent>(concat!(env!("CARGO_MANIFEST_DIR"), "/golden"));
}
