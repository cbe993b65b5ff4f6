//! Unique values: each handle and each SKU is a stream of its own, claimed and released in the
//! same commit as the product that carries it. So two products can never share one, however many
//! callers try at once.

use contracts::catalog::{ClaimEvent, ClaimKind, ClaimReleased, ClaimTaken, ProductId};
use kernel::{Decider, Rejection, StreamId};
use serde::{Deserialize, Serialize};

/// The rules of one unique value.
pub struct ClaimRules;

/// Who holds the value, if anyone does.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ClaimState {
    /// The holder.
    pub holder: Option<ProductId>,
}

/// What can be asked of a unique value.
pub enum ClaimCommand {
    /// Have it, unless another product does.
    Take(ClaimKind, String, ProductId),
    /// Give it back; nothing happens if it is not held by this product.
    Release(ClaimKind, String, ProductId),
}

/// The stream id of a value within the category `claim`.
pub fn claim_id(kind: ClaimKind, value: &str) -> String {
    match kind {
        ClaimKind::Handle => format!("handle:{value}"),
        ClaimKind::Sku => format!("sku:{value}"),
    }
}

/// The stream of a value.
pub fn claim_stream(kind: ClaimKind, value: &str) -> StreamId {
    StreamId::new(ClaimRules::CATEGORY, &claim_id(kind, value))
}

impl Decider for ClaimRules {
    const CATEGORY: &'static str = "claim";
    type State = ClaimState;
    type Command = ClaimCommand;
    type Event = ClaimEvent;

    fn decide(state: &ClaimState, command: &ClaimCommand) -> Result<Vec<ClaimEvent>, Rejection> {
        match command {
            ClaimCommand::Take(kind, value, product_id) => match &state.holder {
                Some(holder) if holder == product_id => Ok(vec![]),
                Some(_) => Err(taken(*kind, value)),
                None => Ok(vec![ClaimEvent::Taken(ClaimTaken {
                    kind: *kind,
                    value: value.clone(),
                    product_id: product_id.clone(),
                })]),
            },
            ClaimCommand::Release(kind, value, product_id) => match &state.holder {
                Some(holder) if holder == product_id => {
                    Ok(vec![ClaimEvent::Released(ClaimReleased {
                        kind: *kind,
                        value: value.clone(),
                        product_id: product_id.clone(),
                    })])
                }
                _ => Ok(vec![]),
            },
        }
    }

    fn evolve(state: &mut ClaimState, event: &ClaimEvent) {
        state.holder = match event {
            ClaimEvent::Taken(taken) => Some(taken.product_id.clone()),
            ClaimEvent::Released(_) => None,
        };
    }
}

fn taken(kind: ClaimKind, value: &str) -> Rejection {
    match kind {
        ClaimKind::Handle => Rejection::conflict(
            "handle-taken",
            format!("another product has the handle `{value}`"),
        ),
        ClaimKind::Sku => Rejection::conflict(
            "sku-taken",
            format!("a variant of another product has the SKU `{value}`"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use kernel::testing::given;

    use super::*;

    fn id(text: &str) -> ProductId {
        text.parse().unwrap()
    }

    fn take(product: &str) -> ClaimCommand {
        ClaimCommand::Take(ClaimKind::Sku, "A".into(), id(product))
    }

    fn release(product: &str) -> ClaimCommand {
        ClaimCommand::Release(ClaimKind::Sku, "A".into(), id(product))
    }

    #[test]
    fn a_value_has_one_holder_at_a_time() {
        let mut sku = given::<ClaimRules>([]);
        assert_eq!(sku.when(take("prd_1")).unwrap().len(), 1);
        assert_eq!(
            sku.when(take("prd_1")).unwrap().len(),
            0,
            "taking it again is nothing"
        );
        assert_eq!(sku.when(take("prd_2")).unwrap_err().code, "sku-taken");
        assert_eq!(
            sku.when(release("prd_2")).unwrap().len(),
            0,
            "only the holder gives it back"
        );
        assert_eq!(sku.when(release("prd_1")).unwrap().len(), 1);
        assert_eq!(sku.when(take("prd_2")).unwrap().len(), 1);
    }
}
