//! Every event identity publishes has a golden file, and is written as it says.

use contracts::identity::{
    AdminEvent, ApiKeyEvent, CredentialEvent, CustomerEvent, EmailEvent, RoleEvent, SessionEvent,
    SigningKeyEvent, SigningKeysEvent, StaffEvent,
};
use kernel::testing::assert_golden;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");

#[test]
fn events_are_written_as_their_golden_files_say() {
    assert_golden::<SigningKeysEvent>(FOLDER);
    assert_golden::<SigningKeyEvent>(FOLDER);
    assert_golden::<EmailEvent>(FOLDER);
    assert_golden::<CredentialEvent>(FOLDER);
    assert_golden::<CustomerEvent>(FOLDER);
    assert_golden::<StaffEvent>(FOLDER);
    assert_golden::<AdminEvent>(FOLDER);
    assert_golden::<RoleEvent>(FOLDER);
    assert_golden::<ApiKeyEvent>(FOLDER);
    assert_golden::<SessionEvent>(FOLDER);
}
