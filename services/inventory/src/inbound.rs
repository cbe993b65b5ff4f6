//! What programs outside of Souk say to inventory. Pure: their event → our command.

use contracts::{
    inbound::StockCounted,
    inventory::{LocationId, MovementReason},
};
use kernel::{AnyCommand, Poison};

use crate::{
    http::check,
    stock::{Adjustment, Change},
    stocktaking::Adjust,
};

/// Units were counted: what is on hand becomes what was counted.
pub fn on_counted(data: &str) -> Result<Box<dyn AnyCommand>, Poison> {
    // The reason is ours: a parser's message may quote what they sent.
    let counted: StockCounted =
        serde_json::from_str(data).map_err(|_| Poison("not a count of stock".into()))?;
    check::sku("sku", &counted.sku)?;
    check::text("reference", counted.reference.as_deref(), 100)?;
    check::units("counted", counted.counted, 0)?;
    let adjustment = Adjustment {
        sku: counted.sku,
        location: counted.location.unwrap_or_else(LocationId::main),
        change: Change::To(counted.counted),
        expected_on_hand: None,
        reason: MovementReason::Count,
        reference: counted.reference,
        note: None,
        // What was counted is so, promised to somebody or not.
        accept_oversold: true,
    };
    Ok(Box::new(Adjust {
        lines: vec![adjustment],
        all_or_none: true,
        list: "counted",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::Stock;

    #[test]
    fn a_count_sets_what_is_on_hand() {
        let mut world = crate::tests::world();
        let (main, opening) = (LocationId::main(), r#"{"sku": "85123A", "counted": 7}"#);
        let command = on_counted(opening).expect("a command");
        world.run_any(command.as_ref()).expect("accepted");
        let example = contracts::inbound::inbound_event_types()
            .into_iter()
            .find(|inbound| inbound.kind == StockCounted::TYPE)
            .expect("a type")
            .example;
        let command = on_counted(example).expect("a command");
        world.run_any(command.as_ref()).expect("accepted");
        assert_eq!(world.state::<Stock>("85123A").on_hand(&main), 42);
    }

    #[test]
    fn what_is_no_count_is_refused_without_quoting_it() {
        for data in [
            "secret",
            r#"{"sku": "secret", "counted": "secret"}"#,
            r#"{"sku": "", "counted": 1}"#,
            r#"{"sku": "a", "counted": -1}"#,
            r#"{"sku": "a", "counted": 9223372036854775807}"#,
        ] {
            let refused = on_counted(data).map(drop).expect_err(data).to_string();
            assert!(!refused.contains("secret"), "{refused}");
        }
    }
}
