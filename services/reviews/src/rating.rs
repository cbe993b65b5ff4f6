//! The rating of one product: how many published reviews there are of each rating.

use contracts::{
    catalog::ProductId,
    reviews::{RatingChanged, RatingEvent},
};
use kernel::{Decider, Rejection};
use serde::{Deserialize, Serialize};

/// Keeps a product's rating.
pub struct Rating;

/// What it comes to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// How many of each rating, from 1 to 5.
    pub histogram: [i64; 5],
}

impl State {
    /// How many reviews.
    pub fn count(&self) -> i64 {
        self.histogram.iter().sum()
    }

    /// The sum of their ratings.
    pub fn sum(&self) -> i64 {
        (1..).zip(self.histogram).map(|(stars, n)| stars * n).sum()
    }
}

/// The average in hundredths, rounded half up; 0 without reviews.
pub fn average_hundredths(sum: i64, count: i64) -> i64 {
    match count {
        0 => 0,
        _ => (sum * 100 + count / 2) / count,
    }
}

/// A review counts otherwise than before.
#[derive(Clone, Debug)]
pub struct Command {
    /// Which product.
    pub product: ProductId,
    /// What it counted as, if it did.
    pub from: Option<u8>,
    /// What it counts as, if it does.
    pub to: Option<u8>,
}

impl Decider for Rating {
    const CATEGORY: &'static str = "rating";
    const SNAPSHOT_EVERY: Option<i64> = Some(100);
    type State = State;
    type Command = Command;
    type Event = RatingEvent;

    fn decide(state: &State, command: &Command) -> Result<Vec<RatingEvent>, Rejection> {
        if command.from == command.to {
            return Ok(Vec::new());
        }
        let mut new = state.clone();
        for (rating, change) in [(command.from, -1), (command.to, 1)] {
            if let Some(rating) = rating {
                let place = new.histogram.get_mut(usize::from(rating).wrapping_sub(1));
                *place.ok_or_else(|| Rejection::invalid("rating", "must be from 1 to 5"))? +=
                    change;
            }
        }
        Ok(vec![
            RatingChanged {
                product_id: command.product.clone(),
                count: new.count(),
                sum: new.sum(),
                histogram: new.histogram,
            }
            .into(),
        ])
    }

    fn evolve(state: &mut State, event: &RatingEvent) {
        let RatingEvent::Changed(changed) = event;
        state.histogram = changed.histogram;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_is_exact_and_rounded_half_up() {
        for (sum, count, wanted) in [
            (0, 0, 0),
            (5, 1, 500),
            (9, 2, 450),
            (13, 3, 433),
            (14, 3, 467),
            (17, 8, 213),
            (999_999 * 5 + 1, 1_000_000, 500),
        ] {
            assert_eq!(average_hundredths(sum, count), wanted, "{sum}/{count}");
        }
    }
}
