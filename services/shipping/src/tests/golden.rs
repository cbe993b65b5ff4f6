use contracts::shipping::{DispatchEvent, FulfilmentEvent, QuoteKeysEvent, ShippingPlanEvent};
use kernel::testing::assert_golden;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");

#[test]
fn every_event_reads_as_its_golden_file_says() {
    assert_golden::<ShippingPlanEvent>(FOLDER);
    assert_golden::<QuoteKeysEvent>(FOLDER);
    assert_golden::<DispatchEvent>(FOLDER);
    assert_golden::<FulfilmentEvent>(FOLDER);
}
