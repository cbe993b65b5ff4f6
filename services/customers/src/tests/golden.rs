//! Every event has a golden file, and is written as it says.

use contracts::customers::{
    CompanyEvent, ConsentEvent, CustomerEvent, DirectoryEvent, MailboxEvent, OrderRecordEvent,
    PersonEvent,
};
use kernel::testing::assert_golden;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");

#[test]
fn events_are_written_as_their_golden_files_say() {
    assert_golden::<CustomerEvent>(FOLDER);
    assert_golden::<PersonEvent>(FOLDER);
    assert_golden::<ConsentEvent>(FOLDER);
    assert_golden::<DirectoryEvent>(FOLDER);
    assert_golden::<OrderRecordEvent>(FOLDER);
    assert_golden::<MailboxEvent>(FOLDER);
    assert_golden::<CompanyEvent>(FOLDER);
}
