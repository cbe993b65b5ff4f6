//! Counts from outside.

use kernel::testing::kinds;

use super::*;
use crate::counts::on_counted;

fn counted(world: &mut World, data: &str) -> kernel::Work {
    let command = on_counted(data).expect("a count");
    world.run_any(&*command).expect("not refused").1
}

#[test]
fn a_count_is_what_there_is() {
    let mut world = world();
    let work = counted(
        &mut world,
        r#"{"sku": "A", "counted": 7, "more": "ignored"}"#,
    );
    assert_eq!(kinds(&work), ["inventory.stock.adjusted.v1"]);
    assert_eq!(world.state::<Stock>("A").on_hand(&LocationId::main()), 7);
    // Counted again, nothing happens.
    let again = counted(&mut world, r#"{"sku": "A", "counted": 7}"#);
    assert!(kinds(&again).is_empty());
    counted(
        &mut world,
        r#"{"sku": "A", "counted": 0, "reference": "count-2"}"#,
    );
    assert_eq!(world.state::<Stock>("A").on_hand(&LocationId::main()), 0);
}

#[test]
fn a_count_that_cannot_be_is_parked() {
    for data in [
        "",
        "[]",
        r#"{"sku": "A"}"#,
        r#"{"sku": "", "counted": 1}"#,
        r#"{"sku": "A", "counted": -1}"#,
        r#"{"sku": "A", "counted": 1e30}"#,
        r#"{"sku": "A", "counted": 1, "location": ""}"#,
    ] {
        assert!(on_counted(data).is_err(), "{data}");
    }
}

#[test]
fn the_published_example_is_taken() {
    let mut world = world();
    for inbound in contracts::inbound::inbound_event_types() {
        let command = on_counted(inbound.example).expect(inbound.kind);
        world.run_any(&*command).expect("not refused");
    }
}
