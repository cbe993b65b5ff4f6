//! Every event version this service ever published stays readable, and is written as it was.

use contracts::payments::{PaymentEvent, ProviderEventEvent};
use kernel::testing::assert_golden;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");

#[test]
fn payments_read_and_write_as_their_golden_files_say() {
    assert_golden::<PaymentEvent>(FOLDER);
}

#[test]
fn unmatched_webhooks_read_and_write_as_their_golden_files_say() {
    assert_golden::<ProviderEventEvent>(FOLDER);
}
